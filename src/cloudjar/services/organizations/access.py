"""Who may ask Organizations what.

Two gates, as on AWS: the caller's own policies must allow the action on the ARN (`authorize`, by the grants made
here), and his account must be one that may ask: the management account, for reads also a delegated administrator,
for some operations any member, and whoever the organization's resource policy names for what it names.

The things of an organization lie in the management account, but who in a member account may see them is not decided
by resource policies of theirs: so grants are made as if things were the caller's own.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_permissions_overview.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Literal

from cloudjar.auth.authorize import principal
from cloudjar.auth.environment import Environment, Facts
from cloudjar.base import arn as arns
from cloudjar.kit import accounts, tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Access, Grant, Handler, keys_of_resource, op
from cloudjar.kit.record import arn_of
from cloudjar.policy.document import parse
from cloudjar.policy.evaluate import AccessRequest, Policy, PolicySet, decide
from cloudjar.policy.grammar import Flavour
from cloudjar.services.organizations import errors
from cloudjar.services.organizations.managed import policy_arn
from cloudjar.services.organizations.records import Delegation, Handshake, StoredPolicy
from cloudjar.services.organizations.tree import Node, Org, of_account
from cloudjar.spec import iam
from cloudjar.spec.arn_template import Lookup

Who = Literal["management", "reader", "member"]
OrgHandler = Callable[[Ctx, Org, dict[str, Any]], dict[str, Any]]

DELEGABLE = frozenset((
    "AttachPolicy", "CreatePolicy", "DeletePolicy", "DescribeAccount", "DescribeCreateAccountStatus",
    "DescribeEffectivePolicy", "DescribeHandshake", "DescribeOrganization", "DescribeOrganizationalUnit",
    "DescribePolicy", "DescribeResourcePolicy", "DetachPolicy", "DisablePolicyType", "EnablePolicyType",
    "ListAWSServiceAccessForOrganization", "ListAccounts", "ListAccountsForParent", "ListChildren",
    "ListCreateAccountStatus", "ListDelegatedAdministrators", "ListDelegatedServicesForAccount",
    "ListHandshakesForAccount", "ListHandshakesForOrganization", "ListOrganizationalUnitsForParent", "ListParents",
    "ListPolicies", "ListPoliciesForTarget", "ListRoots", "ListTagsForResource", "ListTargetsForPolicy", "TagResource",
    "UntagResource", "UpdatePolicy",
))  # fmt: skip
"""What a resource policy may leave to member accounts."""

_ALLOWED = Policy(
    parse('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', Flavour.IDENTITY),
    "what the caller's own policies were found to allow",
)


def operation(name: str, by: Who = "management", **options: Any) -> Callable[[OrgHandler], Handler]:
    """The kit's `op` for what is asked of an organization: the handler gets it; who may not ask is refused."""

    def declare(handler: OrgHandler) -> Handler:
        @wraps(handler)
        def asked(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
            return handler(ctx, admitted(ctx, name, by, req), req)

        return op(name, access=grants_of(name), **options)(asked)

    return declare


def admitted(ctx: Ctx, name: str, by: Who, req: dict[str, Any]) -> Org:
    """The caller's organization; raises AWS's answer when his account may not ask this."""
    found = of_account(ctx.db, ctx.account)
    if found is None:
        raise errors.not_in_use()
    org, member = found
    if by == "member" or ctx.account == org.management or (by == "reader" and member.delegations):
        return org
    if name in DELEGABLE and _delegated(ctx, org, name, req):
        return org
    raise errors.not_permitted()


def _delegated(ctx: Ctx, org: Org, name: str, req: dict[str, Any]) -> bool:
    """Whether the organization's resource policy leaves this to the caller."""
    rules = org.db[Delegation].all()
    if not rules:
        return False
    policies = PolicySet(identity=(_ALLOWED,), resource=Policy(parse(rules[0].content, Flavour.RESOURCE), "delegation"))
    who, place = principal(ctx.caller), ctx.world.ports["organization"]()
    facts = Facts(ctx.caller, ctx.region, ctx.now, ctx.request, org.management, place)
    for grant in grants_of(name)(ctx, req):
        context = Environment(facts, grant.keys)
        if not decide(AccessRequest(grant.action, grant.resource, who, context, org.management), policies).allowed:
            return False
    return True


def grants_of(name: str) -> Access:
    """What an operation's caller must be allowed, by the authorization table and what is stored."""

    def grants(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
        found = of_account(ctx.db, ctx.account)
        org = found[0] if found is not None else None
        common = _request_keys(req)
        met: dict[str, Node | StoredPolicy | Handshake] = {}

        def find(ask: Lookup) -> str | None:
            return _arn(ctx, org, ask, met)

        for entry in iam.authorization("organizations", name):
            if not entry.applies(req):
                continue
            for spec, text in entry.targets(req, arns.PARTITION, "", ctx.account, find):
                item = met.get(text)
                keys = common if item is None or spec is None else {**_item_keys(spec.type, item), **common}
                yield Grant(entry.action, text, keys or None)

    return grants


def _arn(ctx: Ctx, org: Org | None, ask: Lookup, met: dict[str, Any]) -> str | None:
    kind = ask.kind.partition(":")[2]
    item: Node | StoredPolicy | Handshake | None = None
    if not ask.value:
        return None
    if kind == "handshake":
        asked = ctx.db.find(Handshake, ask.value)
        # Strangers are not even told whose it is.
        item = asked if asked is not None and is_party(ctx, asked) else None
    elif org is not None:
        item = org.policy(ask.value) if kind == "policy" else org.node(ask.value)
    if item is None:
        return None
    text = policy_arn(item) if isinstance(item, StoredPolicy) else arn_of(item)
    met[text] = item
    return text


def is_party(ctx: Ctx, handshake: Handshake) -> bool:
    """Whether the caller's account asked or is asked."""
    return handshake.account == ctx.account or is_asked(ctx, handshake)


def is_asked(ctx: Ctx, handshake: Handshake) -> bool:
    """Whether the caller's account is the one that is asked: by its number, or by its address."""
    if handshake.target == ctx.account:
        return True
    return "@" in handshake.target and accounts.described(ctx.db, ctx.account).email == handshake.target


def _item_keys(noun: str, item: Any) -> dict[str, Any]:
    keys = keys_of_resource("organizations", noun, item)
    if isinstance(item, StoredPolicy):
        keys["organizations:policytype"] = item.type
    return keys


def _request_keys(req: dict[str, Any]) -> dict[str, Any]:
    keys = tags.request_keys(tags.from_list(req.get("Tags") or ()))
    if req.get("TagKeys"):
        keys["aws:tagkeys"] = req["TagKeys"]
    kind = req.get("PolicyType") or req.get("Type") or req.get("Filter")
    if isinstance(kind, str):
        keys["organizations:policytype"] = kind
    if req.get("ServicePrincipal"):
        keys["organizations:serviceprincipal"] = req["ServicePrincipal"]
    return keys
