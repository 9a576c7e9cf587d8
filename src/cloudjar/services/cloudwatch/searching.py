"""``SEARCH`` expressions: which metrics they find.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.metrics import Metric

_SCHEMA = re.compile(r"\s*(?:\{([^}]*)\})?\s*(.*)", re.DOTALL)
_TOKEN = re.compile(r"\s*(?:([()])|(?:(:?[\w./-]+)\s*=\s*)?(\"[^\"]*\"|'[^']*'|[\w./:*-]+))\s*")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_MOST = 500
_DEEPEST = 50

Holds = Callable[[Metric], bool]


class NotUnderstood(Exception):
    """A search that cannot be read here."""


class Wanted(NamedTuple):
    """A namespace with exactly these dimensions (both optional), and what must hold of a metric."""

    namespace: str
    dimensions: frozenset[str] | None
    holds: Holds


def parse(text: str) -> Wanted:
    """A search; raises `NotUnderstood`."""
    found = _SCHEMA.fullmatch(text)
    assert found is not None
    schema = [part.strip().strip("\"'") for part in (found[1] or "").split(",") if part.strip()]
    holds = _Terms(found[2]).all()
    return Wanted(schema[0] if schema else "", frozenset(schema[1:]) if len(schema) > 1 else None, holds)


class _Terms:
    """Terms joined by AND (also when nothing stands between them), OR and NOT, with parentheses."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str, str]] = []
        rest = text.strip()
        while rest:
            match = _TOKEN.match(rest)
            if match is None:
                raise NotUnderstood(f"The search cannot be read at '{rest[:20]}'")
            self._tokens.append((match[1] or "", match[2] or "", match[3] or ""))
            rest = rest[match.end() :]
        self._deep = 0

    def all(self) -> Holds:
        """The whole; nothing at all holds of every metric."""
        if not self._tokens:
            return lambda _: True
        found = self._any()
        if self._tokens:
            raise NotUnderstood("The search has a parenthesis or a word too many")
        return found

    def _next(self, *words: str) -> bool:
        """Whether one of these words is next, which is taken then."""
        if self._tokens and not self._tokens[0][1] and "".join(self._tokens[0][::2]) in words:
            self._tokens.pop(0)
            return True
        return False

    def _any(self) -> Holds:
        parts = [self._every()]
        while self._next("OR"):
            parts.append(self._every())
        return parts[0] if len(parts) == 1 else lambda metric: any(part(metric) for part in parts)

    def _every(self) -> Holds:
        parts = [self._one()]
        while self._next("AND") or (self._tokens and self._tokens[0][0] != ")" and self._tokens[0][1:] != ("", "OR")):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda metric: all(part(metric) for part in parts)

    def _one(self) -> Holds:
        if self._deep > _DEEPEST:
            raise NotUnderstood("The search is too deep")
        if self._next("NOT"):
            self._deep += 1
            wrong = self._one()
            self._deep -= 1
            return lambda metric: not wrong(metric)
        if self._next("("):
            self._deep += 1
            inner = self._any()
            self._deep -= 1
            if not self._next(")"):
                raise NotUnderstood("The search lacks a closing parenthesis")
            return inner
        if not self._tokens or self._tokens[0][0] or (not self._tokens[0][1] and self._tokens[0][2] in ("AND", "OR")):
            raise NotUnderstood("The search lacks a term")
        _, name, text = self._tokens.pop(0)
        whole = text[0] in "\"'"
        return lambda metric: _holds(metric, dict(metric.dimensions), name, text.strip("\"'"), whole=whole)


def find(world: World, account: str, region: str, wanted: Wanted, since: float) -> list[Metric]:
    """Up to 500 metrics that a search finds, by name."""
    found = among(world, account, region, wanted.namespace, None, since)
    return [metric for metric in found if _fits(metric, wanted)][:_MOST]


def among(
    world: World, account: str, region: str, namespace: str, name: str | None, since: float
) -> list[Metric]:
    """Up to 10,000 metrics with points since an instant (Unix seconds), by name: of a namespace ("" for all), and of a
    name."""
    stored = metrics.points(world).listed(
        account, region, namespace=namespace or None, name=name, dimensions=(), since=since, after=None,
        limit=10_000)  # fmt: skip
    found = {Metric(one.namespace, one.name, one.dimensions) for one in stored}
    for held, source in metrics.sources(world):
        if namespace in ("", held):
            found.update(one for one in source.metrics(world, account, region, since) if name in (None, one.name))
    return sorted(found)


def _fits(metric: Metric, wanted: Wanted) -> bool:
    names = {name for name, _ in metric.dimensions}
    return wanted.dimensions in (None, names) and wanted.holds(metric)


def _holds(metric: Metric, held: dict[str, str], name: str, text: str, *, whole: bool) -> bool:
    if name in ("MetricName", ":metric.name"):
        among = [metric.name]
    elif name in ("Namespace", ":metric.namespace"):
        among = [metric.namespace]
    elif name:
        among = [held[name]] if name in held else []
    else:
        among = [metric.namespace, metric.name, *held, *held.values()]
    if whole:
        return text in among
    words = {word.lower() for one in among for word in _WORD.findall(one)}
    return all(word.lower() in words for word in _WORD.findall(text))
