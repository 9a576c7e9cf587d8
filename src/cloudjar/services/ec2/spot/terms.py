"""What a launch or a request says of the spot market, checked; and how much of it an account may have.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SpotMarketOptions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.spot import prices

ONE_TIME, PERSISTENT = "one-time", "persistent"


class Terms(NamedTuple):
    """`max_price` is "" when nothing was said."""

    type: str = ONE_TIME
    behavior: str = "terminate"
    max_price: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None


def of_launch(ctx: Ctx, req: Mapping[str, Any]) -> Terms | None:
    """The terms of a launch on the spot market; None for one on demand."""
    market = req.get("InstanceMarketOptions") or {}
    kind = market.get("MarketType")
    options = market.get("SpotOptions") or {}
    if kind is None:
        if options:
            raise errors.missing_one("InstanceMarketOptions.MarketType")
        return None
    if kind != "spot":
        raise errors.not_built(f"The value {kind} of the parameter InstanceMarketOptions.MarketType")
    return checked(
        ctx,
        {**options, "Type": options.get("SpotInstanceType"), "SpotPrice": options.get("MaxPrice")},
    )


def checked(ctx: Ctx, asked: Mapping[str, Any]) -> Terms:
    """Terms in the words of RequestSpotInstances; raises what AWS raises for contradictions."""
    kind = asked.get("Type") or ONE_TIME
    behavior = asked.get("InstanceInterruptionBehavior") or "terminate"
    if asked.get("BlockDurationMinutes"):
        raise AwsError("Unsupported", "Spot Instances with a defined duration (Spot blocks) are no longer available.")
    if behavior == "hibernate":
        raise AwsError(
            "UnsupportedHibernationConfiguration",
            "Spot Instances of this image cannot hibernate: the image has no agent for it.",
        )
    if behavior == "stop" and kind != PERSISTENT:
        raise errors.combination(
            "The instance interruption behavior 'stop' can be specified for persistent Spot Instance requests only."
        )
    start, end = asked.get("ValidFrom"), asked.get("ValidUntil")
    if end is not None and (end <= ctx.now or (start is not None and end <= start)):
        raise errors.invalid_parameter(_time(end), "validUntil", "It must be later than now and than validFrom.")
    return Terms(kind, behavior, _dollars(asked.get("SpotPrice")), start, end)


def _time(value: datetime) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}"


def _dollars(text: str | None) -> str:
    if text is None or text == "":
        return ""
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal(0)
    if not price.is_finite() or price <= 0:
        raise errors.invalid_parameter(text, "price", "\"[0-9]*\\.?[0-9]+\" is the form of a price above 0.")
    return prices.told(price)


def most(ctx: Ctx, terms: Terms, kind: str) -> str:
    """The most that is paid: what was said, else the on-demand price; "" where that is not known."""
    if terms.max_price:
        return terms.max_price
    known = prices.on_demand(ctx.region, kind)
    return "" if known is None else prices.told(known)


def refuse_low(ctx: Ctx, terms: Terms, zone: str, kind: str) -> None:
    """Raise SpotMaxPriceTooLow for a launch that pays less than the pool's price."""
    price = prices.spot_in(ctx.account, zone, kind)
    if price is not None and terms.max_price and Decimal(terms.max_price) < price:
        raise AwsError(
            "SpotMaxPriceTooLow",
            f"Your Spot request price of {Decimal(terms.max_price).normalize():f} is lower than the minimum required "
            f"Spot request fulfillment price of {price.normalize():f}.",
        )


def too_many() -> AwsError:
    """The spot vCPU quota is used up."""
    return AwsError("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
