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
    of the VPC endpoint the request came through, None when it came through none. `grants` are documents
    that allow beside the resource policy, as KMS grants do.
    """

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None
    scps: tuple[tuple[Policy, ...], ...] = ()
    rcps: tuple[tuple[Policy, ...], ...] = ()
    resource: Policy | None = None
    grants: tuple[Policy, ...] = ()
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


# Members of enumerations cost a metaclass look-up each time they are named; decisions are made too often for that.
_IDENTITY, _BOUNDARY, _SESSION, _ENDPOINT = Flavour.IDENTITY, Flavour.BOUNDARY, Flavour.SESSION, Flavour.ENDPOINT
_UNNAMED, _THROUGH_BASE, _DIRECTLY = Grip.NONE, Grip.BASE, Grip.DIRECT
_ROOT, _ALLOWED = Kind.ROOT, Reason.ALLOWED

_Own = tuple[Match | None, Match | None, Match | None]
_NOTHING: _Own = (None, None, None)
_FREE = Decision(Reason.ALLOWED)
_LACKING = {layer: Decision(Reason.IMPLICIT_DENY, layer) for layer in Flavour}


def decide(request: AccessRequest, policies: PolicySet) -> Decision:
    """AWS's evaluation: an explicit deny anywhere wins, then every layer that applies must allow.

    Explicit denies are reported in the order RCP, SCP, endpoint, resource, identity, boundary, session;
    of missing allows, the organization's and the endpoint's come first.
    """
    action = request.action.lower()
    if action in NEED_NO_PERMISSION:
        return _FREE
    found: list[Match] = []
    lacking: Flavour | None = None
    if policies.rcps or policies.scps:
        lacking = _scan_organization(request, policies, action, found)
        if found and not found[-1].statement.allows:
            return _denied(found[-1])
    grip = _UNNAMED
    if policies.resource is not None or policies.endpoint is not None or policies.grants:
        for layer, policy in _named(policies):
            match, held = _scan_named(layer, policy, action, request, policies.boundary is not None)
            if match is None:
                lacking = lacking or (_ENDPOINT if layer is _ENDPOINT else None)
                continue
            if not match.statement.allows:
                return _denied(match)
            if layer is not _ENDPOINT:
                grip = max(grip, held)
            found.append(match)
    own = _NOTHING if request.principal.kind.alone else _scan_own(request, policies, action)
    for mine in own:
        if mine is not None:
            if not mine.statement.allows:
                return _denied(mine)
            found.append(mine)
    lacking = lacking or _lacking(request, policies, grip, own)
    return Decision(_ALLOWED, None, tuple(found)) if lacking is None else _LACKING[lacking]


def _denied(match: Match) -> Decision:
    return Decision(Reason.EXPLICIT_DENY, match.layer, (match,))


def organization(request: AccessRequest, policies: PolicySet) -> Iterable[tuple[Flavour, tuple[Policy, ...]]]:
    """The levels of RCPs and SCPs that bear on a request; SCPs do not bear on callers without an account."""
    if not policies.exempt_from_rcps:
        for level in policies.rcps:
            yield Flavour.RCP, level
    if not policies.exempt_from_scps and not request.principal.kind.alone:
        for level in policies.scps:
            yield Flavour.SCP, level


def _scan_organization(request: AccessRequest, policies: PolicySet, action: str, found: list[Match]) -> Flavour | None:
    """The first layer with a level that does not allow; what matched goes to `found`, up to the first deny."""
    lacking: Flavour | None = None
    for layer, level in organization(request, policies):
        match = _scan(layer, level, action, request.resource, request.context)
        if match is None:
            lacking = lacking or layer
            continue
        found.append(match)
        if not match.statement.allows:
            break
    return lacking


def _named(policies: PolicySet) -> Iterable[tuple[Flavour, Policy]]:
    if policies.endpoint is not None:
        yield _ENDPOINT, policies.endpoint
    if policies.resource is not None:
        yield resource_layer(policies), policies.resource
    for grant in policies.grants:
        yield Flavour.RESOURCE, grant


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
        denies, allows = (document.candidates(action) if found is None else found).about(arn)
        for statement in denies:
            if statement.needle in arn and statement.applies(arn, context):
                return Match(layer, policy, statement)
        if allow is None:
            for statement in allows:
                if statement.needle in arn and statement.applies(arn, context):
                    allow = Match(layer, policy, statement)
                    break
    return allow


def _scan_own(request: AccessRequest, policies: PolicySet, action: str) -> _Own:
    """What the caller's identity, boundary and session policies say."""
    arn, context = request.resource, request.context
    boundary = session = None
    identity = _scan(_IDENTITY, policies.identity, action, arn, context)
    if policies.boundary is not None:
        boundary = _scan(_BOUNDARY, (policies.boundary,), action, arn, context)
    if policies.session is not None:
        session = _scan(_SESSION, policies.session, action, arn, context)
    return identity, boundary, session


def _scan_named(
    layer: Flavour, policy: Policy, action: str, request: AccessRequest, bounded: bool
) -> tuple[Match | None, Grip]:
    """Like `_scan` for a policy that names principals: the allow that holds the caller most directly."""
    who, arn, context = request.principal, request.resource, request.context
    denies, allows = policy.document.candidates(action)
    for statement in denies:
        if statement.grip(who, bounded=bounded) and statement.applies(arn, context):
            return Match(layer, policy, statement), _UNNAMED
    best: Statement | None = None
    grip = _UNNAMED
    for statement in allows:
        held = statement.grip(who, bounded=bounded)
        if held > grip and statement.applies(arn, context):
            best, grip = statement, held
    return (None if best is None else Match(layer, policy, best)), grip


def _lacking(request: AccessRequest, policies: PolicySet, grip: Grip, mine: _Own) -> Flavour | None:
    """The layer whose missing allow denies the request; None when nothing is missing."""
    who = request.principal
    identity, boundary, session = mine
    if who.kind.alone:
        return None if grip is _DIRECTLY else resource_layer(policies)
    limit: Flavour | None = None
    if policies.boundary is not None and boundary is None:
        limit = _BOUNDARY
    elif policies.session is not None and session is None:
        limit = _SESSION
    own = _IDENTITY if identity is None and who.kind is not _ROOT else limit
    if request.resource_account and request.resource_account != who.account:
        return resource_layer(policies) if grip is _UNNAMED else own
    if grip is _DIRECTLY:
        return None
    if grip is _THROUGH_BASE:
        return limit
    if policies.resource_must_allow and grip is _UNNAMED:
        return resource_layer(policies)
    return own
