"""Offerings, purchases, and what was purchased.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PurchaseReservedDBInstancesOffering.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import tagging
from cloudjar.services.rds.reserved.offerings import PRODUCTS, YEAR, Offering, offerings
from cloudjar.services.rds.reserved.records import ReservedDbInstances

QUOTA = ("rds", "L-78E853F4")
_NAME = re.compile(r"[A-Za-z](?!.*--)[A-Za-z0-9-]{0,61}[A-Za-z0-9]|[A-Za-z]")
_YEARS = {"1": YEAR, "3": 3 * YEAR, str(YEAR): YEAR, str(3 * YEAR): 3 * YEAR}


@op("DescribeReservedDBInstancesOfferings")
def describe_reserved_db_instances_offerings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What is on offer that is as asked for."""
    known, key = offerings(ctx.region), req.get("ReservedDBInstancesOfferingId")
    if key and key not in known:
        raise _no_offering(key)
    shown = [_offered(one) for one in ([known[key]] if key else known.values())]
    return {"ReservedDBInstancesOfferings": [one for one in shown if _wanted(one, req)]}


def _no_offering(key: str) -> AwsError:
    return AwsError("ReservedDBInstancesOfferingNotFound", f"Reserved DB instances offering {key} not found.", 404)


def _wanted(shown: Mapping[str, Any], req: Mapping[str, Any]) -> bool:
    duration = req.get("Duration")
    if duration and duration not in _YEARS:
        raise AwsError("InvalidParameterValue", f"Invalid duration: {duration}", 400)
    asked = {name: req.get(name) for name in ("DBInstanceClass", "ProductDescription", "OfferingType", "MultiAZ")}
    return all(value in (None, "", shown[name]) for name, value in asked.items()) and (
        not duration or _YEARS[duration] == shown["Duration"]
    )


def _offered(one: Offering) -> dict[str, Any]:
    terms = _terms(one.instance_class, one.engine, one.multi_az, one.option, one.seconds, one.fixed, one.hourly)
    return {"ReservedDBInstancesOfferingId": one.id, **terms}


def _terms(
    instance_class: str, engine: str, multi_az: bool, option: str, seconds: int, fixed: Decimal, hourly: Decimal
) -> dict[str, Any]:
    return {
        "DBInstanceClass": instance_class,
        "Duration": seconds,
        "FixedPrice": float(fixed),
        "UsagePrice": 0.0,
        "CurrencyCode": "USD",
        "ProductDescription": PRODUCTS[engine],
        "OfferingType": option,
        "MultiAZ": multi_az,
        "RecurringCharges": [{"RecurringChargeAmount": float(hourly), "RecurringChargeFrequency": "Hourly"}]
        if hourly
        else [],
    }


@op("PurchaseReservedDBInstancesOffering")
def purchase_reserved_db_instances_offering(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Buy: what is due at once is charged when the purchase becomes active, the rest every hour of the term. There is
    no way back."""
    key, count = req["ReservedDBInstancesOfferingId"], req.get("DBInstanceCount")
    one, count = offerings(ctx.region).get(key), 1 if count is None else int(count)
    if one is None:
        raise _no_offering(key)
    if count < 1:
        raise AwsError("InvalidParameterValue", f"Invalid DB instance count: {count}", 400)
    name = req.get("ReservedDBInstanceId") or f"ri-{ctx.now:%Y-%m-%d-%H-%M-%S}-{ids.below(1000):03}"
    if not _NAME.fullmatch(name):
        raise AwsError("InvalidParameterValue", f"The ReservedDBInstanceId is not a valid identifier: {name}", 400)
    name = name.lower()
    table = ctx.db[ReservedDbInstances]
    if table.get(name) is not None:
        raise AwsError("ReservedDBInstanceAlreadyExists", f"Reserved DB instance {name} already exists.", 404)
    limit = ctx.limit(*QUOTA)
    held = sum(other.count for other in table.all() if other.state != "retired")
    if limit is not None and held + count > limit:
        raise AwsError(
            "ReservedDBInstanceQuotaExceeded", "Request would exceed the user's DB Instance reservation quota.", 400
        )
    bought = table.add(ReservedDbInstances(
        id=name, offering=one.id, instance_class=one.instance_class, engine=one.engine, multi_az=one.multi_az,
        option=one.option, seconds=one.seconds, count=count, fixed=str(one.fixed), hourly=str(one.hourly),
        start=ctx.now, end=ctx.now + timedelta(seconds=one.seconds), tags=tagging.checked(req.get("Tags") or []),
    ))  # fmt: skip
    return {"ReservedDBInstance": _shown(ctx, bought)}


@op("DescribeReservedDBInstances")
def describe_reserved_db_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What was bought, those whose term is over included."""
    key = req.get("ReservedDBInstanceId")
    table = ctx.db[ReservedDbInstances]
    shown = [_shown(ctx, one) for one in ([table.need(key.lower())] if key else table.all())]
    offering = req.get("ReservedDBInstancesOfferingId")
    found = [
        one for one in shown
        if _wanted(one, req) and offering in (None, "", one["ReservedDBInstancesOfferingId"])
        and req.get("LeaseId") in (None, "", one["LeaseId"])
    ]  # fmt: skip
    return {"ReservedDBInstances": found}


def _shown(ctx: Ctx, held: ReservedDbInstances) -> dict[str, Any]:
    terms = _terms(
        held.instance_class, held.engine, held.multi_az, held.option, held.seconds, Decimal(held.fixed),
        Decimal(held.hourly),
    )  # fmt: skip
    return {
        "ReservedDBInstanceId": held.id,
        "ReservedDBInstancesOfferingId": held.offering,
        **terms,
        "StartTime": held.start,
        "DBInstanceCount": held.count,
        "State": held.state,
        "ReservedDBInstanceArn": ctx.arn(held),
        "LeaseId": held.id,
    }
