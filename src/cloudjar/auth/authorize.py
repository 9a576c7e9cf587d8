"""May they: every grant that a call needs is decided by the policy engine, and a refusal is worded as AWS words it.

The decision is kept with the audit event: which statements allowed, or the whole trace of a refusal (`auth.reasons`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from cloudjar.auth import doorway, guardrails, reasons
from cloudjar.auth.environment import Environment, Facts
from cloudjar.auth.identity import Identity
from cloudjar.auth.organization import Organization
from cloudjar.base.caller import Caller, canonical_id
from cloudjar.base.errors import AwsError
from cloudjar.policy.document import parse
from cloudjar.policy.evaluate import AccessRequest, Decision, Policy, PolicySet, decide
from cloudjar.policy.explain import access_denied
from cloudjar.policy.grammar import Flavour
from cloudjar.policy.principal import Kind, Principal
from cloudjar.policy.tell import Account
from cloudjar.spec import regions
from cloudjar.spec.models import speaks_xml
from cloudjar.store.sealer import Sealer
from cloudjar.wire.message import Request

_KINDS = {
    "root": Kind.ROOT,
    "user": Kind.USER,
    "role": Kind.ROLE_SESSION,
    "federated": Kind.FEDERATED_USER,
    "service": Kind.SERVICE,
    "anonymous": Kind.ANONYMOUS,
    "outsider": Kind.WEB_IDENTITY,
}
# A key policy reads like any resource policy; what sets it apart is that it must allow.
_FLAVOURS = {"resource": Flavour.RESOURCE, "key": Flavour.RESOURCE, "trust": Flavour.TRUST}
_NO_POLICIES = PolicySet()
_REMEMBERED = 1024
"""How many callers are kept in the engine's form."""
_ALONE = frozenset(("service", "anonymous", "outsider"))
_WITHOUT_POLICIES = frozenset(("root", "service", "anonymous", "outsider"))
_OF_THE_OWNER = frozenset((Flavour.RESOURCE, Flavour.TRUST, Flavour.RCP))


class Need(Protocol):
    """One thing that must be allowed (the kit's `Grant`)."""

    @property
    def action(self) -> str: ...
    @property
    def resource(self) -> str: ...
    @property
    def keys(self) -> Mapping[str, Any] | None: ...
    @property
    def policy(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def grants(self) -> tuple[str, ...]: ...
    @property
    def rcps(self) -> bool: ...


class Asking(Protocol):
    """Who asks, where and when (the kit's `Ctx`)."""

    @property
    def caller(self) -> Caller: ...
    @property
    def account(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def now(self) -> datetime: ...
    @property
    def request(self) -> Request | None: ...


class Decided(NamedTuple):
    """How a call's authorisation came out."""

    resources: tuple[str, ...]
    text: str
    """For ``cloudjar why``: the form of `policy.tell`."""
    owners: tuple[str, ...] = ()
    """The other accounts whose resources they are."""


N = TypeVar("N", bound=Need)
Surroundings = Callable[[Facts, Mapping[str, Any] | None], Environment]


class Kept(tuple[N, ...]):
    """What a service keeps as one object, for as long as the same must be allowed: then its decision is kept, too."""

    __slots__ = ()


class _Watched(Environment):
    """Condition keys that notice whether any was asked for."""

    __slots__ = ("asked",)

    def __init__(self, facts: Facts, given: Mapping[str, Any] | None) -> None:
        super().__init__(facts, given)
        self.asked = False

    def get(self, key: str, default: Any = None) -> Any:
        self.asked = True
        return super().get(key, default)

    def __iter__(self) -> Iterator[str]:
        self.asked = True
        return super().__iter__()


class _Standing(NamedTuple):
    """A decision, and all that it came from."""

    needs: Kept[Any]
    caller: Caller
    mine: PolicySet
    account: str
    decided: Decided

    def is_of(self, caller: Caller) -> bool:
        """Whether it is about a caller."""
        return self.caller is caller or _is_kept_for_one(caller, self.mine)


def _is_kept_for_one(caller: Caller, mine: PolicySet) -> bool:
    """Whether a set of policies is kept for one principal (of a role: one session name), whatever its credentials."""
    return bool(mine.identity) and caller.kind not in _WITHOUT_POLICIES


def _place(needs: Kept[Any], caller: Caller, mine: PolicySet) -> tuple[int, int]:
    """By identity."""
    return id(needs), id(mine if _is_kept_for_one(caller, mine) else caller)


class Denied(AwsError):
    """A refusal, with what the audit keeps of it."""

    decided: Decided


class Authorizer:
    """Decides all grants of a call; raises `Denied` at the first that is refused."""

    def __init__(
        self,
        identity: Callable[[], Identity],
        sealer: Sealer,
        organization: Callable[[], Organization | None] = lambda: None,
        shut: Callable[[str, str], bool] = lambda account, region: False,
        doors: doorway.FindDoorway = lambda endpoint: None,
    ) -> None:
        self._doors = doors
        self._identity = identity
        self._sealer = sealer
        self._organization = organization
        self._shut = shut
        self._principals: dict[int, tuple[Caller, Principal]] = {}
        self._standing: dict[tuple[int, int], _Standing] = {}

    def __call__(self, ctx: Asking, service: str, needs: Iterable[Need]) -> Decided:
        """`service` is botocore's name and chooses the error's code and words."""
        caller = ctx.caller
        mine = self._policies(caller)
        if type(needs) is Kept:
            known = self._standing.get(_place(needs, caller, mine))
            if known is not None and known.mine is mine and known.needs is needs and known.is_of(caller):
                request = ctx.request
                here = known.account == ctx.account and (request is None or not request.vpce)
                if here and self._organization() is None:  # an RCP bears on what is asked for, not on `mine`
                    return known.decided
            return self._decide_kept(ctx, service, needs, mine)
        return self._decide(ctx, service, tuple(needs), mine, Environment)

    def _decide_kept(self, ctx: Asking, service: str, needs: Kept[Any], mine: PolicySet) -> Decided:
        """Decide, and keep the decision if it came from policies and names alone: no condition key was looked at, no
        organization, other account or endpoint had a say."""
        contexts: list[_Watched] = []

        def watched(facts: Facts, given: Mapping[str, Any] | None) -> Environment:
            contexts.append(_Watched(facts, given))
            return contexts[-1]

        decided = self._decide(ctx, service, needs, mine, watched)
        plain = self._organization() is None and not (ctx.request is not None and ctx.request.vpce)
        own = all(need.owner in ("", ctx.account) for need in needs)
        if plain and own and not any(context.asked for context in contexts):
            if len(self._standing) >= _REMEMBERED:
                self._standing.clear()
            place = _place(needs, ctx.caller, mine)
            self._standing[place] = _Standing(needs, ctx.caller, mine, ctx.account, decided)
        return decided

    def _decide(
        self, ctx: Asking, service: str, needs: tuple[Need, ...], mine: PolicySet, environment: Surroundings
    ) -> Decided:
        if not needs:
            return Decided((), reasons.nothing_needed(ctx.caller))
        caller = ctx.caller
        who = self._principal(caller)
        accounts: list[Account] = []
        for need in needs:
            request, policies = self.question(ctx, service, who, mine, need, environment)
            decision = decide(request, policies)
            if not decision.allowed:
                raise self._refusal(service, needs, request, policies, decision, accounts)
            accounts.append(reasons.granted(need.action, need.resource, decision, caller))
        owners = {need.owner for need in needs if need.owner and need.owner != ctx.account}
        return Decided(tuple([need.resource for need in needs]), reasons.kept(caller, accounts), tuple(owners))

    def _principal(self, caller: Caller) -> Principal:
        """The engine's form of a caller; who signs with one key or session is one object for all of its requests."""
        known = self._principals.get(id(caller))
        if known is None or known[0] is not caller:
            if len(self._principals) >= _REMEMBERED:
                self._principals.clear()
            known = self._principals[id(caller)] = caller, principal(caller)
        return known[1]

    def admit(self, request: Request, service: str) -> None:
        """Refuse a request for a service that is not behind the VPC endpoint that it came by."""
        doorway.admit(self._doors, request, service)

    def _policies(self, caller: Caller) -> PolicySet:
        """What bears on the caller itself: its own policies, its organization's."""
        mine = _NO_POLICIES if caller.kind in _WITHOUT_POLICIES else self._identity().policies(caller)
        organization = self._organization()
        return mine if organization is None else guardrails.around_caller(mine, organization, caller)

    def question(
        self,
        ctx: Asking,
        service: str,
        who: Principal,
        mine: PolicySet,
        need: Need,
        environment: Surroundings = Environment,
    ) -> tuple[AccessRequest, PolicySet]:
        """The engine's input for one grant; `mine` is what bears on the caller."""
        owner = need.owner or ctx.account
        organization = self._organization()
        region = regions.GLOBAL if service in regions.WITHOUT_REGIONS else ctx.region
        context = environment(Facts(ctx.caller, region, ctx.now, ctx.request, owner, organization), need.keys)
        policies = mine
        if need.policy or need.grants or need.kind != "resource":
            policies = with_resource(mine, need)
        through = doorway.policy(self._doors, ctx.request)
        if through is not None:
            policies = replace(policies, endpoint=through)
        if owner != ctx.account and owner and self._shut(owner, ""):  # a closed account consents to nothing any more
            policies = replace(policies, resource=None, grants=())
        if organization is not None and need.rcps:
            policies = guardrails.around_resource(policies, organization, ctx.caller, owner, need.action)
        return AccessRequest(need.action, need.resource, who, context, owner), policies

    def _refusal(
        self,
        service: str,
        needs: tuple[Need, ...],
        request: AccessRequest,
        policies: PolicySet,
        decision: Decision,
        before: list[Account],
    ) -> Denied:
        if request.action == "iam:PassRole" and decision.layer is Flavour.RESOURCE:  # no role has such a policy
            message = "Cross-account pass role is not allowed."
        else:
            told = self._tells_why(request, decision)
            message = access_denied(request, decision, enhanced=told, quoted=service == "s3")
            if service == "s3" and self._is_stranger(request):
                message = "Access Denied"
        denied = _worded(service, message, lambda: self._encoded(request, decision))
        denied.decided = Decided(tuple(need.resource for need in needs), reasons.refused(request, policies, before))
        return denied

    def _tells_why(self, request: AccessRequest, decision: Decision) -> bool:
        """Strangers do not learn which policy of a resource's account refused them; its organization's members do."""
        return decision.layer not in _OF_THE_OWNER or not self._is_stranger(request)

    def _is_stranger(self, request: AccessRequest) -> bool:
        """Whether somebody asks who is neither of the resource's account nor of its organization."""
        mine, theirs = request.principal.account, request.resource_account
        if theirs in ("", mine):
            return False
        organization = self._organization()
        if organization is None:
            return True
        here, there = organization.standing(mine), organization.standing(theirs)
        return here is None or there is None or here.id != there.id

    def _encoded(self, request: AccessRequest, decision: Decision) -> str:
        """EC2's encoded authorization failure message: opened by ``sts:DecodeAuthorizationMessage``."""
        body = reasons.authorization_message(request, decision)
        sealed = self._sealer.seal(msgspec.json.encode(body), "authorization-message")
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def principal(caller: Caller) -> Principal:
    """The engine's form of a caller."""
    return Principal(
        kind=_KINDS[caller.kind],
        arn="" if caller.kind == "anonymous" else caller.arn,
        account=caller.account,
        base_arn=caller.role_arn,
        unique_id=caller.unique_id.partition(":")[0],
        canonical_id=canonical_id(caller.account) if caller.kind not in _ALONE else "",
    )


def with_resource(mine: PolicySet, need: Need) -> PolicySet:
    """The caller's policies and those of the resource."""
    flavour = _FLAVOURS[need.kind]
    return replace(
        mine,
        resource=Policy(parse(need.policy, flavour), f"{need.kind} policy") if need.policy else None,
        grants=tuple(Policy(parse(text, flavour), "grant") for text in need.grants),
        resource_must_allow=need.kind != "resource",
    )


def _worded(service: str, message: str, encoded: Callable[[], str]) -> Denied:
    if service == "ec2":
        return Denied(
            "UnauthorizedOperation",
            f"You are not authorized to perform this operation. {message}. "
            f"Encoded authorization failure message: {encoded()}",
            403,
        )
    if service == "sns":
        return Denied("AuthorizationError", message, 403)
    if speaks_xml(service):
        return Denied("AccessDenied", message, 403)
    return Denied("AccessDeniedException", message, 400)
