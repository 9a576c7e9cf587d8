"""What AWS says of requests that speak to the wrong one of a cluster and its members.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.services.rds import errors

_CLUSTERS = {
    "MasterUsername": "master user name",
    "MasterUserPassword": "master user password",
    "ManageMasterUserPassword": "master user password",
    "MasterUserSecretKmsKeyId": "master user password",
    "DBName": "database name",
    "Port": "database port",
    "DBPortNumber": "database port",
    "VpcSecurityGroupIds": "vpc security group",
    "BackupRetentionPeriod": "backup retention",
    "PreferredBackupWindow": "backup window",
    "StorageEncrypted": "storage encryption",
    "KmsKeyId": "storage encryption",
    "DeletionProtection": "deletion protection",
    "EnableIAMDatabaseAuthentication": "iam database authentication",
    "EnableCloudwatchLogsExports": "cloudwatch logs exports",
    "CloudwatchLogsExportConfiguration": "cloudwatch logs exports",
    "EngineVersion": "engine version",
    "AllowMajorVersionUpgrade": "engine version",
}
"""What is the cluster's, by the member of a request."""
MEMBERS = ("DBClusterInstanceClass", "AllocatedStorage", "Iops", "PubliclyAccessible")
"""What is the members', or nobody's."""


def refuse_clusters_own(req: dict[str, Any], *, made: bool) -> None:
    """Raises where a request to an instance sets what is its cluster's; `made`: the instance is new."""
    for name, words in _CLUSTERS.items():
        if req.get(name) is None or (made and name == "EngineVersion"):
            continue
        if made:
            raise errors.combination(
                f"The requested DB Instance will be a member of a DB Cluster. Set {words} for the DB Cluster."
            )
        raise errors.combination(
            f"The specified DB Instance is a member of a cluster. Modify {words} for the DB Cluster using the "
            "ModifyDbCluster API"
        )


def refuse_storage(req: dict[str, Any], engine: str) -> None:
    """Raises where a request gives a member a disk of its own; what an instance says of itself may be said to it."""
    if req.get("MultiAZ"):
        raise errors.combination(f"VPC Multi-AZ DB Instances are not available for engine: {engine}")
    if req.get("Iops") or req.get("StorageThroughput"):
        raise errors.combination("Specifying IOPs is not allowed for this engine")
    if (kind := req.get("StorageType")) == "aurora-iopt1":
        raise errors.not_built("The storage type aurora-iopt1")
    if kind not in (None, "aurora"):
        raise errors.invalid(f"Invalid storage type: {kind}")
    if (size := req.get("AllocatedStorage")) not in (None, 1):
        raise errors.combination(f"Invalid storage size for engine name {engine} and storage type aurora: {size}")
    if req.get("MaxAllocatedStorage"):
        raise errors.combination("Storage autoscaling is not supported for storage type aurora.")


def refuse_members_own(req: dict[str, Any], engine: str) -> None:
    """Raises where a request to a cluster sets what it has not."""
    for name in MEMBERS:
        if req.get(name) is not None:
            raise errors.combination(f"{name} isn't supported for DB engine {engine}.")
    if (mode := req.get("EngineMode")) not in (None, "provisioned"):
        raise errors.invalid(f"The engine mode {mode} you requested is currently unavailable.")
    refuse_storage({"StorageType": req.get("StorageType")}, engine)


def without_cluster(req: dict[str, Any], engine: str) -> AwsError:
    """An instance of such an engine is nothing by itself."""
    if req.get("AllocatedStorage") is None:
        return errors.invalid("The parameter AllocatedStorage must be provided and must not be null.")
    return errors.combination(
        f"Invalid storage size for engine name {engine} and storage type aurora: {req['AllocatedStorage']}"
    )
