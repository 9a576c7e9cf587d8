"""Elastic volumes: larger, faster or of another type while in use; never smaller, and not again for six hours.

https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modify-volume.html
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, by_path, narrow, need, need_all
from cloudjar.services.ec2.volumes import rules
from cloudjar.services.ec2.volumes.life import OPTIMIZING
from cloudjar.services.ec2.volumes.quota import check_iops, check_modification, check_storage
from cloudjar.services.ec2.volumes.records import Modification, Volume

PAUSE = timedelta(hours=6)
"""Between the start of two modifications of a volume."""

_FILTERS = by_path(
    {
        "modification-state": "ModificationState",
        "original-iops": "OriginalIops",
        "originalMultiAttachEnabled": "OriginalMultiAttachEnabled",
        "targetMultiAttachEnabled": "TargetMultiAttachEnabled",
        "original-size": "OriginalSize",
        "original-volume-type": "OriginalVolumeType",
        "start-time": "StartTime",
        "target-iops": "TargetIops",
        "target-size": "TargetSize",
        "target-volume-type": "TargetVolumeType",
        "volume-id": "VolumeId",
    }
)


@op("ModifyVolume")
def modify_volume(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change size, type or performance."""
    volume = need(ctx, Volume, req["VolumeId"])
    errors.refuse(req, "MultiAttachEnabled")
    _may_change(ctx, volume)
    size = req.get("Size") or volume.size
    if size < volume.size:
        raise errors.invalid_value("New size cannot be smaller than existing size")
    kind = req.get("VolumeType") or volume.type
    # What is not said stays as it was within a type; another type begins with its own.
    same = kind == volume.type
    keeps = same and kind in ("gp3", "io1", "io2")
    iops = req.get("Iops") or (volume.iops if keeps else None)
    throughput = req.get("Throughput") or (volume.throughput if same and volume.throughput else None)
    shape = rules.shape(size, kind, iops, throughput)
    check_storage(ctx, kind, size - (volume.size if same else 0))
    check_iops(ctx, kind, shape.iops - (volume.iops if same else 0))
    check_modification(ctx, volume, kind, shape.size, shape.iops)
    change = Modification(
        state="modifying", start=ctx.now, was=(volume.size, volume.type, volume.iops, volume.throughput)
    )
    changed = replace(
        volume,
        size=shape.size,
        type=shape.type,
        iops=shape.iops,
        throughput=shape.throughput,
        modification=change,
    )
    return {"VolumeModification": _show(ctx.db[Volume].put(changed), ctx.now)}


def _may_change(ctx: Ctx, volume: Volume) -> None:
    if not volume.ready:
        raise AwsError("IncorrectState", f"The volume '{volume.id}' is 'creating'.")
    if volume.type == "standard":
        raise errors.invalid_parameter("standard", "volumeType", "Volumes of this type cannot be modified.")
    last = volume.modification
    if last is None:
        return
    if last.state != "completed":
        raise AwsError(
            "IncorrectModificationState",
            f"Cannot modify volume {volume.id}: it is in modification state {last.state.upper()}.",
        )
    if ctx.now < last.start + PAUSE:
        raise AwsError(
            "VolumeModificationRateExceeded",
            "You've reached the maximum modification rate per volume limit. Wait at least 6 hours between "
            "modifications per EBS volume.",
        )


@op("DescribeVolumesModifications")
def describe_volumes_modifications(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The last change of each volume that was ever changed."""
    wanted = req.get("VolumeIds")
    volumes = need_all(ctx, Volume, wanted) if wanted else ctx.db[Volume].all()
    for volume in volumes if wanted else ():
        if volume.modification is None:
            raise AwsError(
                "InvalidVolumeModification.NotFound", f"Modification for volume '{volume.id}' does not exist."
            )
    changed = [volume for volume in volumes if volume.modification is not None]
    rows = [Row(volume.tags, _show(volume, ctx.now)) for volume in changed]
    return {"VolumesModifications": narrow(req, _FILTERS, rows)}


def _show(volume: Volume, now: datetime) -> dict[str, Any]:
    change = volume.modification
    assert change is not None
    size, kind, iops, throughput = change.was
    return {
        "VolumeId": volume.id,
        "ModificationState": change.state,
        "Progress": _progress(change, now),
        "StartTime": change.start,
        "EndTime": change.end if change.state == "completed" else None,
        "OriginalSize": size,
        "OriginalVolumeType": kind,
        "OriginalIops": iops or None,
        "OriginalThroughput": throughput or None,
        "OriginalMultiAttachEnabled": False,
        "TargetSize": volume.size,
        "TargetVolumeType": volume.type,
        "TargetIops": volume.iops or None,
        "TargetThroughput": volume.throughput or None,
        "TargetMultiAttachEnabled": False,
    }


def _progress(change: Modification, now: datetime) -> int:
    """Percent."""
    if change.state == "modifying" or change.end is None:
        return 0
    left = (change.end - now) / OPTIMIZING
    return 100 if change.state == "completed" else max(0, min(99, round(100 * (1 - left))))
