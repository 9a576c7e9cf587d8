"""What a query says, as a tree. Pure data."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, Union


class Name(NamedTuple):
    """A step of a path; bare names are compared without case."""

    text: str
    exact: bool = False


class Every(NamedTuple):
    """The step ``[*]``."""


Step = Name | int | Every


class Const(NamedTuple):
    """A literal."""

    value: str | int | Decimal | bool | None


class Missing(NamedTuple):
    """The literal MISSING."""


class Path(NamedTuple):
    """A column, or what lies below one."""

    steps: tuple[Step, ...]


class Unary(NamedTuple):
    """``NOT``, ``-``, ``IS NULL``, ``IS MISSING``."""

    sign: str
    value: Node


class Binary(NamedTuple):
    """Arithmetic, comparison, ``AND``, ``OR``, ``||``."""

    sign: str
    left: Node
    right: Node


class Like(NamedTuple):
    """``LIKE`` with its escape character."""

    value: Node
    pattern: Node
    escape: Node | None


class Between(NamedTuple):
    """``BETWEEN``."""

    value: Node
    low: Node
    high: Node


class In(NamedTuple):
    """``IN``."""

    value: Node
    among: tuple[Node, ...]


class Case(NamedTuple):
    """``CASE``; `value` is what the short form compares with."""

    value: Node | None
    whens: tuple[tuple[Node, Node], ...]
    otherwise: Node | None


class Cast(NamedTuple):
    """``CAST(x AS type)``."""

    value: Node
    type: str


class Call(NamedTuple):
    """A function by its upper-case name; `word` is what some have beside arguments (``EXTRACT(YEAR FROM ...)``)."""

    name: str
    args: tuple[Node, ...]
    word: str = ""


class Aggregate(NamedTuple):
    """``COUNT(*)`` has no value."""

    name: str
    value: Node | None


Node = Union[  # noqa: UP007 a recursive alias is spelled so
    Const, Missing, Path, Unary, Binary, Like, Between, In, Case, Cast, Call, Aggregate
]


class Column(NamedTuple):
    """An entry of the select list; `alias` is "" when it has none."""

    value: Node
    alias: str


class Query(NamedTuple):
    """``columns`` None is ``*``. `source` are the steps below S3Object, `limit` None is no limit."""

    columns: tuple[Column, ...] | None
    source: tuple[Step, ...]
    alias: str
    where: Node | None
    limit: int | None
