"""Volumes: describe, and delete one that was asked to outlive its instance.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2.lookup import Row, by_path, describe, narrow, need
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.spec import images

_FILTERS = by_path(
    {
        "attachment.attach-time": "Attachments[].AttachTime",
        "attachment.delete-on-termination": "Attachments[].DeleteOnTermination",
        "attachment.device": "Attachments[].Device",
        "attachment.instance-id": "Attachments[].InstanceId",
        "attachment.status": "Attachments[].State",
        "availability-zone": "AvailabilityZone",
        "create-time": "CreateTime",
        "encrypted": "Encrypted",
        "multi-attach-enabled": "MultiAttachEnabled",
        "size": "Size",
        "snapshot-id": "SnapshotId",
        "status": "State",
        "volume-id": "VolumeId",
        "volume-type": "VolumeType",
    }
)
_SNAPSHOT_FILTERS = by_path(
    {"owner-id": "OwnerId", "snapshot-id": "SnapshotId", "status": "State", "volume-size": "VolumeSize"}
)


@op("DescribeVolumes")
def describe_volumes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Volumes by id and filters."""
    return {"Volumes": describe(ctx, req, Volume, "VolumeIds", show_volume, _FILTERS)}


def show_volume(volume: Volume) -> dict[str, Any]:
    """AWS's Volume."""
    attachments = []
    if volume.instance_id:
        attachments.append(
            {
                "AttachTime": volume.attached,
                "DeleteOnTermination": volume.delete_on_termination,
                "Device": volume.device,
                "InstanceId": volume.instance_id,
                "State": "attached",
                "VolumeId": volume.id,
            }
        )
    return {
        "Attachments": attachments,
        "AvailabilityZone": volume.zone,
        "CreateTime": volume.created,
        "Encrypted": volume.encrypted,
        "Iops": volume.iops or None,
        "MultiAttachEnabled": False,
        "Size": volume.size,
        "SnapshotId": volume.snapshot_id,
        "State": "in-use" if volume.instance_id else "available",
        "Tags": tags.as_list(volume.tags) if volume.tags else None,
        "Throughput": volume.throughput or None,
        "VolumeId": volume.id,
        "VolumeType": volume.type,
    }


@op("DescribeVolumeStatus")
def describe_volume_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every volume is a directory of this host: it is there, or reading it fails loudly."""
    views = describe(ctx, req, Volume, "VolumeIds", show_volume, _FILTERS)
    return {
        "VolumeStatuses": [
            {
                "AvailabilityZone": view["AvailabilityZone"],
                "VolumeId": view["VolumeId"],
                "Actions": [],
                "Events": [],
                "VolumeStatus": {
                    "Status": "ok",
                    "Details": [{"Name": "io-enabled", "Status": "passed"}],
                },
            }
            for view in views
        ]
    }


@op("DescribeVolumeAttribute")
def describe_volume_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One attribute of one volume."""
    volume = need(ctx, Volume, req["VolumeId"])
    if req["Attribute"] == "autoEnableIO":
        return {"VolumeId": volume.id, "AutoEnableIO": {"Value": False}}
    return {"VolumeId": volume.id, "ProductCodes": []}


@op("DescribeVolumesModifications")
def describe_volumes_modifications(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No volume was ever modified: the operation that would is not built."""
    for volume_id in req.get("VolumeIds") or ():
        need(ctx, Volume, volume_id)
        raise AwsError("InvalidVolumeModification.NotFound", f"Modification for volume '{volume_id}' does not exist.")
    return {"VolumesModifications": []}


@op("DeleteVolume")
def delete_volume(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a volume that is not attached."""
    volume = need(ctx, Volume, req["VolumeId"])
    if volume.instance_id:
        raise AwsError("VolumeInUse", f"Volume {volume.id} is currently attached to {volume.instance_id}")
    ctx.db[Volume].drop(volume)
    return {}


@op("DescribeSnapshots")
def describe_snapshots(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The snapshots behind the public images; none are one's own, since making them is not built."""
    shown = [_image_snapshot(image) for image in images.catalogue(ctx.region)]
    wanted = req.get("SnapshotIds")
    if wanted:
        by_id = {view["SnapshotId"]: view for view in shown}
        for snapshot_id in wanted:
            if snapshot_id not in by_id:
                raise AwsError("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")
        shown = [by_id[snapshot_id] for snapshot_id in dict.fromkeys(wanted)]
    owners = req.get("OwnerIds")
    if owners:
        shown = [view for view in shown if view["OwnerId"] in owners or view["OwnerAlias"] in owners]
    return {"Snapshots": narrow(req, _SNAPSHOT_FILTERS, [Row({}, view) for view in shown])}


def _image_snapshot(image: images.Image) -> dict[str, Any]:
    facts = image.facts()
    return {
        "Description": f"Root of {facts['Name']}",
        "Encrypted": False,
        "OwnerAlias": "amazon",
        "OwnerId": facts["OwnerId"],
        "Progress": "100%",
        "SnapshotId": image.snapshot_id,
        "StartTime": datetime.fromisoformat(facts["CreationDate"]),
        "State": "completed",
        "StorageTier": "standard",
        "VolumeId": "vol-ffffffff",
        "VolumeSize": facts["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"],
    }
