"""Opting in to groups of zones. Only Local Zones and Wavelength Zones have such a choice, and there are none here.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyAvailabilityZoneGroup.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.spec import regions


@op("ModifyAvailabilityZoneGroup")
def modify_availability_zone_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused for the Region's own zones, which need no opting in, and for groups that there are not."""
    name = req["GroupName"]
    own = name == regions.region(ctx.region).zone_group
    why = "Availability Zones cannot be opted in to or out of." if own else "There is no such group in this Region."
    raise errors.invalid_parameter(name, "groupName", why)
