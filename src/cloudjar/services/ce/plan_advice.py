"""Recommendations to buy Savings Plans, and generations of them.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetSavingsPlansPurchaseRecommendation.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.billing import dimensions, using
from cloudjar.billing.history import History, uncovered
from cloudjar.billing.measured import ZERO
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ce import commitments, errors, recommending
from cloudjar.services.ce.asking import Asking, amount, asks
from cloudjar.services.ce.recommending import MONTH, Asked
from cloudjar.services.ce.records import Generation
from cloudjar.services.ce.reservation_advice import metadata, terms, wanted
from cloudjar.spec import shares

_TYPES = {"COMPUTE_SP": shares.COMPUTE_PLAN, "EC2_INSTANCE_SP": shares.FAMILY_PLAN}
_KINDS = {"COMPUTE_SP": "Compute", "EC2_INSTANCE_SP": "EC2Instance"}
_TAKES = timedelta(minutes=5)
_FORM = "%Y-%m-%dT%H:%M:%SZ"


class Pool(NamedTuple):
    """Spending that one plan would cover: dollars of each hour at on-demand prices, and at the plan's rates."""

    account: str
    region: str
    family: str
    on_demand: list[Decimal]
    rated: list[Decimal]


class Advice(NamedTuple):
    """So many dollars an hour for a pool."""

    pool: Pool
    commitment: Decimal

    @property
    def used(self) -> Decimal:
        """Dollars of the commitment that would have been used."""
        return sum(recommending.used(self.pool.rated, self.commitment), ZERO)

    @property
    def left(self) -> Decimal:
        """Dollars on demand beside it."""
        pairs = zip(self.pool.on_demand, self.pool.rated, strict=True)
        return sum((paid * (1 - min(self.commitment / rated, Decimal(1))) for paid, rated in pairs if rated), ZERO)

    @property
    def saved(self) -> Decimal:
        """Dollars in all of the hours."""
        return sum(self.pool.on_demand, ZERO) - self.left - self.commitment * len(self.pool.rated)


@asks("GetSavingsPlansPurchaseRecommendation")
def get_savings_plans_purchase_recommendation(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """The commitments that would have been worth most."""
    kind = req["SavingsPlansType"]
    if kind not in _TYPES:
        raise errors.invalid(f"Savings Plans type {kind} is not supported: choose from {sorted(_TYPES)}")
    asked = terms(req)
    scope = req.get("AccountScope") or "PAYER"
    start, end = recommending.window(asking.now, asked.days)
    history = uncovered(asking.ctx.world, start, end, wanted(asking, req))
    share = _TYPES[kind][asked.years][asked.option]
    pools = _pools(history, asking.ctx.account, share, family=kind == "EC2_INSTANCE_SP", payer=scope == "PAYER")
    found = [one for pool in pools if (one := _advice(pool, share))]
    found.sort(key=lambda one: -one.saved)
    details = [_shown(one, asked, _KINDS[kind]) for one in found]
    page = commitments.cut("GetSavingsPlansPurchaseRecommendation", req, "Details", {"Details": details},
                           most=20, limit="PageSize")  # fmt: skip
    said = {name: req[name] for name in ("SavingsPlansType", "TermInYears", "PaymentOption", "LookbackPeriodInDays")}
    answer: dict[str, Any] = {
        "Metadata": metadata(asking),
        "SavingsPlansPurchaseRecommendation": {
            "AccountScope": scope,
            **said,
            "SavingsPlansPurchaseRecommendationDetails": page["Details"],
            "SavingsPlansPurchaseRecommendationSummary": _summary(found, history),
        },
    }
    return {**answer, "NextPageToken": page["NextPageToken"]} if "NextPageToken" in page else answer


def _pools(history: History, account: str, share: Decimal, *, family: bool, payer: bool) -> Iterator[Pool]:
    groups: dict[tuple[str, str, str], tuple[list[Decimal], list[Decimal]]] = {}
    for line, row in history.rows.items():
        kind = dimensions.instance_type(line)
        price = using.on_demand(line.region, kind)
        place = (line.region, kind.partition(".")[0]) if family else ("", "")
        key = (account if payer else line.account, *place)
        paid, rated = groups.setdefault(key, ([ZERO] * history.hours, [ZERO] * history.hours))
        rate = shares.plan_rate(price, share)
        paid[:] = [one + hour * price for one, hour in zip(paid, row, strict=True)]
        rated[:] = [one + hour * rate for one, hour in zip(rated, row, strict=True)]
    for (who, region, name), (paid, rated) in sorted(groups.items()):
        yield Pool(who, region, name, paid, rated)


def _advice(pool: Pool, share: Decimal) -> Advice | None:
    commitment = recommending.rounded(recommending.best(pool.rated, share))
    advice = Advice(pool, commitment)
    return advice if commitment and advice.saved > 0 else None


def _shown(advice: Advice, asked: Asked, kind: str) -> dict[str, Any]:
    pool = advice.pool
    offering = shares.plan_offering(kind, pool.region, pool.family, asked.years, asked.option)
    hours = len(pool.rated)
    scale = asked.hours / hours
    spent = sum(pool.on_demand, ZERO)
    cost = advice.commitment * hours
    return {
        "SavingsPlansDetails": {"Region": pool.region, "InstanceFamily": pool.family, "OfferingId": offering},
        "AccountId": pool.account,
        "UpfrontCost": amount(recommending.payment(advice.commitment, asked).upfront),
        "EstimatedROI": amount(using.percent(advice.saved, cost)),
        "CurrencyCode": "USD",
        "EstimatedSPCost": amount(cost * scale),
        "EstimatedOnDemandCost": amount(advice.left * scale),
        "EstimatedOnDemandCostWithCurrentCommitment": amount(spent * scale),
        "EstimatedSavingsAmount": amount(advice.saved * scale),
        "EstimatedSavingsPercentage": amount(using.percent(advice.saved, spent)),
        "HourlyCommitmentToPurchase": amount(advice.commitment),
        "EstimatedAverageUtilization": amount(using.percent(advice.used, cost)),
        "EstimatedMonthlySavingsAmount": amount(advice.saved * MONTH / hours),
        "CurrentMinimumHourlyOnDemandSpend": amount(min(pool.on_demand)),
        "CurrentMaximumHourlyOnDemandSpend": amount(max(pool.on_demand)),
        "CurrentAverageHourlyOnDemandSpend": amount(spent / hours),
    }


def _summary(found: list[Advice], history: History) -> dict[str, str]:
    hours = Decimal(history.hours)
    commitment = sum((one.commitment for one in found), ZERO)
    saved = sum((one.saved for one in found), ZERO)
    spent = sum((sum(one.pool.on_demand, ZERO) for one in found), ZERO)
    left = sum((one.left for one in found), ZERO)
    figures = {
        "EstimatedROI": using.percent(saved, commitment * hours),
        "EstimatedTotalCost": (commitment * hours + left) * MONTH / hours,
        "CurrentOnDemandSpend": spent * MONTH / hours,
        "EstimatedSavingsAmount": saved * MONTH / hours,
        "DailyCommitmentToPurchase": commitment * 24,
        "HourlyCommitmentToPurchase": commitment,
        "EstimatedSavingsPercentage": using.percent(saved, spent),
        "EstimatedMonthlySavingsAmount": saved * MONTH / hours,
        "EstimatedOnDemandCostWithCurrentCommitment": spent * MONTH / hours,
    }
    shown = {name: amount(value) for name, value in figures.items()}
    return {"CurrencyCode": "USD", "TotalRecommendationCount": str(len(found)), **shown}


@op("StartSavingsPlansPurchaseRecommendationGeneration")
def start_savings_plans_purchase_recommendation_generation(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """Have recommendations worked out anew. They are anyway, whenever they are asked for: what is kept is that somebody
    asked, and when AWS would have been done."""
    if any(one.done > ctx.now for one in ctx.db[Generation].all()):
        raise AwsError("GenerationExistsException", "A recommendation generation is already in progress.", 400)
    made = ctx.db[Generation].add(Generation(id=ids.uuid4(), started=ctx.now, done=ctx.now + _TAKES))
    return {
        "RecommendationId": made.id,
        "GenerationStartedTime": made.started.strftime(_FORM),
        "EstimatedCompletionTime": made.done.strftime(_FORM),
    }


@op("ListSavingsPlansPurchaseRecommendationGeneration")
def list_savings_plans_purchase_recommendation_generation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Generations of the last thirty days, the newest first."""
    since, keys = ctx.now - timedelta(days=30), req.get("RecommendationIds")
    found = sorted(ctx.db[Generation].all(), key=lambda one: one.started, reverse=True)
    shown = [_generation(one, ctx.now) for one in found if one.started > since and (not keys or one.id in keys)]
    status = req.get("GenerationStatus")
    return {"GenerationSummaryList": [one for one in shown if status in (None, one["GenerationStatus"])]}


def _generation(one: Generation, now: datetime) -> dict[str, str]:
    shown = {
        "RecommendationId": one.id,
        "GenerationStatus": "SUCCEEDED" if one.done <= now else "PROCESSING",
        "GenerationStartedTime": one.started.strftime(_FORM),
        "EstimatedCompletionTime": one.done.strftime(_FORM),
    }
    return {**shown, "GenerationCompletionTime": one.done.strftime(_FORM)} if one.done <= now else shown
