"""Dollars that could be saved, as Compute Optimizer shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cloudjar.billing import using
from cloudjar.spec import prices

_IOPS = {"io1": "EBS:VolumeP-IOPS.piops", "io2": "EBS:VolumeP-IOPS.io2", "gp3": "EBS:VolumeP-IOPS.gp3"}
_USAGE = {"io1": "EBS:VolumeUsage.piops", "standard": "EBS:VolumeUsage"}
FREE_IOPS, FREE_THROUGHPUT = 3000, 125
"""What every gp3 volume has without paying for it."""


def opportunity(saved: Decimal, spent: Decimal) -> dict[str, Any]:
    """``savingsOpportunity``: of so many dollars a month."""
    return {
        "savingsOpportunityPercentage": round(float(using.percent(saved, spent)), 4),
        "estimatedMonthlySavings": {"currency": "USD", "value": round(float(saved), 6)},
    }


def volume(region: str, kind: str, size: int, iops: int, throughput: int) -> Decimal | None:
    """Dollars a month of a volume; None where a price is not known."""
    try:
        cost = _price(region, _USAGE.get(kind, f"EBS:VolumeUsage.{kind}")) * size
        bought = iops - (FREE_IOPS if kind == "gp3" else 0)
        if kind in _IOPS and bought > 0:
            cost += _tiered(region, _IOPS[kind], Decimal(bought))
        if kind == "gp3" and throughput > FREE_THROUGHPUT:
            cost += _price(region, "EBS:VolumeP-Throughput.gp3") * (throughput - FREE_THROUGHPUT) / 1024
    except prices.NoPrice:
        return None
    return cost


def _price(region: str, usage_type: str) -> Decimal:
    return prices.price("AmazonEC2", usage_type, region).per_unit


def _tiered(region: str, usage_type: str, amount: Decimal) -> Decimal:
    tiers = prices.price("AmazonEC2", usage_type, region).tiers
    ends = [tier.begin for tier in tiers[1:]] + [amount]
    return sum(
        (tier.price * (min(end, amount) - tier.begin) for tier, end in zip(tiers, ends, strict=True)
         if amount > tier.begin), Decimal(0),
    )  # fmt: skip
