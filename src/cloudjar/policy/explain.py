"""Decisions in words: AWS's access-denied messages, and a trace of every statement for people.

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


def access_denied(request: AccessRequest, decision: Decision, *, enhanced: bool = True, quoted: bool = False) -> str:
    """The message of AWS's access-denied error.

    `enhanced` adds which kind of policy is to blame; AWS leaves that out across organizations. `quoted`
    puts the resource in double quotes, as S3 does. Role trust policies are worded without the resource.
    """
    if decision.allowed:
        raise ValueError("an allowed request has no access-denied message")
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


class StatementTrace(msgspec.Struct, frozen=True):
    """One statement looked at: whether it matched and, if not, on which element it failed and why."""

    sid: str
    index: int
    effect: str
    matched: bool
    failed_on: str = ""
    detail: str = ""


class PolicyTrace(msgspec.Struct, frozen=True):
    """One policy looked at."""

    name: str
    arn: str
    statements: tuple[StatementTrace, ...]


class LayerTrace(msgspec.Struct, frozen=True):
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


def explain(request: AccessRequest, policies: PolicySet) -> Trace:
    """Decide again, slowly, and write down why."""
    bounded = policies.boundary is not None
    layers: list[LayerTrace] = []
    wanted: set[str] = set()
    for layer, group, exempt in _groups(request, policies):
        traces = tuple(_policy(p, request, bounded) for p in group)
        layers.append(LayerTrace(layer, "exempt" if exempt else _verdict(traces), traces, _note(layer, group)))
        for policy in () if exempt else group:
            for statements in policy.document.candidates(request.action.lower()):
                wanted.update(*(s.keys for s in statements))
    values = {key: request.context.get(key) for key in sorted(wanted)}
    keys = {key: value for key, value in values.items() if value is not None}
    return Trace(request, decide(request, policies), tuple(layers), keys, tuple(k for k in values if k not in keys))


def _groups(request: AccessRequest, policies: PolicySet) -> Iterator[tuple[Flavour, tuple[Policy, ...], bool]]:
    """(layer, policies, exempt) in the order of evaluation."""
    alone = request.principal.kind.alone
    for level in policies.rcps:
        yield Flavour.RCP, level, policies.exempt_from_rcps
    for level in policies.scps:
        yield Flavour.SCP, level, policies.exempt_from_scps or alone
    if policies.endpoint is not None:
        yield Flavour.ENDPOINT, (policies.endpoint,), False
    if policies.resource is not None:
        yield resource_layer(policies), (policies.resource,), False
    if policies.grants:
        yield Flavour.RESOURCE, policies.grants, False
    yield Flavour.IDENTITY, policies.identity, alone
    if policies.boundary is not None:
        yield Flavour.BOUNDARY, (policies.boundary,), alone
    if policies.session is not None:
        yield Flavour.SESSION, policies.session, alone


def _note(layer: Flavour, group: tuple[Policy, ...]) -> str:
    if group:
        return ""
    return "no policies attached" if layer is Flavour.IDENTITY else "an empty set allows nothing"


def _verdict(traces: tuple[PolicyTrace, ...]) -> str:
    effects = {s.effect for p in traces for s in p.statements if s.matched}
    return "explicit deny" if "Deny" in effects else "allow" if "Allow" in effects else "no allow"


def _policy(policy: Policy, request: AccessRequest, bounded: bool) -> PolicyTrace:
    traces = []
    for statement in policy.document.statements:
        failed, detail = failure(statement, request, bounded=bounded)
        effect = "Allow" if statement.allows else "Deny"
        if not failed and statement.principals is not None:
            detail = _held(statement.grip(request.principal, bounded=bounded))
        traces.append(StatementTrace(statement.sid, statement.index, effect, not failed, failed, detail))
    return PolicyTrace(policy.name, policy.arn, tuple(traces))


def _held(grip: Grip) -> str:
    if grip is Grip.ACCOUNT:
        return "names the caller's account: the caller's own policies must allow too"
    return "names the caller's role or user, not this session" if grip is Grip.BASE else "names the caller"


def failure(statement: Statement, request: AccessRequest, *, bounded: bool = False) -> tuple[str, str]:
    """The first element on which a statement does not match a request, with the reason; empty when it matches."""
    if not statement.grip(request.principal, bounded=bounded):
        negated = "Not" if statement.negates_principals else ""
        listed = statement.principals.texts if statement.principals else ()
        return f"{negated}Principal", f"{caller(request)} against {_some(listed)}"
    if not statement.covers_action(request.action.lower()):
        negated = "Not" if statement.negates_actions else ""
        return f"{negated}Action", f"{request.action} against {_some(statement.actions.texts)}"
    if not statement.covers_resource(request.resource, request.context):
        negated = "Not" if statement.negates_resources else ""
        listed = statement.resources.texts if statement.resources else ()
        return f"{negated}Resource", f"{request.resource} against {_some(listed)}"
    for condition in statement.conditions:
        if not condition(request.context):
            return "Condition", f"{condition}: the request has {_value(request.context, condition.key)}"
    return "", ""


def _some(values: Sequence[str]) -> str:
    shown = ", ".join(values[:3])
    return f"{shown} and {len(values) - 3} more" if len(values) > 3 else shown or "nothing"


def _value(context: Context, key: str) -> str:
    value = context.get(key)
    if value is None:
        return "no such key"
    return value if isinstance(value, str) else ", ".join(value) or "an empty list"


def render(trace: Trace) -> str:
    """The trace for a person: the outcome, then every policy and statement, then the keys."""
    request, decision = trace.request, trace.decision
    outcome = "ALLOWED" if decision.allowed else "DENIED"
    lines = [f"{outcome}  {caller(request)}  {request.action}  {request.resource}"]
    if not decision.allowed:
        lines.append(f"  {blame(request, decision)}")
    for match in decision.matches:
        lines.append(f"  decided by {_name(match.policy.name, match.policy.arn)}, {_label(match.statement)}")
    for layer in trace.layers:
        lines.append(f"{layer.layer.value}: {layer.verdict}" + (f" ({layer.note})" if layer.note else ""))
        for policy in layer.policies:
            lines.append(f"  {_name(policy.name, policy.arn)}")
            lines.extend(f"    {_line(s)}" for s in policy.statements)
    lines.extend(f"key {key} = {_value(trace.keys, key)}" for key in trace.keys)
    lines.extend(f"key {key} is not in the request" for key in trace.missing)
    return "\n".join(lines)


def _name(name: str, arn: str) -> str:
    return f"{name} ({arn})" if name and arn else name or arn or "(unnamed)"


def _label(statement: Statement) -> str:
    return f"statement {statement.index + 1}" + (f" {statement.sid}" if statement.sid else "")


def _line(trace: StatementTrace) -> str:
    label = f"statement {trace.index + 1}" + (f" {trace.sid}" if trace.sid else "")
    if trace.matched:
        return f"{label}  {trace.effect}  matches" + (f": {trace.detail}" if trace.detail else "")
    return f"{label}  {trace.effect}  no match on {trace.failed_on}: {trace.detail}"
