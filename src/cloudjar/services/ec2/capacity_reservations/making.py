"""Making Capacity Reservations, for whoever asks: an operation, or a fleet of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.capacity_reservations import matching
from cloudjar.services.ec2.capacity_reservations.records import CapacityReservation
from cloudjar.spec import instance_types, regions

MOST = 1000
"""Instances of one reservation."""


def make(
    ctx: Ctx, kind: str, platform: str, zone: str, count: int, *, tenancy: str = "default", criteria: str = "open",
    end: datetime | None = None, ebs_optimized: bool = False, fleet_id: str = "", given: dict[str, str] | None = None,
) -> CapacityReservation:
    """A reservation, which takes in what runs already and matches; the quota is the caller's business."""
    made = ctx.db[CapacityReservation].add(
        CapacityReservation(
            id=ctx.new_id("cr"),
            type=kind,
            platform=platform,
            zone=zone,
            tenancy=tenancy,
            total=count,
            ebs_optimized=ebs_optimized,
            criteria=criteria,
            end=end,
            created=ctx.now,
            fleet_id=fleet_id,
            tags=given or {},
        )
    )
    settle(ctx, made)
    return made


def settle(ctx: Ctx, one: CapacityReservation) -> None:
    """Take in what matches, and count."""
    matching.take_in(ctx, one)
    matching.recount(ctx, one.id)


def end_reservation(ctx: Ctx, one: CapacityReservation, state: str) -> None:
    """A reservation is over: ``cancelled`` or ``expired``."""
    matching.let_go(ctx, one)
    ctx.db[CapacityReservation].put(replace(one, state=state, used=0, ended=ctx.now))


def need_zone(ctx: Ctx, req: Mapping[str, Any], kind: str) -> regions.Zone:
    """The zone that a request names; raises when it is none, or has not the type."""
    name, key = req.get("AvailabilityZone"), req.get("AvailabilityZoneId")
    if bool(name) == bool(key):
        raise errors.combination("Specify either AvailabilityZone or AvailabilityZoneId.")
    found = regions.zone(str(name or key), ctx.account)
    if found is None or found.region != ctx.region:
        raise errors.invalid_value(f"Invalid availability zone: [{name or key}]")
    _offered(kind, found)
    return found


def _offered(kind: str, zone: regions.Zone) -> None:
    if not instance_types.exists(kind):
        raise errors.invalid_value(f"Invalid value '{kind}' for InstanceType.")
    if kind not in instance_types.offered(zone.region).get(zone.id, frozenset((kind,))):
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


def need_platform(name: str) -> str:
    """The platform that a request names: the one that is built."""
    if name not in _PLATFORMS:
        raise errors.invalid_parameter(name, "instancePlatform", "There is no such platform.")
    if name != matching.PLATFORM:
        raise errors.not_built(f"The value {name} of the parameter InstancePlatform")
    return name


def refuse_past(ctx: Ctx, date: datetime | None) -> None:
    """Raise when a reservation would have ended already."""
    if date is not None and date <= ctx.now:
        raise errors.invalid_parameter(f"{date:%Y-%m-%dT%H:%M:%SZ}", "endDate", "It must be in the future.")
