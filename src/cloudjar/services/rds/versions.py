"""Versions of engines: which there are here, and which may become which.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.Upgrading.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cloudjar.kit.context import World
from cloudjar.services.rds import errors, running
from cloudjar.spec import databases
from cloudjar.spec.databases import Line

ELSEWHERE = (
    "mysql", "aurora-mysql", "oracle-ee", "oracle-ee-cdb", "oracle-se2", "oracle-se2-cdb",
    "sqlserver-ee", "sqlserver-se", "sqlserver-ex", "sqlserver-web", "db2-ae", "db2-se",
    "custom-oracle-ee", "custom-oracle-ee-cdb", "custom-oracle-se2", "custom-oracle-se2-cdb", "custom-sqlserver-ee",
    "custom-sqlserver-se", "custom-sqlserver-web", "custom-sqlserver-dev",
)  # fmt: skip
"""Engines that AWS has besides."""


class Version(NamedTuple):
    """A version of an engine that can run here."""

    line: Line
    whole: str


class Target(NamedTuple):
    """A version that another may be upgraded to; `auto` where maintenance does it by itself."""

    whole: str
    major: bool
    auto: bool


def distributed(world: World, line: Line) -> str:
    """The whole version of a major that the distribution has, as far as is known; "" when it has none."""
    if line.listed or not line.usual:
        return line.usual  # what AWS lists is a version whatever runs in its place
    return running.engines(world).version(line.engine, line.major) or line.usual


def of_line(world: World, line: Line) -> list[str]:
    """The versions of a major that can run here, oldest first."""
    fetches = running.engines(world).fetches()
    if line.listed:
        return [one for one in line.listed if fetches or databases.release(line.engine, one) == line.major]
    found = set(line.pinned) if fetches else set()
    return sorted(found | ({distributed(world, line)} - {""}), key=databases.order)


def every(world: World, engine: str = "") -> Iterator[Version]:
    """All versions, of one engine or of all, oldest first."""
    for line in databases.LINES:
        if engine in ("", line.engine):
            yield from (Version(line, whole) for whole in of_line(world, line))


def usual(world: World, line: Line) -> str:
    """The version of a major when only that is named: the distribution's, which is kept safe, or the newest."""
    return distributed(world, line) or next(reversed(of_line(world, line)), "")


def chosen(world: World, engine: str, wanted: str | None) -> Version:
    """The version that a request names, or the usual one. Raises what AWS raises when there is no such."""
    if engine in ELSEWHERE:
        raise errors.not_built(f"The engine {engine}")
    line = databases.usual(engine)
    if line is None:
        raise errors.invalid("Invalid DB engine")
    if wanted:
        line = databases.line(engine, databases.major_of(engine, wanted))
    whole = "" if line is None else usual(world, line)
    if line is not None and wanted not in (None, "", line.major):
        whole = str(wanted) if wanted in of_line(world, line) else ""
    if line is None or not whole:
        raise errors.combination(f"Cannot find version {wanted} for {engine}")
    return Version(line, whole)


def targets(world: World, engine: str, version: str) -> list[Target]:
    """What a version may be upgraded to, oldest first: newer minors of its major, and all of later majors."""
    mine, place = databases.major_of(engine, version), databases.order(version)
    newest = next(reversed(of_line(world, line)), "") if (line := databases.line(engine, mine)) else ""
    return [
        Target(other.whole, other.line.major != mine, other.whole == newest)
        for other in every(world, engine)
        if databases.order(other.whole) > place
    ]
