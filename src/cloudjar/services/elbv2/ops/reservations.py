"""Capacity that is reserved: paid for by the hour, whether it is used or not.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/capacity-unit-reservation.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.elbv2 import errors
from cloudjar.services.elbv2.records import LoadBalancer, Reservation

_MADE_IN = timedelta(minutes=2)
_DAY = timedelta(days=1)
_DECREASES = 2
_LEAST = {"app": 100, "net": 2750}
"""Of an Application Load Balancer, and of a Network Load Balancer's zone."""
_LIMITS = {"app": ("L-0BB7B635", 1500), "net": ("L-7C45F98A", 45_000)}


def drop(ctx: Ctx, balancer: LoadBalancer) -> None:
    """Nothing is reserved any more."""
    held = ctx.db[Reservation].get(balancer.arn)
    if held is not None:
        ctx.db[Reservation].drop(held)


def pending(ctx: Ctx, balancer: LoadBalancer) -> bool:
    """Whether capacity is being made ready."""
    held = ctx.db[Reservation].get(balancer.arn)
    return held is not None and held.units > 0 and ctx.now < held.changed + _MADE_IN


@op("DescribeCapacityReservation")
def describe_capacity_reservation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What is reserved for a load balancer."""
    balancer = ctx.db[LoadBalancer].need(req["LoadBalancerArn"])
    return _shown(ctx, balancer, ctx.db[Reservation].get(balancer.arn))


def _shown(ctx: Ctx, balancer: LoadBalancer, held: Reservation | None) -> dict[str, Any]:
    if held is None or not held.units:
        made: dict[str, Any] = {} if held is None else {"LastModifiedTime": held.changed}
        return {**made, "DecreaseRequestsRemaining": _left(ctx, held), "CapacityReservationState": []}
    waits = pending(ctx, balancer)
    share: dict[str, Any] = {} if waits else {"EffectiveCapacityUnits": held.units / len(balancer.zones)}
    return {
        "LastModifiedTime": held.changed,
        "DecreaseRequestsRemaining": _left(ctx, held),
        "MinimumLoadBalancerCapacity": {"CapacityUnits": held.units},
        "CapacityReservationState": [
            {"State": {"Code": "pending" if waits else "provisioned"}, "AvailabilityZone": zone.name, **share}
            for zone in balancer.zones
        ],
    }


def _left(ctx: Ctx, held: Reservation | None) -> int:
    done = [at for at in held.decreases if ctx.now < at + _DAY] if held else []
    return max(0, _DECREASES - len(done))


@op("ModifyCapacityReservation")
def modify_capacity_reservation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Reserve as much, or nothing any more."""
    balancer = ctx.db[LoadBalancer].need(req["LoadBalancerArn"])
    units, reset = (req.get("MinimumLoadBalancerCapacity") or {}).get("CapacityUnits"), req.get(
        "ResetCapacityReservation")  # fmt: skip
    if bool(reset) == (units is not None):
        raise errors.validation("Either minimum load balancer capacity or its reset must be specified")
    if units is not None:
        _check(ctx, balancer, units)
    held = ctx.db[Reservation].get(balancer.arn)
    if pending(ctx, balancer):
        said = "This operation is not allowed while a prior request is not complete."
        raise AwsError("PriorRequestNotComplete", said, 429)
    before, after = held.units if held else 0, units or 0
    decreases = tuple(at for at in (held.decreases if held else ()) if ctx.now < at + _DAY)
    if after < before:
        if not _left(ctx, held):
            raise AwsError("CapacityDecreaseRequestLimitExceeded", "You've exceeded the daily capacity decrease limit")
        decreases = (*decreases, ctx.now)
    if held is None:
        made = Reservation(arn=balancer.arn, kind=balancer.kind, units=after, changed=ctx.now)
        held = ctx.db[Reservation].add(made)
    else:
        held = ctx.db[Reservation].put(replace(held, units=after, changed=ctx.now, decreases=decreases))
    return _shown(ctx, balancer, held)


def _check(ctx: Ctx, balancer: LoadBalancer, units: int) -> None:
    zones = len(balancer.zones) if balancer.kind == "net" else 1
    least = _LEAST[balancer.kind] * zones
    if units < least:
        raise errors.validation(f"The minimum load balancer capacity must be at least {least} capacity units")
    code, usual = _LIMITS[balancer.kind]
    known = ctx.limit("elasticloadbalancing", code)
    if units > (usual if known is None else int(known)) * zones:
        raise AwsError("CapacityUnitsLimitExceeded", "You've exceeded the capacity units limit")
