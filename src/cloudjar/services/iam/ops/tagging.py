"""Tags of users, roles, policies, instance profiles and server certificates.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record
from cloudjar.services.iam import managed, names, rules
from cloudjar.services.iam.credentials import ServerCertificate
from cloudjar.services.iam.ops.roles import need_free_role
from cloudjar.services.iam.records import InstanceProfile, ManagedPolicy, Role, User

Find = Callable[[Ctx, dict[str, Any]], Any]


def _declare(word: str, kind: type[Record], find: Find, change: Find | None = None) -> None:
    """`find` reads the tagged record of a request; `change`, where it differs, also checks that it may be changed."""
    find_to_change = change or find

    @op(f"Tag{word}")
    def tag(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """Add tags, in place of those with the same keys."""
        item = find_to_change(ctx, req)
        ctx.db[kind].put(replace(item, tags=rules.tags(req["Tags"], item.tags)))
        return {}

    @op(f"Untag{word}")
    def untag(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """Remove tags by key; keys that are not there are passed over."""
        item = find_to_change(ctx, req)
        ctx.db[kind].put(replace(item, tags=rules.without_tags(item.tags, req["TagKeys"])))
        return {}

    @op(f"List{word}Tags")
    def list_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """Tags in the order of their keys."""
        found = find(ctx, req)
        return {"Tags": tags.as_list(found.tags) if found is not None else [], "IsTruncated": False}


def _policy(ctx: Ctx, req: dict[str, Any]) -> ManagedPolicy | None:
    """None for AWS's own, which have no tags."""
    return managed.need(ctx, req["PolicyArn"]).own


_declare("User", User, lambda ctx, req: names.need(ctx, User, req["UserName"]))
_declare(
    "Role",
    Role,
    lambda ctx, req: names.need(ctx, Role, req["RoleName"]),
    lambda ctx, req: need_free_role(ctx, req["RoleName"]),
)
_declare("Policy", ManagedPolicy, _policy, lambda ctx, req: managed.need_own(ctx, req["PolicyArn"]))
_declare(
    "InstanceProfile",
    InstanceProfile,
    lambda ctx, req: names.need(ctx, InstanceProfile, req["InstanceProfileName"]),
)
_declare(
    "ServerCertificate",
    ServerCertificate,
    lambda ctx, req: names.need(ctx, ServerCertificate, req["ServerCertificateName"]),
)
