"""What the laws ask RDS about."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from tests.jar import TestJar

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


_ARN = {"ResourceName": "arn:aws:rds:eu-west-3:000000000000:db:law"}
SCENES: dict[str, Any] = {
    "rds:AddTagsToResource": lambda _: _ARN,
    "rds:CreateDBInstanceReadReplica": lambda _: {
        "DBInstanceIdentifier": "copy", "SourceDBInstanceIdentifier": "law", "DBSubnetGroupName": "law",
        "OptionGroupName": "law", "DBParameterGroupName": "law",
    },
    "rds:DeleteDBInstanceAutomatedBackup": lambda _: {
        "DBInstanceAutomatedBackupsArn": "arn:aws:rds:eu-west-3:000000000000:auto-backup:ab-law"
    },
    "rds:DescribeDBInstanceAutomatedBackups": lambda _: {"DBInstanceIdentifier": "law"},
    "rds:DescribeEventSubscriptions": lambda _: {"SubscriptionName": "law"},
    "rds:DescribeDBInstances": lambda _: {"DBInstanceIdentifier": "law"},
    "rds:DescribeDBParameterGroups": lambda _: {"DBParameterGroupName": "law"},
    "rds:DescribeDBSnapshots": lambda _: {"DBSnapshotIdentifier": "law"},
    "rds:DescribeDBSubnetGroups": lambda _: {"DBSubnetGroupName": "law"},
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
    "DBInstanceAvailable": _database,
    "DBInstanceDeleted": _going,
    "DBSnapshotAvailable": _snapshot,
    "DBSnapshotCompleted": _snapshot,
    "DBSnapshotDeleted": _going_snapshot,
}


def many(jar: TestJar) -> dict[str, Any]:
    """Several of everything; how operations are asked about them."""
    rds = jar.client("rds")
    for n in range(6):
        rds.create_db_parameter_group(
            DBParameterGroupName=f"many{n}", DBParameterGroupFamily="postgres15", Description="law"
        )
        _snapshot(jar)
        jar.settle()
    named = _database(jar)
    jar.settle()
    return {
        "DBParameterGroupName": "many0", "Engine": "postgres", "DBInstanceClass": "db.t3.micro",
        "DescribeDBLogFiles": named,
    }  # fmt: skip
