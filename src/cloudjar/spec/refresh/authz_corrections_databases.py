"""What the sources cannot say about RDS: a restored instance is asked about by the parameter group that it names, and
backups by the ARN that is given.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
"""

from __future__ import annotations

from typing import Any

Ops = dict[str, list[dict[str, Any]]]


_MONITORED = (
    "CreateDBInstance", "CreateDBInstanceReadReplica", "ModifyDBInstance", "CreateDBCluster", "ModifyDBCluster",
    "RestoreDBClusterFromSnapshot", "RestoreDBClusterToPointInTime",
)  # fmt: skip


_EXPORTED = {
    "cluster": "arn:${Partition}:rds:${Region}:${Account}:cluster:${DbClusterInstanceName}",
    "cluster-snapshot": "arn:${Partition}:rds:${Region}:${Account}:cluster-snapshot:${ClusterSnapshotName}",
    "snapshot": "arn:${Partition}:rds:${Region}:${Account}:snapshot:${SnapshotName}",
}
"""What exports are of."""


def _passes(ops: Ops, operation: str, member: str, principal: str) -> None:
    """A role that a request names is passed to a part of the service, if it is named."""
    others = [e for e in ops[operation] if not (e["a"] == "iam:PassRole" and e.get("when") == ["exists", member])]
    passing = {"a": "iam:PassRole", "r": [["role", "${" + member + "}", 1]], "when": ["exists", member],
               "keys": {"iam:PassedToService": principal}}  # fmt: skip
    ops[operation] = [*others, passing]


def correct(service: Any, ops: Ops) -> None:
    """Change the table of RDS in place."""
    if service.name == "rds":
        for operation in _MONITORED:
            # Nothing is in a domain here: that role is never passed.
            ops[operation] = [e for e in ops[operation] if e.get("when") != ["exists", "DomainIAMRoleName"]]
            _passes(ops, operation, "MonitoringRoleArn", "monitoring.rds.amazonaws.com")
        _passes(ops, "StartExportTask", "IamRoleArn", "export.rds.amazonaws.com")
        for exporting in ("StartExportTask", "DescribeExportTasks"):
            ops[exporting][0]["r"] = [[kind, ["arn", "SourceArn", template], 0] for kind, template in _EXPORTED.items()]
        for restoring in ("RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceToPointInTime"):
            ops[restoring] = [e for e in ops[restoring] if e["a"] != "iam:PassRole"]
            named = "arn:${Partition}:iam::${Account}:role/${DomainIAMRoleName}"
            passing = {"a": "iam:PassRole", "r": [["role", named, 1]], "when": ["exists", "DomainIAMRoleName"]}
            ops[restoring].append({**passing, "keys": {"iam:PassedToService": "rds.amazonaws.com"}})
            for entry in ops[restoring][0]["r"]:
                if entry[0] == "pg":
                    entry[1:] = ["arn:${Partition}:rds:${Region}:${Account}:pg:${DBParameterGroupName}", 0]
        for entry in ops["RestoreDBClusterFromSnapshot"][0]["r"]:
            member = {"cluster-pg": "DBClusterParameterGroupName", "subgrp": "DBSubnetGroupName"}.get(entry[0])
            if member:
                entry[1:] = [f"arn:${{Partition}}:rds:${{Region}}:${{Account}}:{entry[0]}:${{{member}}}", 1]
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
        _proxies(ops)
        _deployments(ops)


def _proxies(ops: Ops) -> None:
    """Requests name a proxy, its target group and its endpoints; policies know them by ids."""
    own = "arn:${Partition}:rds:${Region}:${Account}:"
    named = {
        "proxy": ["by", "rds:named-proxy", "DBProxyName", f"{own}db-proxy:*"],
        "target-group": ["by", "rds:proxys-target-group", "DBProxyName", f"{own}target-group:*"],
        "proxy-endpoint": ["by", "rds:named-proxy-endpoint", "DBProxyEndpointName", f"{own}db-proxy-endpoint:*"],
    }
    for operation, entries in ops.items():
        if "DBProxy" not in operation:
            continue
        for one in entries:
            for entry in one["r"]:
                if entry[0] in named and (operation, entry[0]) != ("CreateDBProxyEndpoint", "proxy-endpoint"):
                    entry[1] = named[entry[0]]
            if one["a"] == "iam:PassRole":
                one["keys"] = {"iam:PassedToService": "rds.amazonaws.com"}
    ops["DescribeDBProxies"][0]["r"] = [["proxy", named["proxy"], 0]]
    for entry in ops["DeregisterDBProxyTargets"][0]["r"]:
        if entry[0] in ("cluster", "db"):
            member = "DBClusterIdentifiers" if entry[0] == "cluster" else "DBInstanceIdentifiers"
            entry[1:] = [f"{own}{entry[0]}:${{{member}[]}}", 0]


def _deployments(ops: Ops) -> None:
    """What is done to instances when a blue/green deployment is made, switched over or deleted is asked of them, as the
    user guide says (blue-green-deployments-authorizing-access)."""
    own = "arn:${Partition}:rds:${Region}:${Account}:"
    either = [
        ["db", ["by", f"rds:deployed-{one}", "BlueGreenDeploymentIdentifier", f"{own}db:*"], 0]
        for one in ("source", "target")
    ]
    copied = ["db", ["arn", "Source", f"{own}db:${{DBInstanceIdentifier}}"], 0]
    made = [["deployment", f"{own}deployment:*", 1]]
    besides = {
        "CreateBlueGreenDeployment": [
            {"a": "rds:CreateDBInstanceReadReplica", "r": [copied]},
            {"a": "rds:AddTagsToResource", "r": made, "when": ["exists", "Tags"]},
        ],
        "SwitchoverBlueGreenDeployment": [
            {"a": "rds:ModifyDBInstance", "r": either},
            {"a": "rds:PromoteReadReplica", "r": either[1:]},
        ],
        "DeleteBlueGreenDeployment": [
            {"a": "rds:DeleteDBInstance", "r": either[1:], "when": ["equals", "DeleteTarget", "true"]},
        ],
    }
    for operation, entries in besides.items():
        ops[operation] = [*ops[operation][:1], *entries]
