"""What is attached to what, and what comes of it.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_policies_attach.html
"""

from __future__ import annotations

import json
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.organizations import errors, inheritance, limits, views
from cloudjar.services.organizations.access import operation
from cloudjar.services.organizations.ops.policies import need_policy, need_type
from cloudjar.services.organizations.records import SCP, Attachment
from cloudjar.services.organizations.tree import Node, Org, of_account


def need_target(org: Org, id_: str) -> Node:
    """A root, OU or account."""
    found = org.node(id_)
    if found is None:
        raise errors.missing("target")
    return found


@operation("AttachPolicy")
def attach_policy(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Attach a policy of an enabled type to a root, OU or account."""
    policy, target = need_policy(org, req["PolicyId"]), need_target(org, req["TargetId"])
    if policy.type not in org.root.types:
        raise errors.type_not_enabled()
    if org.attachment(policy.id, target.id) is not None:
        raise errors.already_attached()
    if len(org.attached(target.id, policy.type)) >= limits.ATTACHED.get(policy.type, limits.ATTACHED_OF_OTHERS):
        raise errors.constraint(
            "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            "You have attached the maximum number of policies to the specified target.",
        )
    org.attach(policy, target.id, ctx.now)
    return {}


@operation("DetachPolicy")
def detach_policy(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Detach a policy; a node keeps at least one service control policy, and always AWS's resource control policy."""
    policy, target = need_policy(org, req["PolicyId"]), need_target(org, req["TargetId"])
    attachment = org.attachment(policy.id, target.id)
    if attachment is None:
        raise errors.not_attached()
    if policy.id == "p-RCPFullAWSAccess":
        raise errors.invalid("NON_DETACHABLE_POLICY", "You can't detach this AWS Managed Policy.")
    if policy.type == SCP and len(org.attached(target.id, SCP)) == 1:
        raise errors.constraint(
            "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            "You cannot remove the last policy attached to the specified target. "
            "You must have at least one attached at all times.",
        )
    org.db[Attachment].drop(attachment)
    return {}


@operation("ListPoliciesForTarget", by="reader")
def list_policies_for_target(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """What is attached to a node itself: what it inherits is not listed."""
    target, kind = need_target(org, req["TargetId"]), need_type(org, req["Filter"])
    return {"Policies": [views.show_summary(policy) for policy in org.attached(target.id, kind)]}


@operation("ListTargetsForPolicy", by="reader")
def list_targets_for_policy(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """What a policy is attached to."""
    policy = need_policy(org, req["PolicyId"])
    nodes = [org.node(attachment.target) for attachment in org.db[Attachment].all(policy=policy.id)]
    targets = [
        {"TargetId": n.id, "Arn": arn_of(n), "Name": views.node_name(org, n), "Type": views.node_type(n)}
        for n in nodes
        if n is not None
    ]
    return {"Targets": targets}


@operation("DescribeEffectivePolicy", by="member")
def describe_effective_policy(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """What all management policies of a type on the way down to an account come to; members may ask for their own."""
    kind = need_type(org, req["PolicyType"])
    number = req.get("TargetId") or ctx.account
    found = of_account(ctx.db, ctx.account)
    asking = found[1] if found is not None else None
    if number != ctx.account and ctx.account != org.management and not (asking and asking.delegations):
        raise errors.not_permitted()
    target = need_target(org, number)
    if views.node_type(target) != "ACCOUNT":
        raise errors.invalid("TARGET_NOT_SUPPORTED", "You can't perform the specified operation on that target entity.")
    attached = [org.attached(node.id, kind) for node in org.branch(target)]
    if kind not in org.root.types or not any(attached):
        raise errors.no_effective_policy()
    content = inheritance.merge([json.loads(policy.content) for policy in level] for level in attached)
    latest = max(a.since for node in org.branch(target) for a in org.db[Attachment].all(target=node.id, type=kind))
    return {
        "EffectivePolicy": {
            "PolicyContent": json.dumps(content, separators=(",", ":")),
            "LastUpdatedTimestamp": latest,
            "TargetId": target.id,
            "PolicyType": kind,
        }
    }
