"""Create, describe, change and cancel Capacity Reservation Fleets. What they reserve is in `life`.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/cr-fleets.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.capacity_fleets.records import CapacityFleet, Choice
from cloudjar.services.ec2.capacity_reservations.making import need_platform, need_zone, refuse_past
from cloudjar.services.ec2.capacity_reservations.records import CapacityReservation
from cloudjar.services.ec2.lookup import by_path, describe, need

FILTERS = by_path(
    {
        "allocation-strategy": "AllocationStrategy",
        "instance-match-criteria": "InstanceMatchCriteria",
        "state": "State",
        "tenancy": "Tenancy",
    }
)
_MOST = 100_000
_LIVE = ("submitted", "modifying", "active", "partially_fulfilled")


@op("CreateCapacityReservationFleet")
def create_capacity_reservation_fleet(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A fleet that is submitted; its reservations come afterwards."""
    errors.refuse(req, "InstanceRequirements", "AvailabilityZone", "AvailabilityZoneId")
    specs = req.get("InstanceTypeSpecifications") or ()
    if not specs:
        raise errors.missing_one("InstanceTypeSpecifications")
    strategy = req.get("AllocationStrategy") or "prioritized"
    if strategy != "prioritized":
        raise errors.invalid_parameter(strategy, "allocationStrategy", "It must be prioritized.")
    refuse_past(ctx, req.get("EndDate"))
    fleet = ctx.db[CapacityFleet].add(
        CapacityFleet(
            id=ctx.new_id("crf"),
            target=_target(req["TotalTargetCapacity"]),
            choices=tuple(_choice(ctx, spec) for spec in specs),
            end=req.get("EndDate"),
            created=ctx.now,
            tags=tags.specified(req, "capacity-reservation-fleet"),
        )
    )
    shown = show_fleet(ctx, fleet)
    return {**shown, "FleetCapacityReservations": []}


def _target(asked: int) -> int:
    if not 1 <= asked <= _MOST:
        raise errors.invalid_parameter(asked, "totalTargetCapacity", f"It must be between 1 and {_MOST}.")
    return asked


def _choice(ctx: Ctx, spec: Mapping[str, Any]) -> Choice:
    for name in ("InstanceType", "InstancePlatform"):
        if not spec.get(name):
            raise errors.missing_one(name)
    return Choice(
        type=spec["InstanceType"],
        platform=need_platform(spec["InstancePlatform"]),
        zone=need_zone(ctx, spec, spec["InstanceType"]).name,
        weight=1.0 if spec.get("Weight") is None else float(spec["Weight"]),
        priority=spec.get("Priority") or 0,
        ebs_optimized=bool(spec.get("EbsOptimized")),
    )


@op("DescribeCapacityReservationFleets")
def describe_capacity_reservation_fleets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Fleets, those that ended a while ago included."""
    found = describe(ctx, req, CapacityFleet, "CapacityReservationFleetIds", lambda f: show_fleet(ctx, f), FILTERS)
    return {"CapacityReservationFleets": found}


@op("ModifyCapacityReservationFleet")
def modify_capacity_reservation_fleet(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another target, or another end for the fleet and all its reservations."""
    fleet = need(ctx, CapacityFleet, req["CapacityReservationFleetId"])
    if fleet.state not in ("active", "partially_fulfilled", "failed"):
        raise _wrong_state(fleet)
    end, never = req.get("EndDate"), req.get("RemoveEndDate")
    if end is not None and never:
        raise errors.combination("Specify either EndDate or RemoveEndDate.")
    if req.get("TotalTargetCapacity") is None and end is None and not never:
        raise errors.missing("The request must contain what is to be modified.")
    refuse_past(ctx, end)
    target = fleet.target if req.get("TotalTargetCapacity") is None else _target(req["TotalTargetCapacity"])
    ends = None if never else end or fleet.end
    ctx.db[CapacityFleet].put(replace(fleet, target=target, end=ends, state="modifying"))
    return {"Return": True}


@op("CancelCapacityReservationFleets")
def cancel_capacity_reservation_fleets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give up fleets with all their reservations; what runs in them runs on."""
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for key in req["CapacityReservationFleetIds"]:
        try:
            fleet = need(ctx, CapacityFleet, key)
            if fleet.state not in (*_LIVE, "failed"):
                raise _wrong_state(fleet)
        except AwsError as error:
            told = {"Code": error.code, "Message": error.message}
            failed.append({"CapacityReservationFleetId": key, "CancelCapacityReservationFleetError": told})
            continue
        ctx.db[CapacityFleet].put(replace(fleet, state="cancelling"))
        done.append({"CapacityReservationFleetId": key, "CurrentFleetState": "cancelling",
                     "PreviousFleetState": fleet.state})  # fmt: skip
    return {"SuccessfulFleetCancellations": done, "FailedFleetCancellations": failed}


def _wrong_state(fleet: CapacityFleet) -> AwsError:
    return AwsError(
        "InvalidCapacityReservationFleetState",
        f"The Capacity Reservation Fleet '{fleet.id}' is in the state '{fleet.state}' and cannot be modified or "
        "cancelled.",
    )


def show_fleet(ctx: Ctx, fleet: CapacityFleet) -> dict[str, Any]:
    """AWS's CapacityReservationFleet."""
    held = [ctx.db[CapacityReservation].get(c.reservation_id) if c.reservation_id else None for c in fleet.choices]
    shown = [_specification(c, one) for c, one in zip(fleet.choices, held, strict=True)]
    return {
        "AllocationStrategy": fleet.strategy,
        "CapacityReservationFleetArn": arn_of(fleet),
        "CapacityReservationFleetId": fleet.id,
        "CreateTime": fleet.created,
        "EndDate": fleet.end,
        "InstanceMatchCriteria": fleet.criteria,
        "InstanceTypeSpecifications": shown,
        "State": fleet.state,
        "Tags": tags.as_list(fleet.tags),
        "Tenancy": fleet.tenancy,
        "TotalFulfilledCapacity": float(sum(one["FulfilledCapacity"] for one in shown)),
        "TotalTargetCapacity": fleet.target,
    }


def _specification(choice: Choice, one: CapacityReservation | None) -> dict[str, Any]:
    count = one.total if one is not None and one.state == "active" else 0
    return {
        "AvailabilityZone": choice.zone,
        "CapacityReservationId": choice.reservation_id or None,
        "CreateDate": one.created if one is not None else None,
        "EbsOptimized": choice.ebs_optimized,
        "FulfilledCapacity": count * choice.weight,
        "InstancePlatform": choice.platform,
        "InstanceType": choice.type,
        "Priority": choice.priority,
        "TotalInstanceCount": count,
        "Weight": choice.weight,
    }
