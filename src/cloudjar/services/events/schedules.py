"""When rules with schedules are due."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.services.events import checks
from cloudjar.services.events.records import DISABLED, Rule

PURPOSE = "schedule"


def begin(ctx: Ctx, rule: Rule) -> Rule:
    """A schedule begins now, or ends."""
    if not rule.schedule or rule.state == DISABLED:
        return ctx.db[Rule].put(replace(rule, next=0.0)) if rule.next else rule
    return _set(ctx, rule, ctx.now)


def follow(ctx: Ctx, rule: Rule) -> Rule:
    """It was due: the next time. Times that a server slept through are passed over."""
    return _set(ctx, rule, datetime.fromtimestamp(rule.next, UTC))


def _set(ctx: Ctx, rule: Rule, last: datetime) -> Rule:
    due = checks.next_time(rule.schedule, last, ctx.now)
    if due is not None:
        ctx.wake(rule, purpose=PURPOSE, at=due)
    return ctx.db[Rule].put(replace(rule, next=due.timestamp() if due is not None else 0.0))
