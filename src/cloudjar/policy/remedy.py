"""What it would take: the smallest statements that would allow a refused request, or what stands in the way of any.

Found by trying: as long as the engine says that a layer lacks an allow, the smallest statement is added to that
layer, and the engine is asked again. So what is proposed is what the engine would accept.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from cloudjar.policy.document import parse
from cloudjar.policy.evaluate import AccessRequest, Policy, PolicySet, Reason, decide, resource_layer
from cloudjar.policy.explain import Check, Trace, explain
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.policy.principal import Kind, Principal

_WHERE = {
    Flavour.SCP: "a service control policy at each level without an allow (root, organizational unit, account)",
    Flavour.RCP: "a resource control policy at each level without an allow",
    Flavour.ENDPOINT: "the policy of the VPC endpoint that the request came through",
    Flavour.BOUNDARY: "the permissions boundary",
    Flavour.SESSION: "the session policy that was passed when the session was made",
}


class Addition(msgspec.Struct, frozen=True):
    """A statement to add, and the policy to add it to in words."""

    layer: Flavour
    where: str
    statement: dict[str, Any]


class Obstacle(msgspec.Struct, frozen=True):
    """A Deny that matches: no allow helps while it does."""

    layer: Flavour
    policy: str
    statement: str


class Near(msgspec.Struct, frozen=True):
    """An Allow that fails on one element only."""

    policy: str
    statement: str
    check: Check


class Remedy(msgspec.Struct, frozen=True):
    """What would help: all `additions` together, or nothing while there are `obstacles`. `near` are Allows that nearly
    match."""

    additions: tuple[Addition, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    near: tuple[Near, ...] = ()


def remedy(request: AccessRequest, policies: PolicySet, trace: Trace | None = None) -> Remedy:
    """What would allow a refused request; empty for one that is allowed. `trace` is its explanation, if at hand."""
    trace = trace or explain(request, policies)
    if trace.decision.allowed:
        return Remedy()
    if trace.decision.reason is Reason.EXPLICIT_DENY:
        return Remedy(obstacles=tuple(_obstacles(trace)))
    additions, _ = additions_for(request, policies)
    return Remedy(additions, (), tuple(_near(trace)))


def additions_for(request: AccessRequest, policies: PolicySet) -> tuple[tuple[Addition, ...], PolicySet]:
    """The statements that are lacking, one for each layer that lacks one, and the policies with them."""
    additions: list[Addition] = []
    decision = decide(request, policies)
    while decision.reason is Reason.IMPLICIT_DENY:
        layer = decision.layer
        assert layer is not None  # an implicit deny names what lacks
        if any(layer is addition.layer for addition in additions):
            raise AssertionError(f"a statement for this very request in a {layer.value} does not allow it")
        statement = smallest(request, layer, escapes=_escapes(policies, layer))
        try:
            policies = _with(request, policies, layer, statement)
        except PolicySyntaxError:  # an ARN of nowhere: no policy can name it
            return (), policies
        additions.append(Addition(layer, _place(request, layer), statement))
        decision = decide(request, policies)
    return tuple(additions), policies


def _escapes(policies: PolicySet, layer: Flavour) -> bool:
    """Whether a wildcard can be escaped there: the old version of the language has no ``${*}``."""
    present = {Flavour.RESOURCE: policies.resource, Flavour.ENDPOINT: policies.endpoint}.get(layer)
    return present is None or present.document.version == "2012-10-17"


def smallest(request: AccessRequest, layer: Flavour, *, escapes: bool = True) -> dict[str, Any]:
    """The statement that allows this action on this resource, and this caller where the policy names principals."""
    statement: dict[str, Any] = {"Effect": "Allow"}
    if layer in (Flavour.RESOURCE, Flavour.TRUST):
        statement["Principal"] = _named(request.principal)
    elif layer in (Flavour.RCP, Flavour.ENDPOINT):
        statement["Principal"] = "*"
    statement["Action"] = request.action
    if layer is not Flavour.TRUST:
        statement["Resource"] = _exactly(request.resource) if escapes else request.resource
    return statement


def _named(who: Principal) -> Any:
    if who.kind is Kind.ANONYMOUS:
        return "*"
    if who.kind is Kind.SERVICE:
        return {"Service": who.arn}
    if who.kind is Kind.WEB_IDENTITY:
        return {"Federated": who.arn}
    return {"AWS": who.base_arn or who.arn}


def _exactly(arn: str) -> str:
    """An ARN as a Resource value that matches nothing else. A last part ``*`` stands for what is not known yet."""
    if arn == "*":
        return arn
    head, tail = (arn[:-2], arn[-2:]) if arn.endswith(("/*", ":*")) else (arn, "")
    escaped = head.replace("${", "${$}{").replace("?", "${?}")
    return _stars(escaped) + tail


def _stars(text: str) -> str:
    """Stars within a name are escaped; a part that is nothing but a star is a wildcard of the request itself."""
    return ":".join(part if part == "*" else part.replace("*", "${*}") for part in text.split(":"))


def _place(request: AccessRequest, layer: Flavour) -> str:
    who = request.principal
    if layer is Flavour.RESOURCE:
        return f"the resource-based policy of {request.resource}"
    if layer is Flavour.TRUST:
        return f"the trust policy of {request.resource}"
    if layer is not Flavour.IDENTITY:
        return _WHERE[layer]
    owner = who.base_arn or who.arn
    groups = "" if who.kind is Kind.ROLE_SESSION else ", or to a group of the user"
    return f"a policy embedded in or attached to {owner}{groups}"


def _with(request: AccessRequest, policies: PolicySet, layer: Flavour, statement: dict[str, Any]) -> PolicySet:
    text = msgspec.json.encode({"Version": "2012-10-17", "Statement": [statement]}).decode()
    flavour = layer
    if layer is Flavour.RESOURCE or layer is Flavour.TRUST:
        flavour = resource_layer(policies) if policies.resource is not None else layer
    added = Policy(parse(text, flavour), "the addition")
    match layer:
        case Flavour.IDENTITY:
            return replace(policies, identity=(*policies.identity, added))
        case Flavour.SESSION:
            return replace(policies, session=(*(policies.session or ()), added))
        case Flavour.SCP:
            return replace(policies, scps=tuple((*level, added) for level in policies.scps))
        case Flavour.RCP:
            return replace(policies, rcps=tuple((*level, added) for level in policies.rcps))
        case Flavour.BOUNDARY:
            return replace(policies, boundary=_joined(policies.boundary, statement, layer))
        case Flavour.ENDPOINT:
            return replace(policies, endpoint=_joined(policies.endpoint, statement, layer))
        case _:
            return replace(policies, resource=_joined(policies.resource, statement, flavour))


def _joined(policy: Policy | None, statement: dict[str, Any], flavour: Flavour) -> Policy:
    """The document with one statement more."""
    if policy is None:
        document: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    else:
        document = msgspec.json.decode(policy.document.text)
    present = document["Statement"]
    document["Statement"] = [*(present if isinstance(present, list) else [present]), statement]
    return Policy(parse(msgspec.json.encode(document).decode(), flavour), "" if policy is None else policy.name)


def _obstacles(trace: Trace) -> list[Obstacle]:
    return [
        Obstacle(layer.layer, policy.arn or policy.name, _label(statement.sid, statement.index))
        for layer in trace.layers
        if layer.verdict == "explicit deny"
        for policy in layer.policies
        for statement in policy.statements
        if statement.matched and statement.effect == "Deny"
    ]


def _near(trace: Trace) -> list[Near]:
    found = []
    for layer in trace.layers:
        if layer.layer is not trace.decision.layer or layer.verdict != "no allow":
            continue
        for policy in layer.policies:
            for statement in policy.statements:
                failing = [check for check in statement.checks if not check.holds]
                if statement.effect == "Allow" and len(failing) == 1 and failing[0].element != "Action":
                    found.append(Near(policy.arn or policy.name, _label(statement.sid, statement.index), failing[0]))
    return found


def _label(sid: str, index: int) -> str:
    return f"statement {index + 1}" + (f" {sid}" if sid else "")
