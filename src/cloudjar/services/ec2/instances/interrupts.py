"""Diagnostic interrupts: non-maskable ones, at which a guest's kernel does what it was told to (a panic, a dump).

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/diagnostic-interrupt.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import need


@op("SendDiagnosticInterrupt")
def send_diagnostic_interrupt(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Interrupt a running virtual machine. A container's kernel is the host's: refused, as for types without it."""
    vm = need(ctx, Instance, req["InstanceId"])
    if vm.state != "running":
        raise AwsError("IncorrectInstanceState", f"The instance '{vm.id}' is not in the 'running' state.")
    if (vm.driver or ctx.world.ports["compute"].name) != "vm":
        raise AwsError(
            "UnsupportedOperation", f"The instance '{vm.id}' does not support diagnostic interrupts: it has no kernel "
            "of its own (cloudjar:driver = vm gives it one).",
        )  # fmt: skip
    ctx.db[Instance].put(replace(vm, interrupts=vm.interrupts + 1))
    return {}
