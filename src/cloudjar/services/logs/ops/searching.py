"""FilterLogEvents: a group searched in the order of time, so many events at a time.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.logs import errors, tokens
from cloudjar.services.logs.finding import horizon, named, need_stream, standard_only
from cloudjar.services.logs.ops.reading import MOST, PAGE_BYTES
from cloudjar.services.logs.patterns.filter import compiled
from cloudjar.services.logs.records import LogGroup
from cloudjar.services.logs.rows import LAST, Event, Place, pages, rows
from cloudjar.services.logs.sealing import Opener

_SEARCHED = 10_000
"""Events that one request looks at; when it found less than it was to, its token goes on."""
_READ = 500
_BACKWARD_FROM = 1_704_067_200_000
"""2024-01-01: only what came later is searched backward."""


class _Search(NamedTuple):
    """What is searched."""

    group: LogGroup
    streams: tuple[int, ...] | None
    """The numbers of the streams to look at; None for all."""
    prefix: str
    low: Place
    high: Place
    descending: bool


@op("FilterLogEvents", pages=False)
def filter_log_events(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Events of a group's streams that match a pattern; a page may be empty though there is more."""
    group = named(ctx, req)
    standard_only(group, "FilterLogEvents")
    pattern = compiled(req.get("filterPattern") or "")
    if pattern.regexes > 2:
        raise errors.invalid("Invalid filter pattern: more than 2 regular expressions")
    asked = ("filter", group.number, *(req.get(name) for name in _ASKED))
    search = _search(ctx, req, group, tokens.opened(req.get("nextToken"), asked))
    limit, opener, names = req.get("limit") or MOST, Opener(ctx, group), _Names(ctx, search)
    found: list[dict[str, Any]] = []
    size, looked, last = 0, 0, None
    for event in _events(ctx, search):
        if last is not None and (looked >= _SEARCHED or len(found) >= limit or size >= PAGE_BYTES):
            place = (last.time, f"{'b' if search.descending else 'f'}{last.number}")
            return {"events": found, "searchedLogStreams": [], "nextToken": tokens.sealed(place, asked)}
        looked, last = looked + 1, event
        name = names.of(event.stream)
        if name is None:
            continue
        message = opener(event.key, event.message)
        if pattern.match(message) is not None:
            found.append(_shown(group, name, event, message))
            size += event.size
    return {"events": found, "searchedLogStreams": []}


_ASKED = ("logStreamNames", "logStreamNamePrefix", "startTime", "endTime", "filterPattern")


def _search(ctx: Ctx, req: dict[str, Any], group: LogGroup, after: tuple[int, str] | None) -> _Search:
    start, end = req.get("startTime") or 0, req.get("endTime")
    if end is not None and start > end:
        raise errors.invalid("The start time must be before the end time.")
    low: Place = (max(start, horizon(ctx, group)), -1)
    high: Place = (end + 1, -1) if end is not None else LAST
    descending = req.get("startFromHead") is False
    if after is not None:
        place, descending = (after[0], int(after[1][1:])), after[1].startswith("b")
        low, high = (low, min(high, place)) if descending else (max(low, place), high)
    elif descending and start < _BACKWARD_FROM:
        raise errors.invalid("startFromHead can be false only when startTime is on or after Jan 1, 2024 00:00:00 UTC.")
    return _Search(group, _streams(ctx, req, group), req.get("logStreamNamePrefix") or "", low, high, descending)


def _streams(ctx: Ctx, req: dict[str, Any], group: LogGroup) -> tuple[int, ...] | None:
    """The streams that a request names, if they are few."""
    names, prefix = req.get("logStreamNames"), req.get("logStreamNamePrefix")
    if names and prefix:
        raise errors.invalid("logStreamNamePrefix and logStreamNames cannot both be specified.")
    if names:
        return tuple(need_stream(ctx, group, name).number for name in dict.fromkeys(names))
    few = rows(ctx.world).by_name(group.number, prefix, "", 101, descending=False) if prefix else []
    return tuple(stream.number for stream in few) if prefix and len(few) <= 100 else None


class _Names:
    """The names of streams as their events are met."""

    def __init__(self, ctx: Ctx, search: _Search) -> None:
        self._rows = rows(ctx.world)
        self._search = search
        self._known: dict[int, str | None] = {}

    def of(self, number: int) -> str | None:
        """A stream's name; None when it is gone, or not among those that are searched."""
        if number not in self._known:
            name = self._rows.name(number)
            self._known[number] = name if name is not None and name.startswith(self._search.prefix) else None
        return self._known[number]


def _events(ctx: Ctx, search: _Search) -> Iterator[Event]:
    """Everything between two places, in order; read some at a time."""
    store, down = rows(ctx.world), search.descending
    if search.streams is None:
        read = partial(store.of_group, search.group.number, descending=down)
        return pages(read, search.low, search.high, _READ, descending=down)
    each = max(_READ // max(len(search.streams), 1), 20)
    ways = [
        pages(partial(store.of_stream, number, descending=down), search.low, search.high, each, descending=down)
        for number in search.streams
    ]
    return heapq.merge(*ways, key=lambda event: event.place, reverse=down)


def _shown(group: LogGroup, name: str, event: Event, message: str) -> dict[str, Any]:
    """AWS's FilteredLogEvent."""
    return {
        "logStreamName": name,
        "timestamp": event.time,
        "message": message,
        "ingestionTime": event.ingested,
        "eventId": tokens.event_id(group.number, event.place),
    }
