"""The decision: may this principal do this to that, given these policies.

Pure and fast: documents are compiled and indexed once, `decide` only looks up and compares.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import msgspec

from cloudjar.policy.document import Document, Statement
from cloudjar.policy.grammar import Flavour
from cloudjar.policy.match import Context
from cloudjar.policy.principal import Grip, Kind, Principal

NEED_NO_PERMISSION = frozenset(("sts:getcalleridentity",))
"""Actions that AWS answers for everyone with valid credentials, even under an explicit deny."""

_WITHOUT_POLICIES = frozenset((Kind.SERVICE, Kind.WEB_IDENTITY, Kind.ANONYMOUS))


class Policy(msgspec.Struct, frozen=True, gc=False):
    """A document with the name and ARN by which it is explained; `arn` is empty for inline policies."""

    document: Document
    name: str = ""
    arn: str = ""


class AccessRequest(msgspec.Struct, frozen=True, gc=False):
    """One action on one resource.

    `action` is ``service:Name``, `resource` an ARN or ``*`` where the action knows no resource.
    `resource_account` owns the resource; empty means the principal's own account. `context` maps
    condition keys in lower case to a value or a list of values.
    """

    action: str
    resource: str
    principal: Principal
    context: Context
    resource_account: str = ""


class PolicySet(msgspec.Struct, frozen=True, kw_only=True):
    """Every policy that bears on a request.

    `session` is None when the session has none; an empty tuple allows nothing (a federated user without
    session policies). `scps` and `rcps` are levels from the root of the organization down to the
    account, each of which must allow; `exempt_from_scps` is for the management account and
    service-linked roles, `exempt_from_rcps` for resources of the management account and calls by
    service-linked roles. `resource` is the resource policy, or the role's trust policy;
    `resource_must_allow` is for resources whose policy is the root of trust (KMS keys, roles): then
    identity policies count only where that policy names the caller's account. `endpoint` is the policy
    of the VPC endpoint the request came through, None when it came through none.
    """

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None
    scps: tuple[tuple[Policy, ...], ...] = ()
    rcps: tuple[tuple[Policy, ...], ...] = ()
    resource: Policy | None = None
    endpoint: Policy | None = None
    resource_must_allow: bool = False
    exempt_from_scps: bool = False
    exempt_from_rcps: bool = False


class Reason(Enum):
    """Why a decision is what it is."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


class Match(msgspec.Struct, frozen=True, gc=False):
    """A statement that decided: the layer it acted in, its policy, itself."""

    layer: Flavour
    policy: Policy
    statement: Statement


class Decision(msgspec.Struct, frozen=True, gc=False):
    """The answer. `layer` is the one that denied, or that lacked an allow; None when allowed.

    `matches` holds the denying statement, or, for an allowed request, one allowing statement of each layer.
    """

    reason: Reason
    layer: Flavour | None = None
    matches: tuple[Match, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the request may proceed."""
        return self.reason is Reason.ALLOWED


_FREE = Decision(Reason.ALLOWED)
_LACKING = {layer: Decision(Reason.IMPLICIT_DENY, layer) for layer in Flavour}


def decide(request: AccessRequest, policies: PolicySet) -> Decision:
    """AWS's evaluation: an explicit deny anywhere wins, then every layer that applies must allow.

    Explicit denies are reported in the order RCP, SCP, endpoint, resource, identity, boundary, session;
    the layer of an implicit deny likewise, except that the resource's comes after the organization's.
    """
    action = request.action.lower()
    if action in NEED_NO_PERMISSION:
        return _FREE
    arn, context, who = request.resource, request.context, request.principal
    found: list[Match] = []
    lacking: Flavour | None = None

    if policies.rcps or policies.scps:
        for layer, level in _organization(policies):
            match = _scan(layer, level, action, arn, context)
            if match is None:
                lacking = lacking or layer
            elif match.statement.allows:
                found.append(match)
            else:
                return _denied(match)

    grip = Grip.NONE
    if policies.endpoint is not None or policies.resource is not None:
        for layer, policy in _named(policies):
            match, held = _scan_named(layer, policy, action, request, policies.boundary is not None)
            if match is not None and not match.statement.allows:
                return _denied(match)
            if layer is Flavour.ENDPOINT:
                lacking = lacking or (Flavour.ENDPOINT if match is None else None)
            else:
                grip = held
            if match is not None:
                found.append(match)

    identity = boundary = session = None
    if who.kind not in _WITHOUT_POLICIES:
        identity = _scan(Flavour.IDENTITY, policies.identity, action, arn, context)
        if identity is not None and not identity.statement.allows:
            return _denied(identity)
        if policies.boundary is not None:
            boundary = _scan(Flavour.BOUNDARY, (policies.boundary,), action, arn, context)
            if boundary is not None and not boundary.statement.allows:
                return _denied(boundary)
        if policies.session is not None:
            session = _scan(Flavour.SESSION, policies.session, action, arn, context)
            if session is not None and not session.statement.allows:
                return _denied(session)

    lacking = lacking or _lacking(request, policies, grip, identity, boundary, session)
    if lacking is not None:
        return _LACKING[lacking]
    for match in (identity, boundary, session):
        if match is not None:
            found.append(match)
    return Decision(Reason.ALLOWED, None, tuple(found))


def _denied(match: Match) -> Decision:
    return Decision(Reason.EXPLICIT_DENY, match.layer, (match,))


def _organization(policies: PolicySet) -> Iterable[tuple[Flavour, tuple[Policy, ...]]]:
    if not policies.exempt_from_rcps:
        for level in policies.rcps:
            yield Flavour.RCP, level
    if not policies.exempt_from_scps:
        for level in policies.scps:
            yield Flavour.SCP, level


def _named(policies: PolicySet) -> Iterable[tuple[Flavour, Policy]]:
    if policies.endpoint is not None:
        yield Flavour.ENDPOINT, policies.endpoint
    if policies.resource is not None:
        yield resource_layer(policies), policies.resource


def resource_layer(policies: PolicySet) -> Flavour:
    """Whether the resource's own policy is a role's trust policy or a plain resource policy."""
    trust = policies.resource is not None and policies.resource.document.flavour is Flavour.TRUST
    return Flavour.TRUST if trust else Flavour.RESOURCE


def _scan(layer: Flavour, policies: tuple[Policy, ...], action: str, arn: str, context: Context) -> Match | None:
    """The first statement that denies, else the first that allows, else None."""
    allow: Match | None = None
    for policy in policies:
        document = policy.document
        found = document.known.get(action)
        denies, allows = document.candidates(action) if found is None else found
        for statement in denies:
            if statement.applies(arn, context):
                return Match(layer, policy, statement)
        if allow is None:
            for statement in allows:
                if statement.applies(arn, context):
                    allow = Match(layer, policy, statement)
                    break
    return allow


def _scan_named(
    layer: Flavour, policy: Policy, action: str, request: AccessRequest, bounded: bool
) -> tuple[Match | None, Grip]:
    """Like `_scan` for a policy that names principals: the allow that holds the caller most directly."""
    who, arn, context = request.principal, request.resource, request.context
    denies, allows = policy.document.candidates(action)
    for statement in denies:
        if statement.grip(who, bounded=bounded) and statement.applies(arn, context):
            return Match(layer, policy, statement), Grip.NONE
    best: Statement | None = None
    grip = Grip.NONE
    for statement in allows:
        held = statement.grip(who, bounded=bounded)
        if held > grip and statement.applies(arn, context):
            best, grip = statement, held
    return (None if best is None else Match(layer, policy, best)), grip


def _lacking(
    request: AccessRequest,
    policies: PolicySet,
    grip: Grip,
    identity: Match | None,
    boundary: Match | None,
    session: Match | None,
) -> Flavour | None:
    """The layer whose missing allow denies the request; None when nothing is missing."""
    who = request.principal
    if who.kind in _WITHOUT_POLICIES:
        return None if grip is Grip.DIRECT else resource_layer(policies)
    limit: Flavour | None = None
    if policies.boundary is not None and boundary is None:
        limit = Flavour.BOUNDARY
    elif policies.session is not None and session is None:
        limit = Flavour.SESSION
    own = Flavour.IDENTITY if identity is None and who.kind is not Kind.ROOT else limit
    if request.resource_account and request.resource_account != who.account:
        return resource_layer(policies) if grip is Grip.NONE else own
    if grip is Grip.DIRECT:
        return None
    if grip is Grip.BASE:
        return limit
    if policies.resource_must_allow and grip is Grip.NONE:
        return resource_layer(policies)
    return own
