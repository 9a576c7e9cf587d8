"""Who else may make volumes of a snapshot.

https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.snapshots import finding
from cloudjar.services.ec2.snapshots.public_access import refuse_blocked
from cloudjar.services.ec2.snapshots.records import Snapshot


def account_ids(users: Iterable[str]) -> list[str]:
    """Account ids as given; raises InvalidUserID.Malformed."""
    found = [str(user).replace("-", "") for user in users]
    for user in found:
        if len(user) != 12 or not user.isdecimal():
            raise AwsError("InvalidUserID.Malformed", f'Invalid user id: "{user}"')
    return found


@op("ModifySnapshotAttribute")
def modify_snapshot_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give the right to accounts or to everybody, or take it."""
    snapshot = finding.own(ctx, req["SnapshotId"])
    if (req.get("Attribute") or "createVolumePermission") != "createVolumePermission":
        raise errors.invalid_parameter(req["Attribute"], "attribute", "Only createVolumePermission can be modified.")
    asked = req.get("CreateVolumePermission") or {}
    adding, removing = list(asked.get("Add") or ()), list(asked.get("Remove") or ())
    older = [{"UserId": user} for user in req.get("UserIds") or ()]
    older += [{"Group": group} for group in req.get("GroupNames") or ()]
    (removing if req.get("OperationType") == "remove" else adding).extend(older)
    if not adding and not removing:
        raise errors.missing("The request must contain the parameter createVolumePermission")
    changed = _without(_with(snapshot, adding), removing)
    if snapshot.encrypted:
        _may_share_encrypted(ctx, changed)
    if _everybody(adding):
        refuse_blocked(ctx, "snapshots")
    ctx.db[Snapshot].put(changed)
    return {}


def _users(entries: list[dict[str, Any]]) -> list[str]:
    return account_ids(entry["UserId"] for entry in entries if entry.get("UserId"))


def _everybody(entries: list[dict[str, Any]]) -> bool:
    return any(entry.get("Group") for entry in entries)


def _with(snapshot: Snapshot, entries: list[dict[str, Any]]) -> Snapshot:
    users = tuple(dict.fromkeys((*snapshot.shared_with, *_users(entries))))
    return replace(snapshot, shared_with=users, public=snapshot.public or _everybody(entries))


def _without(snapshot: Snapshot, entries: list[dict[str, Any]]) -> Snapshot:
    gone = _users(entries)
    users = tuple(user for user in snapshot.shared_with if user not in gone)
    return replace(snapshot, shared_with=users, public=snapshot.public and not _everybody(entries))


def _may_share_encrypted(ctx: Ctx, snapshot: Snapshot) -> None:
    """Never with everybody, and never under AWS's own key, which nobody else can be given."""
    if snapshot.public:
        raise AwsError("OperationNotPermitted", "Encrypted snapshots cannot be shared publicly.")
    if not snapshot.shared_with:
        return
    key = ctx.find("kms", "key", snapshot.kms_key_id.rpartition("/")[2])
    if key is not None and getattr(key, "manager", "") == "AWS":
        raise AwsError("OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared.")


@op("ResetSnapshotAttribute")
def reset_snapshot_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Nobody but the owner."""
    snapshot = finding.own(ctx, req["SnapshotId"])
    if req["Attribute"] != "createVolumePermission":
        raise errors.invalid_parameter(req["Attribute"], "attribute", "Only createVolumePermission can be reset.")
    ctx.db[Snapshot].put(replace(snapshot, shared_with=(), public=False))
    return {}


@op("DescribeSnapshotAttribute")
def describe_snapshot_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who was given the right."""
    snapshot = finding.own(ctx, req["SnapshotId"])
    if req["Attribute"] == "productCodes":
        return {"SnapshotId": snapshot.id, "ProductCodes": []}
    given: list[dict[str, Any]] = [{"UserId": user} for user in snapshot.shared_with]
    if snapshot.public:
        given.append({"Group": "all"})
    return {"SnapshotId": snapshot.id, "CreateVolumePermissions": given}
