"""Database engines: which versions and instance classes there are, and their parameters, as RDS has them.

The files below ``data/rds`` are made by ``spec.refresh.database_parameters``. Classes are those whose price is known.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from cloudjar.spec import instance_types, prices
from cloudjar.spec.database_pins import PINS

_DATA = Path(__file__).with_name("data") / "rds"
_OPERATIONS = {
    "postgres": "CreateDBInstance:0014", "mariadb": "CreateDBInstance:0018",
    "aurora-postgresql": "CreateDBInstance:0021",
}  # fmt: skip
"""How bills call an engine's instances: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"""
_USUAL = {"postgres": "15", "mariadb": "10.11", "aurora-postgresql": "15"}
"""The major version that an engine has when none is named: that of the host's own distribution."""
_KINDS = {"aurora-postgresql": "postgres"}
"""Engines of which AWS alone has the programs, and the engine that runs in their place."""
_FORCES_TLS = 17
"""The major version of Aurora from which on nobody comes in without TLS unless a group says so."""


class Line(NamedTuple):
    """A major version of an engine; `usual` is the minor that a distribution installs where nobody has looked yet,
    empty where only pinned versions are to be had (`database_pins`)."""

    engine: str
    major: str
    usual: str
    title: str
    licence: str
    charset: str
    port: int
    listed: tuple[str, ...] = ()
    """The versions that AWS has of an engine that another one runs in the place of, oldest first."""

    @property
    def family(self) -> str:
        """Its family of parameters."""
        return self.engine + self.major

    @property
    def pinned(self) -> tuple[str, ...]:
        """The versions that a registry has, oldest first."""
        return tuple(v for engine, v in PINS if engine == self.engine and major_of(engine, v) == self.major)


class Parameter(msgspec.Struct, array_like=True, frozen=True):
    """A parameter of a family. `kind` is string, integer, boolean, float or list; `allowed` is ``1-8`` or ``a,b``, or
    empty; `apply` is static or dynamic; `value` is what RDS sets, empty where the engine's own default holds."""

    name: str
    kind: str
    allowed: str
    apply: str
    modifiable: bool
    description: str
    value: str


def _postgres(major: str, usual: str = "") -> Line:
    return Line("postgres", major, usual, "PostgreSQL", "postgresql-license", "UTF8", 5432)


def _mariadb(major: str, usual: str, charset: str = "latin1") -> Line:
    return Line("mariadb", major, usual, "MariaDB Community Edition", "general-public-license", charset, 3306)


def _aurora(major: str, usual: str, *listed: str) -> Line:
    """https://docs.aws.amazon.com/AmazonRDS/latest/AuroraPostgreSQLReleaseNotes/"""
    return Line(
        "aurora-postgresql", major, usual, "Aurora (PostgreSQL)", "postgresql-license", "UTF8", 5432, listed
    )


LINES = (
    _aurora("15", "15.14", "15.10", "15.12", "15.13", "15.14", "15.15"),
    _aurora("16", "", "16.6", "16.8", "16.9", "16.10", "16.11"),
    _aurora("17", "17.6", "17.4", "17.5", "17.6", "17.7"),
    _mariadb("10.11", "10.11.19"),
    _mariadb("11.8", "11.8.6", "utf8mb4"),
    _postgres("14"),
    _postgres("15", "15.20"),
    _postgres("16"),
    _postgres("17", "17.12"),
    _postgres("18"),
)
"""By engine, then oldest first."""


def major_of(engine: str, version: str) -> str:
    """The major version that a version is of: two numbers of MariaDB's, one of PostgreSQL's."""
    return ".".join(version.split(".")[: 2 if engine == "mariadb" else 1])


def line(engine: str, major: str) -> Line | None:
    """A major version, or None."""
    return next((one for one in LINES if (one.engine, one.major) == (engine, major)), None)


def usual(engine: str) -> Line | None:
    """The major version that an engine has when none is named."""
    return line(engine, _USUAL.get(engine, ""))


def kind(engine: str) -> str:
    """The engine that runs where one is asked for: itself, but for those of which AWS alone has the programs."""
    return _KINDS.get(engine, engine)


def release(engine: str, version: str) -> str:
    """What the plane calls a version: itself where it is pinned, else its major, as the distribution has it; where
    another engine runs in the place of one and no distribution has that, the newest that is pinned."""
    major, runs = major_of(engine, version), kind(engine)
    if (runs, version) in PINS:
        return version
    there = line(runs, major)
    return there.pinned[-1] if runs != engine and there is not None and not there.usual else major


def option_group(engine: str, major: str) -> str:
    """The option group of instances that have none of their own: ``default:mariadb-10-11``."""
    return f"default:{engine}-{major.replace('.', '-')}"


def order(version: str) -> tuple[int, ...]:
    """What versions are sorted by."""
    return tuple(int(part) for part in version.split("."))


def operation(engine: str) -> str:
    """What bills call running an instance of an engine."""
    return _OPERATIONS[engine]


@cache
def parameters(family: str) -> dict[str, Parameter]:
    """The parameters of a family by name; KeyError when there is no such family."""
    found = next((one for one in LINES if one.family == family), None)
    if found is None:
        raise KeyError(family)
    file = _DATA / f"{kind(found.engine)}{found.major}.json"
    listed = msgspec.json.decode(file.read_bytes(), type=list[tuple[object, ...]], strict=False)
    parameters = {str(row[0]): msgspec.convert(row, Parameter, strict=False) for row in listed}
    if found.listed and int(found.major) < _FORCES_TLS:
        parameters["rds.force_ssl"] = msgspec.structs.replace(parameters["rds.force_ssl"], value="0")
    return parameters


@cache
def classes(engine: str) -> tuple[str, ...]:
    """The instance classes that an engine can have, in alphabetical order."""
    named = [usage for usage in prices.usage_types("AmazonRDS") if usage.startswith("InstanceUsage:db.")]
    priced = {u.partition(":")[2] for u in named if prices.is_priced("AmazonRDS", u, "us-east-1", _OPERATIONS[engine])}
    known = (name for name in priced if instance_types.exists(name.removeprefix("db.")))
    return tuple(sorted(name for name in known if not name.startswith("db.t2.")))  # none of these major versions has T2


def for_clusters(instance_class: str) -> bool:
    """Whether members of a Multi-AZ cluster can be of a class: one with disks of its own (``db.m6gd.large``).

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/multi-az-db-clusters-concepts.html
    """
    known = instance_types.exists(instance_class.removeprefix("db."))
    return known and diskless(instance_class) != instance_class


def diskless(instance_class: str) -> str:
    """The class that is like one but has no disks of its own; itself where it has none."""
    return re.sub(r"^db\.([cmr]\d[a-z]*?)d(n?)\.", r"db.\1\2.", instance_class)


def looks_like_class(name: str) -> bool:
    """Whether a name has the form of an instance class."""
    return re.fullmatch(r"db\.[a-z0-9-]+\.[a-z0-9.-]+", name) is not None


def size(instance_class: str) -> instance_types.Size:
    """Virtual CPUs and memory of an instance class."""
    return instance_types.size(instance_class.removeprefix("db."))
