"""What an account may send: the sandbox, the day's quota, the rate, what was counted.

https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html
https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import errors
from cloudjar.kit.mailing.records import Account, Quarter

_DAY, _QUARTER, _KEPT = 24 * 3600, 15 * 60, 14 * 24 * 3600
_SANDBOX, _PRODUCTION = (200.0, 1.0), (50_000.0, 14.0)
_RATES = "ses rates"


def of(ctx: Ctx) -> Account:
    """The settings in force."""
    return ctx.db[Account].get("account") or Account()


def put(ctx: Ctx, held: Account) -> None:
    """Keep other settings."""
    table = ctx.db[Account]
    (table.add if table.get(held.id) is None else table.put)(held)


def in_production(ctx: Ctx, held: Account | None = None) -> bool:
    """Whether the account has left the sandbox: a day after it asked."""
    held = held or of(ctx)
    return bool(held.asked) and ctx.now.timestamp() >= held.asked + _DAY


def request_production(ctx: Ctx, details: dict[str, str], contacts: tuple[str, ...], *, wanted: bool) -> None:
    """What an account tells about itself, and perhaps that it wants to leave the sandbox. Raises ConflictException
    while that is being looked at."""
    held = of(ctx)
    if held.asked and not in_production(ctx, held):
        raise AwsError("ConflictException", "There is already an ongoing account details update for this account.", 409)
    asked = held.asked or (ctx.now.timestamp() if wanted else 0.0)
    put(ctx, replace(held, details=details, contacts=contacts, asked=asked))


def quota(ctx: Ctx) -> dict[str, float]:
    """Max24HourSend, MaxSendRate and SentLast24Hours, which is known by the quarter of an hour."""
    most, rate = _PRODUCTION if in_production(ctx) else _SANDBOX
    return {"Max24HourSend": most, "MaxSendRate": rate, "SentLast24Hours": float(_sent(ctx))}


def _sent(ctx: Ctx) -> int:
    since = ctx.now.timestamp() - _DAY
    return sum(one.sent for one in ctx.db[Quarter].all() if float(one.start) + _QUARTER > since)


def admit(ctx: Ctx, recipients: int) -> None:
    """Raises Throttling for who sends more than he may in a day, or faster."""
    allowed = quota(ctx)
    if allowed["SentLast24Hours"] + recipients > allowed["Max24HourSend"]:
        raise errors.throttled("Daily message quota exceeded.")
    if not ctx.world.settings.get("throttle"):
        return
    rates: dict[tuple[str, str], tuple[float, float]] = ctx.world.ports.setdefault(_RATES, {})
    rate, now = allowed["MaxSendRate"], ctx.now.timestamp()
    left, at = rates.get((ctx.account, ctx.region), (rate, now))
    left = min(rate, left + max(now - at, 0.0) * rate)
    if left < 1:
        raise errors.throttled("Maximum sending rate exceeded.")
    rates[ctx.account, ctx.region] = (left - recipients, now)


def count(ctx: Ctx, **more: int) -> None:
    """Count what was sent or came of it (fields of `Quarter`); what is older than two weeks goes."""
    now = ctx.now.timestamp()
    start, table = str(int(now) // _QUARTER * _QUARTER), ctx.db[Quarter]
    held = table.get(start)
    if held is None:
        for old in table.all():
            if float(old.start) < now - _KEPT:
                table.drop(old)
        held = table.add(Quarter(start=start))
    table.put(replace(held, **{name: getattr(held, name) + amount for name, amount in more.items()}))


def statistics(ctx: Ctx) -> list[dict[str, Any]]:
    """Two weeks by quarters of an hour, as v1 shows them."""
    since = ctx.now.timestamp() - _KEPT
    return [
        {
            "Timestamp": datetime.fromtimestamp(float(one.start), UTC),
            "DeliveryAttempts": one.attempts, "Bounces": one.bounces,
            "Complaints": one.complaints, "Rejects": one.rejects,
        }
        for one in sorted(ctx.db[Quarter].all(), key=lambda one: float(one.start))
        if float(one.start) >= since
    ]  # fmt: skip
