"""Whether an instance's guest can be reached, and since when it cannot."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.kit.machine import Step
from cloudjar.planes.compute.inside import entrance
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.ec2.instances.records import Instance

CHECK = "check"
"""Purpose of the wake-up by whoever has seen that it is otherwise."""


def is_reached(host: ComputePort, vm: Instance) -> bool:
    """Whether the guest is up and would answer at its address."""
    if host.look(vm.id) != "up":
        return False
    inside = entrance(host)
    return inside is None or inside.answers(vm.id, vm.private_ip)


def keep(step: Step, vm: Instance, host: ComputePort) -> None:
    """Keep since when a running instance cannot be reached."""
    passed = is_reached(host, vm)
    if passed is (vm.impaired is not None):
        since = None if passed else step.ctx.now
        step.change(Instance, lambda now: replace(now, impaired=since) if now.state == "running" else None)
