"""Load as questions want it: cut into periods, told apart by dimensions."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.database_load import DatabaseLoad, Subject, database_load
from cloudjar.services.pi.groups import By, invalid, period

Key = tuple[str, ...]
_POINTS = 20_000


class Span(NamedTuple):
    """A span in whole periods; Unix seconds."""

    start: int
    stop: int
    step: int

    @property
    def moments(self) -> range:
        """Where its periods begin."""
        return range(self.start, self.stop, self.step)


class Table(NamedTuple):
    """The load of a span: sums of sessions by key and period, and the seconds that were looked at."""

    sums: dict[Key, dict[int, float]]
    looked: dict[int, float]

    def average(self, key: Key, at: int) -> float | None:
        """Sessions at work on average; None where nobody looked."""
        seconds = self.looked.get(at)
        return self.sums.get(key, {}).get(at, 0.0) / seconds if seconds else None

    def total(self, key: Key) -> float:
        """Likewise, of the whole span."""
        seconds = sum(self.looked.values())
        return sum(self.sums.get(key, {}).values()) / seconds if seconds else 0.0


def need(ctx: Ctx, req: dict[str, Any]) -> Subject:
    """The database that a request is about. Raises NotAuthorizedException where nobody looks at it."""
    if req["ServiceType"] != "RDS":
        raise invalid(f"Cloudjar has no databases of the service type {req['ServiceType']}.")
    ctx.world.load("rds")
    found = database_load(ctx.world).subject(req["Identifier"], ctx.account, ctx.region)
    if found is None:
        raise AwsError(
            "NotAuthorizedException",
            f"The user isn't authorized to perform this request, or Performance Insights is not enabled for "
            f"{req['Identifier']}.",
        )
    return found


def span(req: dict[str, Any]) -> Span:
    """The span of a request, in whole periods."""
    start, stop = req["StartTime"].timestamp(), req["EndTime"].timestamp()
    if stop <= start:
        raise invalid("EndTime must be greater than StartTime.")
    step = period(req.get("PeriodInSeconds"), stop - start)
    first, last = int(start // step) * step, -int(-stop // step) * step
    if (last - first) // step > _POINTS:
        raise invalid("The request asks for too many data points: ask for a shorter span or a longer period.")
    return Span(first, last, step)


def table(load: DatabaseLoad, subject: Subject, where: Span, by: By | None, wanted: dict[str, str]) -> Table:
    """What was seen, of the sessions that a filter admits; without `by` all have the same key."""
    sums: dict[Key, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for one in load.busy(subject.id, where.start, where.stop):
        if any(one.dimensions.get(name) != value for name, value in wanted.items()):
            continue
        key = tuple(one.dimensions.get(name, "") for name in by.dimensions) if by is not None else ()
        if by is None or any(key):
            sums[key][one.at - (one.at - where.start) % where.step] += one.sessions
    return Table(sums, _looked(load, subject, where))


def _looked(load: DatabaseLoad, subject: Subject, where: Span) -> dict[int, float]:
    """The seconds of each period that were looked at; of a minute that is longer than a period, its even share."""
    found: dict[int, float] = defaultdict(float)
    for minute, seconds in load.looked(subject.id, where.start, where.stop).items():
        if where.step >= 60:
            found[minute - (minute - where.start) % where.step] += seconds
            continue
        for at in range(max(minute, where.start), min(minute + 60, where.stop)):
            found[at] += 1
    return found


def highest(seen: Table, limit: int) -> list[Key]:
    """The keys with most load, highest first."""
    return sorted((key for key in seen.sums if seen.total(key)), key=lambda key: (-seen.total(key), key))[:limit]


def moment(at: int) -> datetime:
    """An instant."""
    return datetime.fromtimestamp(at, UTC)


def named(by: By, key: Key) -> dict[str, str]:
    """The dimensions of a key."""
    return {name: value for name, value in zip(by.dimensions, key, strict=True) if value}
