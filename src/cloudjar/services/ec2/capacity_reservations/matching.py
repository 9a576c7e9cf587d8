"""Which reservation an instance runs in, and how many run in one.

An open reservation takes whatever matches it by type, platform, zone and tenancy, what runs already included; a
targeted one only who names it.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-launch.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.capacity_reservations.records import CapacityReservation
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import need
from cloudjar.spec import instance_types

PLATFORM = "Linux/UNIX"
ONLY, NONE = "capacity-reservations-only", "none"


def asked_for(ctx: Ctx, req: Mapping[str, Any]) -> tuple[str, str]:
    """The preference and the target of a launch's CapacityReservationSpecification."""
    asked = req.get("CapacityReservationSpecification") or {}
    target = asked.get("CapacityReservationTarget") or {}
    preference = asked.get("CapacityReservationPreference")
    if target.get("CapacityReservationResourceGroupArn"):
        raise errors.not_built("The parameter CapacityReservationResourceGroupArn")
    key = target.get("CapacityReservationId") or ""
    if key and preference:
        raise errors.combination(
            "You cannot specify both CapacityReservationPreference and CapacityReservationTarget."
        )
    if key:
        need(ctx, CapacityReservation, key)
    return ("" if key else preference or "open"), key


def fitting(ctx: Ctx, kind: str, zone: str, tenancy: str, preference: str, target: str) -> list[CapacityReservation]:
    """The active reservations in which such an instance may run, the oldest first."""
    if preference == NONE:
        return []
    found = [
        one
        for one in ctx.db[CapacityReservation].all(type=kind, state="active")
        if (one.zone, one.tenancy, one.platform) == (zone, tenancy, PLATFORM)
        and (one.id == target if target else one.criteria == "open")
    ]
    return sorted(found, key=lambda one: (one.created, one.id))


def slots(ctx: Ctx, reservations: list[CapacityReservation]) -> list[str]:
    """The ids of reservations, each as often as it has room."""
    return [one.id for one in reservations for _ in range(one.total - len(running(ctx, one)))]


def running(ctx: Ctx, one: CapacityReservation) -> list[Instance]:
    """The instances that use a reservation now."""
    return [
        vm
        for state in ("pending", "running")
        for vm in ctx.db[Instance].all(state=state)
        if vm.capacity_reservation_id == one.id
    ]


def places(ctx: Ctx, kind: str, zone: str, tenancy: str, preference: str, target: str, count: int) -> list[str]:
    """The reservation of each of `count` new instances, "" for none; raises ReservationCapacityExceeded where it must
    be one and there is no room."""
    free = slots(ctx, fitting(ctx, kind, zone, tenancy, preference, target))
    if (target or preference == ONLY) and len(free) < count:
        raise exceeded()
    return [*free[:count], *[""] * (count - len(free))]


def exceeded() -> AwsError:
    """There is no room in the reservation that must be used."""
    return AwsError(
        "ReservationCapacityExceeded",
        "The requested reservation does not have sufficient compatible and available capacity for this request.",
    )


def recount(ctx: Ctx, key: str) -> None:
    """Store how many instances use a reservation: what is not used is billed apart."""
    one = ctx.db[CapacityReservation].get(key) if key else None
    if one is not None:
        used = len(running(ctx, one)) if one.state == "active" else 0
        ctx.db[CapacityReservation].put(replace(one, used=used))


def take_in(ctx: Ctx, one: CapacityReservation) -> None:
    """Have an open reservation take what runs already and matches it, as far as it has room."""
    if one.criteria != "open" or one.state != "active":
        return
    room = one.total - len(running(ctx, one))
    for vm in loose(ctx, one.type, one.zone, one.tenancy)[: max(room, 0)]:
        ctx.db[Instance].put(replace(vm, capacity_reservation_id=one.id))


def loose(ctx: Ctx, kind: str, zone: str, tenancy: str) -> list[Instance]:
    """What runs on demand in no reservation and would run in an open one, the oldest first."""
    found = [
        vm
        for state in ("pending", "running")
        for vm in ctx.db[Instance].all(state=state)
        if not (vm.capacity_reservation_id or vm.spot_request_id or vm.reservation_target)
        and vm.reservation_preference not in (NONE, "")
        and (vm.type, vm.zone, vm.tenancy) == (kind, zone, tenancy)
    ]
    return sorted(found, key=lambda vm: (vm.created, vm.id))


def leave(ctx: Ctx, one: CapacityReservation) -> None:
    """What does not run any more is in no reservation."""
    for vm in ctx.db[Instance].all():
        if vm.capacity_reservation_id == one.id and vm.state not in ("pending", "running"):
            ctx.db[Instance].put(replace(vm, capacity_reservation_id=""))


def let_go(ctx: Ctx, one: CapacityReservation) -> None:
    """What runs in a reservation that has ended runs on, on demand."""
    for vm in running(ctx, one):
        ctx.db[Instance].put(replace(vm, capacity_reservation_id=""))


def vcpus(ctx: Ctx, code: str) -> int:
    """The vCPUs that active reservations take of an on-demand quota, used or not."""
    return sum(
        one.total * instance_types.size(one.type).vcpus
        for one in ctx.db[CapacityReservation].all(state="active")
        if instance_types.vcpu_quota(one.type) == code
    )
