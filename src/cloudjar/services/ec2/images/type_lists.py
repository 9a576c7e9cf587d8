"""Which instance types an AMI's owner says that it is for.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceImageInstanceTypeSpecification.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.records import OwnImage
from cloudjar.services.ec2.lookup import need

_ENTRY = re.compile(r"[A-Za-z0-9.*-]{1,24}")


@op("ReplaceImageInstanceTypeSpecification")
def replace_image_instance_type_specification(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Say it anew, or no more; launches obey from now on."""
    image = need(ctx, OwnImage, req["ImageId"])
    asked = req.get("InstanceTypeSpecification") or {}
    supported, unsupported = (
        tuple(asked.get(member) or ()) for member in ("SupportedInstanceTypes", "UnsupportedInstanceTypes")
    )
    for entry in (*supported, *unsupported):
        if not _ENTRY.fullmatch(entry):
            raise errors.invalid_value(f"Invalid value '{entry}' for InstanceType.")
    ctx.db[OwnImage].put(replace(image, supported_types=supported, unsupported_types=unsupported))
    return {"ReturnValue": True}


def refuse_type(image: OwnImage | None, name: str) -> None:
    """Raise InvalidParameterCombination for an instance type that an image is not for."""
    if image is None:
        return
    fits = not image.supported_types or _among(name, image.supported_types)
    if not fits or _among(name, image.unsupported_types):
        raise errors.combination(f"The instance type '{name}' is not compatible with the AMI '{image.id}'.")


def _among(name: str, entries: Iterable[str]) -> bool:
    return any(re.fullmatch(re.escape(entry).replace(r"\*", ".*"), name) for entry in entries)
