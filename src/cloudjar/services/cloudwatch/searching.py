"""``SEARCH`` expressions: which metrics they find.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.metrics import Metric

_SCHEMA = re.compile(r"\s*(?:\{([^}]*)\})?\s*(.*)", re.DOTALL)
_TERM = re.compile(r"\s*(?:(:?[\w./-]+)\s*=\s*)?(\"[^\"]*\"|'[^']*'|[\w./:-]+)\s*")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_MOST = 100


class NotUnderstood(Exception):
    """A search that cannot be read here."""


class Wanted(NamedTuple):
    """A namespace with exactly these dimensions (both optional), and terms that all must hold."""

    namespace: str
    dimensions: frozenset[str] | None
    terms: tuple[tuple[str, str, bool], ...]
    """(property or "", text, whether the whole of it must be the same)."""


def parse(text: str) -> Wanted:
    """A search; raises `NotUnderstood` for what is not built (OR, NOT, groups)."""
    found = _SCHEMA.fullmatch(text)
    assert found is not None
    schema = [part.strip().strip("\"'") for part in (found[1] or "").split(",") if part.strip()]
    terms, rest = [], found[2]
    while rest:
        match = _TERM.match(rest)
        if match is None or match[2] in ("OR", "NOT"):
            raise NotUnderstood("This SEARCH is not understood here: terms are joined by AND only")
        if match[2] != "AND":
            quoted = match[2][0] in "\"'"
            terms.append((match[1] or "", match[2].strip("\"'"), quoted))
        rest = rest[match.end() :]
    return Wanted(
        schema[0] if schema else "", frozenset(schema[1:]) if len(schema) > 1 else None, tuple(terms)
    )


def find(world: World, account: str, region: str, wanted: Wanted, since: float) -> list[Metric]:
    """Up to 100 metrics that a search finds, by name."""
    stored = metrics.points(world).listed(
        account, region, namespace=wanted.namespace or None, name=None, dimensions=(), since=since, after=None,
        limit=10_000)  # fmt: skip
    found = {Metric(one.namespace, one.name, one.dimensions) for one in stored}
    for namespace, source in metrics.sources(world):
        if wanted.namespace in ("", namespace):
            found.update(source.metrics(world, account, region, since))
    return [metric for metric in sorted(found) if _fits(metric, wanted)][:_MOST]


def _fits(metric: Metric, wanted: Wanted) -> bool:
    held = dict(metric.dimensions)
    if wanted.dimensions is not None and wanted.dimensions != held.keys():
        return False
    return all(_holds(metric, held, *term) for term in wanted.terms)


def _holds(metric: Metric, held: dict[str, str], name: str, text: str, whole: bool) -> bool:
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
