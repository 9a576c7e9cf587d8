"""Volumes as AWS shows them."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import tags
from cloudjar.services.ec2.lookup import UNMANAGED, by_path
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.spec import regions

FILTERS = UNMANAGED | by_path(
    {
        "attachment.attach-time": "Attachments[].AttachTime",
        "attachment.delete-on-termination": "Attachments[].DeleteOnTermination",
        "attachment.device": "Attachments[].Device",
        "attachment.instance-id": "Attachments[].InstanceId",
        "attachment.status": "Attachments[].State",
        "availability-zone": "AvailabilityZone",
        "availability-zone-id": "AvailabilityZoneId",
        "create-time": "CreateTime",
        "encrypted": "Encrypted",
        "fast-restored": "FastRestored",
        "multi-attach-enabled": "MultiAttachEnabled",
        "size": "Size",
        "snapshot-id": "SnapshotId",
        "status": "State",
        "volume-id": "VolumeId",
        "volume-type": "VolumeType",
    }
)


def show_volume(volume: Volume) -> dict[str, Any]:
    """AWS's Volume."""
    zone = regions.zone(volume.zone, volume.account)
    return {
        "Attachments": [show_attachment(volume)] if volume.instance_id else [],
        "AvailabilityZone": volume.zone,
        "AvailabilityZoneId": zone.id if zone is not None else None,
        "CreateTime": volume.created,
        "Encrypted": volume.encrypted,
        "Iops": volume.iops or None,
        "KmsKeyId": volume.kms_key_id or None,
        "MultiAttachEnabled": False,
        "Size": volume.size,
        "SnapshotId": volume.snapshot_id,
        "SourceVolumeId": volume.copied_from or None,
        "State": volume.state,
        "Tags": tags.as_list(volume.tags) if volume.tags else None,
        "Throughput": volume.throughput or None,
        "VolumeId": volume.id,
        "VolumeType": volume.type,
    }


def show_attachment(volume: Volume) -> dict[str, Any]:
    """AWS's VolumeAttachment."""
    return {
        "AttachTime": volume.attached,
        "DeleteOnTermination": volume.delete_on_termination,
        "Device": volume.device,
        "InstanceId": volume.instance_id,
        "State": volume.attachment or "attached",
        "VolumeId": volume.id,
    }
