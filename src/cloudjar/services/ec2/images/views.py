"""AMIs as AWS shows them."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import tags
from cloudjar.services.ec2.images.records import ImageDisk, OwnImage
from cloudjar.services.ec2.lookup import by_path

FILTERS = by_path(
    {
        "architecture": "Architecture",
        "block-device-mapping.delete-on-termination": "BlockDeviceMappings[].Ebs.DeleteOnTermination",
        "block-device-mapping.device-name": "BlockDeviceMappings[].DeviceName",
        "block-device-mapping.encrypted": "BlockDeviceMappings[].Ebs.Encrypted",
        "block-device-mapping.snapshot-id": "BlockDeviceMappings[].Ebs.SnapshotId",
        "block-device-mapping.volume-size": "BlockDeviceMappings[].Ebs.VolumeSize",
        "block-device-mapping.volume-type": "BlockDeviceMappings[].Ebs.VolumeType",
        "boot-mode": "BootMode",
        "creation-date": "CreationDate",
        "description": "Description",
        "ena-support": "EnaSupport",
        "hypervisor": "Hypervisor",
        "image-allowed": "ImageAllowed",
        "image-id": "ImageId",
        "image-type": "ImageType",
        "imds-support": "ImdsSupport",
        "is-public": "Public",
        "manifest-location": "ImageLocation",
        "name": "Name",
        "owner-alias": "ImageOwnerAlias",
        "owner-id": "OwnerId",
        "platform": "Platform",
        "platform-details": "PlatformDetails",
        "root-device-name": "RootDeviceName",
        "root-device-type": "RootDeviceType",
        "source-image-id": "SourceImageId",
        "source-image-region": "SourceImageRegion",
        "source-instance-id": "SourceInstanceId",
        "state": "State",
        "usage-operation": "UsageOperation",
        "virtualization-type": "VirtualizationType",
    }
)


def show_image(image: OwnImage, account: str) -> dict[str, Any]:
    """AWS's Image, as an account sees it; others do not see its tags."""
    mine = image.account == account
    return {
        "Architecture": image.architecture,
        "BlockDeviceMappings": show_disks(image),
        "BootMode": image.boot_mode,
        "CreationDate": f"{image.created:%Y-%m-%dT%H:%M:%S}.000Z",
        "DeprecationTime": f"{image.deprecated:%Y-%m-%dT%H:%M:%S}.000Z" if image.deprecated else None,
        "DeregistrationProtection": "enabled-without-cooldown" if image.protected else "disabled",
        "Description": image.description or None,
        "EnaSupport": image.ena,
        "Hypervisor": "xen",
        "ImageId": image.id,
        "ImageLocation": f"{image.account}/{image.name}",
        "ImageType": "machine",
        "ImdsSupport": image.imds_support or None,
        "Name": image.name,
        "OwnerId": image.account,
        "PlatformDetails": "Linux/UNIX",
        "Public": image.public,
        "RootDeviceName": image.root.device,
        "RootDeviceType": "ebs",
        "SourceImageId": image.source_image_id or None,
        "SourceImageRegion": image.source_image_region or None,
        "SourceInstanceId": image.source_instance_id or None,
        "SriovNetSupport": "simple",
        "State": "disabled" if image.disabled else image.state,
        "Tags": tags.as_list(image.tags) if mine and image.tags else None,
        "UsageOperation": "RunInstances",
        "VirtualizationType": "hvm",
    }


def show_disks(image: OwnImage) -> list[dict[str, Any]]:
    """Its block device mappings."""
    return [{"DeviceName": disk.device, "Ebs": _ebs(disk)} for disk in image.disks]


def _ebs(disk: ImageDisk) -> dict[str, Any]:
    return {
        "DeleteOnTermination": disk.delete_on_termination,
        "Encrypted": disk.encrypted,
        "Iops": disk.iops or None,
        "SnapshotId": disk.snapshot_id or None,
        "Throughput": disk.throughput or None,
        "VolumeSize": disk.size,
        "VolumeType": disk.type,
    }
