"""What an instance's console says, as text and as a picture.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-console.html
"""

from __future__ import annotations

import base64
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.instances.screen import picture
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.spec import instance_types


def _said(ctx: Ctx, vm: Instance) -> bytes:
    host: ComputePort = ctx.world.ports["compute"]
    return host.console(vm.id) if vm.alive else b""


@op("GetConsoleOutput")
def get_console_output(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What the guest wrote to its console, newest 64 KiB, always as it is now."""
    vm = need(ctx, Instance, req["InstanceId"])
    if req.get("Latest") and instance_types.facts(vm.type).get("Hypervisor") == "xen":
        raise AwsError(
            "UnsupportedOperation",
            "This instance type does not support retrieving the latest console logs. Latest console logs are only "
            "supported on Nitro-based instances.",
        )
    return {"InstanceId": vm.id, "Output": base64.b64encode(_said(ctx, vm)).decode(), "Timestamp": ctx.now}


@op("GetConsoleScreenshot")
def get_console_screenshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The console's last lines as they stand on a screen."""
    vm = need(ctx, Instance, req["InstanceId"])
    if vm.state != "running":
        raise AwsError(
            "IncorrectInstanceState",
            f"The instance '{vm.id}' is not in a state from which a console screenshot can be taken.",
        )
    return {"InstanceId": vm.id, "ImageData": base64.b64encode(picture(_said(ctx, vm))).decode()}
