"""Savings Plans: how much of the commitment was used, and how much spending was covered.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetSavingsPlansUtilization.html
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetSavingsPlansCoverage.html
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cloudjar.billing import using
from cloudjar.billing.ledger import Period
from cloudjar.billing.measured import COVERED, ZERO
from cloudjar.billing.using import Used, percent
from cloudjar.kit.commitments import Commitment
from cloudjar.services.ce import commitments, errors, periods
from cloudjar.services.ce.asking import Asking, amount, asks

_GROUPS = {"INSTANCE_FAMILY": "INSTANCE_TYPE_FAMILY", "REGION": "REGION", "SERVICE": "SERVICE"}
_PARTS = {"UTILIZATION": "Utilization", "AMORTIZED_COMMITMENT": "AmortizedCommitment", "SAVINGS": "Savings"}
_NONE = "There are no Savings Plans in the time period."
_YEAR = 31_536_000


def _aggregates(used: Used) -> dict[str, Any]:
    spent = used.recurring + used.upfront
    return {
        "Utilization": {
            "TotalCommitment": amount(used.commitment),
            "UsedCommitment": amount(used.used),
            "UnusedCommitment": amount(used.commitment - used.used),
            "UtilizationPercentage": amount(percent(used.used, used.commitment)),
        },
        "Savings": {
            "NetSavings": amount(used.on_demand - used.commitment),
            "OnDemandCostEquivalent": amount(used.on_demand),
        },
        "AmortizedCommitment": {
            "AmortizedRecurringCommitment": amount(used.recurring),
            "AmortizedUpfrontCommitment": amount(used.upfront),
            "TotalAmortizedCommitment": amount(spent),
        },
    }


@asks("GetSavingsPlansUtilization")
def get_savings_plans_utilization(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """The commitment, what of it was used, what that saved; by period."""
    start, end, step, whole = commitments.span(req, asking.now)
    deals = commitments.mine(asking, start, end, reserved=False, keep=req.get("Filter"))
    if not deals:
        raise errors.unavailable(_NONE)
    found = commitments.used(asking, start, end, step, deals, whole=whole)
    shown = [
        {"TimePeriod": periods.shown(period, step), **_aggregates(found.total(index))}
        for index, period in enumerate(found.periods)
    ]
    return {
        "SavingsPlansUtilizationsByTime": commitments.ordered(req, shown, "Utilization"),
        "Total": _aggregates(found.total()),
    }


@asks("GetSavingsPlansUtilizationDetails")
def get_savings_plans_utilization_details(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """The same by plan, over the whole period."""
    start, end, step, _ = commitments.span(req, asking.now)
    deals = commitments.mine(asking, start, end, reserved=False, keep=req.get("Filter"))
    if not deals:
        raise errors.unavailable(_NONE)
    found = commitments.used(asking, start, end, step, deals, whole=True)
    wanted = req.get("DataType") or ["ATTRIBUTES", *_PARTS]
    shown = [_detail(asking, found.deals[arn], column[0], wanted) for arn, column in sorted(found.used.items())]
    answer = {
        "SavingsPlansUtilizationDetails": commitments.ordered(req, shown, "Utilization"),
        "Total": _aggregates(found.total()),
        "TimePeriod": periods.shown(found.periods[0], step),
    }
    operation, member = "GetSavingsPlansUtilizationDetails", "SavingsPlansUtilizationDetails"
    return commitments.cut(operation, req, member, answer, most=20, token="NextToken")


def _detail(asking: Asking, deal: Commitment, used: Used, wanted: list[str]) -> dict[str, Any]:
    parts = _aggregates(used)
    shown: dict[str, Any] = {name: parts[name] for kind, name in _PARTS.items() if kind in wanted}
    if "ATTRIBUTES" in wanted:
        terms = deal.terms
        shown["Attributes"] = {
            "AccountId": deal.account,
            "AccountName": asking.account_name(deal.account),
            "EndDateTime": f"{terms.end:%Y-%m-%dT%H:%M:%S.000Z}",
            "HourlyCommitment": amount(terms.commitment),
            "InstanceFamily": terms.type,
            "PaymentOption": terms.option,
            "PurchaseTerm": f"{terms.seconds // _YEAR}yr",
            "RecurringHourlyFee": amount(terms.hourly),
            "Region": terms.region or "Any",
            "SavingsPlanARN": terms.arn,
            "SavingsPlansType": f"{terms.kind}SavingsPlans",
            "StartDateTime": f"{terms.start:%Y-%m-%dT%H:%M:%S.000Z}",
            "Status": "Active" if deal.stop is None and terms.end > asking.now else "Expired",
            "UpfrontFee": amount(terms.upfront),
        }
    return {"SavingsPlanArn": deal.terms.arn, **shown}


@asks("GetSavingsPlansCoverage")
def get_savings_plans_coverage(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """Spending that was covered, at on-demand prices, of all that could be; by period and at most one dimension."""
    if any(name != "SpendCoveredBySavingsPlans" for name in req.get("Metrics") or ()):
        raise errors.invalid("Metrics are ['SpendCoveredBySavingsPlans']")
    start, end, step, whole = commitments.span(req, asking.now)
    keys = [group.get("Key") or "" for group in req.get("GroupBy") or ()]
    if any(key not in _GROUPS for key in keys):
        raise errors.invalid(f"Coverage can be grouped by {sorted(_GROUPS)}")
    names = [asking.naming({"Type": "DIMENSION", "Key": _GROUPS[key]}) for key in keys]
    wanted = asking.keep(req.get("Filter"))
    spans, groups = asking.ledger.sums(
        start, end, step, keep=lambda line: using.plannable(line) and wanted(line),
        key=lambda line: (tuple(name(line) for name in names), line.kind == COVERED),
    )  # fmt: skip
    found: dict[tuple[str, ...], list[tuple[Decimal, Decimal]]] = {}
    for (name, covered), group in groups.items():
        column = found.setdefault(name, [(ZERO, ZERO)] * len(spans))
        for index, cost in enumerate(group.unblended):
            one, other = column[index]
            column[index] = (one + cost, other) if covered else (one, other + cost)
    if not found:
        raise errors.unavailable("There is no usage in the time period that Savings Plans could cover.")
    if whole:
        spans = [Period(start, end)]
        found = {name: [_added(column)] for name, column in found.items()}
    shown = [
        {
            "Attributes": dict(zip(keys, name, strict=True)),
            "Coverage": _coverage(*column[index]),
            "TimePeriod": periods.shown(period, step),
        }
        for index, period in enumerate(spans)
        for name, column in sorted(found.items())
        if any(column[index])
    ]
    answer: dict[str, Any] = {"SavingsPlansCoverages": commitments.ordered(req, shown, "Coverage")}
    operation, member = "GetSavingsPlansCoverage", "SavingsPlansCoverages"
    return commitments.cut(operation, req, member, answer, most=20, token="NextToken")


def _added(column: list[tuple[Decimal, Decimal]]) -> tuple[Decimal, Decimal]:
    return sum((one for one, _ in column), ZERO), sum((other for _, other in column), ZERO)


def _coverage(covered: Decimal, rest: Decimal) -> Mapping[str, str]:
    return {
        "SpendCoveredBySavingsPlans": amount(covered),
        "OnDemandCost": amount(rest),
        "TotalCost": amount(covered + rest),
        "CoveragePercentage": amount(percent(covered, covered + rest)),
    }
