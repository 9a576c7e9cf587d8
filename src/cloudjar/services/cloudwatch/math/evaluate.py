"""Evaluates metric math: queries that refer to each other, each once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cloudjar.services.cloudwatch.math import functions
from cloudjar.services.cloudwatch.math.functions import Window
from cloudjar.services.cloudwatch.math.parse import Array, Call, Name, Node, Number, SyntaxFault, Text, parse
from cloudjar.services.cloudwatch.math.values import Fault, Series, Value

Search = Callable[[str, str, int], list[Series]]
Limit = Callable[[Mapping[str, str]], float | None]
"""The quota that a metric (by its facts) is used of."""
_WORDS = frozenset(("REPEAT", "LINEAR", "AVG", "MIN", "MAX", "SUM", "ASC", "DESC"))


class Sheet:
    """Expressions and metrics by id, evaluated when they are asked for."""

    def __init__(
        self,
        expressions: Mapping[str, str],
        metrics: Mapping[str, Callable[[], Series | list[Series]]],
        window: Callable[[str], Window],
        search: Search,
        limit: Limit = lambda _: None,
    ) -> None:
        self._expressions = expressions
        self._metrics = metrics
        self._window = window
        self._search = search
        self._limit = limit
        self._known: dict[str, Value] = {}
        self._open: list[str] = []

    def value(self, name: str) -> Value:
        """What a query comes to; raises `Fault` or `SyntaxFault`."""
        if name in self._known:
            return self._known[name]
        if name in self._metrics:
            self._known[name] = self._metrics[name]()
            return self._known[name]
        if name not in self._expressions:
            raise Fault(f"Undefined metric or expression '{name}'")
        if name in self._open:
            raise Fault(f"'{name}' refers to itself")
        self._open.append(name)
        try:
            found = self._node(parse(self._expressions[name]), self._window(name))
        finally:
            self._open.pop()
        self._known[name] = found
        return found

    def result(self, name: str) -> list[Series]:
        """What a query shows: one series or several. A number alone is no answer."""
        found = self.value(name)
        if isinstance(found, Series):
            return [found]
        if isinstance(found, list):
            return found
        raise Fault("The expression must evaluate to a time series or to an array of them, not to a scalar")

    def _node(self, node: Node, window: Window) -> Value:
        match node:
            case Number(value):
                return value
            case Text(text):
                return text
            case Name(name):
                return name if name in _WORDS else self.value(name)
            case Array(items):
                return self._array([self._node(item, window) for item in items])
            case Call("METRICS", args):
                return self._all([self._node(arg, window) for arg in args])
            case Call("SEARCH", args):
                return self._found([self._node(arg, window) for arg in args], window)
            case Call("SERVICE_QUOTA", args):
                return self._quota([self._node(arg, window) for arg in args])
            case Call(name, args):
                return functions.call(name, [self._node(arg, window) for arg in args], window)
        raise SyntaxFault("The expression cannot be read")

    def _array(self, values: list[Value]) -> list[Series]:
        found: list[Series] = []
        for value in values:
            if isinstance(value, Series):
                found.append(value)
            elif isinstance(value, list):
                found += value
            else:
                raise Fault("An array holds time series only")
        return found

    def _all(self, args: list[Value]) -> list[Series]:
        """``METRICS()``: every metric of the request, or those whose ids hold a text."""
        part = args[0] if args and isinstance(args[0], str) else ""
        found = [self.value(name) for name in self._metrics if part in name]
        return [one for one in found if isinstance(one, Series)]

    def _found(self, args: list[Value], window: Window) -> list[Series]:
        if len(args) not in (2, 3) or not isinstance(args[0], str) or not isinstance(args[1], str):
            raise Fault("SEARCH takes a search, a statistic and a period")
        period = window.period
        if len(args) == 3 and isinstance(args[2], float):
            period = int(args[2])
        return self._search(args[0], args[1], period)

    def _quota(self, args: list[Value]) -> Series:
        """``SERVICE_QUOTA(m1)``: the limit that a usage metric is used of, wherever it has a value."""
        if len(args) != 1 or not isinstance(args[0], Series):
            raise Fault("SERVICE_QUOTA takes a usage metric")
        used = args[0]
        found = self._limit(used.facts)
        if found is None:
            raise Fault("SERVICE_QUOTA takes a usage metric of a service that has a quota of it")
        return Series(dict.fromkeys(used.values, found), used.period, "SERVICE_QUOTA")
