"""What authorisation knows of trails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Access, Grant, finds, keys_of_resource
from cloudjar.kit.record import Record, arn_of
from cloudjar.services.cloudtrail.trails import finding
from cloudjar.services.cloudtrail.trails.records import Trail


@finds("cloudtrail:trail")
def find_trail(ctx: Ctx, text: str) -> Record | str | None:
    """The trail of a name or an ARN; an ARN that names none of the caller's stands for itself."""
    if not text.startswith("arn:"):
        return ctx.db[Trail].get(text)
    held = finding.find(ctx, text)
    if held is not None and held.account == ctx.account:
        return held
    return text if arns.parse(text) is not None else None


def reading(action: str, member: str) -> Access:
    """What it takes to read of a trail: a member of an organization may be allowed to by its own account, though the
    trail is the management account's."""

    def access(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
        text = req[member]
        held = finding.find(ctx, text)
        if held is not None:
            return (Grant(action, arn_of(held), keys_of_resource("cloudtrail", "trail", held)),)
        arn = arns.parse(text)
        own = arns.make("cloudtrail", ctx.region, ctx.account, f"trail/{text}")
        return (Grant(action, own if arn is None else text, owner="" if arn is None else arn.account),)

    return access
