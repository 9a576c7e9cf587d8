"""Policy documents: text in, something that answers quickly out.

`parse` checks a document as AWS does and compiles it. A compiled `Document` is immutable and may be
shared by any number of requests; keep it as long as the text does not change.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from cloudjar.policy import grammar, positions, validate
from cloudjar.policy.conditions.block import Condition
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.policy.match import ANY_SERVICE, ActionSet, ArnSet, Context, service_of
from cloudjar.policy.positions import Span
from cloudjar.policy.principal import Grip, Principal, PrincipalSet
from cloudjar.policy.validate import Raw

__all__ = ["Candidates", "Document", "Flavour", "PolicySyntaxError", "Span", "Statement", "parse"]

_REMEMBERED_ACTIONS = 4096


class Statement:
    """One compiled statement; absent elements are None. Treat as immutable."""

    __slots__ = (
        "actions", "allows", "conditions", "everything", "index", "keys", "negates_actions",
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

    def grip(self, who: Principal, *, bounded: bool) -> Grip:
        """How directly Principal or NotPrincipal names `who`; everyone when neither is there."""
        if self.principals is None:
            return Grip.DIRECT
        if not self.negates_principals:
            return self.principals.grip(who)
        if self.allows:
            return Grip.NONE if self.principals.grip(who) else Grip.DIRECT
        return Grip.NONE if self.principals.spares(who, bounded=bounded) else Grip.DIRECT


class Candidates(NamedTuple):
    """The statements of a document whose action matches, in the document's order."""

    denies: tuple[Statement, ...]
    allows: tuple[Statement, ...]


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
        return Candidates(tuple(s for s in ordered if not s.allows), tuple(s for s in ordered if s.allows))

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
