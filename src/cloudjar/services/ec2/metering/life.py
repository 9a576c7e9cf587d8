"""Looks at instances now and then: stores what they used, keeps their credits, holds them to the baseline.

A look is due when the plane says so (each minute on a real host, at a change in a simulated one), when an instance
comes up or goes down or its options change, and when its credits run out by its present use.
"""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.events import hears
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.kit.usage import Meter
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.compute.usage import Usage
from cloudjar.services.ec2.instances.reached import is_reached
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.metering import bursting, measuring
from cloudjar.services.ec2.metering.bursting import Account
from cloudjar.services.ec2.metering.records import Facts, Load
from cloudjar.services.ec2.nat_gateways import counting
from cloudjar.services.ec2.transit_gateways import counting as transit_counts
from cloudjar.services.ec2.volumes import counting as volume_counts
from cloudjar.services.ec2.vpc_endpoints import counting as endpoint_counts
from cloudjar.spec import instance_types
from cloudjar.spec.instance_types import Burst
from cloudjar.store.points import KEPT
from cloudjar.store.segments import Segment

TABLE = "ec2/instance-load"
RELEASED_AT = 0.2
"""Credits with which a machine that was held to its baseline may burst again."""
_KEPT_CREDITS = timedelta(days=7)
"""How long a stopped T3 instance keeps what it has."""
_EMPTY = 1e-6
_CHARGED_EVERY = 3600.0
"""Seconds between looks at an instance that spends surplus credits: what it is charged is on the bill by the hour."""


def wake(ctx: Ctx, vm: Instance) -> None:
    """An instance's options have changed: it is looked at, so that what was before is told as it was."""
    ctx.world.state.wakes.wake(TABLE, vm.account, vm.region, vm.id, purpose="options")


@on_boot("ec2")
def at_start(world: World) -> None:
    """Instances of which nothing is known yet (a data directory from before) are looked at."""
    nobody = Ctx(world, "", "", service_caller("cloudjar.internal", ""))
    known = {load.id for load in nobody.db.everywhere(Load)}
    with world.state.database.transaction():
        for vm in nobody.db.everywhere(Instance):
            if vm.state == "running" and vm.id not in known:
                world.state.wakes.wake(TABLE, vm.account, vm.region, vm.id, purpose="state")


@hears("aws.ec2", "EC2 Instance State-change Notification")
def state_changed(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """An instance that comes up, or is about to go down, is looked at."""
    if detail["state"] in ("running", "stopping", "shutting-down", "terminated"):
        world.state.wakes.wake(TABLE, account, region, detail["instance-id"], purpose="state")


def measure(world: World) -> None:
    """The plane says that it is worth looking."""
    nobody = Ctx(world, "", "", service_caller("cloudjar.internal", ""))
    with world.state.database.transaction():
        for load in nobody.db.everywhere(Load):
            if load.open:
                world.state.wakes.wake(TABLE, load.account, load.region, load.id, purpose="sample")
        counting.sample(world)
        transit_counts.sample(world)
        endpoint_counts.sample(world)


@reconciler(Load)
def converge(step: Step, load: Load | None) -> None:
    """One look."""
    host: ComputePort = step.port("compute")
    vm = step.db[Instance].get(step.key)
    running = vm is not None and vm.state == "running"
    if vm is None or vm.state == "terminated":
        if load is not None:
            _end(step, load, None)
            _forget(step)
        return
    usage = host.usage(vm.id) if running else None
    if load is None:
        if running and usage is not None:
            _begin(step, vm, usage)
            volume_counts.count(step, vm.id, host)
    elif not running:
        _end(step, load, None)
    elif not load.open:
        if usage is not None:
            _resume(step, vm, usage)
            volume_counts.count(step, vm.id, host)
    elif step.wake.purpose or _differs(load, vm):
        _look(step, vm, usage, failed=not is_reached(host, vm))
        volume_counts.count(step, vm.id, host)
    _hold(step, host)


def _facts(vm: Instance) -> Facts:
    kind = instance_types.size(vm.type)
    vcpus = vm.cpu.cores * vm.cpu.threads if vm.cpu is not None else kind.vcpus
    group = vm.tags.get("aws:autoscaling:groupName", "")
    return Facts(type=vm.type, image=vm.image_id, group=group, vcpus=vcpus, detailed=vm.monitoring)


def _differs(load: Load, vm: Instance) -> bool:
    unlimited = vm.credits == "unlimited"
    return (load.detailed, load.unlimited, load.facts) != (vm.monitoring, unlimited, _facts(vm))


def _begin(step: Step, vm: Instance, usage: Usage) -> None:
    """The first look at an instance."""
    with step.world.state.database.transaction():
        if step.db[Load].get(vm.id) is not None:
            return
        step.db[Load].add(_fresh(step, vm, usage, _given(vm)))
        _announce(step, vm)


def _fresh(step: Step, vm: Instance, usage: Usage, held: Account | None) -> Load:
    return Load(
        id=vm.id, open=True, facts=_facts(vm), since=step.world.clock.now(), usage=usage, detailed=vm.monitoring,
        unlimited=vm.credits == "unlimited", credits=held)  # fmt: skip


def _given(vm: Instance) -> Account | None:
    """What an instance begins with: launch credits on T2 in standard mode, else nothing."""
    burst = instance_types.burst(vm.type)
    if burst is None:
        return None
    return Account(launch=0.0 if vm.credits == "unlimited" else burst.launch)


def _resume(step: Step, vm: Instance, usage: Usage) -> None:
    """An instance that was stopped: T2 begins anew, T3 and its kin keep their credits for a week."""
    now = step.world.clock.now()

    def again(load: Load) -> Load:
        kept = load.credits
        anew = vm.type.startswith("t2.") or now - load.since > _KEPT_CREDITS
        if kept is None or anew or load.facts.type != vm.type:
            kept = _given(vm)
        made = _fresh(step, vm, usage, kept)
        return replace(made, account=load.account, region=load.region, limited=load.limited)

    step.change(Load, again)
    with step.world.state.database.transaction():
        _announce(step, vm)


def _announce(step: Step, vm: Instance) -> None:
    """Who watches the instance's metrics hears that there will be some."""
    now = step.world.clock.now().timestamp()
    measuring.segments(step.world).seen(
        vm.account, vm.region, vm.id, msgspec.msgpack.encode(_facts(vm)), now, now
    )
    for metric in metrics.watched(step.world, vm.account, vm.region, "AWS/EC2"):
        if dict(metric.dimensions).get("InstanceId", vm.id) == vm.id:
            metrics.moved(step.world, vm.account, vm.region, metric)


def _look(step: Step, vm: Instance, usage: Usage | None, *, failed: bool) -> None:
    def seen(load: Load) -> Load:
        after = _stored(step, load, usage)
        unlimited = vm.credits == "unlimited"
        if load.unlimited and not unlimited:
            after = _settled(step, after)
        return replace(
            after, detailed=vm.monitoring, unlimited=unlimited, facts=_facts(vm), failed=failed,
            limited=after.limited and not unlimited)  # fmt: skip

    step.change(Load, seen)


def _stored(step: Step, load: Load, usage: Usage | None) -> Load:
    """Store the stretch that is over now, and charge what it charged."""
    now = step.world.clock.now()
    after, used = measuring.looked_at(load, usage, now)
    start, stop = load.since.timestamp(), now.timestamp()
    if stop <= start:
        return after
    data = msgspec.msgpack.encode(measuring.stretch(load, used))
    facts = msgspec.msgpack.encode(load.facts)
    measuring.segments(step.world).add(
        load.account, load.region, load.id, Segment(start, stop, data), facts, kept=KEPT[3600]
    )
    charged = after.credits.charged - load.credits.charged if after.credits and load.credits else 0.0
    _charge(step, load, charged, now - load.since)
    return after


def _charge(step: Step, load: Load, charged: float, length: timedelta) -> None:
    """Surplus credits beyond a day's are virtual CPU hours on the bill."""
    if charged <= _EMPTY:
        return
    length = max(length, timedelta(minutes=1))
    family = "t4g" if load.facts.type.startswith("t4g.") else "t3"  # one price for T2, T3 and T3a
    rate = Decimal(repr(round(charged / 60 / (length / timedelta(hours=1)), 9)))
    meter = Meter("AmazonEC2", f"CPUCredits:{family}", "", "vCPU-Hours", rate)
    now = step.world.clock.now()
    step.world.ports["usage"].used(load.account, load.region, load.id, meter, now - length, now)


def _settled(step: Step, load: Load) -> Load:
    """Surplus that was not earned back is charged when an instance stops, ends, or leaves unlimited mode."""
    held = load.credits
    if held is None or held.surplus <= _EMPTY:
        return load
    _charge(step, load, held.surplus, timedelta(minutes=1))
    return replace(load, credits=replace(held, surplus=0.0, charged=held.charged + held.surplus))


def _end(step: Step, load: Load, usage: Usage | None) -> None:
    if load.open:
        step.change(Load, lambda now: replace(_settled(step, _stored(step, now, usage)), open=False))


def _forget(step: Step) -> None:
    with step.world.state.database.transaction():
        gone = step.db[Load].get(step.key)
        if gone is not None:
            step.db[Load].drop(gone)


# -- the baseline --------------------------------------------------------------------------------------------------


def share(burst: Burst, load: Load) -> float:
    """The share of its CPUs that an instance may use."""
    return burst.baseline if load.limited and not load.unlimited else 1.0


def _hold(step: Step, host: ComputePort) -> None:
    """Hold an instance without credits to its baseline, let go of one that has some; come back when that changes."""
    load = step.db[Load].get(step.key)
    burst = instance_types.burst(load.facts.type) if load is not None else None
    if load is None or burst is None or load.credits is None or not load.open:
        return
    limited = _is_limited(load, load.credits)
    if limited != load.limited:
        changed = step.change(Load, lambda now: replace(now, limited=limited))
        load = changed or load
    host.limit_cpu(load.id, share(burst, load))
    seconds = _until(load, load.credits, burst) if load.credits is not None else None
    if seconds is not None:
        due = load.since + timedelta(seconds=seconds)
        if due > step.world.clock.now():
            step.again("credits", due)


def _is_limited(load: Load, held: Account) -> bool:
    if load.unlimited:
        return False
    return held.available < RELEASED_AT if load.limited else held.available <= _EMPTY


def _until(load: Load, held: Account, burst: Burst) -> float | None:
    """Seconds after which the credits run out, or suffice again."""
    if load.unlimited:
        return _CHARGED_EVERY if load.rates.cpus > burst.baseline * load.facts.vcpus else None
    if load.limited:
        cpus = min(load.rates.cpus, burst.baseline * load.facts.vcpus)
        seconds = bursting.fills(held, burst, cpus, RELEASED_AT)
    else:
        seconds = bursting.lasts(held, burst, load.rates.cpus)
    if math.isinf(seconds) or seconds > 10 * 86400:
        return None
    return math.ceil(seconds * 1000) / 1000
