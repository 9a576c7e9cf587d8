"""The life of a request: some AWS time after it was made it is granted, and the new limit is in force."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Machine, Step, reconciler
from cloudjar.kit.quota import AppliedQuota
from cloudjar.services.service_quotas.records import IncreaseRequest
from cloudjar.services.service_quotas.rules import FOLLOWERS, Code, possible

APPROVAL = timedelta(minutes=5)
"""How long AWS takes over a request that nobody has to read: minutes, as a rule."""

LIFE = Machine(
    IncreaseRequest,
    start="PENDING",
    moves="""
    PENDING -> APPROVED | DENIED
    """,
)


@reconciler(IncreaseRequest)
def decide(step: Step, request: IncreaseRequest | None) -> None:
    """Wait until the time has come; then judge the request, and raise the limit in the same transaction."""
    if request is None or request.state != LIFE.start:
        return
    due = request.created + APPROVAL
    if step.ctx.now < due:
        step.again("decide", due)
        return
    with step.world.state.database.transaction():
        now = step.db[IncreaseRequest].get(request.id)
        if now is None or now.state != LIFE.start:
            return
        code = (now.service, now.quota)
        granted = possible(code, now.desired, lambda other: step.ctx.limit(*other))
        if granted:
            _apply(step.ctx, code, now.desired)
        LIFE.move(step.ctx, now, "APPROVED" if granted else "DENIED", updated=step.ctx.now)


def _apply(ctx: Ctx, code: Code, value: float) -> None:
    """Put a limit in force, and those that follow it."""
    for one in (code, *FOLLOWERS.get(code, ())):
        if value <= (ctx.limit(*one) or 0):
            continue
        key = "/".join(one)
        applied = ctx.db[AppliedQuota].get(key)
        if applied is None:
            ctx.db[AppliedQuota].add(AppliedQuota(code=key, value=value))
        else:
            ctx.db[AppliedQuota].put(replace(applied, value=value))
