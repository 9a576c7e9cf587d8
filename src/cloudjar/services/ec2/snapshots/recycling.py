"""The recycle bin as it is without Recycle Bin's rules: nothing of an account is ever kept in it.

https://docs.aws.amazon.com/ebs/latest/userguide/recycle-bin-concepts.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2.images.records import OwnImage
from cloudjar.services.ec2.lookup import check_form
from cloudjar.services.ec2.snapshots.records import Snapshot
from cloudjar.services.ec2.volumes.records import Volume


def _no_image(ctx: Ctx, image_id: str) -> AwsError:
    check_form(OwnImage, image_id)
    return ctx.db[OwnImage].meta.not_found(image_id)


def _no_snapshot(ctx: Ctx, snapshot_id: str) -> AwsError:
    check_form(Snapshot, snapshot_id)
    return ctx.db[Snapshot].meta.not_found(snapshot_id)


@op("ListImagesInRecycleBin")
def list_images_in_recycle_bin(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None: what is deregistered is gone, because no rule can keep it."""
    for image_id in req.get("ImageIds") or ():
        raise _no_image(ctx, image_id)
    return {"Images": []}


@op("ListSnapshotsInRecycleBin")
def list_snapshots_in_recycle_bin(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None: what is deleted is gone."""
    for snapshot_id in req.get("SnapshotIds") or ():
        raise _no_snapshot(ctx, snapshot_id)
    return {"Snapshots": []}


@op("RestoreImageFromRecycleBin")
def restore_image_from_recycle_bin(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """There is none to restore."""
    raise _no_image(ctx, req["ImageId"])


@op("RestoreSnapshotFromRecycleBin")
def restore_snapshot_from_recycle_bin(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """There is none to restore."""
    raise _no_snapshot(ctx, req["SnapshotId"])


def _no_volume(ctx: Ctx, volume_id: str) -> AwsError:
    check_form(Volume, volume_id)
    return ctx.db[Volume].meta.not_found(volume_id)


@op("ListVolumesInRecycleBin")
def list_volumes_in_recycle_bin(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None: what is deleted is gone."""
    for volume_id in req.get("VolumeIds") or ():
        raise _no_volume(ctx, volume_id)
    return {"Volumes": []}


@op("RestoreVolumeFromRecycleBin")
def restore_volume_from_recycle_bin(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """There is none to restore."""
    raise _no_volume(ctx, req["VolumeId"])
