"""Fleets as they are stored. An EC2 Fleet and a Spot Fleet differ in their words; what is done for them is the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from cloudjar.kit.record import Record, record

FLEET, SPOT_FLEET = "ec2/fleet", "ec2/spot-fleet-request"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What is launched and its variations: members of RunInstances, and overrides in the words of CreateFleet."""

    launch: dict[str, Any]
    overrides: tuple[dict[str, Any], ...] = ()
    asked: dict[str, Any] = {}
    """As it is shown."""


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """How much, of which market, and how the pools are chosen; strategies in the words of CreateFleet."""

    type: str
    total: int
    on_demand: int
    spot: int
    default: str
    unit: str = "units"
    spot_strategy: str = "lowest-price"
    on_demand_strategy: str = "lowest-price"
    pools: int = 1
    behavior: str = "terminate"
    max_price: str = ""
    single: dict[str, tuple[bool, bool, int]] = {}
    """Market -> one instance type only, one zone only, the least capacity of an instant fleet."""
    budget: dict[str, str] = {}
    """Market -> the most that its instances may cost an hour."""
    excess: str = "termination"
    expiry_terminates: bool = False
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    rebalance: str = ""
    delay: int = 0
    shown: dict[str, Any] = {}
    """SpotOptions, OnDemandOptions and other members as they were asked for."""


class Anyone(Record, frozen=True, kw_only=True):
    """What both kinds have. `state` is in the words of EC2 Fleet; a Spot Fleet is told in its own."""

    id: str
    state: str
    created: datetime
    goal: Goal
    sources: tuple[Source, ...]
    client_token: str = ""
    role: str = ""
    """A Spot Fleet's IamFleetRole."""
    again: datetime | None = None
    """Before then nothing more is launched: a pool refused."""
    errors: tuple[dict[str, Any], ...] = ()
    complete: bool = False
    """A fleet that does not replace what it loses has had its capacity."""
    ended: datetime | None = None
    tags: dict[str, str] = {}

    @property
    def live(self) -> bool:
        """Whether it may still launch."""
        return self.state in ("submitted", "active", "modifying")


@record(
    "ec2",
    "fleet",
    missing=("InvalidFleetId.NotFound", "The fleet ID '{key}' does not exist"),
    everywhere=True,
)
class Fleet(Anyone, frozen=True, kw_only=True):
    """An EC2 Fleet."""


@record(
    "ec2",
    "spot-fleet-request",
    missing=("InvalidSpotFleetRequestId.NotFound", "The spot fleet request ID '{key}' does not exist"),
    everywhere=True,
)
class SpotFleet(Anyone, frozen=True, kw_only=True):
    """A Spot Fleet request."""


@record("ec2", "fleet-member", key="id", index=("fleet_id",))
class Member(Record, frozen=True, kw_only=True):
    """An instance of a fleet, by its id; `weight` is what it counts."""

    id: str
    fleet_id: str
    kind: str
    market: str
    weight: float
    zone: str
    source: int
    override: dict[str, Any]


@record("ec2", "fleet-event", key="id", index=("fleet_id",))
class FleetEvent(Record, frozen=True, kw_only=True):
    """A line of a fleet's history."""

    id: str
    fleet_id: str
    at: datetime
    type: str
    subtype: str
    text: str
    instance_id: str = ""
