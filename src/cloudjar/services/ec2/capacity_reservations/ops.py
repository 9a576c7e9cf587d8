"""Create, describe, change and cancel Capacity Reservations.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-capacity-reservations.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.capacity_reservations import matching
from cloudjar.services.ec2.capacity_reservations.making import (
    MOST,
    end_reservation,
    make,
    need_platform,
    need_zone,
    refuse_past,
    settle,
)
from cloudjar.services.ec2.capacity_reservations.records import CapacityReservation
from cloudjar.services.ec2.instances.quota import refuse_more
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.spec import instance_types, regions

FILTERS = by_path(
    {
        "availability-zone": "AvailabilityZone",
        "end-date": "EndDate",
        "end-date-type": "EndDateType",
        "instance-match-criteria": "InstanceMatchCriteria",
        "instance-platform": "InstancePlatform",
        "instance-type": "InstanceType",
        "outpost-arn": "OutpostArn",
        "owner-id": "OwnerId",
        "placement-group-arn": "PlacementGroupArn",
        "start-date": "StartDate",
        "state": "State",
        "tenancy": "Tenancy",
    }
)


@op("CreateCapacityReservation")
def create_capacity_reservation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Room for so many instances of a type in a zone, from now on."""
    errors.refuse(
        req, "OutpostArn", "PlacementGroupArn", "StartDate", "CommitmentDuration", "DeliveryPreference",
        "EphemeralStorage",
    )  # fmt: skip
    kind = req["InstanceType"]
    zone = need_zone(ctx, req, kind)
    count = _count(req["InstanceCount"])
    end = _end(ctx, req.get("EndDate"), req.get("EndDateType"))
    refuse_more(ctx, kind, count * instance_types.size(kind).vcpus - _covered(ctx, req, kind, zone))
    made = make(
        ctx, kind, need_platform(req["InstancePlatform"]), zone.name, count,
        tenancy=req.get("Tenancy") or "default", ebs_optimized=bool(req.get("EbsOptimized")),
        criteria=req.get("InstanceMatchCriteria") or "open", end=end,
        given=tags.specified(req, "capacity-reservation"),
    )  # fmt: skip
    return {"CapacityReservation": show_reservation(ctx, ctx.db[CapacityReservation].need(made.id))}


def _covered(ctx: Ctx, req: dict[str, Any], kind: str, zone: regions.Zone) -> int:
    """vCPUs of what runs already and would run in the reservation: the quota has counted them."""
    if req.get("InstanceMatchCriteria") == "targeted":
        return 0
    tenancy = req.get("Tenancy") or "default"
    loose = matching.loose(ctx, kind, zone.name, tenancy)
    return min(len(loose), int(req["InstanceCount"])) * instance_types.size(kind).vcpus


def _count(asked: int) -> int:
    if not 1 <= asked <= MOST:
        raise errors.invalid_parameter(asked, "instanceCount", f"It must be between 1 and {MOST}.")
    return asked


def _end(ctx: Ctx, date: datetime | None, kind: str | None) -> datetime | None:
    if kind == "limited" and date is None:
        raise errors.missing("The parameter EndDate must be specified when EndDateType is limited.")
    if kind != "limited" and date is not None:
        raise errors.combination("The parameter EndDate can be specified when EndDateType is limited only.")
    refuse_past(ctx, date)
    return date


@op("DescribeCapacityReservations")
def describe_capacity_reservations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Reservations, those that ended a while ago included."""
    found = describe(
        ctx, req, CapacityReservation, "CapacityReservationIds", lambda one: show_reservation(ctx, one), FILTERS
    )
    return {"CapacityReservations": found}


@op("ModifyCapacityReservation")
def modify_capacity_reservation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """More or less room, another end, another way to match."""
    errors.refuse(req, "Accept", "AdditionalInfo", "AcceptModificationTerms", "StartDate", "QuoteId")
    one = need_active(ctx, req["CapacityReservationId"])
    if all(req.get(name) is None for name in ("InstanceCount", "EndDate", "EndDateType", "InstanceMatchCriteria")):
        raise errors.missing("The request must contain what is to be modified.")
    if req.get("EndDate") or req.get("EndDateType"):
        one = replace(one, end=_end(ctx, req.get("EndDate"), req.get("EndDateType") or _kind(req)))
    if req.get("InstanceCount") is not None:
        one = _resized(ctx, one, _count(req["InstanceCount"]))
    if req.get("InstanceMatchCriteria"):
        one = replace(one, criteria=req["InstanceMatchCriteria"])
    settle(ctx, ctx.db[CapacityReservation].put(one))
    return {"Return": True}


def _kind(req: dict[str, Any]) -> str:
    return "limited" if req.get("EndDate") else "unlimited"


def _resized(ctx: Ctx, one: CapacityReservation, count: int) -> CapacityReservation:
    if count < len(matching.running(ctx, one)):
        raise errors.invalid_parameter(
            count, "instanceCount", "It cannot be less than the number of instances that run in the reservation."
        )
    refuse_more(ctx, one.type, (count - one.total) * instance_types.size(one.type).vcpus)
    return replace(one, total=count)


@op("CancelCapacityReservation")
def cancel_capacity_reservation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give the room back; what runs in it runs on, on demand."""
    errors.refuse(req, "ApplyCancellationCharges", "QuoteId")
    end_reservation(ctx, need_active(ctx, req["CapacityReservationId"]), "cancelled")
    return {"Return": True}


def need_active(ctx: Ctx, key: str) -> CapacityReservation:
    """A reservation that may be changed; raises why not."""
    one = need(ctx, CapacityReservation, key)
    if one.fleet_id:
        raise AwsError(
            "OperationNotPermitted",
            f"The Capacity Reservation '{key}' belongs to the Capacity Reservation Fleet '{one.fleet_id}'.",
        )
    if one.state != "active":
        raise AwsError(
            "InvalidCapacityReservationState",
            f"The Capacity Reservation '{key}' is in the state '{one.state}' and cannot be modified or cancelled.",
        )
    return one


@op("GetCapacityReservationUsage")
def get_capacity_reservation_usage(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """How much of a reservation is used, by account: it is not shared here, so by its own."""
    one = need(ctx, CapacityReservation, req["CapacityReservationId"])
    used = len(matching.running(ctx, one))
    return {
        "CapacityReservationId": one.id,
        "InstanceType": one.type,
        "TotalInstanceCount": one.total,
        "AvailableInstanceCount": _available(one, used),
        "State": one.state,
        "InstanceUsages": [{"AccountId": one.account, "UsedInstanceCount": used}] if used else [],
    }


def _available(one: CapacityReservation, used: int) -> int:
    return one.total - used if one.state == "active" else 0


def show_reservation(ctx: Ctx, one: CapacityReservation) -> dict[str, Any]:
    """AWS's CapacityReservation."""
    zone = regions.zone(one.zone, one.account)
    return {
        "AvailabilityZone": one.zone,
        "AvailabilityZoneId": zone.id if zone is not None else None,
        "AvailableInstanceCount": _available(one, len(matching.running(ctx, one))),
        "CapacityReservationArn": arn_of(one),
        "CapacityReservationFleetId": one.fleet_id or None,
        "CapacityReservationId": one.id,
        "CreateDate": one.created,
        "EbsOptimized": one.ebs_optimized,
        "EndDate": one.end,
        "EndDateType": "limited" if one.end is not None else "unlimited",
        "EphemeralStorage": False,
        "InstanceMatchCriteria": one.criteria,
        "InstancePlatform": one.platform,
        "InstanceType": one.type,
        "OwnerId": one.account,
        "ReservationType": "default",
        "StartDate": one.created,
        "State": one.state,
        "Tags": tags.as_list(one.tags) if one.tags else None,
        "Tenancy": one.tenancy,
        "TotalInstanceCount": one.total,
    }
