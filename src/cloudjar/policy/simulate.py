"""What the policy simulator answers, from the engine that decides real requests.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from cloudjar.policy.document import Document, Span, Statement
from cloudjar.policy.evaluate import AccessRequest, Decision, Policy, PolicySet, Reason, decide
from cloudjar.policy.grammar import Flavour


class MatchedStatement(msgspec.Struct, frozen=True):
    """A statement that determines the result: which policy, and where in its text."""

    policy: Policy
    layer: Flavour
    sid: str
    index: int
    span: Span


class Simulation(msgspec.Struct, frozen=True):
    """The result for one action on one resource.

    `decision` is ``allowed``, ``explicitDeny`` or ``implicitDeny``. `allowed_by_boundary` and
    `allowed_by_organizations` are None when there is no boundary, no SCP. `missing` are the condition
    keys that the statements ask for and the context does not have.
    """

    action: str
    resource: str
    decision: str
    matched: tuple[MatchedStatement, ...]
    missing: tuple[str, ...]
    allowed_by_boundary: bool | None
    allowed_by_organizations: bool | None
    details: Decision


def simulate(request: AccessRequest, policies: PolicySet) -> Simulation:
    """One action on one resource; call it for each pair that the simulator was asked about."""
    decision = decide(request, policies)
    wanted: set[str] = set()
    for _, policy in _all(policies):
        for statements in policy.document.candidates(request.action.lower()):
            wanted.update(*(s.keys for s in statements))
    missing = tuple(sorted(k for k in wanted if request.context.get(k) is None))
    boundary = None if policies.boundary is None else _allows((policies.boundary,), request)
    scps = None
    if policies.scps and not policies.exempt_from_scps:
        scps = all(_allows(level, request) for level in policies.scps)
    matched = tuple(_matched(request, policies, decision))
    return Simulation(
        request.action, request.resource, decision.reason.value, matched, missing, boundary, scps, decision
    )


def context_keys(documents: Sequence[Document]) -> tuple[str, ...]:
    """Every condition key and variable that the documents ask for, in lower case, sorted."""
    return tuple(sorted(frozenset[str]().union(*(d.keys for d in documents))))


def _all(policies: PolicySet) -> Iterator[tuple[Flavour, Policy]]:
    for level in policies.scps:
        yield from ((Flavour.SCP, p) for p in level)
    if policies.resource is not None:
        yield Flavour.RESOURCE, policies.resource
    for grant in policies.grants:
        yield Flavour.RESOURCE, grant
    yield from ((Flavour.IDENTITY, p) for p in policies.identity)
    if policies.boundary is not None:
        yield Flavour.BOUNDARY, policies.boundary
    yield from ((Flavour.SESSION, p) for p in policies.session or ())


def _matching(policy: Policy, request: AccessRequest, *, allow: bool, bounded: bool) -> Iterator[Statement]:
    denies, allows = policy.document.candidates(request.action.lower())
    for statement in allows if allow else denies:
        if statement.grip(request.principal, bounded=bounded) and statement.applies(request.resource, request.context):
            yield statement


def _allows(level: tuple[Policy, ...], request: AccessRequest) -> bool:
    def some(allow: bool) -> bool:
        return any(s for p in level for s in _matching(p, request, allow=allow, bounded=False))

    return some(True) and not some(False)


def _matched(request: AccessRequest, policies: PolicySet, decision: Decision) -> Iterator[MatchedStatement]:
    """All denies when one denies; otherwise the allows of identity and resource policies."""
    deny = decision.reason is Reason.EXPLICIT_DENY
    for layer, policy in _all(policies):
        if not deny and layer not in (Flavour.IDENTITY, Flavour.RESOURCE):
            continue
        for s in _matching(policy, request, allow=not deny, bounded=policies.boundary is not None):
            yield MatchedStatement(policy, layer, s.sid, s.index, policy.document.span(s))
