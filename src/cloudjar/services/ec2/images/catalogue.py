"""What can be launched in a region: the public images and those that accounts have made; and whether this host can."""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images import allowed
from cloudjar.services.ec2.images.records import ImageDisk, OwnImage
from cloudjar.services.ec2.images.views import show_image
from cloudjar.services.ec2.lookup import is_id
from cloudjar.spec import images

__all__ = ["ROOT_GIB", "Bootable", "find_image", "need_image", "told", "unavailable"]

ROOT_GIB = 8


class Bootable(NamedTuple):
    """An image as a launch needs it; `own` is the record of one that is not the catalogue's."""

    id: str
    key: str
    architecture: str
    disks: tuple[ImageDisk, ...]
    own: OwnImage | None
    facts: dict[str, Any]
    """As DescribeImages answers it to the caller."""

    @property
    def root_device(self) -> str:
        return self.disks[0].device

    @property
    def public(self) -> bool:
        return bool(self.facts["Public"])


def of_catalogue(image: images.Image) -> Bootable:
    """A public image of the catalogue."""
    ebs = image.facts()["BlockDeviceMappings"][0]["Ebs"]
    root = ImageDisk(
        device=image.root_device,
        snapshot_id=image.snapshot_id,
        size=ebs["VolumeSize"],
        type=ebs["VolumeType"],
        iops=ebs["Iops"],
        throughput=ebs["Throughput"],
    )
    return Bootable(image.id, image.key, image.architecture, (root,), None, image.facts())


def of_record(image: OwnImage, account: str) -> Bootable:
    """An image that somebody has made, as an account sees it."""
    return Bootable(
        image.id, image.image_key, image.architecture, image.disks, image, show_image(image, account)
    )


def may_launch(image: OwnImage, account: str) -> bool:
    """Whether an account may launch it."""
    return image.account == account or ((image.public or account in image.shared_with) and not image.disabled)


def find_image(ctx: Ctx, image_id: str, region: str = "") -> Bootable | None:
    """The image with this id in a Region (default: here), if the caller may know of it."""
    where = region or ctx.region
    public = images.by_id(where, image_id)
    if public is not None:
        return of_catalogue(public)
    found = ctx.db.find(OwnImage, image_id)
    if found is None or found.region != where or not may_launch(found, ctx.account):
        return None
    return of_record(found, ctx.account)


def need_image(ctx: Ctx, image_id: str | None, region: str = "") -> Bootable:
    """The image with this id; raises MissingParameter, InvalidAMIID.Malformed or .NotFound."""
    if not image_id:
        raise errors.missing_one("ImageId")
    if not is_id("ami", image_id):
        raise AwsError("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')
    found = find_image(ctx, image_id, region)
    if found is not None and region in ("", ctx.region):
        found = told(ctx, allowed.chosen(ctx), found)
    if found is None:
        raise AwsError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    return found


def told(ctx: Ctx, decided: allowed.AllowedImages, image: Bootable) -> Bootable | None:
    """An image, with whether it is among the account's allowed ones where that is asked; None if it is to be hidden."""
    if decided.state == "disabled":
        return image
    fits = allowed.is_allowed(ctx, decided, image.facts)
    if decided.state == "enabled" and not fits:
        return None
    return image._replace(facts={**image.facts, "ImageAllowed": fits})


def unavailable(ctx: Ctx, image: Bootable) -> str:
    """Why this host cannot run an image; empty when it can."""
    if image.own is not None and image.own.state != "available":
        return f"it is {image.own.state}."
    if image.own is not None and image.own.disabled:
        return "it is disabled."
    host: ComputePort = ctx.world.ports["compute"]
    if image.architecture != images.X86:
        return f"this host runs x86_64 machines, the image is {image.architecture}."
    known = host.images().get(image.key)
    if known is None:
        return f"the compute plane '{host.name}' does not know the image '{image.key}'."
    return "" if known.available else known.why_not
