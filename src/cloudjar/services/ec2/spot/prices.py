"""Spot prices: facts of `spec.shares`, which never move here. A pool is a type in a zone."""

from __future__ import annotations

from decimal import Decimal

from cloudjar.spec import prices, regions, shares


def on_demand(region: str, kind: str) -> Decimal | None:
    """Dollars an hour of a type; None where it is not known."""
    return _price(region, f"BoxUsage:{kind}", "RunInstances")


def spot(region: str, zone_id: str, kind: str) -> Decimal | None:
    """Dollars an hour of a pool; None where the on-demand price is not known."""
    return _price(region, f"SpotUsage:{kind}", shares.spot_operation(zone_id))


def spot_in(account: str, zone: str, kind: str) -> Decimal | None:
    """The same by the zone's name, as an account sees it."""
    found = regions.zone(zone, account)
    return None if found is None else spot(found.region, found.id, kind)


def _price(region: str, usage_type: str, operation: str) -> Decimal | None:
    try:
        return prices.price("AmazonEC2", usage_type, region, operation).per_unit
    except prices.NoPrice:
        return None


def told(price: Decimal) -> str:
    """As EC2 tells prices: six decimals."""
    return f"{price:.6f}"

