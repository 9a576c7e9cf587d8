"""Launching for a fleet: pool after pool until its capacity is there, or every pool has refused."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from msgspec.structs import replace

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.fleets.pools import ON_DEMAND, SPOT, Pool, in_order, narrowed, pools, shares
from cloudjar.services.ec2.fleets.records import Anyone, Fleet, Goal, Member, Source
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.spot.terms import ONE_TIME, PERSISTENT

FLEET_TAG, SPOT_FLEET_TAG = "aws:ec2:fleet-id", "aws:ec2spot:fleet-request-id"
_CONTROL = frozenset(
    ("InstanceRequirements", "MaxPrice", "Priority", "WeightedCapacity", "SubnetId", "AvailabilityZone",
     "AvailabilityZoneId", "Placement")
)  # fmt: skip
_PER_CALL = 500


class Actor(NamedTuple):
    """In whose name instances are launched: a role of EC2's, or who asked, through EC2 (`via`)."""

    caller: Caller | None
    via: str = ""


class Refusal(NamedTuple):
    """A pool that did not launch."""

    pool: Pool
    market: str
    error: AwsError


class Launched(NamedTuple):
    """What came of it."""

    members: list[Member]
    refusals: list[Refusal]


def request(source: Source, goal: Goal, pool: Pool, market: str, count: int) -> dict[str, Any]:
    """RunInstances for a pool."""
    own = {name: value for name, value in pool.override.items() if name not in _CONTROL}
    asked = {**source.launch, **own, **pool.place, "InstanceType": pool.kind, "MinCount": 1, "MaxCount": count}
    if market == SPOT:
        lasting = goal.behavior != "terminate"
        options = {
            "SpotInstanceType": PERSISTENT if lasting else ONE_TIME,
            "InstanceInterruptionBehavior": goal.behavior,
            "MaxPrice": pool.max_price or None,
        }
        options = {name: value for name, value in options.items() if value is not None}
        asked["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": options}
    return asked


def fill(ctx: Ctx, fleet: Anyone, market: str, units: float, actor: Actor, tags: list[dict[str, Any]]) -> Launched:
    """Launch instances of a market until they make up `units`; `tags` are TagSpecifications beside the sources'."""
    goal = fleet.goal
    strategy = goal.spot_strategy if market == SPOT else goal.on_demand_strategy
    one_type, one_zone, _ = goal.single.get(market, (False, False, 0))
    found = narrowed(in_order(pools(ctx, fleet.sources, goal, market), strategy), one_type, one_zone)
    width = goal.pools if market == SPOT else 1
    done = Launched([], [])
    tried: set[tuple[int, str, str]] = set()
    while units > 0:
        fresh = [pool for pool in found if (pool.source, pool.kind, pool.zone) not in tried]
        if not fresh:
            break
        for pool, count in shares(fresh, strategy, width, units):
            wanted = min(count, _affordable(fleet, market, pool, done.members), _PER_CALL)
            made = _launch(ctx, fleet, pool, market, wanted, actor, tags, done) if wanted > 0 else 0
            units -= made * pool.weight
            if not made:
                tried.add((pool.source, pool.kind, pool.zone))
    return done


def _affordable(fleet: Anyone, market: str, pool: Pool, made: Sequence[Member]) -> int:
    """How many more a budget allows."""
    budget = fleet.goal.budget.get(market)
    if not budget or not pool.price:
        return _PER_CALL
    return max(int(Decimal(budget) / pool.price) - len(made), 0)


def _launch(
    ctx: Ctx,
    fleet: Anyone,
    pool: Pool,
    market: str,
    count: int,
    actor: Actor,
    tags: list[dict[str, Any]],
    done: Launched,
) -> int:
    asked = request(fleet.sources[pool.source], fleet.goal, pool, market, count)
    if tags:
        asked["TagSpecifications"] = [*(asked.get("TagSpecifications") or ()), *tags]
    try:
        answer = ctx.call("ec2", "RunInstances", asked, caller=actor.caller, via=actor.via)
    except AwsError as error:
        done.refusals.append(Refusal(pool, market, error))
        return 0
    for view in answer["Instances"]:
        done.members.append(_join(ctx, fleet, view["InstanceId"], pool, market))
    return len(answer["Instances"])


def _join(ctx: Ctx, fleet: Anyone, key: str, pool: Pool, market: str) -> Member:
    """The instance belongs to the fleet: it has a tag that no caller can give, by which the fleet's role may end it."""
    vm = ctx.db[Instance].need(key)
    name = FLEET_TAG if isinstance(fleet, Fleet) else SPOT_FLEET_TAG
    ctx.db[Instance].put(replace(vm, tags={**vm.tags, name: fleet.id}))
    return ctx.db[Member].add(
        Member(
            id=key, fleet_id=fleet.id, kind=pool.kind, market=market, weight=pool.weight, zone=pool.zone,
            source=pool.source, override=pool.override,
        )
    )  # fmt: skip


def refuse_launch(ctx: Ctx, sources: Sequence[Source], goal: Goal, via: str) -> None:
    """Raise when who asks for a fleet may not launch what it is to launch, or pass its role.

    Each override is asked about, and also for a fleet of nothing: later it launches by EC2's right to, not by his.
    """
    for market in [SPOT] * bool(goal.spot) + [ON_DEMAND] * bool(goal.on_demand or not goal.spot):
        seen: list[tuple[int, dict[str, Any]]] = []
        for pool in pools(ctx, sources, goal, market):
            if (pool.source, pool.override) in seen:
                continue
            seen.append((pool.source, pool.override))
            try:
                asked = request(sources[pool.source], goal, pool, market, 1)
                ctx.call("ec2", "RunInstances", {**asked, "DryRun": True}, via=via)
            except AwsError as error:
                if error.code != "DryRunOperation":
                    raise
