"""From counters to stretches: what went on since an instance was last looked at."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from cloudjar.kit.context import World
from cloudjar.planes.compute.usage import Usage
from cloudjar.services.ec2.metering import bursting
from cloudjar.services.ec2.metering.bursting import Account
from cloudjar.services.ec2.metering.records import Load, Rates, Stretch
from cloudjar.spec import instance_types
from cloudjar.store.segments import Segments

SHORTEST = 1.0
"""Seconds of the host's time below which two readings say nothing about a rate."""
_COUNTERS = ("cpu_seconds", "received_bytes", "sent_bytes", "received_packets", "sent_packets", "read_ops",
             "write_ops", "read_bytes", "written_bytes")  # fmt: skip


def segments(world: World) -> Segments:
    """Where the stretches that are over are kept."""
    held: Segments | None = world.ports.get("instance loads")
    if held is None:
        held = world.ports["instance loads"] = Segments(world.state.database, "ec2/instance")
    return held


def rates(load: Load, usage: Usage | None) -> Rates:
    """What was used per second of the host's time since the last look; as before when that was just now."""
    if usage is None:
        return load.rates
    passed = usage.at - load.usage.at
    if passed < SHORTEST:
        return load.rates
    return Rates(*(_grown(getattr(load.usage, name), getattr(usage, name)) / passed for name in _COUNTERS))


def _grown(before: float, now: float) -> float:
    return now - before if now >= before else now


def stretch(load: Load, used: Rates) -> Stretch:
    """The open stretch as it would be stored."""
    return Stretch(_rounded(used), load.detailed, load.failed, load.unlimited, load.credits)


def _rounded(used: Rates) -> Rates:
    """What is the same but for the last bits is the same."""
    return Rates(*(float(f"{amount:.9g}") for amount in msgspec.structs.astuple(used)))


def credited(load: Load, used: Rates, seconds: float) -> Account | None:
    """The credits at the end of a stretch; None for a type without."""
    burst = instance_types.burst(load.facts.type)
    if burst is None or load.credits is None:
        return None
    cpus = min(used.cpus, load.facts.vcpus)
    if load.limited and not load.unlimited:
        # Held to the baseline: what a reading's jitter shows beyond it was not there.
        cpus = min(cpus, burst.baseline * load.facts.vcpus)
    return bursting.after(load.credits, burst, cpus, seconds, unlimited=load.unlimited)


def looked_at(load: Load, usage: Usage | None, now: datetime) -> tuple[Load, Rates]:
    """The load with a new stretch beginning now, and what the one that is over used."""
    used = rates(load, usage)
    # A host that was started anew counts its own time anew too.
    fresh = usage is not None and not 0 <= usage.at - load.usage.at < SHORTEST
    ahead = used if usage is None or usage.cpus_now is None else _now(used, usage)
    after = replace(
        load,
        since=now,
        rates=ahead,
        usage=usage if usage is not None and fresh else load.usage,
        credits=credited(load, used, (now - load.since).total_seconds()),
    )
    return after, used


def _now(used: Rates, usage: Usage) -> Rates:
    assert usage.cpus_now is not None
    return Rates(usage.cpus_now, *msgspec.structs.astuple(used)[1:])
