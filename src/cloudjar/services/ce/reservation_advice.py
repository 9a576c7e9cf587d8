"""Recommendations to buy reservations.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetReservationPurchaseRecommendation.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from cloudjar.base import ids
from cloudjar.billing import dimensions, using
from cloudjar.billing.covering import flexible
from cloudjar.billing.history import History, uncovered
from cloudjar.billing.measured import ZERO, Line
from cloudjar.services.ce import errors, recommending
from cloudjar.services.ce.asking import Asking, amount, asks
from cloudjar.services.ce.recommending import LOOKBACK, MONTH, OPTIONS, YEARS, Asked
from cloudjar.spec import instance_types, shares

EC2 = "Amazon Elastic Compute Cloud - Compute"
_FAR = "%Y-%m-%dT%H:%M:%SZ"


class Pool(NamedTuple):
    """Usage that one kind of reservation would cover: `hours` of instances of `kind` in each hour."""

    account: str
    region: str
    kind: str
    hours: list[Decimal]


class Advice(NamedTuple):
    """So many of a pool's kind, for so many dollars an hour each."""

    pool: Pool
    number: int
    price: Decimal
    rate: Decimal

    @property
    def monthly(self) -> Decimal:
        """Dollars that would be saved in a month."""
        hours = len(self.pool.hours)
        in_use = sum(recommending.used(self.pool.hours, Decimal(self.number)), ZERO)
        return (in_use * self.price - self.number * self.rate * hours) * MONTH / hours


@asks("GetReservationPurchaseRecommendation")
def get_reservation_purchase_recommendation(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """What of EC2 would have been worth reserving, by Region and family (or type, where sizes are not flexible)."""
    if req["Service"] not in (EC2, "Amazon Elastic Compute Cloud"):
        raise errors.invalid(f"Recommendations for {req['Service']} are not supported: choose from ['{EC2}']")
    asked = terms(req)
    cls = ((req.get("ServiceSpecification") or {}).get("EC2Specification") or {}).get("OfferingClass") or "STANDARD"
    scope = req.get("AccountScope") or "PAYER"
    start, end = recommending.window(asking.now, asked.days)
    history = uncovered(asking.ctx.world, start, end, wanted(asking, req))
    share = shares.RESERVED[cls.lower()][asked.years][asked.option]
    found = [one for pool in _pools(history, asking.ctx.account, scope) if (one := _advice(pool, share))]
    details = [_shown(one, asked) for one in sorted(found, key=lambda one: -one.monthly)]
    saved = sum((one.monthly for one in found), ZERO)
    spent = sum((sum(one.pool.hours, ZERO) * one.price * MONTH / len(one.pool.hours) for one in found), ZERO)
    return {
        "Metadata": metadata(asking),
        "Recommendations": [{
            "AccountScope": scope,
            "LookbackPeriodInDays": req.get("LookbackPeriodInDays") or "SEVEN_DAYS",
            "TermInYears": req.get("TermInYears") or "ONE_YEAR",
            "PaymentOption": req.get("PaymentOption") or "NO_UPFRONT",
            "ServiceSpecification": {"EC2Specification": {"OfferingClass": cls}},
            "RecommendationDetails": details,
            "RecommendationSummary": {
                "TotalEstimatedMonthlySavingsAmount": amount(saved),
                "TotalEstimatedMonthlySavingsPercentage": amount(using.percent(saved, spent)),
                "CurrencyCode": "USD",
            },
        }] if details else [],
    }  # fmt: skip


def terms(req: Mapping[str, Any]) -> Asked:
    """What a request asks for; raises ValidationException."""
    option = OPTIONS.get(req.get("PaymentOption") or "NO_UPFRONT")
    if option is None:
        raise errors.invalid(f"Payment option {req['PaymentOption']} is not supported: choose from {sorted(OPTIONS)}")
    days = LOOKBACK[req.get("LookbackPeriodInDays") or "SEVEN_DAYS"]
    return Asked(days, YEARS[req.get("TermInYears") or "ONE_YEAR"], option)


def wanted(asking: Asking, req: Mapping[str, Any]) -> Any:
    """Which lines a recommendation is about: a filter's, of one account or of everybody who may be seen."""
    keep, account = asking.keep(req.get("Filter")), req.get("AccountId")
    return (lambda line: keep(line) and line.account == account) if account else keep


def metadata(asking: Asking) -> dict[str, str]:
    """It is worked out when it is asked for."""
    return {"RecommendationId": ids.uuid4(), "GenerationTimestamp": asking.now.strftime(_FAR)}


def _pools(history: History, payer: str, scope: str) -> Iterator[Pool]:
    """Instances by what would cover them; of a flexible family as its smallest type in use."""
    groups: dict[tuple[str, str, str], dict[Line, list[Decimal]]] = {}
    for line, row in history.rows.items():
        if not line.usage_type.startswith("BoxUsage:"):
            continue
        kind = dimensions.instance_type(line)
        group = kind.partition(".")[0] if flexible(kind) else kind
        groups.setdefault((payer if scope == "PAYER" else line.account, line.region, group), {})[line] = row
    for (account, region, _), rows in sorted(groups.items()):
        kinds = sorted({dimensions.instance_type(line) for line in rows}, key=dimensions.factor)
        columns = {
            line: [hour * _size(line, kinds[0]) for hour in row] if len(kinds) > 1 else row
            for line, row in rows.items()
        }
        yield Pool(account, region, kinds[0], recommending.summed(columns.values(), history.hours))


def _size(line: Line, kind: str) -> Decimal:
    return dimensions.factor(dimensions.instance_type(line)) / dimensions.factor(kind)


def _advice(pool: Pool, share: Decimal) -> Advice | None:
    price = using.on_demand(pool.region, pool.kind)
    count = recommending.whole(recommending.best(pool.hours, share), pool.hours, share)
    if not price or not count:
        return None
    advice = Advice(pool, count, price, shares.plan_rate(price, share))
    return advice if advice.monthly > 0 else None


def _shown(advice: Advice, asked: Asked) -> dict[str, Any]:
    pool, count, size = advice.pool, Decimal(advice.number), dimensions.factor(advice.pool.kind)
    hours = len(pool.hours)
    in_use = sum(recommending.used(pool.hours, count), ZERO)
    on_demand = sum(pool.hours, ZERO) * advice.price * MONTH / hours
    pay = recommending.payment(advice.rate * count, asked)
    return {
        "AccountId": pool.account,
        "InstanceDetails": {"EC2InstanceDetails": {
            "Family": pool.kind.partition(".")[0],
            "InstanceType": pool.kind,
            "Region": pool.region,
            "Platform": "Linux/UNIX",
            "Tenancy": "shared",
            "CurrentGeneration": bool(instance_types.facts(pool.kind).get("CurrentGeneration")),
            "SizeFlexEligible": flexible(pool.kind),
        }},
        **_figures("Recommended", "ToPurchase", count, size),
        **_figures("Minimum", "UsedPerHour", min(pool.hours), size),
        **_figures("Maximum", "UsedPerHour", max(pool.hours), size),
        **_figures("Average", "UsedPerHour", sum(pool.hours, ZERO) / hours, size),
        "AverageUtilization": amount(using.percent(in_use, count * hours)),
        "EstimatedBreakEvenInMonths": amount(_even(advice, asked)),
        "CurrencyCode": "USD",
        "EstimatedMonthlySavingsAmount": amount(advice.monthly),
        "EstimatedMonthlySavingsPercentage": amount(using.percent(advice.monthly, on_demand)),
        "EstimatedMonthlyOnDemandCost": amount(on_demand),
        "EstimatedReservationCostForLookbackPeriod": amount(advice.rate * count * hours),
        "UpfrontCost": amount(pay.upfront),
        "RecurringStandardMonthlyCost": amount(pay.hourly * MONTH),
    }  # fmt: skip


def _figures(head: str, tail: str, instances: Decimal, size: Decimal) -> dict[str, str]:
    return {
        f"{head}NumberOfInstances{tail}": amount(instances),
        f"{head}NormalizedUnits{tail}": amount(instances * size),
    }


def _even(advice: Advice, asked: Asked) -> Decimal:
    """Months after which what is paid at the beginning has come back."""
    pay = recommending.payment(advice.rate * advice.number, asked)
    gain: Decimal = advice.monthly + pay.upfront * MONTH / asked.hours
    return pay.upfront / gain if gain else ZERO

