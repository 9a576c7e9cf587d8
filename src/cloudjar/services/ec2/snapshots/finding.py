"""Finding snapshots: one's own, those that others share, and those behind public images."""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import check_form, need
from cloudjar.services.ec2.snapshots.records import PublicAccess, Snapshot
from cloudjar.spec import images


def own(ctx: Ctx, snapshot_id: str) -> Snapshot:
    """A snapshot of the caller's account here; raises InvalidSnapshotID.Malformed or InvalidSnapshot.NotFound."""
    return need(ctx, Snapshot, snapshot_id)


def is_public(ctx: Ctx, snapshot: Snapshot) -> bool:
    """Whether everybody may make volumes of it: its owner's block on all sharing goes before what it says."""
    if not snapshot.public:
        return False
    chosen = ctx.db.at(snapshot.account, snapshot.region)[PublicAccess].get("public-access")
    return chosen is None or chosen.snapshots != "block-all-sharing"


def may_use(ctx: Ctx, snapshot: Snapshot) -> bool:
    """Whether the caller's account may make volumes of it."""
    own = snapshot.account == ctx.account
    return own or ctx.account in snapshot.shared_with or is_public(ctx, snapshot)


def visible(ctx: Ctx, snapshot_id: str, region: str = "") -> Snapshot:
    """A snapshot in a Region (default: here) that the caller owns or was given; raises as for one that is not there."""
    check_form(Snapshot, snapshot_id)
    found = ctx.db.find(Snapshot, snapshot_id)
    if found is None or found.region != (region or ctx.region) or not may_use(ctx, found):
        if any(image.snapshot_id == snapshot_id for image in images.catalogue(region or ctx.region)):
            raise errors.not_built("A volume or copy of a public image's snapshot")
        raise ctx.db[Snapshot].meta.not_found(snapshot_id)
    return found


def usable(ctx: Ctx, snapshot_id: str, region: str = "") -> Snapshot:
    """A visible snapshot that is complete and not in the archive; raises IncorrectState."""
    found = visible(ctx, snapshot_id, region)
    if found.state != "completed":
        raise AwsError("IncorrectState", f"Snapshot is in invalid state - {found.state}")
    if found.archived and found.tiering is not None and found.tiering.expires is None:
        raise AwsError("IncorrectState", f"Snapshot {found.id} is archived; restore it before it is used.")
    return found
