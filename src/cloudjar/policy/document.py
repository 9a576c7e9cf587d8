"""Policy documents: text in, something that answers quickly out.

`parse` checks a document as AWS does and compiles it. A compiled `Document` is immutable and may be
shared by any number of requests; keep it as long as the text does not change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from cloudjar.policy import grammar, positions, validate
from cloudjar.policy.conditions.block import Condition
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.policy.match import ANY_SERVICE, ActionSet, ArnSet, Context, service_of
from cloudjar.policy.positions import Span
from cloudjar.policy.principal import Grip, Principal, PrincipalSet
from cloudjar.policy.validate import Raw

__all__ = ["Candidates", "Document", "Flavour", "PolicySyntaxError", "Span", "Statement", "parse"]

_REMEMBERED_ACTIONS = 4096
_FEW = 6
"""So many statements are faster looked at than sorted."""


class Statement:
    """One compiled statement; absent elements are None. Treat as immutable."""

    __slots__ = (
        "actions", "allows", "conditions", "everything", "index", "keys", "needle", "negates_actions",
        "negates_principals", "negates_resources", "principals", "resources", "sid",
    )  # fmt: skip

    def __init__(self, index: int, raw: Raw, *, variables: bool) -> None:
        self.index, self.sid, self.allows = index, raw.sid, raw.effect == "Allow"
        self.negates_actions = raw.actions is None
        self.actions = ActionSet((raw.not_actions if raw.actions is None else raw.actions) or ())
        self.negates_resources = raw.not_resources is not None
        named = raw.not_resources if raw.resources is None else raw.resources
        self.resources = None if named is None else ArnSet(named, variables=variables)
        self.negates_principals = raw.not_principals is not None
        who = raw.not_principals if raw.principals is None else raw.principals
        self.principals = None if who is None else PrincipalSet(who)
        self.conditions = tuple(Condition(op, key, values, variables=variables) for op, key, values in raw.conditions)
        self.everything = self.resources is None or (self.resources.anything and not self.negates_resources)
        # What an ARN must contain for the statement to apply: asked before anything that costs more.
        self.needle = "" if self.everything or self.negates_resources or not self.resources else self.resources.needle
        self.keys = frozenset[str]().union(
            *(c.keys for c in self.conditions), self.resources.keys if self.resources else ()
        )

    def covers_action(self, action: str) -> bool:
        """Whether Action or NotAction covers `action` (lower case)."""
        return self.actions.has(action) is not self.negates_actions

    def covers_resource(self, arn: str, context: Context) -> bool:
        """Whether Resource or NotResource covers `arn`; statements without either cover all."""
        if self.everything or self.resources is None:
            return True
        return self.resources.has(arn, context) is not self.negates_resources

    def applies(self, arn: str, context: Context) -> bool:
        """Resource and conditions, for a statement whose action is known to match."""
        resources = self.resources
        if resources is not None and not self.everything and resources.has(arn, context) is self.negates_resources:
            return False
        for condition in self.conditions:  # noqa: SIM110  `all` with a generator costs twice as much
            if not condition(context):
                return False
        return True

    def endings(self) -> frozenset[str] | None:
        """What must follow the last colon of an ARN for this statement to apply; None when that is open."""
        return None if self.everything or self.negates_resources or self.resources is None else self.resources.endings

    def grip(self, who: Principal, *, bounded: bool) -> Grip:
        """How directly Principal or NotPrincipal names `who`; everyone when neither is there."""
        if self.principals is None:
            return Grip.DIRECT
        if not self.negates_principals:
            return self.principals.grip(who)
        if self.allows:
            return Grip.NONE if self.principals.grip(who) else Grip.DIRECT
        return Grip.NONE if self.principals.spares(who, bounded=bounded) else Grip.DIRECT


Sides = tuple[tuple[Statement, ...], tuple[Statement, ...]]
"""Statements that deny, statements that allow."""


class Candidates:
    """The statements of a document whose action matches, in the document's order.

    Many of them are sorted by how their resources end, so that a request looks only at those that can be about it.
    """

    __slots__ = ("_loose", "_named", "allows", "denies")

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.denies = tuple(s for s in statements if not s.allows)
        self.allows = tuple(s for s in statements if s.allows)
        self._named: dict[str, Sides] | None = None
        self._loose: Sides = (self.denies, self.allows)
        if len(statements) > _FEW:
            self._sort(statements)

    def _sort(self, statements: Sequence[Statement]) -> None:
        endings = [(s, s.endings()) for s in statements]
        self._loose = _sides([s for s, ends in endings if ends is None])
        known = {end for _, ends in endings for end in ends or ()}
        self._named = {end: _sides([s for s, ends in endings if ends is None or end in ends]) for end in known}

    def about(self, arn: str) -> Sides:
        """Those whose resources do not rule `arn` out at first sight."""
        if self._named is None:
            return self._loose
        return self._named.get(arn.rpartition(":")[2], self._loose)

    def __iter__(self) -> Iterator[tuple[Statement, ...]]:
        return iter((self.denies, self.allows))


def _sides(statements: Sequence[Statement]) -> Sides:
    return tuple(s for s in statements if not s.allows), tuple(s for s in statements if s.allows)


class Document:
    """A compiled policy document."""

    __slots__ = ("_any", "_exact", "_others", "_service", "flavour", "keys", "known", "statements", "text", "version")

    def __init__(self, text: str, flavour: Flavour, version: str, raw: list[Raw]) -> None:
        self.text, self.flavour, self.version = text, flavour, version
        variables = version == "2012-10-17"
        self.statements = tuple(Statement(i, r, variables=variables) for i, r in enumerate(raw))
        self.keys = frozenset[str]().union(*(s.keys for s in self.statements))
        self._exact: dict[str, list[Statement]] = {}
        self._service: dict[str, list[Statement]] = {}
        self._others: list[Statement] = []
        self._any: list[Statement] = []
        self.known: dict[str, Candidates] = {}
        for statement in self.statements:
            self._index(statement)

    def _index(self, statement: Statement) -> None:
        actions = statement.actions
        if statement.negates_actions or ANY_SERVICE in actions.wild:
            self._others.append(statement)
        elif actions.anything:
            self._any.append(statement)
        else:
            for action in actions.exact:
                self._exact.setdefault(action, []).append(statement)
            for service in actions.wild:
                self._service.setdefault(service, []).append(statement)

    def candidates(self, action: str) -> Candidates:
        """The statements whose action matches `action` (``service:name`` in lower case)."""
        found = self.known.get(action)
        if found is None:
            found = self._find(action)
            if len(self.known) >= _REMEMBERED_ACTIONS:
                self.known.clear()
            self.known[action] = found
        return found

    def forget(self) -> None:
        """Drop what `candidates` remembers; answers stay the same, the next ones take longer."""
        self.known.clear()

    def _find(self, action: str) -> Candidates:
        found = {s.index: s for s in self._any}
        found.update((s.index, s) for s in self._exact.get(action, ()))
        for statement in (*self._service.get(service_of(action), ()), *self._others):
            if statement.covers_action(action):
                found[statement.index] = statement
        ordered = [found[i] for i in sorted(found)]
        return Candidates(ordered)

    def span(self, statement: Statement) -> Span:
        """Where the statement stands in the text: lines and columns from 1, the end just past it."""
        return positions.statements(self.text)[statement.index]

    def __repr__(self) -> str:
        return f"<Document {self.flavour.value}, {len(self.statements)} statements>"


@lru_cache(maxsize=1024)
def parse(text: str, flavour: Flavour = Flavour.IDENTITY, *, needs_resource: bool = True) -> Document:
    """Check and compile a policy document.

    Raises `PolicySyntaxError`, whose message is AWS's, for whatever AWS would refuse; never anything
    else. Sizes are quotas and the caller's business. The same text compiles once.
    """
    try:
        value = grammar.read_json(text)
    except PolicySyntaxError as error:
        raise PolicySyntaxError(validate.JSON_WORDS.get(flavour, grammar.SYNTAX), error.reason) from None
    version, raw = validate.check(value, flavour, needs_resource=needs_resource)
    return Document(text, flavour, version, raw)
