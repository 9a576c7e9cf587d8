"""Attributes of an AMI, most of all who may launch it.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.catalogue import need_image
from cloudjar.services.ec2.images.ops import own_image
from cloudjar.services.ec2.images.records import OwnImage
from cloudjar.services.ec2.images.views import show_disks
from cloudjar.services.ec2.snapshots.public_access import refuse_blocked
from cloudjar.services.ec2.snapshots.sharing import account_ids


@op("DescribeImageAttribute")
def describe_image_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One attribute of an image; its owner only may ask."""
    image = own_image(ctx, req["ImageId"])
    launchers: list[dict[str, Any]] = [{"UserId": user} for user in image.shared_with]
    if image.public:
        launchers.append({"Group": "all"})
    answers: dict[str, dict[str, Any]] = {
        "blockDeviceMapping": {"BlockDeviceMappings": show_disks(image)},
        "bootMode": {"BootMode": {"Value": image.boot_mode}},
        "deregistrationProtection": {
            "DeregistrationProtection": {"Value": "enabled-without-cooldown" if image.protected else "disabled"}
        },
        "description": {"Description": {"Value": image.description}},
        "imdsSupport": {"ImdsSupport": {"Value": image.imds_support} if image.imds_support else {}},
        "kernel": {"KernelId": {}},
        "launchPermission": {"LaunchPermissions": launchers},
        "productCodes": {"ProductCodes": []},
        "ramdisk": {"RamdiskId": {}},
        "sriovNetSupport": {"SriovNetSupport": {"Value": "simple"}},
    }
    if req["Attribute"] not in answers:
        raise errors.not_built(f"The attribute {req['Attribute']}")
    return {"ImageId": image.id, **answers[req["Attribute"]]}


@op("ModifyImageAttribute")
def modify_image_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who may launch it, its description, or that its instances want IMDSv2."""
    image = own_image(ctx, req["ImageId"])
    errors.refuse(req, "ProductCodes", "OrganizationArns", "OrganizationalUnitArns")
    permission = _permission(req)
    description = (req.get("Description") or {}).get("Value")
    if req.get("Attribute") == "description" and description is None:
        description = req.get("Value")
    imds = (req.get("ImdsSupport") or {}).get("Value")
    if permission is None and description is None and imds is None:
        raise errors.missing("The request must contain the parameter launchPermission, description or imdsSupport")
    if permission is not None:
        if any(entry.get("Group") for entry in permission[0]):
            refuse_blocked(ctx, "images")
        before, image = image, _shared(image, *permission)
        _within_limits(ctx, before, image)
    if description is not None:
        image = replace(image, description=description)
    if imds is not None:
        image = replace(image, imds_support=imds)
    ctx.db[OwnImage].put(image)
    return {}


Entries = list[dict[str, Any]]


def _permission(req: dict[str, Any]) -> tuple[Entries, Entries] | None:
    """What is added to and what is removed from the launch permissions, in either form of the request."""
    asked = req.get("LaunchPermission") or {}
    adding, removing = list(asked.get("Add") or ()), list(asked.get("Remove") or ())
    for entry in (*adding, *removing):
        errors.refuse(entry, "OrganizationArn", "OrganizationalUnitArn")
    older = [{"UserId": user} for user in req.get("UserIds") or ()]
    older += [{"Group": group} for group in req.get("UserGroups") or ()]
    (removing if req.get("OperationType") == "remove" else adding).extend(older)
    return (adding, removing) if adding or removing else None


def _shared(image: OwnImage, adding: Entries, removing: Entries) -> OwnImage:
    new = account_ids(entry["UserId"] for entry in adding if entry.get("UserId"))
    gone = account_ids(entry["UserId"] for entry in removing if entry.get("UserId"))
    public = image.public or any(entry.get("Group") for entry in adding)
    if any(entry.get("Group") for entry in removing):
        public = False
    if public and any(disk.encrypted for disk in image.disks):
        raise AwsError("OperationNotPermitted", "Images with encrypted snapshots cannot be made public.")
    users = tuple(user for user in dict.fromkeys((*image.shared_with, *new)) if user not in gone)
    return replace(image, shared_with=users, public=public)


def _within_limits(ctx: Ctx, before: OwnImage, image: OwnImage) -> None:
    """So many may one image be shared with, and so many may be public."""
    shared, public = ctx.limit("ec2", "L-70015FFA"), ctx.limit("ec2", "L-0E3CBAB9")
    if shared is not None and len(image.shared_with) > max(shared, len(before.shared_with)):
        raise AwsError("ResourceLimitExceeded", f"An AMI can be shared with at most {shared:g} accounts.")
    new = image.public and not before.public
    if new and public is not None and sum(one.public for one in ctx.db[OwnImage].all()) >= public:
        raise AwsError("ResourceLimitExceeded", f"You have reached the limit of {public:g} public AMIs.")


@op("ResetImageAttribute")
def reset_image_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Nobody but the owner may launch it."""
    image = own_image(ctx, req["ImageId"])
    if req["Attribute"] != "launchPermission":
        raise errors.invalid_parameter(req["Attribute"], "attribute", "Only launchPermission can be reset.")
    ctx.db[OwnImage].put(replace(image, shared_with=(), public=False))
    return {}


@op("CancelImageLaunchPermission")
def cancel_image_launch_permission(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give back the right to launch an image that somebody else shared with this account."""
    image = need_image(ctx, req["ImageId"]).own
    if image is None or ctx.account not in image.shared_with:
        raise errors.invalid_parameter(req["ImageId"], "imageId", "The image is not shared with your account.")
    kept = tuple(user for user in image.shared_with if user != ctx.account)
    ctx.db[OwnImage].put(replace(image, shared_with=kept))
    return {"Return": True}
