"""REST uri templates: method, path and query -> operation and path labels.

The most specific path wins: a literal segment before a label, a label before a greedy one; among
operations of the same path, the one whose literal query parameters are there (``?acl``), and then the one
whose required query parameters and headers are there (UploadPart against PutObject).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from cloudjar.spec.models import OperationModel, ServiceModel, service
from cloudjar.wire.form import decoded
from cloudjar.wire.rest import path_text


class Template(NamedTuple):
    """One operation's uri, taken apart."""

    op: OperationModel
    segments: tuple[str, ...]
    labels: tuple[str, ...]
    literals: dict[str, str]
    required_query: frozenset[str]
    required_headers: frozenset[str]
    known_query: frozenset[str]
    deprecated: bool

    def rank(self, query: Mapping[str, object], headers: Mapping[str, str]) -> tuple[int, int, int, bool]:
        """Smaller is better."""
        wanted, sent = self.required_query, self.required_headers
        missing = sum(n not in query for n in wanted) + sum(n not in headers for n in sent)
        return -len(self.literals), missing, -len(wanted) - len(sent), self.deprecated


class _Node:
    __slots__ = ("_asked", "_chosen", "by_query", "greedy", "label", "literals", "plain")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.label: _Node | None = None
        self.greedy: _Node | None = None
        self.plain: list[Template] = []
        """Operations that end here and need no literal query parameter."""
        self.by_query: dict[str, list[Template]] = {}
        """Those that do, by the name of their first."""
        self._asked: tuple[str, ...] | None = None
        self._chosen: dict[tuple[str, ...], Template] = {}

    def choose(self, query: Mapping[str, str], headers: Mapping[str, str]) -> Template | None:
        """The operation that a request means when its path ends here."""
        if not query and self.plain:
            return self._without_query(headers)
        fits = self.fits(query)
        if len(fits) > 1:
            return min(fits, key=lambda t: t.rank(query, headers))
        return fits[0] if fits else None

    def _without_query(self, headers: Mapping[str, str]) -> Template:
        """Then only headers that some operation needs can tell: what they told is remembered."""
        if self._asked is None:
            self._asked = tuple(sorted({name for t in self.plain for name in t.required_headers}))
        there = tuple([name for name in self._asked if name in headers])
        found = self._chosen.get(there)
        if found is None:
            found = self._chosen[there] = min(self.plain, key=lambda t: t.rank({}, headers))
        return found

    def fits(self, query: Mapping[str, str]) -> list[Template]:
        """The operations that may end here; only the most literal ones when there are any."""
        found = [
            t
            for name in (query.keys() & self.by_query.keys() if query else ())
            for t in self.by_query[name]
            if all(n in query and (not v or query[n] == v) for n, v in t.literals.items())
        ]
        return found or self.plain


def template(op: OperationModel) -> Template:
    """The operation's uri and what of its input tells it apart."""
    path, _, literal = op.uri.partition("?")
    segments = tuple(path.strip("/").split("/")) if path.strip("/") else ()
    literals = {}
    for part in filter(None, literal.split("&")):
        name, _, value = part.partition("=")
        literals[name] = value
    members = op.input.members if op.input else {}
    required = op.input.required if op.input else ()
    at = {n: (members[n].location, members[n].location_name or n) for n in required if n in members}
    return Template(
        op,
        segments,
        tuple(s[1:-1].rstrip("+") for s in segments if s.startswith("{")),
        literals,
        frozenset(wire for where, wire in at.values() if where == "querystring"),
        frozenset(wire.lower() for where, wire in at.values() if where == "header"),
        frozenset(m.location_name or n for n, m in members.items() if m.location == "querystring"),
        op.deprecated,
    )


class Matcher:
    """The uris of one service."""

    def __init__(self, operations: Iterable[OperationModel]) -> None:
        self._roots: dict[str, _Node] = {}
        self.literal_queries: set[str] = set()
        """Every literal query parameter that any operation has: S3's sub-resources."""
        for op in operations:
            self._add(template(op))

    def _add(self, found: Template) -> None:
        self.literal_queries.update(found.literals)
        node = self._roots.setdefault(found.op.method, _Node())
        for segment in found.segments:
            node = _descend(node, segment)
        if found.literals:
            node.by_query.setdefault(next(iter(found.literals)), []).append(found)
        else:
            node.plain.append(found)

    def match(
        self, method: str, path: str, query: str, headers: Mapping[str, str]
    ) -> tuple[Template, dict[str, str]] | None:
        """The operation and its labels, percent-decoded; None: nothing matches. Malformed: not UTF-8."""
        root = self._roots.get(method)
        if root is None:
            return None
        names = {decoded(n): v for n, _, v in (p.partition("=") for p in query.split("&") if p)} if query else {}
        segments = path.removeprefix("/").split("/") if path not in ("", "/") else []
        # "/bucket/" is "/bucket" unless an operation takes the empty last segment
        for parts in (segments, segments[:-1]) if segments and not segments[-1] else (segments,):
            for node, values in _walk(root, parts, 0, ()):
                best = node.choose(names, headers)
                if best is not None:
                    return best, _labels(best, values)
        return None


def _descend(node: _Node, segment: str) -> _Node:
    if segment.startswith("{") and segment.endswith("+}"):
        node.greedy = node.greedy or _Node()
        return node.greedy
    if segment.startswith("{") and segment.endswith("}"):
        node.label = node.label or _Node()
        return node.label
    return node.literals.setdefault(segment, _Node())


def _walk(
    node: _Node, segments: list[str], at: int, values: tuple[str, ...]
) -> Iterator[tuple[_Node, tuple[str, ...]]]:
    """The nodes where the path may end, the most specific first, with the raw values of their labels."""
    if at == len(segments):
        if node.plain or node.by_query:
            yield node, values
        return
    literal = node.literals.get(segments[at])
    if literal is None and "%" in segments[at]:
        literal = node.literals.get(path_text(segments[at]))
    if literal is not None:
        yield from _walk(literal, segments, at + 1, values)
    if node.label is not None and segments[at]:
        yield from _walk(node.label, segments, at + 1, (*values, segments[at]))
    if node.greedy is not None:
        # "/portals/{arn+}/settings" is more specific than "/portals/{arn+}": what may follow is tried first
        ends = [*range(len(segments) - 1, at, -1), len(segments)] if _goes_on(node.greedy) else [len(segments)]
        for end in ends:
            whole = "/".join(segments[at:end])
            if whole:
                yield from _walk(node.greedy, segments, end, (*values, whole))


def _goes_on(node: _Node) -> bool:
    return bool(node.literals or node.label or node.greedy)


def _labels(found: Template, values: tuple[str, ...]) -> dict[str, str]:
    return {n: path_text(v) for n, v in zip(found.labels, values, strict=True)}


@cache
def matcher(name: str) -> Matcher:
    """The matcher of a service, built at its first REST request."""
    return of_service(service(name))


def of_service(model: ServiceModel) -> Matcher:
    """The matcher of a model."""
    return Matcher(model.operations.values())
