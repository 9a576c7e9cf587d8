"""Offerings, purchases and what was purchased.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-reserved-instances.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import pages, tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, by_path, narrow
from cloudjar.services.ec2.reserved_instances.offerings import (
    PRODUCT,
    YEAR,
    Offering,
    every_offering,
    offering,
    offerings,
)
from cloudjar.services.ec2.reserved_instances.records import ReservedInstances
from cloudjar.spec import regions
from cloudjar.spec.models import Paginator

_OFFERINGS = "ReservedInstancesOfferings"
_PAGES = Paginator(("NextToken",), ("NextToken",), "MaxResults", (_OFFERINGS,), "")
PAGE = 100
"""How many offerings AWS tells when nobody says how many."""
PER_MONTH = ("ec2", "L-D0B7243C")
AHEAD = timedelta(days=3 * 365)
"""How far in the future a purchase can be queued."""
_COMMON = {
    "availability-zone": "AvailabilityZone",
    "availability-zone-id": "AvailabilityZoneId",
    "duration": "Duration",
    "fixed-price": "FixedPrice",
    "instance-type": "InstanceType",
    "product-description": "ProductDescription",
    "scope": "Scope",
    "usage-price": "UsagePrice",
}
OFFERING_FILTERS = by_path(
    {**_COMMON, "marketplace": "Marketplace", "reserved-instances-offering-id": "ReservedInstancesOfferingId"}
)
FILTERS = by_path(
    {**_COMMON, "end": "End", "reserved-instances-id": "ReservedInstancesId", "start": "Start", "state": "State"}
)


@op("DescribeReservedInstancesOfferings", pages=False)
def describe_reserved_instances_offerings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Everything on offer that is as asked for. There are tens of thousands: only what a page shows is written out,
    unless filters have to read it."""
    keys, kinds = req.get("ReservedInstancesOfferingIds"), _kinds(req)
    if keys:
        known: Iterable[Offering] = [need_offering(ctx, key) for key in dict.fromkeys(keys)]
    elif kinds is None:
        known = every_offering(ctx.region, ctx.account)
    else:
        known = offerings(ctx.region, ctx.account, kinds)
    found: list[Any] = [one for one in known if _wanted(ctx, one, req)]
    if req.get("Filters"):
        found = narrow(req, OFFERING_FILTERS, [Row({}, show_offering(ctx, one)) for one in found])
    asked = {**req, "MaxResults": req.get("MaxResults") or PAGE}
    cut = pages.cut(_PAGES, "ec2", "DescribeReservedInstancesOfferings", asked, {_OFFERINGS: found})
    shown = [show_offering(ctx, one) if isinstance(one, Offering) else one for one in cut[_OFFERINGS]]
    return {**cut, _OFFERINGS: shown}


def _kinds(req: Mapping[str, Any]) -> list[str] | None:
    """The types that the request names, where it does: nothing else need be worked out."""
    if req.get("InstanceType"):
        return [req["InstanceType"]]
    for entry in req.get("Filters") or ():
        values = entry.get("Values") or []
        if entry.get("Name") == "instance-type" and values and not any(c in v for v in values for c in "*?\\"):
            return list(values)
    return None


def _wanted(ctx: Ctx, one: Offering, req: Mapping[str, Any]) -> bool:
    zone = regions.zone(one.zone, ctx.account) if one.zone else None
    product = (req.get("ProductDescription") or PRODUCT).removesuffix(" (Amazon VPC)")
    most = req.get("MaxDuration")
    return (
        req.get("InstanceType") in (None, one.kind)
        and req.get("AvailabilityZone") in (None, one.zone)
        and req.get("AvailabilityZoneId") in (None, zone.id if zone is not None else "")
        and req.get("OfferingClass") in (None, one.cls)
        and req.get("OfferingType") in (None, one.option)
        and req.get("InstanceTenancy") in (None, "default")
        and product == PRODUCT
        and (req.get("MinDuration") or 0) <= one.seconds <= (most if most is not None else 3 * YEAR)
    )


def need_offering(ctx: Ctx, key: str) -> Offering:
    """The offering with an id; raises InvalidReservedInstancesOfferingId."""
    found = offering(ctx.region, ctx.account, key)
    if found is None:
        raise AwsError(
            "InvalidReservedInstancesOfferingId", f"The Reserved Instances offering ID '{key}' does not exist"
        )
    return found


def show_offering(ctx: Ctx, one: Offering) -> dict[str, Any]:
    """AWS's ReservedInstancesOffering."""
    return {
        **_terms(ctx, one.kind, one.zone, one.cls, one.option, one.seconds, one.fixed, one.hourly),
        "Marketplace": False,
        "PricingDetails": [],
        "ReservedInstancesOfferingId": one.id,
    }


def _terms(
    ctx: Ctx, kind: str, zone: str, cls: str, option: str, seconds: int, fixed: Decimal, hourly: Decimal
) -> dict[str, Any]:
    place = regions.zone(zone, ctx.account) if zone else None
    return {
        "AvailabilityZone": zone or None,
        "AvailabilityZoneId": place.id if place is not None else None,
        "CurrencyCode": "USD",
        "Duration": seconds,
        "FixedPrice": float(fixed),
        "InstanceTenancy": "default",
        "InstanceType": kind,
        "OfferingClass": cls,
        "OfferingType": option,
        "ProductDescription": PRODUCT,
        "RecurringCharges": [{"Amount": float(hourly), "Frequency": "Hourly"}] if hourly else [],
        "Scope": "Availability Zone" if zone else "Region",
        "UsagePrice": 0.0,
    }


@op("PurchaseReservedInstancesOffering")
def purchase_reserved_instances_offering(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Buy: what is due at once is charged when the purchase becomes active, the rest every hour of the term."""
    one, count = need_offering(ctx, req["ReservedInstancesOfferingId"]), int(req["InstanceCount"])
    if count < 1:
        raise errors.invalid_parameter(count, "instanceCount", "Value must be greater than 0.")
    _within_quota(ctx, one.zone, count)
    due = one.fixed * count
    limit = (req.get("LimitPrice") or {}).get("Amount")
    if limit is not None and due > Decimal(str(limit)):
        raise errors.invalid_parameter(limit, "limitPrice", f"The purchase costs {due} USD.")
    start = req.get("PurchaseTime") or ctx.now
    queued = start > ctx.now
    if queued and (one.zone or start > ctx.now + AHEAD):
        raise errors.invalid_parameter(
            f"{start:%Y-%m-%dT%H:%M:%SZ}", "purchaseTime",
            "Purchases of regional Reserved Instances can be queued for up to three years.",
        )  # fmt: skip
    bought = add(ctx, one, count, due, state="queued" if queued else "payment-pending", start=max(start, ctx.now))
    return {"ReservedInstancesId": bought.id}


def add(ctx: Ctx, one: Offering, count: int, due: Decimal, **more: Any) -> ReservedInstances:
    """A purchase as it is stored; without an `end` it has the whole term of its offering."""
    start = more.pop("start", ctx.now)
    return ctx.db[ReservedInstances].add(
        ReservedInstances(
            id=ids.uuid4(),
            type=one.kind,
            zone=one.zone,
            cls=one.cls,
            option=one.option,
            seconds=one.seconds,
            count=count,
            fixed=str(one.fixed),
            hourly=str(one.hourly),
            fee=str(due),
            bought=ctx.now,
            start=start,
            end=more.pop("end", start + timedelta(seconds=one.seconds)),
            **more,
        )
    )


def _within_quota(ctx: Ctx, zone: str, count: int) -> None:
    """So many in a calendar month, for the Region and for each zone."""
    limit = ctx.limit(*PER_MONTH)
    month = (ctx.now.year, ctx.now.month)
    bought = sum(
        held.count
        for held in ctx.db[ReservedInstances].all()
        if not held.derived and held.zone == zone and (held.bought.year, held.bought.month) == month
    )
    if limit is not None and bought + count > limit:
        raise AwsError(
            "ReservedInstancesLimitExceeded",
            "Your current quota does not allow you to purchase the required number of reserved instances",
        )


@op("DescribeReservedInstances")
def describe_reserved_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What was bought, those whose term is over included."""
    keys = req.get("ReservedInstancesIds")
    found = ctx.db[ReservedInstances].need_all(dict.fromkeys(keys)) if keys else ctx.db[ReservedInstances].all()
    rows = [
        Row(held.tags, show_reserved(ctx, held))
        for held in found
        if req.get("OfferingClass") in (None, held.cls) and req.get("OfferingType") in (None, held.option)
    ]
    return {"ReservedInstances": narrow(req, FILTERS, rows)}


def show_reserved(ctx: Ctx, held: ReservedInstances) -> dict[str, Any]:
    """AWS's ReservedInstances."""
    fixed, hourly = Decimal(held.fixed), Decimal(held.hourly)
    return {
        **_terms(ctx, held.type, held.zone, held.cls, held.option, held.seconds, fixed, hourly),
        "End": held.end,
        "InstanceCount": held.count,
        "ReservedInstancesId": held.id,
        "Start": held.start,
        "State": held.state,
        "Tags": tags.as_list(held.tags) if held.tags else None,
    }


@op("DeleteQueuedReservedInstances")
def delete_queued_reserved_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take queued purchases back."""
    done, failed = [], []
    for key in dict.fromkeys(req["ReservedInstancesIds"]):
        held = ctx.db[ReservedInstances].get(key)
        if held is None or held.state != "queued":
            code = "reserved-instances-id-invalid" if held is None else "reserved-instances-not-in-queued-state"
            said = "There is no such purchase." if held is None else "The purchase is not queued."
            failed.append({"ReservedInstancesId": key, "Error": {"Code": code, "Message": said}})
            continue
        ctx.db[ReservedInstances].put(replace(held, state="queued-deleted"))
        done.append({"ReservedInstancesId": key})
    return {"SuccessfulQueuedPurchaseDeletions": done, "FailedQueuedPurchaseDeletions": failed}
