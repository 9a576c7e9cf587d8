"""Databases: open to the world, idle, without backups, in one zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from cloudjar.kit.advice import Finding, Status
from cloudjar.services.trustedadvisor.checking import COLOURS, check, dollars, mend
from cloudjar.services.trustedadvisor.looking import Look

WORLD = ("0.0.0.0/0", "::/0")
IDLE_DAYS, WARNED_DAYS = 7, 14
_KEPT = 7
"""Days of backups that the fix asks for."""


def databases(look: Look) -> Iterator[tuple[str, dict[str, Any]]]:
    """(region, instance) of all that are there."""
    for region, db in look.everywhere("rds", "DescribeDBInstances", "DBInstances"):
        if db["DBInstanceStatus"] not in ("creating", "deleting"):
            yield region, db


def _place(region: str, db: dict[str, Any]) -> str:
    return str(db.get("AvailabilityZone") or region)


def _vpc(db: dict[str, Any]) -> str:
    return str((db.get("DBSubnetGroup") or {}).get("VpcId", ""))


@check(
    "cloudjar-public-database",
    "Databases Open to the World",
    "security",
    "Tells database instances that are publicly accessible, and whose security groups let the whole world come to "
    "their port: a database belongs into a private subnet.",
    ("Region", "DB Instance", "Engine", "Endpoint", "Open Security Groups"),
    ("rds",),
)  # fmt: skip
def public_databases(look: Look) -> Iterator[Finding]:
    """Red: PubliclyAccessible, and a group is open to the world at its port. Yellow: one of the two."""
    for region, db in databases(look):
        name, endpoint = db["DBInstanceIdentifier"], db.get("Endpoint") or {}
        port = int(endpoint.get("Port") or db.get("DbInstancePort") or 0)
        public, opened = bool(db.get("PubliclyAccessible")), _openings(look, region, db, port)
        groups = ", ".join(sorted(opened))
        status: Status = "error" if public and opened else "warning" if public or opened else "ok"
        said = [f"{name} has a public address"] if public else []
        said += [f"{groups} lets the whole world come to port {port}"] if opened else []
        shut = tuple(
            mend(region, "ec2", "RevokeSecurityGroupIngress", GroupId=group, IpPermissions=rules)
            for group, rules in sorted(opened.items())
        )
        hide = mend(
            region, "rds", "ModifyDBInstance", DBInstanceIdentifier=name, PubliclyAccessible=False,
            ApplyImmediately=True,
        )  # fmt: skip
        yield Finding(
            status=status,
            region=region,
            resource=name,
            values=(region, name, db.get("Engine", ""), endpoint.get("Address", ""), groups),
            evidence="; ".join(said),
            fix=(*shut, hide) if public else shut,
        )


def _openings(look: Look, region: str, db: dict[str, Any], port: int) -> dict[str, list[dict[str, Any]]]:
    """By security group of a database, the parts of rules that let everybody come to a port."""
    groups = {one["VpcSecurityGroupId"] for one in db.get("VpcSecurityGroups") or ()}
    found = {
        group["GroupId"]: [open_ for rule in group.get("IpPermissions") or () if (open_ := _opening(rule, port))]
        for group in look.each("ec2", "DescribeSecurityGroups", "SecurityGroups", region)
        if group["GroupId"] in groups
    }
    return {group: rules for group, rules in found.items() if rules}


def _opening(rule: dict[str, Any], port: int) -> dict[str, Any]:
    """What of a rule is for the whole world; nothing of one that is about other ports."""
    protocol = rule["IpProtocol"]
    if protocol != "-1" and not (protocol == "tcp" and rule.get("FromPort", 0) <= port <= rule.get("ToPort", 65535)):
        return {}
    four = [{"CidrIp": one["CidrIp"]} for one in rule.get("IpRanges") or () if one["CidrIp"] in WORLD]
    six = [{"CidrIpv6": one["CidrIpv6"]} for one in rule.get("Ipv6Ranges") or () if one["CidrIpv6"] in WORLD]
    if not four and not six:
        return {}
    shown = {"IpProtocol": protocol, "FromPort": rule.get("FromPort"), "ToPort": rule.get("ToPort"),
             "IpRanges": four, "Ipv6Ranges": six}  # fmt: skip
    return {name: value for name, value in shown.items() if value not in (None, [])}


@check(
    "Ti39halfu8",
    "Amazon RDS Idle DB Instances",
    "cost_optimizing",
    "Tells database instances that run and to which nobody has connected for a week: a forgotten database costs by "
    "the hour.",
    (
        "Region", "DB Instance Name", "Multi-AZ", "Instance Type", "Storage Provisioned (GB)",
        "Days Since Last Connection", "Estimated Monthly Savings (On Demand)",
    ),
    ("rds",),
)  # fmt: skip
def idle_databases(look: Look) -> Iterator[Finding]:
    """Yellow: seven days without a connection."""
    for region, db in databases(look):
        if db["DBInstanceStatus"] != "available" or look.now - db["InstanceCreateTime"] < timedelta(days=IDLE_DAYS):
            continue
        name = db["DBInstanceIdentifier"]
        days, seen = _unused_days(look, region, db)
        if days < IDLE_DAYS:
            continue
        cost = look.monthly(region, name)
        shown = f"{WARNED_DAYS}+" if days >= WARNED_DAYS else str(days)
        said = f"nobody has connected to {name} for {shown} days"
        stop = mend(region, "rds", "StopDBInstance", DBInstanceIdentifier=name)
        yield Finding(
            status="warning",
            region=region,
            resource=name,
            values=(
                region, name, "Yes" if db.get("MultiAZ") else "No", db["DBInstanceClass"],
                str(db.get("AllocatedStorage", 0)), shown, dollars(cost),
            ),
            evidence=said if seen else f"{name} has run for {shown} days, and nothing tells whether anybody connects",
            monthly=cost,
            fix=(stop,) if _stops(db) else (),
            hint="" if _stops(db) else f"aws rds delete-db-instance --db-instance-identifier {name}",
        )  # fmt: skip


def _stops(db: dict[str, Any]) -> bool:
    """Whether an instance can be stopped by itself."""
    replicas = db.get("ReadReplicaDBInstanceIdentifiers") or db.get("ReadReplicaSourceDBInstanceIdentifier")
    return not replicas and not db.get("DBClusterIdentifier")


def _unused_days(look: Look, region: str, db: dict[str, Any]) -> tuple[int, bool]:
    """Whole days since somebody was last seen to be connected, at most `WARNED_DAYS`; and whether that was measured."""
    name, since = db["DBInstanceIdentifier"], max(db["InstanceCreateTime"], look.now - timedelta(days=WARNED_DAYS))
    found = look.ask(
        "cloudwatch", "GetMetricStatistics", region, Namespace="AWS/RDS", MetricName="DatabaseConnections",
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": name}], Statistics=["Maximum"], Period=3600,
        StartTime=look.now - timedelta(days=WARNED_DAYS), EndTime=look.now,
    )["Datapoints"]  # fmt: skip
    used = [point["Timestamp"] for point in found if point["Maximum"] > 0]
    last: datetime = max(used, default=since)
    return (look.now - last).days, bool(found)


@check(
    "opQPADkZvH",
    "Amazon RDS Backups",
    "fault_tolerance",
    "Tells database instances of which no automated backups are kept.",
    ("Region/AZ", "DB Instance", "VPC ID", "Backup Retention Period", "Status"),
    ("rds",),
)
def backups(look: Look) -> Iterator[Finding]:
    """Red: kept for no day."""
    for region, db in databases(look):
        name, days = db["DBInstanceIdentifier"], int(db.get("BackupRetentionPeriod") or 0)
        copied = bool(db.get("ReadReplicaSourceDBInstanceIdentifier"))
        status: Status = "ok" if days or copied else "error"
        change = mend(
            region, "rds", "ModifyDBInstance", DBInstanceIdentifier=name, BackupRetentionPeriod=_KEPT,
            ApplyImmediately=True,
        )  # fmt: skip
        yield Finding(
            status=status,
            region=region,
            resource=name,
            values=(_place(region, db), name, _vpc(db), str(days), COLOURS[status]),
            evidence=f"no automated backups of {name} are kept" if status != "ok" else "",
            fix=(change,) if status != "ok" else (),
        )


@check(
    "f2iK5R6Dep",
    "Amazon RDS Multi-AZ",
    "fault_tolerance",
    "Tells database instances that are in one Availability Zone alone.",
    ("Region/AZ", "DB Instance", "VPC ID", "Multi-AZ", "Status"),
    ("rds",),
)
def multi_az(look: Look) -> Iterator[Finding]:
    """Yellow: one zone."""
    for region, db in databases(look):
        if db.get("DBClusterIdentifier"):
            continue  # the cluster has its members where they are
        name, both = db["DBInstanceIdentifier"], bool(db.get("MultiAZ"))
        status: Status = "ok" if both else "warning"
        change = mend(
            region, "rds", "ModifyDBInstance", DBInstanceIdentifier=name, MultiAZ=True, ApplyImmediately=True
        )
        yield Finding(
            status=status,
            region=region,
            resource=name,
            values=(_place(region, db), name, _vpc(db), "Yes" if both else "No", COLOURS[status]),
            evidence=f"{name} is in {_place(region, db)} alone" if not both else "",
            fix=(change,) if not both else (),
        )
