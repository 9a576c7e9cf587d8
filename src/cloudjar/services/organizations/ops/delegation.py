"""The organization's resource policy: what of its own administration it leaves to member accounts.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
"""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.policy.document import parse
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.policy.match import ActionSet
from cloudjar.services.organizations import errors, limits
from cloudjar.services.organizations.access import DELEGABLE, operation
from cloudjar.services.organizations.naming import new_id
from cloudjar.services.organizations.ops.tagging import checked_tags
from cloudjar.services.organizations.records import Delegation, Member
from cloudjar.services.organizations.tree import Org
from cloudjar.spec import iam

_ACTIONS = frozenset(
    entry.action.lower() for name in DELEGABLE for entry in iam.authorization("organizations", name)
)


def _show(rules: Delegation) -> dict[str, Any]:
    return {"ResourcePolicySummary": {"Id": rules.id, "Arn": arn_of(rules)}, "Content": rules.content}


def _need(org: Org) -> Delegation:
    found = org.db[Delegation].all()
    if not found:
        raise errors.missing("resource policy")
    return found[0]


def _check(org: Org, content: str) -> None:
    if len(content) > limits.RESOURCE_POLICY_SIZE:
        raise errors.constraint("POLICY_CONTENT_LIMIT_EXCEEDED", "You have exceeded the maximum policy size.")
    try:
        document = parse(content, Flavour.RESOURCE)
    except PolicySyntaxError:
        raise errors.invalid(
            "INVALID_RESOURCE_POLICY_JSON", "You provided a resource policy that isn't valid JSON."
        ) from None
    for statement in document.statements:
        _check_actions(statement.actions, negated=statement.negates_actions)
    _check_principals(org, content)


def _check_actions(actions: ActionSet, *, negated: bool) -> None:
    """Wildcards may stand for Organizations' own actions: of those only the delegable ones are ever left."""
    if negated or actions.anything or set(actions.wild) - {"organizations"} or actions.exact - _ACTIONS:
        raise errors.invalid(
            "UNSUPPORTED_ACTION_IN_RESOURCE_POLICY", "You specified an action that can't be delegated."
        )


def _check_principals(org: Org, content: str) -> None:
    for name in _principals(content):
        parsed = arns.parse(name)
        number = parsed.account if parsed is not None else name
        if number != "*" and org.db[Member].get(number) is None:
            raise errors.invalid("INVALID_PRINCIPAL", "You specified an invalid principal element in the policy.")


def _principals(content: str) -> list[str]:
    """The accounts and ARNs that a document's statements name."""
    statements = json.loads(content)["Statement"]
    found: list[str] = []
    for statement in statements if isinstance(statements, list) else [statements]:
        who = statement.get("Principal")
        named = who.get("AWS", []) if isinstance(who, dict) else who or []
        found += [named] if isinstance(named, str) else named
    return found


@operation("PutResourcePolicy")
def put_resource_policy(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Write the one resource policy, or write it anew; tags can be given when there was none."""
    _check(org, req["Content"])
    tags = checked_tags(req.get("Tags") or ())
    known = org.db[Delegation].all()
    if not known:
        added = Delegation(id=new_id("rp", 8), org=org.id, content=req["Content"], tags=tags)
        return {"ResourcePolicy": _show(org.db[Delegation].add(added))}
    if tags:
        raise errors.invalid(
            "INVALID_LIST_MEMBER", "You can't add tags to a resource policy that exists: use TagResource."
        )
    return {"ResourcePolicy": _show(org.db[Delegation].put(replace(known[0], content=req["Content"])))}


@operation("DescribeResourcePolicy", by="reader")
def describe_resource_policy(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """The resource policy."""
    return {"ResourcePolicy": _show(_need(org))}


@operation("DeleteResourcePolicy")
def delete_resource_policy(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Leave nothing to anybody."""
    org.db[Delegation].drop(_need(org))
    return {}
