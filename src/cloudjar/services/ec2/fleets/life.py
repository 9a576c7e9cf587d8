"""The reconciler of fleets: what is wanted is the goal, what is there are the members and their instances.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-request-type.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import Db
from cloudjar.kit.events import hears
from cloudjar.kit.linked_roles import Usage, uses_role
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ec2.fleets.history import ERROR, INSTANCE, STATE, note
from cloudjar.services.ec2.fleets.launching import Actor, Launched, fill
from cloudjar.services.ec2.fleets.pools import ON_DEMAND, SPOT
from cloudjar.services.ec2.fleets.records import FLEET as FLEET_TABLE
from cloudjar.services.ec2.fleets.records import SPOT_FLEET as SPOT_FLEET_TABLE
from cloudjar.services.ec2.fleets.records import Anyone, Fleet, FleetEvent, Member, SpotFleet
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.linked_roles import FLEET, SPOT_FLEET
from cloudjar.services.ec2.spot.making import request_of

F = TypeVar("F", bound=Anyone)
AGAIN = timedelta(minutes=1)
"""When a fleet tries again whose pools refused."""
REMEMBERED = timedelta(hours=48)


@hears("aws.ec2", "EC2 Instance State-change Notification")
@hears("aws.ec2", "EC2 Instance Rebalance Recommendation")
def instance_changed(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """An instance of a fleet changed, whoever did it: the fleet looks."""
    member = Db(world.state, account, region)[Member].get(detail["instance-id"])
    if member is not None:
        table = FLEET_TABLE if member.fleet_id.startswith("fleet-") else SPOT_FLEET_TABLE
        world.state.wakes.wake(table, account, region, member.fleet_id)


def _users(ctx: Ctx, kind: type[Anyone]) -> list[Usage]:
    found: dict[str, list[str]] = {}
    for fleet in ctx.db.everywhere(kind):
        if fleet.account == ctx.account and fleet.state != "deleted":
            found.setdefault(fleet.region, []).append(ctx.arn(fleet))
    return [Usage(region, tuple(arns)) for region, arns in sorted(found.items())]


@uses_role(FLEET.principal)
def used_by_fleets(ctx: Ctx, _: str) -> list[Usage]:
    """The fleets that need the role, by Region."""
    return _users(ctx, Fleet)


@uses_role(SPOT_FLEET.principal)
def used_by_spot_fleets(ctx: Ctx, _: str) -> list[Usage]:
    """The Spot Fleets that need the role, by Region."""
    return _users(ctx, SpotFleet)


@reconciler(Fleet)
def converge(step: Step, _: Fleet | None) -> None:
    """One look at an EC2 Fleet."""
    with step.world.state.database.transaction():
        fleet = step.db[Fleet].get(step.key)
        if fleet is not None:
            look(step.ctx, fleet)


@reconciler(SpotFleet)
def converge_spot(step: Step, _: SpotFleet | None) -> None:
    """One look at a Spot Fleet."""
    with step.world.state.database.transaction():
        fleet = step.db[SpotFleet].get(step.key)
        if fleet is not None:
            look(step.ctx, fleet)


def put(ctx: Ctx, fleet: F, **changes: Any) -> F:
    """Store a changed fleet of either kind."""
    return ctx.db[type(fleet)].put(replace(fleet, **changes))


def actor(ctx: Ctx, fleet: Anyone) -> Actor:
    """The role in whose name a fleet acts."""
    linked = FLEET if isinstance(fleet, Fleet) else SPOT_FLEET
    return Actor(linked.acting(ctx, ctx.arn(fleet)))


def look(ctx: Ctx, fleet: F) -> None:
    """Count who is there, end what is to end, launch what is missing."""
    count(ctx, fleet)
    goal = fleet.goal
    if fleet.live and goal.type != "instant" and goal.valid_until is not None:
        if ctx.now >= goal.valid_until:
            fleet = end(ctx, fleet, terminates=goal.expiry_terminates, subtype="expired")
        else:
            ctx.wake(fleet, purpose="expiry", at=goal.valid_until)
    if not fleet.live:
        _wind_down(ctx, fleet)
        return
    if goal.type == "instant":
        return
    if goal.valid_from is not None and ctx.now < goal.valid_from:
        ctx.wake(fleet, purpose="start", at=goal.valid_from)
        return
    if fleet.state != "active":
        fleet = put(ctx, fleet, state="active")
        note(ctx, fleet, STATE, "active", "The fleet has been validated and is attempting to maintain its capacity.")
    if goal.type == "maintain" or not fleet.complete:
        _balance(ctx, fleet)


def count(ctx: Ctx, fleet: Anyone) -> None:
    """Members whose instance is gone are none any more."""
    for member in ctx.db[Member].all(fleet_id=fleet.id):
        vm = ctx.db[Instance].get(member.id)
        if vm is None or not vm.alive:
            ctx.db[Member].drop(member)
            note(ctx, fleet, INSTANCE, "terminated", f"{member.kind} in {member.zone}", member.id)


def fulfilled(ctx: Ctx, fleet: Anyone, market: str = "") -> float:
    """The capacity that is there, of one market or of both."""
    members = ctx.db[Member].all(fleet_id=fleet.id)
    return sum(member.weight for member in members if not market or member.market == market)


def _leaving(ctx: Ctx, fleet: Anyone) -> list[Member]:
    """Spot instances that will soon be interrupted, when the fleet is to replace them before."""
    if not fleet.goal.rebalance:
        return []
    found = []
    for member in ctx.db[Member].all(fleet_id=fleet.id):
        vm = ctx.db[Instance].get(member.id)
        request = request_of(ctx, vm) if vm is not None else None
        if request is not None and request.notice is not None and not request.notice.done:
            found.append(member)
    return found


def _balance(ctx: Ctx, fleet: Anyone) -> None:
    leaving = _leaving(ctx, fleet)
    short = False
    for market, wanted in ((ON_DEMAND, fleet.goal.on_demand), (SPOT, fleet.goal.spot)):
        there = fulfilled(ctx, fleet, market) - sum(m.weight for m in leaving if m.market == market)
        if there < wanted:
            fleet, refused = _launch(ctx, fleet, market, wanted - there)
            short = short or refused
        elif fleet.goal.excess == "termination" and fleet.goal.type == "maintain":
            _shrink(ctx, fleet, market, there - wanted, leaving)
    _end_leaving(ctx, fleet, leaving)
    if not short and fleet.goal.type == "request" and not fleet.complete:
        put(ctx, fleet, complete=True)


def _launch(ctx: Ctx, fleet: F, market: str, units: float) -> tuple[F, bool]:
    """Launch; whether pools refused so that it stays short."""
    if fleet.again is not None and ctx.now < fleet.again:
        ctx.wake(fleet, purpose="again", at=fleet.again)
        return fleet, True
    try:
        done = fill(ctx, fleet, market, units, actor(ctx, fleet), [])
    except AwsError as error:
        note(ctx, fleet, ERROR, error.code, error.message)
        done = Launched([], [])
    for member in done.members:
        note(ctx, fleet, INSTANCE, "launched", f"{member.kind} in {member.zone}", member.id)
    for refusal in done.refusals:
        note(ctx, fleet, ERROR, refusal.error.code, refusal.error.message)
    if sum(member.weight for member in done.members) >= units:
        return (put(ctx, fleet, again=None) if fleet.again is not None else fleet), False
    ctx.wake(fleet, purpose="again", at=ctx.now + AGAIN)
    return put(ctx, fleet, again=ctx.now + AGAIN), True


def _shrink(ctx: Ctx, fleet: Anyone, market: str, excess: float, leaving: list[Member]) -> None:
    """End the youngest instances that are too many, never below the goal."""
    members = [m for m in ctx.db[Member].all(fleet_id=fleet.id) if m.market == market and m not in leaving]
    ages = {m.id: vm.created for m in members if (vm := ctx.db[Instance].get(m.id)) is not None}
    gone = []
    for member in sorted(members, key=lambda m: (ages.get(m.id, ctx.now), m.id), reverse=True):
        if member.weight <= excess:
            excess -= member.weight
            gone.append(member.id)
    terminate(ctx, fleet, gone)


def _end_leaving(ctx: Ctx, fleet: Anyone, leaving: list[Member]) -> None:
    """``launch-before-terminate``: the old one goes some time after the recommendation."""
    if fleet.goal.rebalance != "launch-before-terminate":
        return
    for member in leaving:
        vm = ctx.db[Instance].need(member.id)
        request = request_of(ctx, vm)
        if request is None or request.notice is None:
            continue
        due = request.notice.asked + timedelta(seconds=fleet.goal.delay)
        if ctx.now >= due:
            terminate(ctx, fleet, [member.id])
        else:
            ctx.wake(fleet, purpose=f"end {member.id}", at=due)


def terminate(ctx: Ctx, fleet: Anyone, keys: list[str]) -> None:
    """End instances in the fleet's name; what refuses (it is protected) is written down and stays."""
    for key in keys:
        try:
            ctx.call("ec2", "TerminateInstances", {"InstanceIds": [key]}, caller=actor(ctx, fleet).caller)
        except AwsError as error:
            note(ctx, fleet, ERROR, error.code, error.message, key)


def end(ctx: Ctx, fleet: F, *, terminates: bool, subtype: str = "deleted") -> F:
    """The fleet launches nothing any more; with `terminates` its instances go too."""
    held = ctx.db[Member].count(fleet_id=fleet.id)
    state = ("deleted_terminating" if terminates else "deleted_running") if held else "deleted"
    after = put(ctx, fleet, state=state, again=None)
    note(ctx, after, STATE, subtype if state == "deleted" else state, "The fleet is being removed.")
    return after


def _wind_down(ctx: Ctx, fleet: Anyone) -> None:
    members = ctx.db[Member].all(fleet_id=fleet.id)
    if fleet.state == "deleted_terminating" and (fleet.again is None or ctx.now >= fleet.again):
        terminate(ctx, fleet, [member.id for member in members])
        members = [m for m in members if (vm := ctx.db[Instance].get(m.id)) is not None and vm.alive]
        if members:
            fleet = put(ctx, fleet, again=ctx.now + AGAIN)
            ctx.wake(fleet, purpose="again", at=ctx.now + AGAIN)
    if members:
        return
    if fleet.ended is None:
        fleet = put(ctx, fleet, state="deleted", ended=ctx.now)
    if fleet.ended is not None and ctx.now >= fleet.ended + REMEMBERED:
        for line in ctx.db[FleetEvent].all(fleet_id=fleet.id):
            ctx.db[FleetEvent].drop(line)
        ctx.db[type(fleet)].drop(fleet)
    elif fleet.ended is not None:
        ctx.wake(fleet, purpose="forget", at=fleet.ended + REMEMBERED)
