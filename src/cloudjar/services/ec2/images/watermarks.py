"""Watermarks: marks that an AMI's owner gives it, and that whatever is made of it carries on.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachImageWatermark.html
"""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.ops import own_image
from cloudjar.services.ec2.images.records import OwnImage, Watermark

_NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")


@op("AttachImageWatermark")
def attach_image_watermark(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Mark an image of one's own that is not public; one that has the mark keeps it as it is."""
    image = own_image(ctx, req["ImageId"])
    name = req["WatermarkName"]
    if not _NAME.fullmatch(name):
        raise errors.invalid_parameter(
            name,
            "watermarkName",
            "It has 3 to 128 letters, digits, spaces and characters of ( ) [ ] . / - ' @ _.",
        )
    if image.public:
        raise AwsError("OperationNotPermitted", f"The image '{image.id}' is public and cannot have watermarks.")
    key = f"{ctx.account}:{name}"
    if all(mark.key != key for mark in image.watermarks):
        mark = Watermark(key=key, image_id=image.id, region=ctx.region, image_created=image.created, created=ctx.now)
        ctx.db[OwnImage].put(replace(image, watermarks=(*image.watermarks, mark)))
    return {"WatermarkKey": key}


@op("DetachImageWatermark")
def detach_image_watermark(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take a mark from an image of one's own; those that were made of it keep theirs."""
    image = own_image(ctx, req["ImageId"])
    kept = tuple(mark for mark in image.watermarks if mark.key != req["WatermarkKey"])
    ctx.db[OwnImage].put(replace(image, watermarks=kept))
    return {"Return": True}
