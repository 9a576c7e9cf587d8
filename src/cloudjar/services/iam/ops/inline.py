"""Inline policies of users, groups and roles.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import errors, rules
from cloudjar.services.iam.kinds import KINDS, Kind
from cloudjar.services.iam.records import Principal
from cloudjar.services.iam.views import encoded


def _declare(kind: Kind) -> None:
    def need_policy(item: Principal, name: str) -> str:
        document = item.inline.get(name)
        if document is None:
            raise errors.no_such_entity(f"The {kind.word.lower()} policy with name {name} cannot be found.")
        return document

    @op(f"Put{kind.word}Policy")
    def put(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """Embed a policy, in place of one with its name; all of a principal's together have a limit."""
        item = kind.need_free(ctx, req)
        rules.document(req["PolicyDocument"])
        inline = {**item.inline, req["PolicyName"]: req["PolicyDocument"]}
        if sum(map(rules.size, inline.values())) > kind.inline_size:
            raise errors.limit_exceeded(
                f"Maximum policy size of {kind.inline_size} bytes exceeded for {kind.word.lower()} {item.name}"
            )
        kind.put(ctx, item, inline=inline)
        return {}

    @op(f"Get{kind.word}Policy")
    def get(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """An embedded policy's document."""
        item = kind.need(ctx, req)
        return {
            kind.member: item.name,
            "PolicyName": req["PolicyName"],
            "PolicyDocument": encoded(need_policy(item, req["PolicyName"])),
        }

    @op(f"List{kind.word}Policies")
    def list_inline(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """The names of a principal's embedded policies."""
        return {"PolicyNames": sorted(kind.need(ctx, req).inline)}

    @op(f"Delete{kind.word}Policy")
    def delete(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """Remove an embedded policy."""
        item = kind.need_free(ctx, req)
        need_policy(item, req["PolicyName"])
        kind.put(ctx, item, inline={k: v for k, v in item.inline.items() if k != req["PolicyName"]})
        return {}


for _kind in KINDS:
    _declare(_kind)
