"""A new instance of what a request asks for: checks first, in AWS's words; then the record."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.planes.database import kinds
from cloudjar.services.rds import (
    authorities,
    certificates,
    engine_rules,
    errors,
    exporting,
    groups,
    insights,
    monitoring,
    option_groups,
    pairs,
    places,
    rules,
    running,
    tokens,
)
from cloudjar.services.rds.clusters.records import SHARED, DbCluster
from cloudjar.services.rds.records import DbInstance, Secret
from cloudjar.spec import databases
from cloudjar.spec.databases import Line

VIA = "rds.amazonaws.com"
H = TypeVar("H", DbInstance, DbCluster)
"""What has a master: an instance, or a cluster that is there without any."""


def new_id(ctx: Ctx, given: str) -> str:
    """The identifier of a new instance."""
    name = rules.identifier("DBInstanceIdentifier", given)
    if ctx.db[DbInstance].get(name) is not None:
        raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
    return name


def instance_class(given: str, line: Line, whole: str) -> str:
    """A class that the engine can have."""
    if given in databases.classes(line.engine):
        return given
    if not databases.looks_like_class(given):
        raise errors.invalid(f"Invalid DB Instance class: {given}")
    raise errors.combination(
        "RDS does not support creating a DB instance with the following combination: "
        f"DBInstanceClass={given}, Engine={line.engine}, EngineVersion={whole}, LicenseModel={line.licence}. "
        "For supported combinations of instance class and database engine version, see the documentation."
    )


def refuse_foreign(req: dict[str, Any], line: Line) -> None:
    """What a request says besides, which can only be one thing."""
    if req.get("LicenseModel") not in (None, line.licence):
        raise errors.combination(f"Invalid license model '{req['LicenseModel']}' for engine '{line.engine}'.")
    if req.get("CACertificateIdentifier"):
        authorities.need(req["CACertificateIdentifier"])


def windows(req: dict[str, Any]) -> tuple[str, str]:
    """(backup window, maintenance window); drawn where a request names none."""
    asked, maintenance = req.get("PreferredBackupWindow"), req.get("PreferredMaintenanceWindow")
    if asked:
        rules.backup_window(asked)
    if maintenance:
        maintenance = rules.maintenance_window(maintenance)
    if asked and maintenance:
        rules.refuse_overlap(asked, maintenance)
        return asked, maintenance
    for _ in range(1000):
        backup, week = rules.windows(ids.below(5040))
        backup, week = asked or backup, maintenance or week
        try:
            rules.refuse_overlap(backup, week)
        except AwsError:
            continue
        return backup, week
    raise errors.combination("The backup window and maintenance window must not overlap.")


def credentials(ctx: Ctx, req: dict[str, Any], db: H, *, cluster: str = "") -> H:
    """The instance with its master's password: the given one, or one that Secrets Manager keeps; of a cluster's writer
    that is the `cluster`'s."""
    if not req.get("ManageMasterUserPassword"):
        if req.get("MasterUserSecretKmsKeyId"):
            raise errors.combination("You can't specify MasterUserSecretKmsKeyId without ManageMasterUserPassword.")
        return with_password(ctx, db, engine_rules.password(db.engine, req.get("MasterUserPassword")))
    if req.get("MasterUserPassword"):
        raise errors.combination("You can't specify MasterUserPassword when ManageMasterUserPassword is enabled.")
    password = ids.token(24)
    asked: dict[str, Any] = {
        "Name": f"rds!{'cluster' if cluster else 'db'}-{ids.uuid4()}",
        "Description": f"Secret associated with primary RDS DB {_arn(ctx, db, cluster)}",
        "SecretString": json.dumps({"username": db.master, "password": password}),
        "ClientRequestToken": ids.uuid4(),
    }
    if key := req.get("MasterUserSecretKmsKeyId"):
        asked["KmsKeyId"] = key
    made = ctx.call("secretsmanager", "CreateSecret", asked, via=VIA)
    seen = ctx.call("secretsmanager", "DescribeSecret", {"SecretId": made["ARN"]}, via=VIA)
    secret = Secret(arn=made["ARN"], key_id=seen.get("KmsKeyId") or "")
    return replace(with_password(ctx, db, password), secret=secret)


def with_password(ctx: Ctx, db: H, password: str) -> H:
    """The password is forgotten; what an engine keeps of it is sealed."""
    return replace(db, verifier=verifier(ctx, db.engine, password))


def verifier(ctx: Ctx, engine: str, password: str) -> bytes:
    """What the record keeps of a password until the engine has it: sealed."""
    return running.seal(ctx.world, kinds.verifier(databases.kind(engine), password, ids.entropy(16)))


def _arn(ctx: Ctx, db: DbInstance | DbCluster, cluster: str) -> str:
    front = f"arn:aws:rds:{ctx.region}:{ctx.account}"
    return f"cluster: {front}:cluster:{cluster}" if cluster else f"instance: {front}:db:{db.id}"


def blank(
    ctx: Ctx, req: dict[str, Any], name: str, line: Line, whole: str, tags: dict[str, str], *, kind: str = ""
) -> DbInstance:
    """An instance of everything that says nothing of its data: place, class (`kind` where that is known to be one),
    windows. Not stored."""
    place = places.chosen(ctx, req)
    kind = kind or instance_class(req["DBInstanceClass"], line, whole)
    refuse_foreign(req, line)
    backup, maintenance = windows(req)
    options = option_groups.named(ctx, req.get("OptionGroupName"), line)
    made = DbInstance(
        id=name,
        resource_id=f"db-{ids.unique_id('')}{ids.unique_id('')[:5]}",
        machine=f"db-{ids.entropy(8).hex()}",
        volume=f"dbvol-{ids.entropy(8).hex()}",
        engine=line.engine,
        major=line.major,
        version=whole,
        instance_class=kind,
        master="",
        db_name="",
        port=rules.port(req.get("Port"), line.port),
        storage=0,
        storage_type="gp3",
        iops=0,
        throughput=0,
        subnet_group=place.group.name,
        vpc_id=place.group.vpc_id,
        subnet_id=place.subnet.id,
        zone=place.subnet.zone,
        groups=place.security_groups,
        public=place.public,
        interface_id="",
        parameter_group=groups.named(ctx, req.get("DBParameterGroupName"), line).name,
        created=ctx.now,
        retention=rules.retention(req.get("BackupRetentionPeriod")),
        backup_window=backup,
        maintenance_window=maintenance,
        minor_upgrades=req.get("AutoMinorVersionUpgrade") is not False,
        copies_tags=bool(req.get("CopyTagsToSnapshot")),
        protected=bool(req.get("DeletionProtection")),
        multi_az=pairs.asked(req, line.engine),
        iam=tokens.asked(req, line.engine, whole),
        authority=req.get("CACertificateIdentifier") or certificates.usual(ctx),
        option_group=option_groups.stored(options),
        options=options.options,
        exports=exporting.asked(ctx, line.engine, whole, req.get("EnableCloudwatchLogsExports")),
        tags=tags,
    )
    return insights.asked(ctx, req, monitoring.asked(ctx, req, made))


def refuse_too_much(ctx: Ctx, more: int) -> None:
    """All instances together have no more storage than the quota says. `more` in GiB."""
    limit = ctx.limit("rds", "L-7ADDB58A")
    held = sum(db.storage for db in ctx.db[DbInstance].all() if db.engine not in SHARED)
    if limit is not None and held + more > limit:
        said = "The request would exceed the total amount of storage available to all DB instances."
        raise AwsError("StorageQuotaExceeded", said)


def stored(ctx: Ctx, db: DbInstance) -> DbInstance:
    """The instance in the store, with its interface: its life begins."""
    if db.engine not in SHARED:  # whose storage is not provisioned
        refuse_too_much(ctx, db.storage)
    made = ctx.db[DbInstance].add(places.plug(ctx, db))
    if made.multi_az:
        pairs.begin(ctx, made)
    return ctx.db[DbInstance].need(made.id)

