"""Fast launch, which is for Windows images: there are none here.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/win-ami-config-fast-launch.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.catalogue import need_image
from cloudjar.services.ec2.lookup import by_path, narrow

_FILTERS = by_path({"owner-id": "OwnerId", "resource-type": "ResourceType", "state": "State"})


@op("DescribeFastLaunchImages")
def describe_fast_launch_images(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None; images that are named must be there."""
    for image_id in req.get("ImageIds") or ():
        need_image(ctx, image_id)
    return {"FastLaunchImages": narrow(req, _FILTERS, ())}


@op("EnableFastLaunch")
def enable_fast_launch(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused for every image that is not of Windows."""
    need_image(ctx, req["ImageId"])
    raise errors.invalid_value(f"Fast launch is supported for Windows AMIs only; {req['ImageId']} is not one.")


@op("DisableFastLaunch")
def disable_fast_launch(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """It is enabled for none."""
    need_image(ctx, req["ImageId"])
    raise AwsError("InvalidRequest", f"Fast launch is not enabled for {req['ImageId']}.")
