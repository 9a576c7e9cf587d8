"""On whose hardware a launch stands: shared, dedicated, a Dedicated Host's; and in which Capacity Reservation.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/dedicated-instance.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.capacity_reservations import matching
from cloudjar.services.ec2.hosts import placing
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.making import default_subnet
from cloudjar.services.ec2.vpcs.records import Vpc
from cloudjar.spec import instance_types


class Standing(NamedTuple):
    """What a launch gets; `hosts` and `reservations` have an entry for each instance, "" for none."""

    tenancy: str
    affinity: str
    hosts: list[str]
    preference: str
    target: str
    reservations: list[str]


def tenancy_of(ctx: Ctx, req: Mapping[str, Any], vpc_id: str) -> str:
    """``default``, ``dedicated`` or ``host``: as the launch says, else as the VPC does."""
    asked = (req.get("Placement") or {}).get("Tenancy")
    vpc = ctx.db[Vpc].get(vpc_id)
    dedicated = vpc is not None and vpc.tenancy == "dedicated"
    if asked in (None, "default"):
        return "dedicated" if dedicated else "default"
    return str(asked)


def stand(ctx: Ctx, req: Mapping[str, Any], subnet: Subnet, kind: str, count: int, *, spot: bool) -> Standing:
    """Find room for a launch; raises what AWS raises where there is none, or for contradictions."""
    asked = req.get("Placement") or {}
    tenancy = tenancy_of(ctx, req, subnet.vpc_id)
    if tenancy != "host" and (asked.get("HostId") or asked.get("Affinity") == "host"):
        raise errors.combination("The parameters HostId and Affinity can be used with the tenancy 'host' only.")
    if tenancy == "host" and spot:
        raise errors.combination("Spot Instances cannot be launched with the tenancy 'host'.")
    preference, target = matching.asked_for(ctx, req)
    hosts = placing.places(ctx, asked, kind, subnet.zone, count) if tenancy == "host" else [""] * count
    kept = [""] * count
    if not spot and tenancy != "host":
        kept = matching.places(ctx, kind, subnet.zone, tenancy, preference, target, count)
    affinity = (asked.get("Affinity") or "default") if tenancy == "host" else ""
    return Standing(tenancy, affinity, hosts, preference, target, kept)


def reserved_room(ctx: Ctx, req: Mapping[str, Any], kind: str) -> int:
    """How many instances of a launch would run in reservations: they count towards no quota a second time."""
    subnet = _subnet(ctx, req)
    if subnet is None:
        return 0
    tenancy = tenancy_of(ctx, req, subnet.vpc_id)
    fitting = matching.fitting(ctx, kind, subnet.zone, tenancy, *matching.asked_for(ctx, req))
    return len(matching.slots(ctx, fitting))


def _subnet(ctx: Ctx, req: Mapping[str, Any]) -> Subnet | None:
    named = req.get("SubnetId") or ((req.get("NetworkInterfaces") or [{}])[0]).get("SubnetId")
    if named:
        return ctx.db[Subnet].get(named)
    return default_subnet(ctx, (req.get("Placement") or {}).get("AvailabilityZone") or "")


def stand_again(ctx: Ctx, vm: Instance) -> tuple[str, str]:
    """The host and the reservation of an instance that starts again; raises where it must have one and there is no
    room."""
    if vm.tenancy == "host":
        wanted = {"HostId": vm.host_id} if vm.affinity == "host" else {}
        return placing.places(ctx, wanted, vm.type, vm.zone, 1)[0], ""
    if vm.spot_request_id:
        return "", ""
    tenancy, preference = vm.tenancy, vm.reservation_preference
    return "", matching.places(ctx, vm.type, vm.zone, tenancy, preference, vm.reservation_target, 1)[0]


def refuse_tenancy(kind: str, tenancy: str) -> None:
    """Raise for a type that cannot have hardware of its own."""
    if tenancy == "host" and kind not in placing.types_of(kind.partition(".")[0]):
        raise errors.combination(f"The instance type '{kind}' does not support the tenancy 'host'.")
    if tenancy == "dedicated" and instance_types.facts(kind).get("InstanceType") == "t1.micro":
        raise errors.combination(f"The instance type '{kind}' does not support dedicated tenancy.")
