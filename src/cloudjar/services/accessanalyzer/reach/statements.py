"""Statements compared with one another: does one reach all that another reaches; do they touch at all.

Answers err to one side: `covers` is never true wrongly, `touches` is never false wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cloudjar.policy.conditions import block
from cloudjar.policy.conditions.block import Condition
from cloudjar.policy.document import Document, Statement
from cloudjar.services.accessanalyzer.reach import globs
from cloudjar.services.accessanalyzer.reach.globs import Glob
from cloudjar.services.accessanalyzer.validation.actions import named

_MOST_NAMED = 2000


class Side(NamedTuple):
    """The values of an element; `excepted` when it is the Not form."""

    globs: tuple[Glob, ...]
    excepted: bool

    def touches(self, glob: Glob) -> bool:
        """Whether it may name something that a pattern names."""
        if self.excepted:
            return not globs.within(glob, self.globs)
        return any(globs.meet(glob, mine) for mine in self.globs)

    def covers(self, glob: Glob) -> bool:
        """Whether it names all that a pattern names."""
        if self.excepted:
            return not any(globs.meet(glob, mine) for mine in self.globs)
        return globs.within(glob, self.globs)


def actions_of(statement: Statement) -> Side:
    """Its actions."""
    return Side(tuple(globs.action(text) for text in statement.actions.texts), statement.negates_actions)


def resources_of(statement: Statement) -> Side:
    """Its resources; a statement without (a trust policy's) is about whatever it is attached to."""
    if statement.resources is None:
        return Side((globs.ANY,), excepted=False)
    return Side(tuple(globs.resource(text) for text in statement.resources.texts), statement.negates_resources)


def depends_on_variables(statement: Statement) -> bool:
    """Whether its resources differ from request to request."""
    return statement.resources is not None and any(map(globs.has_variables, statement.resources.texts))


def pieces(statement: Statement) -> list[tuple[str, str]]:
    """The pairs of (action, resource) values of which a statement without Not forms is made."""
    resources = statement.resources.texts if statement.resources is not None else ("*",)
    return [(action, resource) for action in statement.actions.texts for resource in resources]


def covers(wide: Statement, narrow: Statement) -> bool:
    """Whether `wide` is about every request that `narrow` is about."""
    return (
        _principals_cover(wide, narrow)
        and _conditions_follow(wide.conditions, narrow.conditions)
        and _same_side_covers(actions_of(wide), actions_of(narrow), narrow.actions.texts)
        and not _variables_differ(wide, narrow)
        and _same_side_covers(resources_of(wide), resources_of(narrow), ())
    )


def piece_covered(wide: Statement, narrow: Statement, action: str, resource: str) -> bool:
    """The same for one pair of a statement's values."""
    return (
        _principals_cover(wide, narrow)
        and _conditions_follow(wide.conditions, narrow.conditions)
        and _action_covered(actions_of(wide), action)
        and not _variables_differ(wide, narrow)
        and resources_of(wide).covers(globs.resource(resource))
    )


def _same_side_covers(wide: Side, narrow: Side, texts: Sequence[str]) -> bool:
    if narrow.excepted:
        if wide.excepted:
            return all(globs.within(glob, narrow.globs) for glob in wide.globs)
        return globs.ANY in wide.globs
    if texts:
        return all(_action_covered(wide, text) for text in texts)
    return all(wide.covers(glob) for glob in narrow.globs)


def _action_covered(wide: Side, text: str) -> bool:
    """An action pattern that no single one covers may be covered name by name."""
    if wide.covers(globs.action(text)):
        return True
    if "*" not in text and "?" not in text:
        return False
    names = named(text)
    return 0 < len(names) <= _MOST_NAMED and all(wide.covers(globs.exact(name.lower())) for name in names)


def _variables_differ(wide: Statement, narrow: Statement) -> bool:
    """Patterns with variables are taken for as wide as they may be: on the covering side that would be too wide."""
    if not depends_on_variables(wide):
        return False
    if wide.resources is None or narrow.resources is None or wide.negates_resources or narrow.negates_resources:
        return True
    fixed = [text for text in wide.resources.texts if not globs.has_variables(text)]
    sure = Side(tuple(globs.resource(text) for text in fixed), excepted=False)
    return not all(text in wide.resources.texts or sure.covers(globs.resource(text)) for text in narrow.resources.texts)


def _principals_cover(wide: Statement, narrow: Statement) -> bool:
    if wide.principals is None or narrow.principals is None:
        return wide.principals is None and narrow.principals is None
    if wide.negates_principals or narrow.negates_principals:
        same = set(wide.principals.texts) == set(narrow.principals.texts)
        return same and wide.negates_principals == narrow.negates_principals
    return wide.principals.everyone or set(narrow.principals.texts) <= set(wide.principals.texts)


def _conditions_follow(wide: Iterable[Condition], narrow: Sequence[Condition]) -> bool:
    """Whether a request that meets `narrow` meets `wide`."""
    return all(any(_follows(one, other) for other in narrow) for one in wide)


def _follows(wide: Condition, narrow: Condition) -> bool:
    spelled, other = block.spell(wide.operator), block.spell(narrow.operator)
    if spelled is None or spelled != other or wide.key != narrow.key:
        return False
    if spelled.base == "null":
        return {v.lower() for v in narrow.values} <= {v.lower() for v in wide.values}
    if block.OPERATORS[spelled.base].negated:
        return set(wide.values) <= set(narrow.values)
    if set(narrow.values) <= set(wide.values):
        return True
    if spelled.base != "stringlike" or any(map(globs.has_variables, wide.values)):
        return False
    return all(globs.within(globs.like(v), [globs.like(w) for w in wide.values]) for v in narrow.values)


def shuts_out(document: Document, action: Glob, resource: Glob) -> bool:
    """Whether a Deny without conditions, for everybody, covers an action on a resource."""
    return any(
        not s.allows
        and not s.conditions
        and (s.principals is None or (s.principals.everyone and not s.negates_principals))
        and not depends_on_variables(s)
        and actions_of(s).covers(action)
        and resources_of(s).covers(resource)
        for s in document.statements
    )
