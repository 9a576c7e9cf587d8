"""Making a snapshot's record; the host takes it afterwards (`life`)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.snapshots.records import FastRestore, Snapshot
from cloudjar.services.ec2.volumes.records import Volume


def take(
    ctx: Ctx, volume: Volume, *, description: str = "", tags: Mapping[str, str] | None = None, image_id: str = ""
) -> Snapshot:
    """A pending snapshot of a volume as it is now; it adds to the newest one that the volume has."""
    before = [one for one in ctx.db[Snapshot].all(volume_id=volume.id) if not one.copied_from and not one.archived]
    parent = max(before, key=lambda one: (one.started, one.id), default=None)
    snapshot_id = ctx.new_id("snap")
    return ctx.db[Snapshot].add(
        Snapshot(
            id=snapshot_id,
            volume_id=volume.id,
            size=volume.size,
            description=description,
            started=ctx.now,
            parent_id=parent.id if parent else "",
            image_key=volume.image_key,
            image_id=image_id,
            encrypted=volume.encrypted,
            kms_key_id=volume.kms_key_id,
            data_key=volume.data_key,
            sealed_for=volume.id if volume.encrypted else "",
            tags=dict(tags or {}),
        )
    )


def remove(ctx: Ctx, snapshot: Snapshot) -> None:
    """Delete a snapshot: what only it held of its successors' data is theirs from now on, and counted again."""
    hand_on(ctx, snapshot)
    for one in ctx.db.everywhere(FastRestore, snapshot_id=snapshot.id):  # also of those it was shared with
        ctx.db[FastRestore].drop(one)
    ctx.db[Snapshot].drop(snapshot)


def hand_on(ctx: Ctx, snapshot: Snapshot) -> None:
    """Have its successors add to the snapshot before it instead."""
    table = ctx.db[Snapshot]
    for later in table.all(parent_id=snapshot.id):
        table.put(replace(later, parent_id=snapshot.parent_id, measured=False))
