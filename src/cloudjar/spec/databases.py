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

_DATA = Path(__file__).with_name("data") / "rds"
_OPERATIONS = {"postgres": "CreateDBInstance:0014"}
"""How bills call an engine's instances: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"""


class Line(NamedTuple):
    """A major version of an engine; `usual` is the minor that is installed where nobody has looked yet."""

    engine: str
    major: str
    family: str
    usual: str
    title: str
    licence: str
    charset: str


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


LINES = (Line("postgres", "15", "postgres15", "15.20", "PostgreSQL", "postgresql-license", "UTF8"),)


def line(engine: str, major: str) -> Line | None:
    """A major version, or None."""
    return next((one for one in LINES if (one.engine, one.major) == (engine, major)), None)


def newest(engine: str) -> Line | None:
    """The major version that an engine has when none is named."""
    return next((one for one in reversed(LINES) if one.engine == engine), None)


def operation(engine: str) -> str:
    """What bills call running an instance of an engine."""
    return _OPERATIONS[engine]


@cache
def parameters(family: str) -> dict[str, Parameter]:
    """The parameters of a family by name; KeyError when there is no such family."""
    if family not in {one.family for one in LINES}:
        raise KeyError(family)
    listed = msgspec.json.decode((_DATA / f"{family}.json").read_bytes(), type=list[tuple[object, ...]], strict=False)
    return {str(row[0]): msgspec.convert(row, Parameter, strict=False) for row in listed}


@cache
def classes(engine: str) -> tuple[str, ...]:
    """The instance classes that an engine can have, in alphabetical order."""
    named = [usage for usage in prices.usage_types("AmazonRDS") if usage.startswith("InstanceUsage:db.")]
    priced = {u.partition(":")[2] for u in named if prices.is_priced("AmazonRDS", u, "us-east-1", _OPERATIONS[engine])}
    known = (name for name in priced if instance_types.exists(name.removeprefix("db.")))
    return tuple(sorted(name for name in known if not name.startswith("db.t2.")))  # none of these major versions has T2


def looks_like_class(name: str) -> bool:
    """Whether a name has the form of an instance class."""
    return re.fullmatch(r"db\.[a-z0-9-]+\.[a-z0-9.-]+", name) is not None


def size(instance_class: str) -> instance_types.Size:
    """Virtual CPUs and memory of an instance class."""
    return instance_types.size(instance_class.removeprefix("db."))
