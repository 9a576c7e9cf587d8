"""How much a Dedicated Host takes, and on which one an instance is put.

A host has as many vCPUs as the largest size of its family; AWS's own hosts of burstable families have more.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/how-dedicated-hosts-work.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.hosts.records import Host
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import need
from cloudjar.spec import instance_types


@cache
def types_of(family: str) -> tuple[str, ...]:
    """The types of a family that hosts take; none for a family that has no hosts."""
    named = [name for name in instance_types.names() if name.partition(".")[0] == family]
    return tuple(name for name in named if instance_types.facts(name).get("DedicatedHostsSupported"))


@cache
def host_vcpus(family: str) -> int:
    """The vCPUs of a host."""
    return max(instance_types.size(name).vcpus for name in types_of(family))


@cache
def host_cores(family: str) -> int:
    """The physical cores of a host."""
    largest = max(types_of(family), key=lambda name: instance_types.size(name).vcpus)
    return int(instance_types.facts(largest)["VCpuInfo"].get("DefaultCores") or host_vcpus(family))


def on_host(ctx: Ctx, host: Host) -> list[Instance]:
    """The instances that take room on a host now."""
    return [
        vm
        for state in ("pending", "running", "stopping", "shutting-down")
        for vm in ctx.db[Instance].all(state=state)
        if vm.host_id == host.id
    ]


def free_vcpus(ctx: Ctx, host: Host) -> int:
    """vCPUs that nothing takes yet."""
    return host_vcpus(host.family) - sum(instance_types.size(vm.type).vcpus for vm in on_host(ctx, host))


def takes(host: Host, kind: str) -> bool:
    """Whether a host takes instances of a type."""
    return host.type == kind or (not host.type and kind in types_of(host.family))


def places(ctx: Ctx, asked: Mapping[str, Any], kind: str, zone: str, count: int) -> list[str]:
    """A host for each of `count` instances; raises InsufficientHostCapacity where there is none with room."""
    key = asked.get("HostId")
    if key:
        hosts = [_named(ctx, key, kind, zone)]
    else:
        every = ctx.db[Host].all(state="available")
        hosts = [h for h in every if h.zone == zone and h.auto_placement == "on" and takes(h, kind)]
    each = instance_types.size(kind).vcpus
    room = [host.id for host in hosts for _ in range(free_vcpus(ctx, host) // each)]
    if len(room) < count:
        raise AwsError(
            "InsufficientCapacityOnHost" if key else "InsufficientHostCapacity",
            f"There is not enough capacity to launch {count} instance(s) of the type {kind} on "
            + (f"the host '{key}'." if key else f"your Dedicated Hosts in {zone} that place instances by themselves."),
        )
    return room[:count]


def _named(ctx: Ctx, key: str, kind: str, zone: str) -> Host:
    host = need(ctx, Host, key)
    if host.state != "available":
        raise AwsError("InvalidHostState", f"The host '{key}' is in the state '{host.state}'.")
    if host.zone != zone:
        raise errors.invalid_value(f"The host '{key}' is not in the availability zone '{zone}'.")
    if not takes(host, kind):
        raise AwsError("InvalidHostConfiguration", f"The host '{key}' does not support the instance type '{kind}'.")
    return host
