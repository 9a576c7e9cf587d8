"""Condition keys of EC2 Instance Connect.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2instanceconnect.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx


def pushing(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The user for whom a key is pushed."""
    return {"ec2:osuser": req["InstanceOSUser"]}
