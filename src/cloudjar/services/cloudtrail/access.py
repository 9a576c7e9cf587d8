"""What authorisation knows of trails."""

from __future__ import annotations

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import finds
from cloudjar.kit.record import Record
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
