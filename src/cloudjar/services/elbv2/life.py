"""A load balancer's reconciler: its nodes are what its listeners, rules and target groups say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import PlaneError
from cloudjar.kit.certificates import on_change
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.events import hears
from cloudjar.kit.faults import CHANGED, SOURCE
from cloudjar.kit.machine import Machine, Step, on_boot, reconciler
from cloudjar.kit.quantities import Owner
from cloudjar.planes.proxy.port import ProxyPort, TargetHealth
from cloudjar.services.elbv2 import bill, planning
from cloudjar.services.elbv2.metering import counting, hosts
from cloudjar.services.elbv2.places import node_name
from cloudjar.services.elbv2.planning import group_name
from cloudjar.services.elbv2.records import BALANCER, LoadBalancer, Probed, Registered, TargetGroup
from cloudjar.services.elbv2.views import users

LIFE = Machine(LoadBalancer, start="provisioning", moves="provisioning -> active")
_BUSY = "busy"
_WORST = ("unhealthy", "initial", "healthy")


@reconciler(LoadBalancer)
def converge(step: Step, balancer: LoadBalancer | None) -> None:
    """Run exactly this load balancer's nodes, and learn what their probes say."""
    proxies: ProxyPort = step.port("proxy")
    front = node_name(step.key.rpartition("/")[2], "")
    wanted = {zone.node for zone in planning.lit(step.ctx, balancer)} if balancer else set()
    for name in proxies.nodes():
        if name.startswith(front) and name not in wanted:
            bill.read(step.world, Owner(step.ctx.account, step.ctx.region, step.key), name)
            proxies.remove(name)
    if balancer is None:
        hosts.forget(step, step.key)
        return
    found = planning.read(step.ctx, balancer)
    groups, nodes = found.groups, planning.nodes(found, step.port("network"))
    for node in nodes:
        proxies.apply(node)
    if balancer.state == "provisioning":
        step.move(LIFE, "provisioning", "active")
    _learn(step, groups, [proxies.health(node.id) for node in nodes])
    _end_novelty(step, balancer, groups)
    _end_draining(step, groups)
    _measure(step, balancer, found)
    if step.wake.purpose == "meter":
        for node in nodes:
            bill.read(step.world, Owner(balancer.account, balancer.region, balancer.arn), node.id)
    step.again("meter", bill.next_reading(step.ctx.now))


def _measure(step: Step, balancer: LoadBalancer, found: planning.Read) -> None:
    """What the nodes counted, and how many targets are well now."""
    now = [group for group in (step.db[TargetGroup].get(old.arn) for old in found.groups) if group is not None]
    hosts.learn(step, balancer, now)
    if step.wake.purpose == _BUSY:
        counting.tell(step, balancer, found.balancer.zones, now)


def _end_novelty(step: Step, balancer: LoadBalancer, groups: list[TargetGroup]) -> None:
    """Targets that are new no more are probed as often as the others; come back for those that still are."""
    if not any(planning.new_until(g, t, step.ctx.now) for g in groups for t in g.targets):
        return
    proxies: ProxyPort = step.port("proxy")
    found = planning.read(step.ctx, balancer)
    for node in planning.nodes(found, step.port("network")):
        proxies.apply(node)
    times = [planning.new_until(g, t, step.ctx.now) for g in found.groups for t in g.targets]
    waiting = [until for until in times if until is not None]
    if waiting:
        step.again("new", min(waiting))


def _learn(step: Step, groups: list[TargetGroup], seen: list[dict[tuple[str, str], TargetHealth]]) -> None:
    """A target is as well as the node that thinks worst of it says."""
    for group in groups:
        name = group_name(group)
        new = {t.place for t in group.targets if planning.new_until(group, t, step.ctx.now)}
        found: dict[str, Probed] = {}
        for node in seen:
            for (of, place), health in node.items():
                worst = found.get(place)
                if of == name and (worst is None or _WORST.index(health.state) < _WORST.index(worst.state)):
                    found[place] = Probed(state=health.state, why=health.why, code=health.code)
        for place in new:
            if place in found and found[place].state == "unhealthy":
                found[place] = Probed(state="initial")
        with step.world.state.database.transaction():
            now = step.db[TargetGroup].get(group.arn)
            if now is not None and now.health != found:
                step.db[TargetGroup].put(replace(now, health=found))


def _end_draining(step: Step, groups: list[TargetGroup]) -> None:
    """Forget targets whose time is over, and come back for the next one."""
    now = step.ctx.now
    for group in groups:
        with step.world.state.database.transaction():
            item = step.db[TargetGroup].get(group.arn)
            if item is not None:
                step.db[TargetGroup].put(
                    replace(item, targets=tuple(t for t in item.targets if not over(t.draining_until, now)))
                )
    waiting = [t.draining_until for g in groups for t in g.targets if t.draining_until and t.draining_until > now]
    if waiting:
        step.again("drain", min(waiting))


def over(until: datetime | None, now: datetime) -> bool:
    """Whether a deregistered target's time to end is over."""
    return until is not None and until <= now


@reconciler(TargetGroup)
def follow_instances(step: Step, group: TargetGroup | None) -> None:
    """Instances that are gone are no targets any more; those that do not run get no requests.

    Draining ends by the clock, also when the load balancer that was drained is gone.
    """
    if group is None:
        return
    _end_draining(step, [group])
    if group.target_type != "instance":
        return
    with step.world.state.database.transaction():
        now = step.db[TargetGroup].get(group.arn)
        if now is None:
            return
        followed = tuple(t for t in (_followed(step.ctx, t) for t in now.targets) if t is not None)
        if followed != now.targets:
            step.db[TargetGroup].put(replace(now, targets=followed))
            for arn in users(step.ctx, group.arn):
                step.ctx.wake(step.db[LoadBalancer].need(arn))


def _followed(ctx: Ctx, target: Registered) -> Registered | None:
    vm = ctx.find("ec2", "instance", target.id)
    state = getattr(vm, "state", "terminated")
    if state in ("shutting-down", "terminated"):
        return None
    stopped = "" if state in ("running", "pending") else state
    return replace(target, stopped=stopped, since=ctx.now if target.stopped and not stopped else target.since)


@hears("aws.ec2", "EC2 Instance State-change Notification")
def instance_changed(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """Have the target groups looked at in which an instance is."""
    ctx = Ctx(world, account, region, service_caller("elasticloadbalancing.amazonaws.com", account))
    for group in ctx.db[TargetGroup].all():
        if any(target.id == detail["instance-id"] for target in group.targets):
            ctx.wake(group)


@on_change
def certificate_changed(ctx: Ctx, _: str, users_of: tuple[str, ...]) -> None:
    """Serve with the certificate as it is now."""
    for arn in users_of:
        balancer = ctx.db[LoadBalancer].get(arn)
        if balancer is not None:
            ctx.wake(balancer)


@hears(SOURCE, CHANGED)
def power_changed(world: World, _: str, __: str, detail: dict[str, Any]) -> None:
    """Nodes go with the power of their zone, and come back with it."""
    for balancer in _all(world):
        if detail.get("zone"):
            world.state.wakes.wake(BALANCER, balancer.account, balancer.region, balancer.arn)


def node_changed(world: World, node: str) -> None:
    """The host says that a node's probes came to something else, or that it died: have its balancer looked at."""
    suffix = _suffix(node)
    for balancer in _all(world):
        if balancer.suffix == suffix:
            with world.state.database.transaction():
                world.state.wakes.wake(BALANCER, balancer.account, balancer.region, balancer.arn, purpose="host")


def node_busy(world: World, node: str) -> None:
    """The host says that a node has something to count: have it read when the minute is over."""
    suffix = _suffix(node)
    for balancer in _all(world):
        if balancer.suffix == suffix:
            with world.state.database.transaction():
                world.state.wakes.wake(BALANCER, balancer.account, balancer.region, balancer.arn, purpose=_BUSY,
                                       due=counting.next_minute(world.clock.now()))  # fmt: skip


def _suffix(node: str) -> str:
    return node.split("-")[1] if node.startswith("elb-") else ""


@on_boot("elbv2")
def at_start(world: World) -> None:
    """Look at every load balancer; nodes that belong to none are ended."""
    known = set()
    # One that was deleted a moment ago is still to be read a last time, by its own reconciler.
    going = {wake.key.rpartition("/")[2] for wake in world.state.wakes.due(limit=10_000) if wake.table == BALANCER}
    for balancer in _all(world):
        known |= {zone.node for zone in balancer.zones}
        world.state.wakes.wake(BALANCER, balancer.account, balancer.region, balancer.arn)
    proxies: ProxyPort = world.ports["proxy"]
    try:
        for name in proxies.nodes():
            if name not in known and _suffix(name) not in going:
                proxies.remove(name)
    except PlaneError:
        return


def _all(world: World) -> list[LoadBalancer]:
    return Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(LoadBalancer)
