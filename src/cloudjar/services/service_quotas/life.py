"""The life of a request: some AWS time after it was made it is granted, and the new limit is in force."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.kit import increases
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Machine, Step, reconciler
from cloudjar.kit.quota import AppliedQuota
from cloudjar.services.service_quotas.records import IncreaseRequest
from cloudjar.services.service_quotas.rules import FOLLOWERS, Code, possible
from cloudjar.services.service_quotas.views import show_request

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
        granted = possible((now.service, now.quota), now.desired, lambda other: step.ctx.limit(*other))
        _end(step.ctx, now, granted=granted)


def _end(ctx: Ctx, request: IncreaseRequest, *, granted: bool) -> IncreaseRequest:
    if granted:
        _apply(ctx, (request.service, request.quota), request.desired)
    return LIFE.move(ctx, request, "APPROVED" if granted else "DENIED", updated=ctx.now)


def _open(world: World) -> list[IncreaseRequest]:
    nobody = Ctx(world, "", "", callers.service("cloudjar.internal", ""))
    return nobody.db.everywhere(IncreaseRequest, state=LIFE.start)


def waiting(world: World) -> list[dict[str, Any]]:
    """Every request that is not decided, oldest first."""
    return [_said(request) for request in sorted(_open(world), key=lambda request: request.created)]


def settle(world: World, key: str, grant: bool) -> dict[str, Any]:
    """Grant or refuse a request before its time. Granted is also what AWS would not: whoever runs the jar decides."""
    for request in _open(world):
        if request.id == key:
            with world.state.database.transaction():
                ctx = Ctx(world, request.account, request.region, callers.service("cloudjar.internal", request.account))
                return _said(_end(ctx, request, granted=grant))
    raise ValueError(f"there is no open request {key}")


def _said(request: IncreaseRequest) -> dict[str, Any]:
    shown = show_request(request)
    return {**shown, "Region": request.region, "Account": request.account, "Created": request.created.isoformat(),
            "LastUpdated": request.updated.isoformat()}  # fmt: skip


increases.decides(settle, waiting)


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
