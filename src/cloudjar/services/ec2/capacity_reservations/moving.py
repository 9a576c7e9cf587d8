"""Capacity of a reservation that becomes another's: split off into a new one, or moved to one that is there.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-split.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-move.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.capacity_reservations import matching
from cloudjar.services.ec2.capacity_reservations.making import MOST, end_reservation, make, settle
from cloudjar.services.ec2.capacity_reservations.ops import need_active, show_reservation
from cloudjar.services.ec2.capacity_reservations.records import CapacityReservation

_SAME = ("type", "platform", "zone", "tenancy", "end")


@op("CreateCapacityReservationBySplitting")
def create_capacity_reservation_by_splitting(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A new reservation like the old one, of capacity that nothing runs in; some stays."""
    source, count = need_active(ctx, req["SourceCapacityReservationId"]), req["InstanceCount"]
    _check_count(ctx, source, count, source.total - 1)
    source = _left(ctx, source, count)
    made = make(
        ctx, source.type, source.platform, source.zone, count, tenancy=source.tenancy, criteria=source.criteria,
        end=source.end, ebs_optimized=source.ebs_optimized, given=tags.specified(req, "capacity-reservation"),
    )  # fmt: skip
    return _both(ctx, source, made, count)


@op("MoveCapacityReservationInstances")
def move_capacity_reservation_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Capacity that nothing runs in, to a reservation of the same kind; one that has none left is cancelled."""
    source = need_active(ctx, req["SourceCapacityReservationId"])
    target = need_active(ctx, req["DestinationCapacityReservationId"])
    count = req["InstanceCount"]
    if source.id == target.id:
        raise errors.invalid_value("The source and the destination Capacity Reservation must be different.")
    if any(getattr(source, name) != getattr(target, name) for name in _SAME):
        raise errors.invalid_value(
            f"The Capacity Reservations '{source.id}' and '{target.id}' must have the same instance type, platform, "
            "Availability Zone, tenancy and end."
        )
    _check_count(ctx, source, count, source.total)
    if target.total + count > MOST:
        raise errors.invalid_parameter(count, "instanceCount", f"A reservation has at most {MOST} instances.")
    source = _left(ctx, source, count)
    target = ctx.db[CapacityReservation].put(replace(target, total=target.total + count))
    settle(ctx, target)
    return _both(ctx, source, target, count)


def _check_count(ctx: Ctx, source: CapacityReservation, count: int, most: int) -> None:
    free = source.total - len(matching.running(ctx, source))
    if not 1 <= count <= min(most, free):
        raise errors.invalid_parameter(
            count, "instanceCount", f"It must be between 1 and {min(most, free)}, which is available to be moved."
        )


def _left(ctx: Ctx, source: CapacityReservation, count: int) -> CapacityReservation:
    """The source with less, or cancelled when there is nothing left."""
    if count == source.total:
        end_reservation(ctx, source, "cancelled")
        return ctx.db[CapacityReservation].need(source.id)
    return ctx.db[CapacityReservation].put(replace(source, total=source.total - count))


def _both(ctx: Ctx, source: CapacityReservation, target: CapacityReservation, count: int) -> dict[str, Any]:
    source, target = (ctx.db[CapacityReservation].need(one.id) for one in (source, target))
    return {
        "SourceCapacityReservation": show_reservation(ctx, source),
        "DestinationCapacityReservation": show_reservation(ctx, target),
        "InstanceCount": count,
    }
