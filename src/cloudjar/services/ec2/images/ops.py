"""DescribeImages over the public catalogue.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2.images.catalogue import need_image
from cloudjar.services.ec2.lookup import Row, by_path, narrow
from cloudjar.spec import images

_FILTERS = by_path(
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
        "state": "State",
        "usage-operation": "UsageOperation",
        "virtualization-type": "VirtualizationType",
    }
)


@op("DescribeImages")
def describe_images(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Images by id, owner, who may run them, and filters."""
    wanted = req.get("ImageIds")
    found = [need_image(ctx, i) for i in dict.fromkeys(wanted)] if wanted else list(images.catalogue(ctx.region))
    views = [image.facts() for image in found]
    owners = req.get("Owners")
    if owners:
        views = [view for view in views if _owned(ctx, view, owners)]
    users = req.get("ExecutableUsers")
    if users:
        _check_users(users)
        views = [view for view in views if "all" in users]
    return {"Images": narrow(req, _FILTERS, [Row({}, view) for view in views])}


def _owned(ctx: Ctx, view: dict[str, Any], owners: list[str]) -> bool:
    own = [ctx.account if owner == "self" else owner for owner in owners]
    return view["OwnerId"] in own or view["ImageOwnerAlias"] in own


def _check_users(users: list[str]) -> None:
    for user in users:
        if user not in ("self", "all") and not (len(user) == 12 and user.isdecimal()):
            raise AwsError("InvalidUserID.Malformed", f"Invalid user id: {user}")


@op("DescribeImageAttribute")
def describe_image_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Attributes of an image may be read by its owner only, and the catalogue's owners are others."""
    image = need_image(ctx, req["ImageId"])
    raise AwsError("AuthFailure", f"Not authorized for image:{image.id}", 403)
