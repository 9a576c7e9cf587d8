"""Managed policies attached to users, groups and roles.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import errors, managed
from cloudjar.services.iam.access import policy_key
from cloudjar.services.iam.kinds import KINDS, Kind
from cloudjar.services.iam.records import Group, Role, User


def _declare(kind: Kind) -> None:
    @op(f"Attach{kind.word}Policy", keys=policy_key)
    def attach(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """Give a principal a managed policy; repeating it changes nothing."""
        item = kind.need_free(ctx, req)
        policy = managed.need_attachable(ctx, req["PolicyArn"])
        if policy.arn in item.attached:
            return {}
        limit = kind.attached_limit(ctx)
        if len(item.attached) >= limit:
            raise errors.quota(f"PoliciesPer{kind.word}", limit)
        kind.put(ctx, item, attached=(*item.attached, policy.arn))
        return {}

    @op(f"Detach{kind.word}Policy", keys=policy_key)
    def detach(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """Take a managed policy away."""
        item = kind.need_free(ctx, req)
        arn = managed.checked_arn(req["PolicyArn"])
        if arn not in item.attached:
            raise errors.no_such_entity(f"Policy {arn} was not found.")
        kind.put(ctx, item, attached=tuple(a for a in item.attached if a != arn))
        return {}

    @op(f"ListAttached{kind.word}Policies")
    def list_attached(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """The managed policies that a principal has."""
        prefix = req.get("PathPrefix") or "/"
        found = (managed.need(ctx, arn) for arn in kind.need(ctx, req).attached)
        return {
            "AttachedPolicies": [
                {"PolicyName": policy.name, "PolicyArn": policy.arn}
                for policy in found
                if policy.path.startswith(prefix)
            ]
        }


for _kind in KINDS:
    _declare(_kind)


@op("ListEntitiesForPolicy")
def list_entities_for_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who has a managed policy, attached or as a boundary."""
    arn = managed.need(ctx, req["PolicyArn"]).arn
    wanted, prefix = req.get("EntityFilter") or "", req.get("PathPrefix") or "/"
    lists: tuple[Sequence[Group | User | Role], ...] = managed.used_by(
        ctx, arn, as_boundary=req.get("PolicyUsageFilter") == "PermissionsBoundary"
    )
    return {
        f"Policy{word}s": [
            {f"{word}Name": item.name, f"{word}Id": item.id}
            for item in items
            if wanted in ("", word) and item.path.startswith(prefix)
        ]
        for word, items in zip(("Group", "User", "Role"), lists, strict=True)
    }
