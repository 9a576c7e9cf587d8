"""Which services policies open: permissions policies alone, as the access advisor sees them. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cloudjar.policy.document import Document, Statement
from cloudjar.policy.match import ANY_SERVICE, service_of
from cloudjar.spec import iam, service_names


def opens(document: Document, prefix: str) -> bool:
    """Whether some statement allows some action of a service, on whatever and under whatever condition."""
    allows = [s for s in document.statements if s.allows and _may_cover(s, prefix)]
    return any(_reached(s, prefix, ()) for s in allows)


def services(documents: Sequence[Document]) -> list[str]:
    """The prefixes of the services that policies open together, in order; what is flatly denied is not open."""
    allows = [s for d in documents for s in d.statements if s.allows]
    denies = [s for d in documents for s in d.statements if not s.allows and s.everything and not s.conditions]
    return [
        prefix
        for prefix in _candidates(allows)
        if any(_may_cover(s, prefix) and _reached(s, prefix, denies) for s in allows)
    ]


def _candidates(statements: Iterable[Statement]) -> Iterable[str]:
    """The services that statements may be about, without a look at their actions."""
    found: set[str] = set()
    for statement in statements:
        actions = statement.actions
        if statement.negates_actions or actions.anything or ANY_SERVICE in actions.wild:
            return service_names.prefixes()
        found.update(map(service_of, actions.exact), actions.wild)
    return sorted(found & set(service_names.prefixes()))


def _may_cover(statement: Statement, prefix: str) -> bool:
    actions = statement.actions
    if statement.negates_actions or actions.anything or ANY_SERVICE in actions.wild or prefix in actions.wild:
        return True
    return any(service_of(action) == prefix for action in actions.exact)


def _reached(allow: Statement, prefix: str, denies: Sequence[Statement]) -> bool:
    """Whether a statement covers an action of the service that none of the others takes back."""
    return any(
        allow.covers_action(action) and not any(deny.covers_action(action) for deny in denies)
        for action in _actions(prefix, allow)
    )


def _actions(prefix: str, allow: Statement) -> Iterator[str]:
    """The actions to look at: those that a statement names, then all that the reference knows."""
    yield from sorted(action for action in allow.actions.exact if service_of(action) == prefix)
    yield from (f"{prefix}:{name}".lower() for name in iam.actions_of(prefix))
