"""Which rules an event has to be held against: those of its bus that can mean its source and detail type.

In memory, made of the stored rules when it is first asked for and after they changed. A rule that does not match costs
nothing as long as it names the sources or the detail types that it wants.
"""

from __future__ import annotations

from collections.abc import Iterator

from cloudjar.kit.context import World
from cloudjar.kit.db import Db
from cloudjar.kit.event_patterns import Key, Pattern, keys_of
from cloudjar.services.events import checks
from cloudjar.services.events.records import DISABLED, Rule

_PORT = "events.index"
Place = tuple[str, str, str]
"""(account, Region, bus)."""
_Buckets = dict[Key, list[tuple[Rule, Pattern]]]


class Index:
    """The rules that match events."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._places: dict[Place, _Buckets] = {}
        world.state.watchers.setdefault("events", []).append(self._places.clear)

    def can_match(self, place: Place, source: str, detail_type: str) -> Iterator[tuple[Rule, Pattern]]:
        """The rules of a bus that such an event has to be held against."""
        buckets = self._of(place)
        if buckets:
            for key in keys_of(source, detail_type):
                yield from buckets.get(key, ())

    def _of(self, place: Place) -> _Buckets:
        found = self._places.get(place)
        if found is None:
            with self._world.state.database.lock:  # else what is written meanwhile would be missed for good
                found = self._places[place] = self._made(place)
        return found

    def _made(self, place: Place) -> _Buckets:
        account, region, bus = place
        buckets: _Buckets = {}
        for rule in Db(self._world.state, account, region)[Rule].all(bus=bus):
            if rule.pattern and rule.state != DISABLED and (rule.targets or rule.archive):
                pattern = checks.compiled(rule.pattern)
                for key in pattern.places():
                    buckets.setdefault(key, []).append((rule, pattern))
        return buckets


def index(world: World) -> Index:
    """The index of a jar."""
    held: Index | None = world.ports.get(_PORT)
    if held is None:
        held = world.ports[_PORT] = Index(world)
    return held
