"""A new deployment of what a request asks for: checks first, in AWS's words; then the green instance, and the record.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/blue-green-deployments-creating.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import errors as common
from cloudjar.services.rds import groups, pairs, rules, tagging, tokens, versions
from cloudjar.services.rds.blue_green import environments, errors
from cloudjar.services.rds.blue_green.records import (
    BACKUPS,
    COMPLETED,
    DELETING,
    REPLICA,
    TOPOLOGY,
    UPGRADE,
    Deployment,
    Pair,
    Wanted,
)
from cloudjar.services.rds.clusters.records import DbCluster
from cloudjar.services.rds.ops.instances import by_name
from cloudjar.services.rds.ops.replicas import replicated
from cloudjar.services.rds.records import DbInstance
from cloudjar.spec import databases

BUILT = (
    "BlueGreenDeploymentName", "Source", "TargetEngineVersion", "TargetDBParameterGroupName", "TargetDBInstanceClass",
    "TargetIops", "TargetStorageType", "TargetAllocatedStorage", "TargetStorageThroughput", "Tags",
)  # fmt: skip
_AS_ASKED = {
    "TargetDBInstanceClass": "DBInstanceClass", "TargetIops": "Iops", "TargetStorageType": "StorageType",
    "TargetAllocatedStorage": "AllocatedStorage", "TargetStorageThroughput": "StorageThroughput",
}  # fmt: skip
"""What the request calls what a replica's would call otherwise."""
_ALIKE = (
    "iam", "exports", "option_group", "options", "backup_window", "maintenance_window", "monitoring",
    "monitoring_role", "insights", "insights_key", "authority", "protected", "tags",
)  # fmt: skip
"""What a green instance has as its blue one has."""
_ALNUM = "abcdefghijklmnopqrstuvwxyz0123456789"


def begin(ctx: Ctx, req: dict[str, Any]) -> Deployment:
    """The deployment in the store, with its green instance: its life begins. Raises what AWS raises."""
    common.only(req, BUILT)
    name = req["BlueGreenDeploymentName"]
    if ctx.db[Deployment].all(name=name):
        said = f"A Blue Green Deployment with the name '{name}' already exists"
        raise AwsError("BlueGreenDeploymentAlreadyExistsFault", said)
    blue = _source(ctx, req["Source"])
    wanted, group = _wanted(ctx, req, blue)
    asked = {member: req.get(theirs) for theirs, member in _AS_ASKED.items()}
    asked["DBParameterGroupName"] = blue.parameter_group if wanted.major else group
    green = copied(ctx, blue, blue, {member: value for member, value in asked.items() if value is not None})
    tasks = (REPLICA, *((UPGRADE,) if wanted.version else ()), BACKUPS, TOPOLOGY)
    followers = [one for one in pairs.replicas(ctx, blue) if one.resource_id != green.resource_id]
    return ctx.db[Deployment].add(
        Deployment(
            id=f"bgd-{drawn(16)}", name=name, created=ctx.now, wanted=wanted, tasks=tasks,
            pairs=(_pair(blue, green), *(_pair(one) for one in followers)), tags=tagging.asked(req),
        )
    )  # fmt: skip


def drawn(length: int) -> str:
    """Letters and digits."""
    return "".join(_ALNUM[ids.below(len(_ALNUM))] for _ in range(length))


def _pair(blue: DbInstance, green: DbInstance | None = None) -> Pair:
    target = {"target": green.resource_id, "target_arn": arn_of(green)} if green is not None else {}
    return Pair(source=blue.resource_id, source_arn=arn_of(blue), **target)


def copied(ctx: Ctx, blue: DbInstance, source: DbInstance, asked: dict[str, Any]) -> DbInstance:
    """The green instance of a blue one, which follows `source`: as that is but where it is `asked` to be otherwise."""
    usual = {
        "DBInstanceClass": blue.instance_class, "StorageType": blue.storage_type, "AllocatedStorage": source.storage,
        "DBSubnetGroupName": blue.subnet_group, "VpcSecurityGroupIds": list(blue.groups), "Port": blue.port,
        "AvailabilityZone": blue.zone, "PubliclyAccessible": blue.public, "CopyTagsToSnapshot": blue.copies_tags,
        "DBParameterGroupName": blue.parameter_group, "AutoMinorVersionUpgrade": blue.minor_upgrades,
    }  # fmt: skip
    if blue.iops and (asked.get("StorageType") or blue.storage_type) == blue.storage_type:
        wide = blue.storage_type != "gp3" or source.storage >= rules.GP3_WIDE
        usual |= {"Iops": blue.iops, "StorageThroughput": blue.throughput or None} if wide else {}
    suffix = f"-green-{drawn(6)}"
    name = blue.id[: 63 - len(suffix)].rstrip("-") + suffix
    green = replicated(ctx, usual | asked, name, source)
    grows = {"most_storage": blue.most_storage} if blue.most_storage > green.storage * 1.1 else {}
    return ctx.db[DbInstance].put(replace(green, **{one: getattr(blue, one) for one in _ALIKE}, **grows))


def _source(ctx: Ctx, given: str) -> DbInstance:
    """The blue instance."""
    parsed = arns.parse(given)
    kind = parsed.resource.partition(":")[0] if parsed is not None and parsed.service == "rds" else ""
    if parsed is None or kind not in ("db", "cluster") or (parsed.account, parsed.region) != (ctx.account, ctx.region):
        raise common.invalid(f"Invalid source ARN: {given}")
    if kind == "cluster":
        cluster = ctx.db[DbCluster].need(parsed.resource.partition(":")[2])
        if cluster.engine.startswith("aurora"):
            raise common.not_built("A blue/green deployment of an Aurora cluster")
        said = f"Blue/green deployments aren't supported for Multi-AZ DB clusters: {cluster.id}"
        raise AwsError("SourceClusterNotSupportedFault", said)
    db = by_name(ctx, given)
    if db.engine not in pairs.ENGINES or db.cluster:
        raise errors.source(f"Blue/green deployments aren't supported for the DB instance {db.id}.")
    if db.state != "available":
        raise common.state(f"Database instance is not in available state: {db.id}")
    if db.source:
        raise errors.source(f"The source database {db.id} is a read replica.")
    if db.secret is not None:
        raise errors.source(
            f"Blue/green deployments don't support managing master user passwords with AWS Secrets Manager: {db.id}"
        )
    far = [one for one in pairs.replicas(ctx, db) if one.region != db.region]
    if far:
        raise errors.source(f"Cross-Region read replicas aren't supported in a blue/green deployment: {far[0].id}")
    for one in environments.of(ctx, db):
        if one.state != DELETING and not (one.state == COMPLETED and one.pairs[0].target == db.resource_id):
            raise errors.source(f"The source database {db.id} is in the blue/green deployment {one.name} already.")
    return db


def _wanted(ctx: Ctx, req: dict[str, Any], blue: DbInstance) -> tuple[Wanted, str]:
    """(what is to become of the green instance's engine, its parameter group)."""
    line = databases.line(blue.engine, blue.major)
    assert line is not None
    name, asked = req.get("TargetDBParameterGroupName"), req.get("TargetEngineVersion")
    if not asked or asked in (blue.version, blue.major):
        return Wanted(), groups.named(ctx, name, line).name if name else blue.parameter_group
    chosen = versions.chosen(ctx.world, blue.engine, asked)
    if chosen.whole not in {one.whole for one in versions.targets(ctx.world, blue.engine, blue.version)}:
        raise common.combination(f"Cannot upgrade {blue.engine} from {blue.version} to {chosen.whole}")
    if blue.iam:
        tokens.refuse_ignorant(blue.engine, chosen.whole)
    if chosen.line.major == blue.major:
        return Wanted(version=chosen.whole), groups.named(ctx, name, line).name if name else blue.parameter_group
    if blue.engine == "postgres":
        raise common.not_built("A blue/green deployment to another major version of PostgreSQL (logical replication)")
    group = groups.for_upgrade(ctx, name, blue, chosen.line)
    return Wanted(version=chosen.whole, major=chosen.line.major, parameter_group=group), group
