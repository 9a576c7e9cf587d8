"""What services tell reaches the default bus: their state changes, and the calls that were made to them.

Both are heard only once there are rules somewhere, and made into events only when a rule of the place can want them.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cloudjar.kit.audit_event import AuditEvent
from cloudjar.kit.context import World
from cloudjar.kit.events import Event
from cloudjar.services.events import arriving
from cloudjar.services.events.index import index
from cloudjar.services.events.records import DEFAULT

_PORT = "events.hearing"
_CALL, _SERVICE = "AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"

_TELLING = frozenset(((_SERVICE, "secretsmanager"),))
"""Services that tell of such events themselves, whether a trail records them or not."""


def listen(world: World) -> None:
    """Begin to hear; once in the life of a jar."""
    if world.ports.get(_PORT):
        return
    world.ports[_PORT] = True
    world.events.taps.append(lambda event: _happened(world, event))
    world.events.recorded.append(lambda event, source, describe: _recorded(world, event, source, describe))


def _happened(world: World, event: Event) -> None:
    """A service told of something, in the running transaction."""
    place = (event.account, event.region, DEFAULT)
    if not event.account or not any(index(world).can_match(place, event.source, event.detail_type)):
        return
    made = arriving.event(
        account=event.account,
        region=event.region,
        source=event.source,
        detail_type=event.detail_type,
        detail=event.detail,
        time=event.time,
        resources=list(event.resources),
        id_=event.id,
    )
    arriving.arrive(world, place, made)


def _recorded(world: World, event: AuditEvent, source: str, describe: Callable[[], dict[str, Any]]) -> None:
    """A trail records a call, or what a service did by itself; also outside of a transaction."""
    besides = event.besides
    kind = _SERVICE if besides is not None and besides.details is not None else _CALL
    place = (event.account, event.region, DEFAULT)
    source = f"aws.{source.removesuffix('.amazonaws.com')}"
    if (kind, event.service) in _TELLING or not any(index(world).can_match(place, source, kind)):
        return
    made = arriving.event(
        account=event.account,
        region=event.region,
        source=source,
        detail_type=kind,
        detail=describe(),
        time=datetime.fromtimestamp(event.time, UTC),
        resources=[],
    )
    rules = arriving.matching(world, place, made, reads=event.reads)
    if rules:
        with world.state.database.transaction():
            arriving.hand_out(world, rules, made, (place[:2],))
