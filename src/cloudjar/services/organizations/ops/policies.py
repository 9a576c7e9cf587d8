"""Policies and their types.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies.html
"""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.policy.document import parse
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.services.organizations import errors, inheritance, limits, views
from cloudjar.services.organizations.access import operation
from cloudjar.services.organizations.managed import FULL_ACCESS, OWNER
from cloudjar.services.organizations.naming import new_id
from cloudjar.services.organizations.ops.tagging import checked_tags
from cloudjar.services.organizations.records import RCP, SCP, Attachment, Root, StoredPolicy
from cloudjar.services.organizations.tree import Org

_FLAVOURS = {SCP: Flavour.SCP, RCP: Flavour.RCP}
_SYNTAX = "The provided policy document does not meet the requirements of the specified policy type."


def need_policy(org: Org, id_: str) -> StoredPolicy:
    """A policy by its id, AWS's own too."""
    found = org.policy(id_)
    if found is None:
        raise errors.missing("policy")
    return found


def need_type(org: Org, kind: str) -> str:
    """A type that the product has and the organization may use."""
    if kind not in _FLAVOURS and kind not in inheritance.TOP:
        raise errors.type_not_built(kind)
    if not org.has_all_features:
        raise errors.type_not_available()
    return kind


def _own(policy: StoredPolicy) -> StoredPolicy:
    if policy.account == OWNER:
        raise errors.invalid("IMMUTABLE_POLICY", "You specified a policy that is managed by AWS and can't be modified.")
    return policy


def _checked(kind: str, content: str) -> str:
    """A document that its type admits; sizes are in characters."""
    if len(content) > limits.SIZE.get(kind, limits.SIZE_OF_OTHERS):
        raise errors.constraint("POLICY_CONTENT_LIMIT_EXCEEDED", "You have exceeded the maximum policy size.")
    try:
        if kind in _FLAVOURS:
            document = parse(content, _FLAVOURS[kind])
            # What a resource control policy grants is AWS's own to say: a customer's only denies.
            if kind == RCP and any(statement.allows for statement in document.statements):
                raise errors.malformed(_SYNTAX)
        else:
            inheritance.check(kind, json.loads(content))
    except PolicySyntaxError as error:
        raise errors.malformed(str(error)) from None
    except (inheritance.PolicyShapeError, ValueError, RecursionError):
        raise errors.malformed(_SYNTAX) from None
    return content


def _check_name(org: Org, kind: str, name: str, besides: str = "") -> None:
    taken = {policy.name for policy in org.db[StoredPolicy].all(type=kind) if policy.id != besides}
    if kind in FULL_ACCESS:
        taken.add(FULL_ACCESS[kind].name)
    if name in taken:
        raise errors.duplicate_policy()


@operation("CreatePolicy")
def create_policy(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Write a policy; it bears on nothing until it is attached."""
    kind = need_type(org, req["Type"])
    if org.db[StoredPolicy].count(type=kind) >= limits.POLICIES.get(kind, limits.POLICIES_OF_A_TYPE):
        raise errors.constraint("POLICY_NUMBER_LIMIT_EXCEEDED", "You have exceeded the allowed number of policies.")
    _check_name(org, kind, req["Name"])
    policy = StoredPolicy(
        id=new_id("p", 10),  # as long as the model's ARN pattern wants it
        org=org.id,
        type=kind,
        kind=kind.lower(),
        name=req["Name"],
        description=req.get("Description") or "",
        content=_checked(kind, req["Content"]),
        tags=checked_tags(req.get("Tags") or ()),
    )
    return {"Policy": views.show_policy(org.db[StoredPolicy].add(policy))}


@operation("DescribePolicy", by="reader")
def describe_policy(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """A policy with its document."""
    return {"Policy": views.show_policy(need_policy(org, req["PolicyId"]))}


@operation("UpdatePolicy")
def update_policy(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Another name, description or document; wherever it is attached the new one holds at once."""
    policy = _own(need_policy(org, req["PolicyId"]))
    name, content = req.get("Name"), req.get("Content")
    if name is not None:
        _check_name(org, policy.type, name, policy.id)
    description = req.get("Description")
    policy = org.db[StoredPolicy].put(
        replace(
            policy,
            name=policy.name if name is None else name,
            description=policy.description if description is None else description,
            content=policy.content if content is None else _checked(policy.type, content),
        )
    )
    return {"Policy": views.show_policy(policy)}


@operation("DeletePolicy")
def delete_policy(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a policy that is attached nowhere."""
    policy = _own(need_policy(org, req["PolicyId"]))
    if org.db[Attachment].count(policy=policy.id):
        raise errors.policy_in_use()
    org.db[StoredPolicy].drop(policy)
    return {}


@operation("ListPolicies", by="reader")
def list_policies(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """The policies of one type, AWS's own first."""
    kind = need_type(org, req["Filter"])
    own = [FULL_ACCESS[kind]] if kind in FULL_ACCESS else []
    return {"Policies": [views.show_summary(policy) for policy in [*own, *org.db[StoredPolicy].all(type=kind)]]}


def _need_root(org: Org, id_: str) -> Root:
    if id_ != org.root.id:
        raise errors.missing("root")
    return org.root


@operation("EnablePolicyType")
def enable_policy_type(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Let policies of a type be attached. Where nothing would be allowed without one, AWS's own is attached to all."""
    root, kind = _need_root(org, req["RootId"]), need_type(org, req["PolicyType"])
    if kind in root.types:
        raise errors.type_enabled()
    root = org.db[Root].put(replace(root, types=(*root.types, kind)))
    if kind in FULL_ACCESS:
        for node in org.nodes():
            org.attach(FULL_ACCESS[kind], node.id, ctx.now)
    return {"Root": views.show_root(root)}


@operation("DisablePolicyType")
def disable_policy_type(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Detach every policy of a type from everything; the policies stay."""
    root, kind = _need_root(org, req["RootId"]), need_type(org, req["PolicyType"])
    if kind not in root.types:
        raise errors.type_not_enabled()
    for attachment in org.db[Attachment].all(type=kind):
        org.db[Attachment].drop(attachment)
    root = org.db[Root].put(replace(root, types=tuple(one for one in root.types if one != kind)))
    return {"Root": views.show_root(root)}
