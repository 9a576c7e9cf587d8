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
        "free-tier-eligible": "FreeTierEligible",
        "hypervisor": "Hypervisor",
        "image-allowed": "ImageAllowed",
        "image-id": "ImageId",
        "image-type": "ImageType",
        **{
            f"image-watermark.{name}": f"ImageWatermarks[].{path}"
            for name, path in (
                ("source-image-creation-time", "SourceImageCreationTime"),
                ("source-image-id", "SourceImageId"),
                ("source-image-region", "SourceImageRegion"),
                ("watermark-creation-time", "WatermarkCreationTime"),
                ("watermark-key", "WatermarkKey"),
            )
        },
        "imds-support": "ImdsSupport",
        "instance-type-specification.supported-instance-type": (
            "InstanceTypeSpecification.SupportedInstanceTypes[].InstanceType"
        ),
        "instance-type-specification.unsupported-instance-type": (
            "InstanceTypeSpecification.UnsupportedInstanceTypes[].InstanceType"
        ),
        "is-public": "Public",
        "kernel-id": "KernelId",
        "manifest-location": "ImageLocation",
        "name": "Name",
        "owner-alias": "ImageOwnerAlias",
        "owner-id": "OwnerId",
        "platform": "Platform",
        "platform-details": "PlatformDetails",
        "product-code": "ProductCodes[].ProductCodeId",
        "product-code.type": "ProductCodes[].ProductCodeType",
        "public-ssm-parameter-name": "PublicSsmParameterName",
        "ramdisk-id": "RamdiskId",
        "root-device-name": "RootDeviceName",
        "root-device-type": "RootDeviceType",
        **{
            f"scan-result.{name}": f"ScanResult.{path}"
            for name, path in (
                ("critical-fix-available-since", "CriticalFixAvailableSince"),
                ("finding-scan-date", "FindingScanDate"),
                ("high-fix-available-since", "HighFixAvailableSince"),
                ("highest-finding-severity-label", "HighestFindingSeverityLabel"),
                ("informational-fix-available-since", "InformationalFixAvailableSince"),
                ("low-fix-available-since", "LowFixAvailableSince"),
                ("medium-fix-available-since", "MediumFixAvailableSince"),
            )
        },
        "source-image-id": "SourceImageId",
        "source-image-region": "SourceImageRegion",
        "source-instance-id": "SourceInstanceId",
        "sriov-net-support": "SriovNetSupport",
        "state": "State",
        "state-reason-code": "StateReason.Code",
        "state-reason-message": "StateReason.Message",
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
        "ImageWatermarks": show_watermarks(image),
        "ImdsSupport": image.imds_support or None,
        "InstanceTypeSpecification": _types(image),
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


def show_watermarks(image: OwnImage) -> list[dict[str, Any]] | None:
    """AWS's ImageWatermarkList."""
    return [
        {
            "WatermarkKey": mark.key,
            "SourceImageId": mark.image_id,
            "SourceImageRegion": mark.region,
            "SourceImageCreationTime": mark.image_created,
            "WatermarkCreationTime": mark.created,
        }
        for mark in image.watermarks
    ] or None


def _types(image: OwnImage) -> dict[str, Any] | None:
    lists = {"SupportedInstanceTypes": image.supported_types, "UnsupportedInstanceTypes": image.unsupported_types}
    return {key: [{"InstanceType": one} for one in held] for key, held in lists.items() if held} or None


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
