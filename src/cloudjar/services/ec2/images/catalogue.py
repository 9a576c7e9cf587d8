"""The images of a region, and whether this host can run them."""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import is_id
from cloudjar.spec import images
from cloudjar.spec.images import Image

__all__ = ["ROOT_GIB", "Image", "need_image", "unavailable"]

ROOT_GIB = 8


def need_image(ctx: Ctx, image_id: str | None) -> Image:
    """The image with this id; raises MissingParameter, InvalidAMIID.Malformed or .NotFound."""
    if not image_id:
        raise errors.missing_one("ImageId")
    if not is_id("ami", image_id):
        raise AwsError("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')
    found = images.by_id(ctx.region, image_id)
    if found is None:
        raise AwsError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    return found


def unavailable(ctx: Ctx, image: Image) -> str:
    """Why this host cannot run an image; empty when it can."""
    host: ComputePort = ctx.world.ports["compute"]
    if image.architecture != images.X86:
        return f"this host runs x86_64 machines, the image is {image.architecture}."
    known = host.images().get(image.key)
    if known is None:
        return f"the compute plane '{host.name}' does not know the image '{image.key}'."
    return "" if known.available else known.why_not
