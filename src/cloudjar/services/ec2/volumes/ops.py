"""Volumes: create, describe, delete, attributes.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.services.ec2.snapshots.finding import usable
from cloudjar.services.ec2.volumes import keys, rules
from cloudjar.services.ec2.volumes.life import announce
from cloudjar.services.ec2.volumes.quota import check_iops, check_storage
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.services.ec2.volumes.views import FILTERS, show_volume
from cloudjar.spec import regions

_STATUS_FILTERS = by_path(
    {
        "action.code": "Actions[].Code",
        "action.description": "Actions[].Description",
        "action.event-id": "Actions[].EventId",
        "attachment-status.instance-id": "AttachmentStatuses[].InstanceId",
        "attachment-status.io-performance": "AttachmentStatuses[].IoPerformance",
        "availability-zone": "AvailabilityZone",
        "event.description": "Events[].Description",
        "event.event-id": "Events[].EventId",
        "event.event-type": "Events[].EventType",
        "event.not-after": "Events[].NotAfter",
        "event.not-before": "Events[].NotBefore",
        "volume-status.details-name": "VolumeStatus.Details[].Name",
        "volume-status.details-status": "VolumeStatus.Details[].Status",
        "volume-status.status": "VolumeStatus.Status",
    }
)


@op("CreateVolume")
def create_volume(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A disk in a zone: zeroes, or the data of a snapshot."""
    errors.refuse(req, "OutpostArn", "MultiAttachEnabled", "Operator", "VolumeInitializationRate")
    zone = _zone(ctx, req)
    snapshot = usable(ctx, req["SnapshotId"]) if req.get("SnapshotId") else None
    size = req.get("Size") or (snapshot.size if snapshot else 0)
    if not size:
        raise errors.missing("The request must contain the parameter size or snapshotId")
    if snapshot and size < snapshot.size:
        raise errors.invalid_value(
            f"The size of a volume ({size} GiB) cannot be smaller than that of its snapshot ({snapshot.size} GiB)."
        )
    shape = rules.shape(size, req.get("VolumeType") or "gp2", req.get("Iops"), req.get("Throughput"))
    check_storage(ctx, shape.type, shape.size)
    check_iops(ctx, shape.type, shape.iops)
    source_key = snapshot.kms_key_id if snapshot and snapshot.account == ctx.account else ""
    key = keys.wanted(ctx, req, source_encrypted=bool(snapshot and snapshot.encrypted), source_key=source_key)
    if snapshot:
        keys.unlock(ctx, snapshot.sealed_for, snapshot.kms_key_id, snapshot.data_key)
    volume_id = ctx.new_id("vol")
    sealed = keys.seal(ctx, key, volume_id)
    volume = ctx.db[Volume].add(
        Volume(
            id=volume_id,
            zone=zone,
            size=shape.size,
            type=shape.type,
            iops=shape.iops,
            throughput=shape.throughput,
            created=ctx.now,
            snapshot_id=snapshot.id if snapshot else "",
            source=snapshot.id if snapshot else "",
            image_key=snapshot.image_key if snapshot else "",
            ready=False,
            encrypted=bool(key),
            kms_key_id=sealed.key_id,
            data_key=sealed.data_key,
            client_token=req.get("ClientToken") or "",
            tags=tags.specified(req, "volume"),
        )
    )
    return show_volume(volume)


def _zone(ctx: Ctx, req: dict[str, Any]) -> str:
    name, zone_id = req.get("AvailabilityZone"), req.get("AvailabilityZoneId")
    if not name and not zone_id:
        raise errors.missing("The request must contain the parameter AvailabilityZone or AvailabilityZoneId")
    for zone in regions.zones(ctx.region, ctx.account):
        if name in (None, "", zone.name) and zone_id in (None, "", zone.id):
            return zone.name
    raise AwsError("InvalidZone.NotFound", f"The zone '{name or zone_id}' does not exist.")


@op("DescribeVolumes")
def describe_volumes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Volumes by id and filters."""
    return {"Volumes": describe(ctx, req, Volume, "VolumeIds", show_volume, FILTERS)}


@op("DescribeVolumeStatus")
def describe_volume_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every volume is a file of this host: it is there, or reading it fails loudly."""
    return {"VolumeStatuses": describe(ctx, req, Volume, "VolumeIds", _show_status, _STATUS_FILTERS)}


def _show_status(volume: Volume) -> dict[str, Any]:
    known = volume.ready
    details = [{"Name": "io-enabled", "Status": "passed"}, {"Name": "io-performance", "Status": "not-applicable"}]
    return {
        "AvailabilityZone": volume.zone,
        "VolumeId": volume.id,
        "Actions": [],
        "Events": [],
        "VolumeStatus": {"Status": "ok" if known else "insufficient-data", "Details": details if known else []},
    }


@op("DescribeVolumeAttribute")
def describe_volume_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One attribute of one volume."""
    volume = need(ctx, Volume, req["VolumeId"])
    if req["Attribute"] == "autoEnableIO":
        return {"VolumeId": volume.id, "AutoEnableIO": {"Value": volume.auto_enable_io}}
    return {"VolumeId": volume.id, "ProductCodes": []}


@op("ModifyVolumeAttribute")
def modify_volume_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether I/O goes on by itself after an inconsistency; here nothing ever stops it."""
    volume = need(ctx, Volume, req["VolumeId"])
    chosen = (req.get("AutoEnableIO") or {}).get("Value")
    if chosen is None:
        raise errors.missing_one("AutoEnableIO")
    ctx.db[Volume].put(replace(volume, auto_enable_io=chosen))
    return {}


@op("EnableVolumeIO")
def enable_volume_io(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """I/O is never off here."""
    need(ctx, Volume, req["VolumeId"])
    return {}


@op("DeleteVolume")
def delete_volume(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a volume that is not attached; its snapshots stay."""
    volume = need(ctx, Volume, req["VolumeId"])
    if volume.instance_id:
        raise AwsError("VolumeInUse", f"Volume {volume.id} is currently attached to {volume.instance_id}")
    if not volume.ready:
        raise AwsError("IncorrectState", f"The volume '{volume.id}' is 'creating'.")
    ctx.db[Volume].drop(volume)
    announce(ctx, volume, "deleteVolume", "deleted")
    return {}
