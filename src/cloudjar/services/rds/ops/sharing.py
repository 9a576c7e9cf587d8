"""Snapshots for other accounts, and copies of snapshots.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import encryption, errors, tagging, telling
from cloudjar.services.rds.ops.instances import new_snapshot_id
from cloudjar.services.rds.ops.snapshots import need
from cloudjar.services.rds.records import Snapshot
from cloudjar.services.rds.views import show_snapshot

ALL = "all"
ACCOUNTS = 20
"""With how many accounts a snapshot can be shared."""


@op("ModifyDBSnapshotAttribute")
def modify_db_snapshot_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let accounts, or everybody, restore a snapshot that was taken by hand; or no longer."""
    found = need(ctx, req["DBSnapshotIdentifier"])
    if req["AttributeName"] != "restore":
        raise errors.invalid(f"Invalid attribute name: {req['AttributeName']}. Valid values: restore")
    if found.kind != "manual":
        raise AwsError("InvalidDBSnapshotState", "Only manual snapshots may be shared.")
    if found.state != "available":
        raise AwsError("InvalidDBSnapshotState", f"The snapshot {found.id} is not in available state.")
    adding, removing = accounts(req.get("ValuesToAdd")), accounts(req.get("ValuesToRemove"))
    wanted = sorted({*found.shared_with, *adding} - set(removing))
    if len(wanted) > ACCOUNTS:
        raise AwsError("SharedSnapshotQuotaExceeded", f"A snapshot can be shared with at most {ACCOUNTS} accounts.")
    encryption.refuse_to_share(ctx, found, tuple(wanted))
    return _attributes(ctx.db[Snapshot].put(replace(found, shared_with=tuple(wanted))))


@op("DescribeDBSnapshotAttributes")
def describe_db_snapshot_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who may restore a snapshot."""
    return _attributes(need(ctx, req["DBSnapshotIdentifier"]))


def accounts(given: Iterable[str] | None) -> list[str]:
    """Whom a request names: accounts, or everybody. Raises InvalidParameterValue."""
    values = list(given or ())
    for one in values:
        if one != ALL and not (len(one) == 12 and one.isdecimal()):
            raise errors.invalid(f"Invalid account id: {one}")
    return values


def _attributes(found: Snapshot) -> dict[str, Any]:
    values = [{"AttributeName": "restore", "AttributeValues": list(found.shared_with)}]
    return {"DBSnapshotAttributesResult": {"DBSnapshotIdentifier": found.id, "DBSnapshotAttributes": values}}


@op("CopyDBSnapshot")
def copy_db_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A snapshot of one's own of another: of this Region or another, of this account or one that shares it."""
    errors.only(
        req,
        ("SourceDBSnapshotIdentifier", "TargetDBSnapshotIdentifier", "Tags", "TagSpecifications", "CopyTags",
         "PreSignedUrl", "SourceRegion", "KmsKeyId"),
    )  # fmt: skip
    source = readable(ctx, req["SourceDBSnapshotIdentifier"])
    name = new_snapshot_id(ctx, "TargetDBSnapshotIdentifier", req["TargetDBSnapshotIdentifier"])
    if source.state != "available":
        raise AwsError("InvalidDBSnapshotState", f"The snapshot {source.id} is not in available state.")
    key, data_key = encryption.copied(ctx, req, source)
    own = source.tags if req.get("CopyTags") else {}
    made = ctx.db[Snapshot].add(
        replace(
            source,
            id=name,
            key=f"dbsnap-{ids.entropy(8).hex()}",
            kind="manual",
            state="creating",
            kms_key=key,
            data_key=data_key,
            copy_of=source.key,
            source_arn=arn_of(source),
            begun=ctx.now,
            original=source.original or source.begun,
            frozen=None,
            log="",
            logged=None,
            shared_with=(),
            tags={**own, **tagging.asked(req, "snapshot")},
        )
    )
    telling.snapshot(ctx, made, "RDS-EVENT-0059", f"Started copy of snapshot {source.id}", "notification")
    return {"DBSnapshot": show_snapshot(made)}


def readable(ctx: Ctx, name: str) -> Snapshot:
    """A snapshot that one may restore or copy: one's own by its identifier or ARN, another's by its ARN."""
    parsed = arns.parse(name)
    if parsed is None:
        return need(ctx, name)
    key = parsed.resource.partition("snapshot:")[2]
    found = ctx.db.at(parsed.account, parsed.region)[Snapshot].get(key) if parsed.service == "rds" else None
    if found is None or not (found.account == ctx.account or {ctx.account, ALL} & set(found.shared_with)):
        raise AwsError("DBSnapshotNotFound", f"DBSnapshot {name} not found.", 404)
    return found
