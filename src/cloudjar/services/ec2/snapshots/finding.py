"""Finding snapshots: one's own, those that others share, and those behind public images."""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import check_form, need
from cloudjar.services.ec2.snapshots.records import Snapshot
from cloudjar.spec import images


def own(ctx: Ctx, snapshot_id: str) -> Snapshot:
    """A snapshot of the caller's account here; raises InvalidSnapshotID.Malformed or InvalidSnapshot.NotFound."""
    return need(ctx, Snapshot, snapshot_id)


def may_use(snapshot: Snapshot, account: str) -> bool:
    """Whether an account may make volumes of it."""
    return snapshot.account == account or snapshot.public or account in snapshot.shared_with


def visible(ctx: Ctx, snapshot_id: str, region: str = "") -> Snapshot:
    """A snapshot in a Region (default: here) that the caller owns or was given; raises as for one that is not there."""
    check_form(Snapshot, snapshot_id)
    found = ctx.db.find(Snapshot, snapshot_id)
    if found is None or found.region != (region or ctx.region) or not may_use(found, ctx.account):
        if any(image.snapshot_id == snapshot_id for image in images.catalogue(region or ctx.region)):
            raise errors.not_built("A volume or copy of a public image's snapshot")
        raise ctx.db[Snapshot].meta.not_found(snapshot_id)
    return found


def usable(ctx: Ctx, snapshot_id: str, region: str = "") -> Snapshot:
    """A visible snapshot that is complete; raises IncorrectState."""
    found = visible(ctx, snapshot_id, region)
    if found.state != "completed":
        raise AwsError("IncorrectState", f"Snapshot is in invalid state - {found.state}")
    return found
