"""What the laws ask RDS about."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from tests.jar import TestJar
from tests.laws import scenes_deployments
from tests.services.iam.people import trust_service

_NUMBERS = itertools.count()


def _database(jar: TestJar) -> dict[str, Any]:
    name = f"law{next(_NUMBERS)}"
    jar.client("rds").create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="postgres", MasterUsername="boss",
        MasterUserPassword="correct-horse-9", AllocatedStorage=20, BackupRetentionPeriod=0,
    )  # fmt: skip
    return {"DBInstanceIdentifier": name}


def _going(jar: TestJar) -> dict[str, Any]:
    named = _database(jar)
    jar.settle()
    jar.client("rds").delete_db_instance(**named, SkipFinalSnapshot=True)
    return named


def _snapshot(jar: TestJar) -> dict[str, Any]:
    named = _database(jar)
    jar.settle()
    snapshot = {"DBSnapshotIdentifier": f"law{next(_NUMBERS)}"}
    jar.client("rds").create_db_snapshot(**named, **snapshot)
    return snapshot


def _going_snapshot(jar: TestJar) -> dict[str, Any]:
    snapshot = _snapshot(jar)
    jar.settle()
    jar.client("rds").delete_db_snapshot(**snapshot)
    return snapshot


def _cluster(jar: TestJar) -> dict[str, Any]:
    name = f"law{next(_NUMBERS)}"
    jar.client("rds").create_db_cluster(
        DBClusterIdentifier=name, DBClusterInstanceClass="db.m6gd.large", Engine="postgres", MasterUsername="boss",
        MasterUserPassword="correct-horse-9", AllocatedStorage=20, StorageType="gp3",
    )  # fmt: skip
    return {"DBClusterIdentifier": name}


def _cluster_snapshot(jar: TestJar) -> dict[str, Any]:
    named = _cluster(jar)
    jar.settle()
    snapshot = {"DBClusterSnapshotIdentifier": f"law{next(_NUMBERS)}"}
    jar.client("rds").create_db_cluster_snapshot(**named, **snapshot)
    return snapshot


def _going_cluster_snapshot(jar: TestJar) -> dict[str, Any]:
    snapshot = _cluster_snapshot(jar)
    jar.settle()
    jar.client("rds").delete_db_cluster_snapshot(**snapshot)
    return snapshot


def _going_cluster(jar: TestJar) -> dict[str, Any]:
    named = _cluster(jar)
    jar.settle()
    jar.client("rds").delete_db_cluster(**named, SkipFinalSnapshot=True)
    return named


_EXPORTED = {"SourceArn": "arn:aws:rds:eu-west-3:000000000000:snapshot:law"}
_ARN = {"ResourceName": "arn:aws:rds:eu-west-3:000000000000:db:law"}
_CLUSTER = "arn:aws:rds:eu-west-3:000000000000:cluster:law"
_DATA_API = (
    "BatchExecuteStatement", "BeginTransaction", "CommitTransaction", "ExecuteStatement", "RollbackTransaction",
)  # fmt: skip


def _front(things: Any) -> dict[str, Any]:
    """A proxy of one's own with a second endpoint, and what requests about them say."""
    rds, name = things.jar.client("rds"), f"law{next(_NUMBERS)}"
    _database(things.jar)
    group = rds.describe_db_subnet_groups(DBSubnetGroupName="default")["DBSubnetGroups"][0]
    subnets = [subnet["SubnetIdentifier"] for subnet in group["Subnets"]]
    rds.create_db_proxy(
        DBProxyName=name, EngineFamily="POSTGRESQL", RoleArn="arn:aws:iam::000000000000:role/law", VpcSubnetIds=subnets,
        Auth=[{"SecretArn": "arn:aws:secretsmanager:eu-west-3:000000000000:secret:law"}],
    )  # fmt: skip
    things.jar.settle()
    rds.create_db_proxy_endpoint(DBProxyName=name, DBProxyEndpointName=name, VpcSubnetIds=subnets)
    things.jar.settle()
    return {"DBProxyName": name, "DBProxyEndpointName": name, "TargetGroupName": "default"}


_OF_PROXIES = {
    "CreateDBProxyEndpoint": ("DBProxyName",), "DeleteDBProxy": ("DBProxyName",),
    "DeleteDBProxyEndpoint": ("DBProxyEndpointName",), "DeregisterDBProxyTargets": ("DBProxyName", "TargetGroupName"),
    "DescribeDBProxies": ("DBProxyName",), "DescribeDBProxyEndpoints": ("DBProxyName", "DBProxyEndpointName"),
    "DescribeDBProxyTargetGroups": ("DBProxyName",), "DescribeDBProxyTargets": ("DBProxyName",),
    "ModifyDBProxy": ("DBProxyName",), "ModifyDBProxyEndpoint": ("DBProxyEndpointName",),
    "ModifyDBProxyTargetGroup": ("DBProxyName", "TargetGroupName"),
    "RegisterDBProxyTargets": ("DBProxyName", "TargetGroupName"),
}  # fmt: skip


def _about(members: tuple[str, ...]) -> Callable[[Any], dict[str, Any]]:
    def scene(things: Any) -> dict[str, Any]:
        made = _front(things)
        return {member: made[member] for member in members}

    return scene


SCENES: dict[str, Any] = {
    **scenes_deployments.SCENES,
    **{f"rds:{name}": _about(members) for name, members in _OF_PROXIES.items()},
    **{f"rds-data:{name}": lambda _: {"resourceArn": _CLUSTER} for name in _DATA_API},
    "rds:AddTagsToResource": lambda _: _ARN,
    "rds:CreateDBInstanceReadReplica": lambda _: {
        "DBInstanceIdentifier": "copy", "SourceDBInstanceIdentifier": "law", "DBSubnetGroupName": "law",
        "OptionGroupName": "law", "DBParameterGroupName": "law",
    },
    "rds:DeleteDBInstanceAutomatedBackup": lambda _: {
        "DBInstanceAutomatedBackupsArn": "arn:aws:rds:eu-west-3:000000000000:auto-backup:ab-law"
    },
    "rds:DescribeDBInstanceAutomatedBackups": lambda _: {"DBInstanceIdentifier": "law"},
    "rds:DescribeExportTasks": lambda _: _EXPORTED,
    "rds:StartExportTask": lambda _: {**_EXPORTED, "IamRoleArn": "arn:aws:iam::000000000000:role/law"},
    "rds:DescribeEventSubscriptions": lambda _: {"SubscriptionName": "law"},
    "rds:DescribeDBClusterEndpoints": lambda _: {
        "DBClusterIdentifier": "law", "DBClusterEndpointIdentifier": "law",
    },
    "rds:DescribeDBClusterParameterGroups": lambda _: {"DBClusterParameterGroupName": "law"},
    "rds:DescribeDBClusterSnapshots": lambda _: {"DBClusterSnapshotIdentifier": "law"},
    "rds:DescribeDBClusters": lambda _: {"DBClusterIdentifier": "law"},
    "rds:ApplyPendingMaintenanceAction": lambda _: {"ResourceIdentifier": _ARN["ResourceName"]},
    "rds:DescribePendingMaintenanceActions": lambda _: {"ResourceIdentifier": _ARN["ResourceName"]},
    "rds:DescribeOptionGroups": lambda _: {"OptionGroupName": "law"},
    "rds:ModifyDBSnapshot": lambda _: {"OptionGroupName": "law"},
    "rds:DisableHttpEndpoint": lambda _: {"ResourceArn": _CLUSTER},
    "rds:EnableHttpEndpoint": lambda _: {"ResourceArn": _CLUSTER},
    "rds:DescribeDBInstances": lambda _: {"DBInstanceIdentifier": "law"},
    "rds:DescribeDBParameterGroups": lambda _: {"DBParameterGroupName": "law"},
    "rds:DescribeDBSnapshots": lambda _: {"DBSnapshotIdentifier": "law"},
    "rds:DescribeDBSubnetGroups": lambda _: {"DBSubnetGroupName": "law"},
    "rds:DescribeReservedDBInstances": lambda _: {"ReservedDBInstanceId": "law"},
    "rds:PurchaseReservedDBInstancesOffering": lambda _: {
        "ReservedDBInstancesOfferingId": "law", "ReservedDBInstanceId": "law",
    },
    "rds:ListTagsForResource": lambda _: _ARN,
    "rds:RemoveTagsFromResource": lambda _: _ARN,
    "rds:RestoreDBInstanceFromDBSnapshot": lambda _: {
        "DBSnapshotIdentifier": "law", "DBSubnetGroupName": "law", "OptionGroupName": "law",
    },
    "rds:RestoreDBInstanceToPointInTime": lambda _: {
        "SourceDBInstanceIdentifier": "law", "DBSubnetGroupName": "law", "OptionGroupName": "law",
    },
}  # fmt: skip


WAITERS: dict[str, Callable[[TestJar], dict[str, Any]]] = {
    "DBClusterAvailable": _cluster,
    "DBClusterDeleted": _going_cluster,
    "DBClusterSnapshotAvailable": _cluster_snapshot,
    "DBClusterSnapshotDeleted": _going_cluster_snapshot,
    "DBInstanceAvailable": _database,
    "DBInstanceDeleted": _going,
    "DBSnapshotAvailable": _snapshot,
    "DBSnapshotCompleted": _snapshot,
    "DBSnapshotDeleted": _going_snapshot,
}


def _proxies(jar: TestJar) -> str:
    """Several, of which the first has several endpoints; its name."""
    rds, secrets = jar.client("rds"), jar.client("secretsmanager")
    trust = trust_service("rds.amazonaws.com")
    arn = secrets.create_secret(Name="many", SecretString='{"username": "boss", "password": "correct-horse-9"}')["ARN"]
    role = jar.client("iam").create_role(RoleName="many-proxies", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    group = rds.describe_db_subnet_groups(DBSubnetGroupName="default")["DBSubnetGroups"][0]
    subnets = [subnet["SubnetIdentifier"] for subnet in group["Subnets"]]
    for n in range(6):
        rds.create_db_proxy(
            DBProxyName=f"many{n}", EngineFamily="POSTGRESQL", RoleArn=role, VpcSubnetIds=subnets,
            Auth=[{"SecretArn": arn}],
        )  # fmt: skip
    jar.settle()
    for n in range(3):
        rds.create_db_proxy_endpoint(DBProxyName="many0", DBProxyEndpointName=f"many{n}", VpcSubnetIds=subnets)
    jar.settle()
    return "many0"


def _exports(jar: TestJar) -> None:
    """Several exports, which all fail: nothing is in simulated machines."""
    rds, place = jar.client("rds"), {"LocationConstraint": "eu-west-3"}
    jar.client("s3").create_bucket(Bucket="many-exports", CreateBucketConfiguration=place)
    trust = trust_service("export.rds.amazonaws.com")
    role = jar.client("iam").create_role(RoleName="many-exports", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    key = jar.client("kms").create_key()["KeyMetadata"]["Arn"]
    snapshot = rds.describe_db_snapshots()["DBSnapshots"][0]["DBSnapshotArn"]
    asked = {"SourceArn": snapshot, "S3BucketName": "many-exports", "IamRoleArn": role, "KmsKeyId": key}
    for n in range(6):
        rds.start_export_task(ExportTaskIdentifier=f"many{n}", **asked)
        jar.settle()


def many(jar: TestJar) -> dict[str, Any]:
    """Several of everything; how operations are asked about them."""
    rds = jar.client("rds")
    for n in range(6):
        rds.create_db_cluster(
            DBClusterIdentifier=f"many{n}", Engine="aurora-postgresql", MasterUsername="boss",
            MasterUserPassword="correct-horse-9",
        )  # fmt: skip
        rds.create_db_parameter_group(
            DBParameterGroupName=f"many{n}", DBParameterGroupFamily="postgres15", Description="law"
        )
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=f"many{n}", DBParameterGroupFamily="postgres15", Description="law"
        )
        _snapshot(jar)
        jar.settle()
    named = _database(jar)
    jar.settle()
    _exports(jar)
    scenes_deployments.many(jar)
    return {
        "DBProxyName": _proxies(jar),
        "DBClusterParameterGroupName": "many0",
        "DBParameterGroupName": "many0", "Engine": "postgres", "DBInstanceClass": "db.t3.micro",
        "DescribeDBLogFiles": named, "EngineName": "postgres", "DBParameterGroupFamily": "postgres15",
    }  # fmt: skip
