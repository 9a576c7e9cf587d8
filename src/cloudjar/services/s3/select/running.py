"""A query made ready to run: closures over rows.

A row is a `Row` of names and values (a CSV record, a Parquet row) or a JSON value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cloudjar.services.s3.select import functions
from cloudjar.services.s3.select.functions import Tally, like
from cloudjar.services.s3.select.tokens import refuse
from cloudjar.services.s3.select.tree import (
    Aggregate,
    Between,
    Binary,
    Call,
    Case,
    Cast,
    Const,
    Every,
    In,
    Like,
    Missing,
    Name,
    Node,
    Path,
    Query,
    Step,
    Unary,
)
from cloudjar.services.s3.select.values import MISSING, absent, calculate, cast, compare, negative

Eval = Callable[[Any], Any]


class Fields(NamedTuple):
    """A result's row: names and values, in order. MISSING values are left out by whoever writes names."""

    names: Sequence[str]
    values: Sequence[Any]


class Table(NamedTuple):
    """What rows of text are: names of their columns (empty: they have only numbers, ``_1``)."""

    names: tuple[str, ...]

    def place(self, name: Name) -> int | None:
        """The column of a name; None when there is none. Raises AmbiguousFieldName."""
        if name.text.startswith("_") and name.text[1:].isdigit() and (name.text not in self.names):
            if int(name.text[1:]) == 0:
                raise refuse("InvalidColumnIndex", "The column index in the SQL expression is invalid.")
            return int(name.text[1:]) - 1
        if name.exact:
            found = [i for i, held in enumerate(self.names) if held == name.text]
        else:
            found = [i for i, held in enumerate(self.names) if held.lower() == name.text.lower()]
        if len(found) > 1:
            raise refuse(
                "AmbiguousFieldName", f"Field name matches to multiple fields in the file: {name.text}."
            )
        return found[0] if found else None


class Plan:
    """A query over rows of one kind. `table` is given for rows of text (lists), None for JSON values."""

    def __init__(self, query: Query, table: Table | None, now: datetime) -> None:
        self._query = query
        self._table = table
        self._now = now
        self._tallies: list[tuple[Tally, Eval | None]] = []
        self._aliases = {query.alias.lower()} if query.alias else set()
        self._aliases.add("s3object")
        self._where = None if query.where is None else self._compile(query.where, aggregates=False)
        columns = query.columns or ()
        self._aggregated = any(_has_aggregate(column.value) for column in columns)
        if self._aggregated and not all(_has_aggregate(column.value) for column in columns):
            raise refuse(
                "UnsupportedSqlStructure", "Encountered an unsupported SQL structure: aggregates beside plain columns."
            )
        self._columns = [self._compile(column.value, aggregates=True) for column in columns]
        self._names = [column.alias or _named(column.value, place) for place, column in enumerate(columns, 1)]

    def run(self, rows: Iterable[Any]) -> Iterator[Fields]:
        """The result's rows, in order. Stops reading when LIMIT is reached."""
        if self._query.limit == 0:
            return
        given = 0
        for row in rows:
            for item in self._sources(row):
                if self._where is not None and self._where(item) is not True:
                    continue
                if self._aggregated:
                    for tally, value in self._tallies:
                        tally.add(None if value is None else value(item))
                    continue
                yield self._project(item)
                given += 1
                if given == self._query.limit:
                    return
        if self._aggregated:
            yield Fields(self._names, [column(None) for column in self._columns])

    def _sources(self, row: Any) -> Iterable[Any]:
        steps = self._query.source
        if self._table is not None or not steps or steps == (Every(),):
            return (row,)
        return walk(row, steps[1:] if isinstance(steps[0], Every) else steps)

    def _project(self, item: Any) -> Fields:
        if self._query.columns is not None:
            return Fields(self._names, [column(item) for column in self._columns])
        if self._table is not None:
            names = self._table.names or [f"_{place + 1}" for place in range(len(item))]
            return Fields(names, item)
        if isinstance(item, dict):
            return Fields(list(item), list(item.values()))
        return Fields(("_1",), (item,))

    # -- expressions
    def _compile(self, node: Node, *, aggregates: bool) -> Eval:
        def inner(child: Node) -> Eval:
            return self._compile(child, aggregates=aggregates)

        if isinstance(node, Const):
            value = node.value
            return lambda _: value
        if isinstance(node, Missing):
            return lambda _: MISSING
        if isinstance(node, Path):
            return self._path(node)
        if isinstance(node, Unary):
            return _unary(node.sign, inner(node.value))
        if isinstance(node, Binary):
            return _binary(node.sign, inner(node.left), inner(node.right))
        if isinstance(node, Like):
            return _like(inner(node.value), inner(node.pattern), inner(node.escape) if node.escape else None)
        if isinstance(node, Between):
            return _between(inner(node.value), inner(node.low), inner(node.high))
        if isinstance(node, In):
            return _among(inner(node.value), [inner(one) for one in node.among])
        if isinstance(node, Case):
            return self._case(node, inner)
        if isinstance(node, Cast):
            value_of, kind = inner(node.value), node.type
            return lambda row: cast(value_of(row), kind)
        if isinstance(node, Call):
            return self._call(node, inner)
        return self._tally(node, aggregates=aggregates)

    def _tally(self, node: Aggregate, *, aggregates: bool) -> Eval:
        if not aggregates:
            raise refuse("UnsupportedSqlStructure", "Encountered an unsupported SQL structure: an aggregate in WHERE.")
        if node.value is not None and _has_aggregate(node.value):
            raise refuse("UnsupportedSqlStructure", "Encountered an unsupported SQL structure: nested aggregates.")
        tally = Tally(node.name, rows=node.value is None)
        self._tallies.append((tally, None if node.value is None else self._compile(node.value, aggregates=False)))
        return lambda _: tally.value()

    def _call(self, node: Call, inner: Callable[[Node], Eval]) -> Eval:
        functions.check(node.name, len(node.args))
        if node.name == "UTCNOW":
            now = self._now
            return lambda _: now
        function, word, args = functions.BUILT[node.name], node.word, [inner(arg) for arg in node.args]
        return lambda row: function([arg(row) for arg in args], word)

    def _case(self, node: Case, inner: Callable[[Node], Eval]) -> Eval:
        value = None if node.value is None else inner(node.value)
        whens = [(inner(test), inner(then)) for test, then in node.whens]
        otherwise = None if node.otherwise is None else inner(node.otherwise)

        def choose(row: Any) -> Any:
            for test, then in whens:
                if (test(row) if value is None else compare("=", value(row), test(row))) is True:
                    return then(row)
            return None if otherwise is None else otherwise(row)

        return choose

    def _path(self, node: Path) -> Eval:
        steps = node.steps
        first = steps[0]
        if isinstance(first, Name) and first.text.lower() in self._aliases and not self._is_column(steps):
            steps = steps[1:]
        if self._table is None:
            return _json_path(steps)
        if not steps:
            return lambda row: row
        head = steps[0]
        if not isinstance(head, Name):
            raise refuse("InvalidKeyPath", "The key path in the SQL expression is invalid.")
        place = self._table.place(head)
        if place is None:
            raise refuse(
                "MissingHeaders"
                if self._table.names
                else "EvaluatorBindingDoesNotExist",
                "Some headers in the query are missing from the file. Check the file and try again: " + head.text + ".",
            )
        if len(steps) == 1:
            return lambda row: row[place] if place < len(row) else MISSING
        rest = _json_path(steps[1:])
        return lambda row: rest(row[place]) if place < len(row) else MISSING

    def _is_column(self, steps: tuple[Step, ...]) -> bool:
        """Whether a bare name that is the alias too means a column of that name."""
        first = steps[0]
        return (
            len(steps) == 1 and self._table is not None and isinstance(first, Name)
            and first.text.lower() in (name.lower() for name in self._table.names)
        )  # fmt: skip


def _json_path(steps: tuple[Step, ...]) -> Eval:
    if any(isinstance(step, Every) for step in steps):
        raise refuse("UnsupportedSqlStructure", "Encountered an unsupported SQL structure: [*] outside of FROM.")

    def follow(row: Any) -> Any:
        for step in steps:
            row = _step(row, step)
            if row is MISSING:
                return MISSING
        return row

    return follow


def _step(value: Any, step: Step) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else MISSING
    if isinstance(step, Every) or not isinstance(value, dict):
        return MISSING
    if step.text in value:
        return value[step.text]
    if step.exact:
        return MISSING
    wanted = step.text.lower()
    return next((held for name, held in value.items() if name.lower() == wanted), MISSING)


def walk(value: Any, steps: Sequence[Step]) -> Iterator[Any]:
    """What lies at a path of FROM: ``[*]`` gives every element."""
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if isinstance(step, Every):
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for child in children:
            yield from walk(child, rest)
        return
    found = _step(value, step)
    if found is not MISSING:
        yield from walk(found, rest)


def _unary(sign: str, value: Eval) -> Eval:
    if sign == "-":
        return lambda row: negative(value(row))
    if sign == "IS NULL":
        return lambda row: absent(value(row))
    if sign == "IS MISSING":
        return lambda row: value(row) is MISSING

    def deny(row: Any) -> Any:
        found = value(row)
        return None if absent(found) else not _truth(found)

    return deny


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise refuse("InvalidDataType", "The SQL expression contains a value that is neither true nor false.")
    return value


def _binary(sign: str, left: Eval, right: Eval) -> Eval:
    if sign == "AND":
        return lambda row: _and(left(row), right, row)
    if sign == "OR":
        return lambda row: _or(left(row), right, row)
    if sign in ("=", "<>", "<", "<=", ">", ">="):
        return lambda row: compare(sign, left(row), right(row))
    return lambda row: calculate(sign, left(row), right(row))


def _and(first: Any, right: Eval, row: Any) -> bool | None:
    if not absent(first) and not _truth(first):
        return False
    second = right(row)
    if not absent(second) and not _truth(second):
        return False
    return None if absent(first) or absent(second) else True


def _or(first: Any, right: Eval, row: Any) -> bool | None:
    if not absent(first) and _truth(first):
        return True
    second = right(row)
    if not absent(second) and _truth(second):
        return True
    return None if absent(first) or absent(second) else False


def _like(value: Eval, pattern: Eval, escape: Eval | None) -> Eval:
    def test(row: Any) -> bool | None:
        text, form = value(row), pattern(row)
        if absent(text) or absent(form):
            return None
        mark = "" if escape is None else escape(row)
        if not (isinstance(text, str) and isinstance(form, str) and isinstance(mark, str)):
            raise refuse("LikeInvalidInputs", "Invalid argument given to the LIKE clause in the SQL expression.")
        return like(form, mark).fullmatch(text) is not None

    return test


def _between(value: Eval, low: Eval, high: Eval) -> Eval:
    def test(row: Any) -> bool | None:
        found = value(row)
        above, below = compare(">=", found, low(row)), compare("<=", found, high(row))
        if above is False or below is False:
            return False
        return None if above is None or below is None else True

    return test


def _among(value: Eval, among: Sequence[Eval]) -> Eval:
    def test(row: Any) -> bool | None:
        found = value(row)
        if absent(found):
            return None
        unknown = False
        for one in among:
            same = compare("=", found, one(row))
            if same:
                return True
            unknown |= same is None
        return None if unknown else False

    return test


def _has_aggregate(node: Node | None) -> bool:
    if node is None or isinstance(node, (Const, Missing, Path)):
        return False
    if isinstance(node, Aggregate):
        return True
    return any(_has_aggregate(child) for child in _children(node))


def _children(node: Any) -> Iterator[Node]:
    for part in node:
        if isinstance(part, tuple) and not isinstance(part, Name):
            if type(part) is tuple:
                yield from _children(part)
            else:
                yield part  # type: ignore[misc]  # a node: what else has fields here


def _named(node: Node, place: int) -> str:
    """What a column without an alias is called: the last name of a path, or its number."""
    if isinstance(node, Path) and isinstance(node.steps[-1], Name):
        return node.steps[-1].text
    return f"_{place}"


