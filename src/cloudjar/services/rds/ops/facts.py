"""What the service says of itself: quotas, Regions, parameters of families, majors, what an instance may become.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors, groups, pairs, replicas, rules
from cloudjar.services.rds.ops.instances import by_name
from cloudjar.services.rds.option_groups import OptionGroup
from cloudjar.services.rds.records import DbInstance, ParameterGroup, Snapshot, SubnetGroup
from cloudjar.services.rds.subscriptions import EventSubscription
from cloudjar.services.rds.views import show_parameter
from cloudjar.spec import database_lifecycles, databases, regions

_SUBNETS = 20
"""How many subnets a subnet group may have."""


@op("DescribeAccountAttributes")
def describe_account_attributes(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """How much of each quota is used, of what can be had here."""
    instances = ctx.db[DbInstance].all()
    manual = sum(1 for one in ctx.db[Snapshot].all() if one.kind == "manual")
    own = sum(1 for one in ctx.db[ParameterGroup].all() if not one.name.startswith(groups.DEFAULT))
    subnets = max((len(one.subnets) for one in ctx.db[SubnetGroup].all()), default=0)
    copies = max((len(pairs.replicas(ctx, db)) for db in instances), default=0)
    used = (
        ("DBInstances", "L-7B6409FD", len(instances)),
        ("AllocatedStorage", "L-7ADDB58A", sum(db.storage for db in instances if db.storage_type != "aurora")),
        ("DBParameterGroups", "L-DE55804A", own),
        ("ManualSnapshots", "L-272F1212", manual),
        ("EventSubscriptions", "L-A59F4C87", len(ctx.db[EventSubscription].all())),
        ("DBSubnetGroups", "L-48C6BF61", len(ctx.db[SubnetGroup].all())),
        ("OptionGroups", "L-9FA33840", len(ctx.db[OptionGroup].all())),
        ("ReadReplicasPerMaster", replicas.LIMIT[1], copies),
    )
    shown = [
        {"AccountQuotaName": name, "Used": count, "Max": int(ctx.limit("rds", code) or 0)} for name, code, count in used
    ]
    shown.append({"AccountQuotaName": "SubnetsPerDBSubnetGroup", "Used": subnets, "Max": _SUBNETS})
    return {"AccountQuotas": shown}


@op("DescribeSourceRegions")
def describe_source_regions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Regions of which replicas and copies can be made here."""
    found = [
        {
            "RegionName": region,
            "Endpoint": f"https://rds.{region}.amazonaws.com",
            "Status": "available",
            "SupportsDBInstanceAutomatedBackupsReplication": False,
        }
        for region in sorted(one.name for one in regions.regions())
        if region != ctx.region and req.get("RegionName") in (None, "", region)
    ]
    return {"SourceRegions": filters.apply(req.get("Filters"), {}, found)}


@op("DescribeEngineDefaultParameters", pages=False)
def describe_engine_default_parameters(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a family, as they are where nobody changed them."""
    family = req["DBParameterGroupFamily"]
    if family not in {line.family for line in databases.LINES}:
        raise errors.invalid(f"ParameterGroupFamily {family} is not a valid parameter group family")
    shown = [show_parameter(one, {}) for one in databases.parameters(family).values()]
    getters = {"parameter-name": lambda item: item["ParameterName"]}
    found = filters.apply(req.get("Filters"), getters, shown)
    start, most = _start(req.get("Marker"), len(found)), req.get("MaxRecords") or 100
    if not 20 <= most <= 100:
        raise errors.invalid(f"Invalid value {most} for MaxRecords. Must be between 20 and 100")
    return {
        "EngineDefaults": {
            "DBParameterGroupFamily": family,
            "Parameters": found[start : start + most],
            "Marker": f"{family}:{start + most}" if start + most < len(found) else None,
        }
    }


def _start(marker: str | None, length: int) -> int:
    """Where a page begins: the list is cut inside the answer, out of the reach of the paginator's rules."""
    if not marker:
        return 0
    number = marker.rpartition(":")[2]
    if not number.isdecimal() or int(number) > length:
        raise errors.invalid(f"The request must contain a valid marker: {marker}")
    return int(number)


@op("DescribeValidDBInstanceModifications")
def describe_valid_db_instance_modifications(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What storage an instance may have."""
    db = by_name(ctx, req["DBInstanceIdentifier"])
    if db.state != "available":
        raise errors.state(f"Database instance is not in available state: {db.id}")
    kinds = {} if db.storage_type == "aurora" else rules.SIZES
    return {
        "ValidDBInstanceModificationsMessage": {
            "Storage": [_storage(db, kind, *sizes) for kind, sizes in kinds.items()],
            "ValidProcessorFeatures": [],
            "SupportsDedicatedLogVolume": False,
        }
    }


def _storage(db: DbInstance, kind: str, least: int, most: int) -> dict[str, Any]:
    grown = -(-db.storage * 11 // 10)  # storage grows by a tenth at least, or stays
    sizes = [{"From": max(grown, least), "To": most, "Step": 1}] if grown <= most else []
    if least <= db.storage <= most:
        sizes.insert(0, {"From": db.storage, "To": db.storage, "Step": 1})
    shown: dict[str, Any] = {
        "StorageType": kind, "StorageSize": sizes, "SupportsStorageAutoscaling": kind in rules.AUTOSCALED,
    }  # fmt: skip
    if kind in ("io1", "io2"):
        shown["ProvisionedIops"] = [{"From": 1000, "To": 256_000, "Step": 1}]
        shown["IopsToStorageRatio"] = [{"From": 0.5, "To": 1000.0}]
    if kind == "gp3":
        shown["ProvisionedIops"] = [{"From": 12_000, "To": 64_000, "Step": 1}]
        shown["ProvisionedStorageThroughput"] = [{"From": 500, "To": 4000, "Step": 1}]
    return shown


@op("DescribeDBMajorEngineVersions")
def describe_db_major_engine_versions(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The major versions that run here, and until when AWS supports them."""
    engine, major = req.get("Engine"), req.get("MajorEngineVersion")
    found = [line for line in databases.LINES if engine in (None, "", line.engine) and major in (None, "", line.major)]
    return {"DBMajorEngineVersions": [_major(line) for line in found]}


def _major(line: databases.Line) -> dict[str, Any]:
    return {
        "Engine": line.engine,
        "MajorEngineVersion": line.major,
        "SupportedEngineLifecycles": [
            {
                "LifecycleSupportName": one.name,
                "LifecycleSupportStartDate": one.begins,
                "LifecycleSupportEndDate": one.ends,
            }
            for one in database_lifecycles.of(line.engine, line.major)
        ],
    }
