"""What the sources cannot say about RDS: a restored instance is asked about by the parameter group that it names, and
backups by the ARN that is given.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
"""

from __future__ import annotations

from typing import Any

Ops = dict[str, list[dict[str, Any]]]


def correct(service: Any, ops: Ops) -> None:
    """Change the table of RDS in place."""
    if service.name == "rds":
        for restoring in ("RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceToPointInTime"):
            for entry in ops[restoring][0]["r"]:
                if entry[0] == "pg":
                    entry[1:] = ["arn:${Partition}:rds:${Region}:${Account}:pg:${DBParameterGroupName}", 0]
        own = "arn:${Partition}:rds:${Region}:${Account}:auto-backup:${DbInstanceAutomatedBackupId}"
        ops["DeleteDBInstanceAutomatedBackup"][0]["r"] = [
            ["auto-backup", ["arn", "DBInstanceAutomatedBackupsArn", own], 0]
        ]
        for entry in ops["CreateDBInstanceReadReplica"][0]["r"]:
            if entry[0] == "cluster":
                entry[1:] = ["arn:${Partition}:rds:${Region}:${Account}:cluster:${SourceDBClusterIdentifier}", 0]
            elif entry[0] == "pg":
                entry[1:] = ["arn:${Partition}:rds:${Region}:${Account}:pg:${DBParameterGroupName}", 0]
            elif entry[0] != "db":
                entry[2] = 0
