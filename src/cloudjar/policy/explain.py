"""Decisions explained: AWS's access-denied messages, and a trace of every statement that was looked at.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from cloudjar.policy.document import Statement
from cloudjar.policy.evaluate import (
    AccessRequest,
    Decision,
    Policy,
    PolicySet,
    Reason,
    decide,
    resource_layer,
)
from cloudjar.policy.grammar import Flavour
from cloudjar.policy.match import Context
from cloudjar.policy.principal import Grip, Kind

_DENIED_BY = {
    Flavour.IDENTITY: "an identity-based policy",
    Flavour.BOUNDARY: "a permissions boundary",
    Flavour.SESSION: "a session policy",
    Flavour.SCP: "a service control policy",
    Flavour.RCP: "a resource control policy",
    Flavour.RESOURCE: "a resource-based policy",
    Flavour.TRUST: "the role trust policy",
    Flavour.ENDPOINT: "a VPC endpoint policy",
}
_SHOWN_WHOLE = 12
"""Policies with more statements show those about the action, and how many others there are."""


def access_denied(request: AccessRequest, decision: Decision, *, enhanced: bool = True, quoted: bool = False) -> str:
    """The message of AWS's access-denied error.

    `enhanced` adds which kind of policy is to blame; AWS leaves that out across organizations. `quoted`
    puts the resource in double quotes, as S3 does. Role trust policies are worded without the resource.
    """
    if decision.allowed:
        raise ValueError("an allowed request has no access-denied message")
    if request.principal.kind is Kind.WEB_IDENTITY:
        return f"Not authorized to perform {request.action}"
    resource = f'"{request.resource}"' if quoted else request.resource
    text = f"User: {caller(request)} is not authorized to perform: {request.action}"
    if decision.layer is not Flavour.TRUST or not enhanced:
        text += f" on resource: {resource}"
    return f"{text} {blame(request, decision)}" if enhanced else text


def blame(request: AccessRequest, decision: Decision) -> str:
    """``because no ... allows the ... action`` or ``with an explicit deny in ...``."""
    assert decision.layer is not None  # a denied decision always has one
    if decision.reason is Reason.EXPLICIT_DENY:
        return f"with an explicit deny in {_DENIED_BY[decision.layer]}"
    return f"because no {decision.layer.value} allows the {request.action} action"


def caller(request: AccessRequest) -> str:
    """The caller as messages name it: its ARN, a service's name, ``anonymous``."""
    who = request.principal
    return "anonymous" if who.kind is Kind.ANONYMOUS else who.arn


class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    """One element of a statement against the request.

    `element` is ``Principal``, ``NotAction``, ``Condition``, ...; `wanted` what the statement lists, `found` what the
    request has (None: the condition key is not in it). Conditions have an `operator` and a `key`.
    """

    element: str
    holds: bool
    wanted: tuple[str, ...]
    found: tuple[str, ...] | None
    operator: str = ""
    key: str = ""

    def __str__(self) -> str:
        if self.element != "Condition":
            return f"{', '.join(self.found or ())} against {_some(self.wanted)}"
        found = "no such key" if self.found is None else ", ".join(self.found) or "an empty list"
        return f"{self.operator} {self.key} [{', '.join(self.wanted)}]: the request has {found}"


class StatementTrace(msgspec.Struct, frozen=True, omit_defaults=True):
    """One statement looked at: whether it matched and, element by element, why.

    `held` says through what a policy that names principals holds the caller.
    """

    sid: str
    index: int
    effect: str
    matched: bool
    checks: tuple[Check, ...]
    held: str = ""

    @property
    def failed_on(self) -> str:
        """The first element that did not match; empty when all did."""
        return next((check.element for check in self.checks if not check.holds), "")

    @property
    def detail(self) -> str:
        """The first failure in words; for a match, through what it holds the caller."""
        return next((str(check) for check in self.checks if not check.holds), self.held)


class PolicyTrace(msgspec.Struct, frozen=True, omit_defaults=True):
    """One policy looked at; `others` counts its statements about other actions that are not listed."""

    name: str
    arn: str
    statements: tuple[StatementTrace, ...]
    others: int = 0


class LayerTrace(msgspec.Struct, frozen=True, omit_defaults=True):
    """One kind of policy; `verdict` is ``explicit deny``, ``allow``, ``no allow`` or ``exempt``."""

    layer: Flavour
    verdict: str
    policies: tuple[PolicyTrace, ...]
    note: str = ""


class Trace(msgspec.Struct, frozen=True):
    """A decision with everything that was looked at.

    `keys` are the condition keys and variables that statements for this action ask for, with the
    request's values; `missing` those that the request does not have.
    """

    request: AccessRequest
    decision: Decision
    layers: tuple[LayerTrace, ...]
    keys: Mapping[str, str | Sequence[str]]
    missing: tuple[str, ...]


def explain(request: AccessRequest, policies: PolicySet, *, whole: bool = True) -> Trace:
    """Decide again, slowly, and write down why; without `whole`, long policies show only what is about the action."""
    layers: list[LayerTrace] = []
    wanted: set[str] = set()
    bounded = policies.boundary is not None
    for layer, group, exempt, note in _groups(request, policies):
        traces = tuple(_policy(p, request, bounded=bounded, whole=whole) for p in group)
        layers.append(LayerTrace(layer, "exempt" if exempt else _verdict(traces), traces, note or _note(layer, group)))
        for policy in () if exempt else group:
            for statements in policy.document.candidates(request.action.lower()):
                wanted.update(*(s.keys for s in statements))
    values = {key: request.context.get(key) for key in sorted(wanted)}
    keys = {key: value for key, value in values.items() if value is not None}
    return Trace(request, decide(request, policies), tuple(layers), keys, tuple(k for k in values if k not in keys))


Group = tuple[Flavour, tuple[Policy, ...], bool, str]


def _groups(request: AccessRequest, policies: PolicySet) -> Iterator[Group]:
    """(layer, policies, exempt, note) in the order of evaluation."""
    alone = request.principal.kind.alone
    yield from _levels(Flavour.RCP, policies.rcps, policies.exempt_from_rcps)
    yield from _levels(Flavour.SCP, policies.scps, policies.exempt_from_scps or alone)
    if policies.endpoint is not None:
        yield Flavour.ENDPOINT, (policies.endpoint,), False, ""
    if policies.resource is not None:
        yield resource_layer(policies), (policies.resource,), False, ""
    if policies.grants:
        yield Flavour.RESOURCE, policies.grants, False, "grants"
    yield Flavour.IDENTITY, policies.identity, alone, ""
    if policies.boundary is not None:
        yield Flavour.BOUNDARY, (policies.boundary,), alone, ""
    if policies.session is not None:
        yield Flavour.SESSION, policies.session, alone, ""


def _levels(layer: Flavour, levels: tuple[tuple[Policy, ...], ...], exempt: bool) -> Iterator[Group]:
    for number, level in enumerate(levels, 1):
        of = f"level {number} of {len(levels)} from the root of the organization" if len(levels) > 1 else ""
        yield layer, level, exempt, of


def _note(layer: Flavour, group: tuple[Policy, ...]) -> str:
    if group:
        return ""
    return "no policies attached" if layer is Flavour.IDENTITY else "an empty set allows nothing"


def _verdict(traces: tuple[PolicyTrace, ...]) -> str:
    effects = {s.effect for p in traces for s in p.statements if s.matched}
    return "explicit deny" if "Deny" in effects else "allow" if "Allow" in effects else "no allow"


def _policy(policy: Policy, request: AccessRequest, *, bounded: bool, whole: bool) -> PolicyTrace:
    document = policy.document
    looked_at: Sequence[Statement] = document.statements
    if not whole and len(looked_at) > _SHOWN_WHOLE:
        about = document.candidates(request.action.lower())
        looked_at = sorted((*about.denies, *about.allows), key=lambda statement: statement.index)
    traces = tuple(trace(statement, request, bounded=bounded) for statement in looked_at)
    return PolicyTrace(policy.name, policy.arn, traces, len(document.statements) - len(looked_at))


def trace(statement: Statement, request: AccessRequest, *, bounded: bool = False) -> StatementTrace:
    """A statement against a request, element by element."""
    checks = tuple(_checks(statement, request, bounded))
    matched = all(check.holds for check in checks)
    held = ""
    if matched and statement.principals is not None:
        held = _held(statement.grip(request.principal, bounded=bounded))
    effect = "Allow" if statement.allows else "Deny"
    return StatementTrace(statement.sid, statement.index, effect, matched, checks, held)


def _checks(statement: Statement, request: AccessRequest, bounded: bool) -> Iterator[Check]:
    if statement.principals is not None:
        element = "NotPrincipal" if statement.negates_principals else "Principal"
        holds = bool(statement.grip(request.principal, bounded=bounded))
        yield Check(element, holds, statement.principals.texts, (caller(request),))
    element = "NotAction" if statement.negates_actions else "Action"
    holds = statement.covers_action(request.action.lower())
    yield Check(element, holds, statement.actions.texts, (request.action,))
    if statement.resources is not None:
        element = "NotResource" if statement.negates_resources else "Resource"
        holds = statement.covers_resource(request.resource, request.context)
        yield Check(element, holds, statement.resources.texts, (request.resource,))
    for condition in statement.conditions:
        found = _values(request.context, condition.key)
        yield Check(
            "Condition", condition(request.context), condition.values, found, condition.operator, condition.key
        )


def _held(grip: Grip) -> str:
    if grip is Grip.ACCOUNT:
        return "names the caller's account: the caller's own policies must allow too"
    return "names the caller's role or user, not this session" if grip is Grip.BASE else "names the caller"


def _values(context: Context, key: str) -> tuple[str, ...] | None:
    value = context.get(key)
    return None if value is None else (value,) if isinstance(value, str) else tuple(value)


def _some(values: Sequence[str]) -> str:
    shown = ", ".join(values[:3])
    return f"{shown} and {len(values) - 3} more" if len(values) > 3 else shown or "nothing"
