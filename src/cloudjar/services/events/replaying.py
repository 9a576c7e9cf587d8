"""Replays: an archive's events, once more on the bus, as those rules get them that are named.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
"""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.event_inputs import dumped
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.events import archiving, arriving, bill
from cloudjar.services.events.archived import archived
from cloudjar.services.events.records import Archive, Replay

STARTING, RUNNING, COMPLETED = "STARTING", "RUNNING", "COMPLETED"
CANCELLING, CANCELLED, FAILED = "CANCELLING", "CANCELLED", "FAILED"
GOING_ON = (STARTING, RUNNING)
_AT_ONCE = 50


@reconciler(Replay)
def replay(step: Step, item: Replay | None) -> None:
    """Put batch after batch; each batch and how far it went commit together, so that none comes twice."""
    while item is not None and item.state in (*GOING_ON, CANCELLING):
        item = _batch(step)


def _batch(step: Step) -> Replay | None:
    world = step.world
    with world.state.database.transaction():
        table, now = step.db[Replay], world.clock.now().timestamp()
        item = table.get(step.key)
        if item is None or item.state not in GOING_ON:
            if item is None or item.state != CANCELLING:
                return None
            return table.put(replace(item, state=CANCELLED, stopped=now))
        archive = step.db[Archive].get(archiving.name_of(item.archive))
        place = item.reached if item.reached[1] else (item.begin, 0)
        found = archived(world).after(archive.place, place, item.end, _AT_ONCE) if archive is not None else []
        if archive is None or not found:
            return table.put(replace(item, state=COMPLETED, stopped=now))
        try:
            events = [archiving.opened(world, archive, data) for _, data in found]
        except AwsError as error:
            return table.put(replace(item, state=FAILED, reason=error.message, stopped=now))
        bus = (item.account, item.region, item.bus.partition("event-bus/")[2])
        only = frozenset(item.rules) if item.rules else None
        for event in events:
            made = {**event, "replay-name": item.name}
            arriving.arrive(world, bus, made, only=only)
            bill.put(world, *bus, len(dumped(made).encode()))
        return table.put(replace(item, state=RUNNING, reached=found[-1][0]))
