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
        "owner-id": "OwnerId",
        "start-date": "StartDate",
        "state": "State",
        "tenancy": "Tenancy",
    }
)
MOST = 1000


@op("CreateCapacityReservation")
def create_capacity_reservation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Room for so many instances of a type in a zone, from now on."""
    errors.refuse(
        req, "OutpostArn", "PlacementGroupArn", "StartDate", "CommitmentDuration", "DeliveryPreference",
        "EphemeralStorage",
    )  # fmt: skip
    kind = req["InstanceType"]
    zone = _zone(ctx, req)
    _offered(ctx, kind, zone)
    count = _count(req["InstanceCount"])
    end = _end(ctx, req.get("EndDate"), req.get("EndDateType"))
    refuse_more(ctx, kind, count * instance_types.size(kind).vcpus - _covered(ctx, req, kind, zone))
    made = ctx.db[CapacityReservation].add(
        CapacityReservation(
            id=ctx.new_id("cr"),
            type=kind,
            platform=_platform(req["InstancePlatform"]),
            zone=zone.name,
            tenancy=req.get("Tenancy") or "default",
            total=count,
            ebs_optimized=bool(req.get("EbsOptimized")),
            criteria=req.get("InstanceMatchCriteria") or "open",
            end=end,
            created=ctx.now,
            tags=tags.specified(req, "capacity-reservation"),
        )
    )
    _settle(ctx, made)
    return {"CapacityReservation": show_reservation(ctx, ctx.db[CapacityReservation].need(made.id))}


def _settle(ctx: Ctx, one: CapacityReservation) -> None:
    matching.take_in(ctx, one)
    matching.recount(ctx, one.id)


def _covered(ctx: Ctx, req: dict[str, Any], kind: str, zone: regions.Zone) -> int:
    """vCPUs of what runs already and would run in the reservation: the quota has counted them."""
    if req.get("InstanceMatchCriteria") == "targeted":
        return 0
    tenancy = req.get("Tenancy") or "default"
    loose = matching.loose(ctx, kind, zone.name, tenancy)
    return min(len(loose), int(req["InstanceCount"])) * instance_types.size(kind).vcpus


def _zone(ctx: Ctx, req: dict[str, Any]) -> regions.Zone:
    name, key = req.get("AvailabilityZone"), req.get("AvailabilityZoneId")
    if bool(name) == bool(key):
        raise errors.combination("Specify either AvailabilityZone or AvailabilityZoneId.")
    found = regions.zone(str(name or key), ctx.account)
    if found is None or found.region != ctx.region:
        raise errors.invalid_value(f"Invalid availability zone: [{name or key}]")
    return found


def _offered(ctx: Ctx, kind: str, zone: regions.Zone) -> None:
    if not instance_types.exists(kind):
        raise errors.invalid_value(f"Invalid value '{kind}' for InstanceType.")
    if kind not in instance_types.offered(ctx.region).get(zone.id, frozenset((kind,))):
        raise AwsError(
            "Unsupported",
            f"Your requested instance type ({kind}) is not supported in your requested Availability Zone "
            f"({zone.name}).",
        )


_PLATFORMS = (
    "Linux/UNIX", "Red Hat Enterprise Linux", "SUSE Linux", "Windows", "Windows with SQL Server",
    "Windows with SQL Server Enterprise", "Windows with SQL Server Standard", "Windows with SQL Server Web",
    "Linux with SQL Server Standard", "Linux with SQL Server Web", "Linux with SQL Server Enterprise",
    "RHEL with SQL Server Standard", "RHEL with SQL Server Enterprise", "RHEL with SQL Server Web", "RHEL with HA",
    "RHEL with HA and SQL Server Standard", "RHEL with HA and SQL Server Enterprise", "Ubuntu Pro",
)  # fmt: skip


def _platform(name: str) -> str:
    if name not in _PLATFORMS:
        raise errors.invalid_parameter(name, "instancePlatform", "There is no such platform.")
    if name != matching.PLATFORM:
        raise errors.not_built(f"The value {name} of the parameter InstancePlatform")
    return name


def _count(asked: int) -> int:
    if not 1 <= asked <= MOST:
        raise errors.invalid_parameter(asked, "instanceCount", f"It must be between 1 and {MOST}.")
    return asked


def _end(ctx: Ctx, date: datetime | None, kind: str | None) -> datetime | None:
    if kind == "limited" and date is None:
        raise errors.missing("The parameter EndDate must be specified when EndDateType is limited.")
    if kind != "limited" and date is not None:
        raise errors.combination("The parameter EndDate can be specified when EndDateType is limited only.")
    if date is not None and date <= ctx.now:
        raise errors.invalid_parameter(f"{date:%Y-%m-%dT%H:%M:%SZ}", "endDate", "It must be in the future.")
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
    one = _active(ctx, req["CapacityReservationId"])
    if all(req.get(name) is None for name in ("InstanceCount", "EndDate", "EndDateType", "InstanceMatchCriteria")):
        raise errors.missing("The request must contain what is to be modified.")
    if req.get("EndDate") or req.get("EndDateType"):
        one = replace(one, end=_end(ctx, req.get("EndDate"), req.get("EndDateType") or _kind(req)))
    if req.get("InstanceCount") is not None:
        one = _resized(ctx, one, _count(req["InstanceCount"]))
    if req.get("InstanceMatchCriteria"):
        one = replace(one, criteria=req["InstanceMatchCriteria"])
    _settle(ctx, ctx.db[CapacityReservation].put(one))
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
    end_reservation(ctx, _active(ctx, req["CapacityReservationId"]), "cancelled")
    return {"Return": True}


def end_reservation(ctx: Ctx, one: CapacityReservation, state: str) -> None:
    """A reservation is over: ``cancelled`` or ``expired``."""
    matching.let_go(ctx, one)
    ctx.db[CapacityReservation].put(replace(one, state=state, used=0, ended=ctx.now))


def _active(ctx: Ctx, key: str) -> CapacityReservation:
    one = need(ctx, CapacityReservation, key)
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
