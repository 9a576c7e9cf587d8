"""A query over events: each command takes rows and gives rows, no more of them than are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import msgspec

from cloudjar.services.logs.insights.clustering import patterns
from cloudjar.services.logs.insights.functions import AGGREGATES, FUNCTIONS, Instant, Value, number, period, text
from cloudjar.services.logs.insights.reading import Command, Node, malformed

MOST = 10_000
"""Rows of a result."""
_FIELDS = 1000
PATTERN = ("@pattern", "@ratio", "@sampleCount", "@severityLabel")
"""The fields that ``pattern`` makes."""
_SECONDS = 0.05
_FLOW = (
    "version", "accountId", "interfaceId", "srcAddr", "dstAddr", "srcPort", "dstPort", "protocol", "packets", "bytes",
    "start", "end", "action", "logStatus",
)  # fmt: skip
Result = list[tuple[str, str]]


class Row:
    """An event, or a line of statistics: its fields by name; those inside of a message are found when asked for."""

    __slots__ = ("_found", "values")

    def __init__(self, values: dict[str, Value]) -> None:
        self.values = values
        self._found: dict[str, Value] | None = None

    def get(self, name: str) -> Value:
        """A field's value, or None."""
        if name in self.values:
            return self.values[name]
        if self._found is None:
            self._found = discovered(self.values.get("@message") or "")
        return self._found.get(name)


def discovered(message: str) -> dict[str, Value]:
    """The fields of a JSON object, with dots for what is inside of what; or of a flow log record."""
    if message.startswith("{"):
        try:
            read = msgspec.json.decode(message)
        except (msgspec.MsgspecError, RecursionError):
            return {}
        found: dict[str, Value] = {}
        _flatten("", read, found)
        return found
    words = message.split()
    if len(words) == len(_FLOW) and words[2].startswith("eni-"):
        return {name: word for name, word in zip(_FLOW, words, strict=True) if word != "-"}
    return {}


def _flatten(prefix: str, value: Any, found: dict[str, Value]) -> None:
    if len(found) >= _FIELDS or prefix.count(".") > 50:
        return
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, below in items:
            _flatten(f"{prefix}.{key}" if prefix else str(key), below, found)
    elif value is not None:
        found[prefix] = float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def run(commands: Sequence[Command], events: Iterable[Row], limit: int) -> tuple[list[Result], bool]:
    """(rows of (field, value), whether they are events) of a query. `events` come newest first."""
    rows: Iterator[Row] = iter(events)
    columns: list[str] = []
    events_still = True
    for command in commands:
        rows = _STEPS[command.name](command, rows)
        if command.name == "stats":
            shown, by = command.parts
            columns, events_still = [name for name, _ in (*by, *shown)], False
        elif command.name == "pattern":
            columns, events_still = list(PATTERN), False
        elif command.name == "display":
            columns = [name for name, _ in command.parts]
        elif command.name == "fields":
            columns += [name for name, _ in command.parts if name not in columns]
    columns = columns or ["@timestamp", "@message"]
    kept = islice(rows, min(limit, MOST))
    return [_result(row, columns, events_still) for row in kept], events_still


def _result(row: Row, columns: Sequence[str], event: bool) -> Result:
    found = [(name, text(value)) for name in columns if (value := row.get(name)) is not None]
    return [*found, ("@ptr", text(row.get("@ptr")))] if event else found


# -- commands
def _fields(command: Command, rows: Iterator[Row]) -> Iterator[Row]:
    made = [(name, node) for name, node in command.parts if node.kind != "field" or node.value != name]
    for row in rows:
        if made:
            row.values.update({name: evaluate(node, row) for name, node in made})
        yield row


def _filter(command: Command, rows: Iterator[Row]) -> Iterator[Row]:
    (node,) = command.parts
    return (row for row in rows if truth(evaluate(node, row)))


def _parse(command: Command, rows: Iterator[Row]) -> Iterator[Row]:
    field, pattern, names = command.parts
    for row in rows:
        found = _search(pattern, text(evaluate(field, row)))
        if found is not None:
            row.values.update(zip(names, _groups(found, names), strict=True))
        yield row


def _groups(found: Any, names: Sequence[str]) -> Sequence[str]:
    by_name = found.groupdict()
    return [by_name[name] for name in names] if by_name else list(found.groups())


def _search(pattern: Any, given: str) -> Any:
    try:
        return pattern.search(given, timeout=_SECONDS)
    except TimeoutError as error:
        raise malformed("the regular expression is too complex for the events") from error


def _stats(command: Command, rows: Iterator[Row]) -> Iterator[Row]:
    shown, by = command.parts
    groups: dict[tuple[str, ...], tuple[dict[str, Value], list[list[Value]]]] = {}
    for row in rows:
        keys = {name: evaluate(node, row) for name, node in by}
        place = tuple(text(value) for value in keys.values())
        _, kept = groups.setdefault(place, (keys, [[] for _ in shown]))
        for (_, node), values in zip(shown, kept, strict=True):
            values.append(evaluate(node.parts[0], row) if node.parts else 1.0)
    if not groups and not by:
        groups[()] = ({}, [[] for _ in shown])
    for keys, kept in groups.values():
        made = dict(keys)
        for (name, node), values in zip(shown, kept, strict=True):
            values.reverse()  # oldest first: what is earliest and latest
            more = [evaluate(part, Row({})) for part in node.parts[1:]]
            made[name] = AGGREGATES[node.value](values, *more)
        yield Row(made)


def _sort(command: Command, rows: Iterator[Row]) -> Iterator[Row]:
    held = list(rows)
    for node, descending in reversed(command.parts):
        held.sort(key=partial(_order, node), reverse=descending)
    return iter(held)


def _order(node: Node, row: Row) -> tuple[int, float, str]:
    value = evaluate(node, row)
    if value is None:
        return 0, 0.0, ""
    found = number(value)
    return (1, found, "") if found is not None else (2, 0.0, text(value))


def _limit(command: Command, rows: Iterator[Row]) -> Iterator[Row]:
    return islice(rows, command.parts[0])


def _dedup(command: Command, rows: Iterator[Row]) -> Iterator[Row]:
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        values = [row.get(name) for name in command.parts]
        key = tuple(map(text, values))
        if key not in seen or None in values:
            seen.add(key)
            yield row


def _pattern(command: Command, rows: Iterator[Row]) -> Iterator[Row]:
    (node,) = command.parts
    found = patterns(text(value) for row in rows if (value := evaluate(node, row)) is not None)
    total = sum(one.often for one in found)
    for one in found:
        told = (one.pattern, round(one.often / total, 4), float(one.often), one.severity or None)
        yield Row(dict(zip(PATTERN, told, strict=True)))


_STEPS: dict[str, Callable[[Command, Iterator[Row]], Iterator[Row]]] = {
    "dedup": _dedup,
    "display": _fields,
    "fields": _fields,
    "filter": _filter,
    "limit": _limit,
    "parse": _parse,
    "pattern": _pattern,
    "sort": _sort,
    "stats": _stats,
}


# -- expressions
def truth(value: Value) -> bool:
    """Whether a value counts as true."""
    return bool(value) and value != "false"


def evaluate(node: Node, row: Row) -> Value:
    """The value of an expression for a row."""
    match node.kind:
        case "text" | "number":
            return node.value
        case "period":
            return float(period(node.value))
        case "field":
            return row.get(node.value)
        case "not":
            return not truth(evaluate(node.parts[0], row))
        case "like":
            return _like(node, row)
        case "in":
            left, items = node.parts
            value = evaluate(left, row)
            return value is not None and any(_equal(value, evaluate(item, row)) for item in items)
        case "call":
            return _call(node, row)
    return _operate(node, row)


def _like(node: Node, row: Row) -> bool:
    left, pattern = node.parts
    value = evaluate(left, row)
    if value is None:
        return False
    if pattern.kind == "regex":
        return _search(pattern.value, text(value)) is not None
    return pattern.value in text(value)


def _call(node: Node, row: Row) -> Value:
    values = [evaluate(part, row) for part in node.parts]
    if node.value == "bin" and len(values) == 1:
        values.insert(0, row.get("@timestamp"))
    try:
        return FUNCTIONS[node.value](*values)
    except TypeError as error:
        raise malformed(f"{node.value} was given {len(values)} values") from error


def _operate(node: Node, row: Row) -> Value:
    left, right = node.parts
    if node.value in ("and", "or"):
        first = truth(evaluate(left, row))
        return first and truth(evaluate(right, row)) if node.value == "and" else first or truth(evaluate(right, row))
    one, other = evaluate(left, row), evaluate(right, row)
    if one is None or other is None:
        return None
    if node.value in ("=", "!="):
        return _equal(one, other) is (node.value == "=")
    a, b = number(one), number(other)
    if node.value in _ORDERS:
        return _ORDERS[node.value](a, b) if a is not None and b is not None else _ORDERS[node.value](
            text(one), text(other))  # fmt: skip
    if a is None or b is None:
        return None
    try:
        found = float(_SUMS[node.value](a, b))
    except (ZeroDivisionError, OverflowError, TypeError, ValueError):
        return None
    return Instant(found) if isinstance(one, Instant) and node.value in "+-" else found


def _equal(one: Value, other: Value) -> bool:
    a, b = number(one), number(other)
    return a == b if a is not None and b is not None else text(one) == text(other)


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_SUMS: dict[str, Callable[[float, float], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
    "^": lambda a, b: a**b,
}
