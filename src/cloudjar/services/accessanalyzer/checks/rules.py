"""The custom policy checks, pure. Where it cannot be decided, the answer is that access may be granted.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-custom-policy-checks.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudjar.policy.document import Document, Statement
from cloudjar.services.accessanalyzer.reach import globs
from cloudjar.services.accessanalyzer.reach.statements import (
    actions_of,
    covers,
    piece_covered,
    pieces,
    resources_of,
    shuts_out,
)

_MOST_PIECES = 2500


def new_access(new: Document, existing: Document) -> list[Statement]:
    """The statements of a policy that may allow what another did not."""
    lost = [d for d in existing.statements if not d.allows and not _kept(d, new)]
    return [s for s in new.statements if s.allows and not _known(s, new, existing, lost)]


def _kept(deny: Statement, new: Document) -> bool:
    """Whether what was forbidden still is."""
    return any(not s.allows and covers(s, deny) for s in new.statements)


def _known(statement: Statement, new: Document, existing: Document, lost: Sequence[Statement]) -> bool:
    allows = [s for s in existing.statements if s.allows]
    if any(_touch(statement, deny) for deny in lost):
        return False
    if any(covers(wide, statement) for wide in allows):
        return True
    if statement.negates_actions or statement.negates_resources:
        return False
    found = pieces(statement)
    return len(found) <= _MOST_PIECES and all(
        shuts_out(new, globs.action(action), globs.resource(resource))
        or any(piece_covered(wide, statement, action, resource) for wide in allows)
        for action, resource in found
    )


def _touch(one: Statement, other: Statement) -> bool:
    """Whether two statements may be about the same request."""
    if one.negates_actions or one.negates_resources:
        return True
    actions, resources = actions_of(other), resources_of(other)
    return any(actions.touches(g) for g in actions_of(one).globs) and any(
        resources.touches(g) for g in resources_of(one).globs
    )


def granted(document: Document, access: Mapping[str, Any]) -> list[Statement]:
    """The statements that may allow one of the actions on one of the resources; either list may be left out."""
    actions = [globs.action(text) for text in access.get("actions") or ["*"]]
    resources = [globs.resource(text) for text in access.get("resources") or ["*"]]
    return [
        s
        for s in document.statements
        if s.allows
        and any(
            _allows(s, action, resource) and not _denied(document, s, action, resource)
            for action in actions
            for resource in resources
        )
    ]


def _allows(statement: Statement, action: globs.Glob, resource: globs.Glob) -> bool:
    return actions_of(statement).touches(action) and resources_of(statement).touches(resource)


def _denied(document: Document, statement: Statement, action: globs.Glob, resource: globs.Glob) -> bool:
    """Whether what is asked, or all that the statement allows of it, is forbidden outright."""
    mine, theirs = actions_of(statement), resources_of(statement)
    asked = [action] if mine.excepted or mine.covers(action) else [g for g in mine.globs if globs.meet(g, action)]
    there = [resource] if theirs.excepted or theirs.covers(resource) else list(theirs.globs)
    return all(
        shuts_out(document, a, r)
        or shuts_out(document, action, r)
        or shuts_out(document, a, resource)
        or shuts_out(document, action, resource)
        for a in asked
        for r in there
    )
