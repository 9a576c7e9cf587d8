"""Exchanges of Convertible Reserved Instances for others that are worth at least as much.

Values are pro rata by what is left of the term.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ri-convertible-exchange.html
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any, NamedTuple

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.reserved_instances.offerings import Offering
from cloudjar.services.ec2.reserved_instances.ops import add, need_offering
from cloudjar.services.ec2.reserved_instances.records import ReservedInstances

_CENTS = Decimal("0.000001")


class Value(NamedTuple):
    """What is left: dollars an hour, of what was paid at once, and both to the end."""

    hourly: Decimal
    upfront: Decimal
    total: Decimal

    def shown(self) -> dict[str, str]:
        """AWS's ReservationValue."""
        names = ("HourlyPrice", "RemainingUpfrontValue", "RemainingTotalValue")
        return {name: f"{value.quantize(_CENTS):f}" for name, value in zip(names, self, strict=True)}


class Quote(NamedTuple):
    """An exchange as it would be; `refusal` is "" for one that can be made."""

    sources: list[ReservedInstances]
    targets: list[tuple[Offering, int]]
    before: list[Value]
    after: list[Value]
    end: datetime
    due: Decimal
    refusal: str


def _sum(values: list[Value]) -> Value:
    return Value(*(sum(column, Decimal(0)) for column in zip(*values, strict=True)))


def quote(ctx: Ctx, req: dict[str, Any]) -> Quote:
    """Work out an exchange; raises for what cannot be exchanged at all."""
    sources = ctx.db[ReservedInstances].need_all(dict.fromkeys(req["ReservedInstanceIds"]))
    for one in sources:
        if one.state != "active":
            raise AwsError("InvalidState", f"The Reserved Instances '{one.id}' are not active.")
    asked = req.get("TargetConfigurations") or []
    if not asked:
        raise errors.missing_one("TargetConfigurations")
    offers = [need_offering(ctx, one["OfferingId"]) for one in asked]
    end = max(one.end for one in sources)
    if max(one.seconds for one in offers) > max(one.seconds for one in sources):
        end = ctx.now + timedelta(seconds=max(one.seconds for one in offers))
    before = [_value(Decimal(s.fixed), Decimal(s.hourly), s.count, s.seconds, s.end - ctx.now) for s in sources]
    left = end - ctx.now
    each = [_value(offer.fixed, offer.hourly, 1, offer.seconds, left) for offer in offers]
    counts = [int(one.get("InstanceCount") or 0) for one in asked]
    total = _sum(before).total
    targets = [
        (offer, count or _enough(total / len(offers), value.total))
        for offer, count, value in zip(offers, counts, each, strict=True)
    ]
    after = [Value(*(part * count for part in value)) for value, (_, count) in zip(each, targets, strict=True)]
    due = max(_sum(after).upfront - _sum(before).upfront, Decimal(0)).quantize(_CENTS)
    return Quote(sources, targets, before, after, end, due, _refusal(sources, offers, _sum(before), _sum(after)))


def _value(fixed: Decimal, hourly: Decimal, count: int, seconds: int, left: timedelta) -> Value:
    hours = Decimal(max(int(left.total_seconds()), 0)) / 3600
    upfront = fixed * count * hours * 3600 / seconds
    return Value(hourly * count, upfront, upfront + hourly * count * hours)


def _enough(worth: Decimal, each: Decimal) -> int:
    return max(int((worth / each).to_integral_value(ROUND_CEILING)), 1) if each else 1


def _refusal(sources: list[ReservedInstances], offers: list[Offering], before: Value, after: Value) -> str:
    if any(one.cls != "convertible" for one in sources) or any(one.cls != "convertible" for one in offers):
        return "Only Convertible Reserved Instances can be exchanged, and only for Convertible Reserved Instances."
    if after.total < before.total:
        return "The target configuration is worth less than the Reserved Instances that are exchanged."
    return ""


@op("GetReservedInstancesExchangeQuote")
def get_reserved_instances_exchange_quote(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What an exchange would cost, and whether it can be made."""
    made = quote(ctx, req)
    return {
        "CurrencyCode": "USD",
        "IsValidExchange": not made.refusal,
        "OutputReservedInstancesWillExpireAt": made.end,
        "PaymentDue": f"{made.due:f}",
        "ReservedInstanceValueRollup": _sum(made.before).shown(),
        "ReservedInstanceValueSet": [
            {"ReservedInstanceId": one.id, "ReservationValue": value.shown()}
            for one, value in zip(made.sources, made.before, strict=True)
        ],
        "TargetConfigurationValueRollup": _sum(made.after).shown(),
        "TargetConfigurationValueSet": [
            {
                "ReservationValue": value.shown(),
                "TargetConfiguration": {"InstanceCount": count, "OfferingId": offer.id},
            }
            for (offer, count), value in zip(made.targets, made.after, strict=True)
        ],
        "ValidationFailureReason": made.refusal or None,
    }


@op("AcceptReservedInstancesExchangeQuote")
def accept_reserved_instances_exchange_quote(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make the exchange: what is due is charged, the old ones are retired."""
    made = quote(ctx, req)
    if made.refusal:
        raise errors.invalid_value(made.refusal)
    for number, (offer, count) in enumerate(made.targets):
        due = made.due if number == 0 else Decimal(0)
        add(ctx, offer, count, due, derived=True, start=ctx.now, end=made.end)
    for one in made.sources:
        ctx.db[ReservedInstances].put(replace(one, state="retired", end=ctx.now))
    return {"ExchangeId": f"riex-{ids.uuid4()}"}
