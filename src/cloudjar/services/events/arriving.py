"""An event arrives on a bus: which rules it is for, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloudjar.base import ids
from cloudjar.kit.context import World
from cloudjar.kit.event_inputs import dumped
from cloudjar.kit.record import meta
from cloudjar.services.events import archiving, bill
from cloudjar.services.events.index import Place, index
from cloudjar.services.events.outbox import Kept, outbox
from cloudjar.services.events.records import ALL, Rule

Event = Mapping[str, Any]
DELIVER = "deliver"


def event(
    *,
    account: str,
    region: str,
    source: str,
    detail_type: str,
    detail: Any,
    time: datetime,
    resources: list[str],
    id_: str = "",
) -> dict[str, Any]:
    """An event as targets see it, its members in AWS's order."""
    return {
        "version": "0",
        "id": id_ or ids.uuid4(),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def matching(world: World, place: Place, found: Event, *, reads: bool = False) -> list[Rule]:
    """The rules of a bus that an event is for; `reads`: it tells of a call that changed nothing."""
    source, kind = str(found.get("source")), str(found.get("detail-type"))
    return [
        rule
        for rule, pattern in index(world).can_match(place, source, kind)
        if (rule.state == ALL or not reads) and pattern.matches(found)
    ]


def arrive(
    world: World,
    place: Place,
    found: Event,
    *,
    hops: tuple[tuple[str, str], ...] = (),
    only: frozenset[str] | None = None,
    reads: bool = False,
) -> None:
    """Keep an event for whoever wants it, in the running transaction. `only`: these rules alone, by ARN."""
    rules = matching(world, place, found, reads=reads)
    if only is not None:
        rules = [rule for rule in rules if rule.arn in only]
    hand_out(world, rules, found, (*hops, place[:2]))


def hand_out(
    world: World, rules: list[Rule], found: Event, hops: tuple[tuple[str, str], ...], *, wake: bool = True
) -> None:
    """Keep an event for the targets of rules, and wake these: they need no waking when it is their own look that hands
    it out, in the same transaction."""
    if not rules:
        return
    now = world.clock.now().timestamp()
    wanted: list[tuple[str, str]] = []
    for rule in rules:
        if rule.archive:
            archiving.add(world, rule, found)
            continue
        bill.matched(world, rule)
        wanted += [(rule.place, target["Id"]) for target in rule.targets]
        if rule.targets and wake:
            world.state.wakes.wake(meta(Rule).spec.name, rule.account, rule.region, rule.path, purpose=DELIVER)
    if wanted:
        outbox(world).keep(Kept(event=dumped(found), received=now, hops=hops), wanted)
