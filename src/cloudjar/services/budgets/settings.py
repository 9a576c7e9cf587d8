"""What a request says of a budget, checked.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateBudget.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cloudjar.services.budgets import covering, errors, filtering
from cloudjar.services.budgets.periods import ANNUALLY, CUSTOM, DAILY, FOREVER, MONTHLY, QUARTERLY, Period, period
from cloudjar.services.budgets.records import COST, USAGE, Budget

COST_TYPES = {
    "IncludeTax": True,
    "IncludeSubscription": True,
    "UseBlended": False,
    "IncludeRefund": True,
    "IncludeCredit": True,
    "IncludeUpfront": True,
    "IncludeRecurring": True,
    "IncludeOtherSubscription": True,
    "IncludeSupport": True,
    "IncludeDiscount": True,
    "UseAmortized": False,
}
"""With what AWS fills in."""
_MOST, _DIGITS = Decimal(1_000_000_000_000), 40
_PLANNED = {MONTHLY: 12, QUARTERLY: 4}
_COSTS = ("BlendedCost", "UnblendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost")


def fields(given: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The fields of `Budget` that a request's budget gives; raises InvalidParameterException."""
    kind, unit = given["BudgetType"], given["TimeUnit"]
    start, end = _times(given, unit, now)
    if kind in covering.KINDS:
        times = {"kind": kind, "unit": unit, "start": start, "end": end, "view": _view(given)}
        return {**times, **covering.fields(given)}
    _one_limit(given)
    fixed, measured_in = _fixed(given, kind)
    found = {
        "kind": kind,
        "unit": unit,
        "fixed": fixed,
        "measured_in": measured_in,
        "limits": _planned(given, kind, unit, start),
        "adjust": _adjust(given, unit),
        "start": start,
        "end": end,
        "view": _view(given),
        **_filters(given, kind),
    }
    if found["limits"]:
        found["measured_in"] = _unit(next(iter(given["PlannedBudgetLimits"].values())), kind)
    return found


def _times(given: Mapping[str, Any], unit: str, now: datetime) -> tuple[datetime, datetime]:
    said = given.get("TimePeriod") or {}
    if unit == CUSTOM:
        if not (said.get("Start") and said.get("End")):
            raise errors.invalid("A budget with a custom period needs a start and an end.")
        start, end = said["Start"], said["End"]
    else:
        start = said.get("Start") or period(unit, now).start
        end = said.get("End") or FOREVER
    if end > FOREVER:
        raise errors.invalid("The end date of a budget must not be later than 06/15/87.")
    if start >= end:
        raise errors.invalid("The start date of a budget must be before its end date.")
    return start.astimezone(UTC), end.astimezone(UTC)


def _one_limit(given: Mapping[str, Any]) -> None:
    named = [name for name in ("BudgetLimit", "PlannedBudgetLimits", "AutoAdjustData") if given.get(name)]
    if len(named) > 1:
        raise errors.invalid(f"Only one of {' and '.join(named)} can be present.")
    if not named:
        raise errors.invalid("One of BudgetLimit, PlannedBudgetLimits and AutoAdjustData must be present.")


def _view(given: Mapping[str, Any]) -> str:
    """Everything of an account is its primary view; there are no others."""
    view: str = given.get("BillingViewArn") or ""
    if view and not view.endswith(":billingview/primary"):
        raise errors.invalid("There is no such billing view.")
    return view


def _unit(spend: Mapping[str, Any], kind: str) -> str:
    unit: str = spend["Unit"]
    if kind == USAGE:
        return unit
    if unit.upper() != "USD":
        raise errors.invalid(f"The unit of a budget of type {kind} must be USD.")
    return "USD"


def _fixed(given: Mapping[str, Any], kind: str) -> tuple[Decimal, str]:
    spend = given.get("BudgetLimit")
    if not spend:
        return Decimal(0), "USD" if kind == COST else "Hrs"
    return _amount(spend), _unit(spend, kind)


def _amount(spend: Mapping[str, Any]) -> Decimal:
    text: str = spend["Amount"]
    amount = Decimal(text) if len(text) <= _DIGITS else Decimal("Infinity")
    if not 0 < amount <= _MOST:
        raise errors.invalid(f"The amount of a budget must be greater than 0 and at most {_MOST:,}.")
    return amount


def _planned(given: Mapping[str, Any], kind: str, unit: str, start: datetime) -> dict[str, Decimal]:
    """Limits by the first second of their month or quarter, one after the other without a gap."""
    planned = given.get("PlannedBudgetLimits") or {}
    if not planned:
        return {}
    if unit not in _PLANNED:
        raise errors.invalid("Only monthly and quarterly budgets can have planned limits.")
    if len(planned) > _PLANNED[unit]:
        raise errors.invalid(f"A {unit} budget can have up to {_PLANNED[unit]} planned limits.")
    found: dict[str, Decimal] = {}
    expected = period(unit, start)
    for key in sorted(planned, key=_seconds):
        if _seconds(key) != int(expected.start.timestamp()):
            raise errors.invalid("Planned limits must be given for consecutive periods, by their first second (epoch).")
        _unit(planned[key], kind)
        found[key] = _amount(planned[key])
        expected = period(unit, expected.end)
    return found


def _seconds(key: str) -> int:
    try:
        return int(key[:20])
    except ValueError:
        raise errors.invalid(f"{key} is not an epoch second.") from None


def _adjust(given: Mapping[str, Any], unit: str) -> dict[str, Any]:
    data = given.get("AutoAdjustData")
    if not data:
        return {}
    if unit == CUSTOM:
        raise errors.invalid("Only budgets that recur can adjust themselves.")
    found: dict[str, Any] = {"AutoAdjustType": data["AutoAdjustType"]}
    options = data.get("HistoricalOptions")
    if data["AutoAdjustType"] == "FORECAST":
        if options:
            raise errors.invalid("HistoricalOptions can only be given with the type HISTORICAL.")
        return found
    if not options:
        raise errors.invalid("HistoricalOptions must be given with the type HISTORICAL.")
    back = int(options["BudgetAdjustmentPeriod"])
    most = {DAILY: 60, MONTHLY: 12, QUARTERLY: 4, ANNUALLY: 1}[unit]
    if back > most:
        raise errors.invalid(f"BudgetAdjustmentPeriod of a {unit} budget can be up to {most}.")
    return {**found, "HistoricalOptions": {"BudgetAdjustmentPeriod": back}}


def _filters(given: Mapping[str, Any], kind: str) -> dict[str, Any]:
    old, new = given.get("CostFilters") or {}, given.get("FilterExpression") or {}
    metrics = tuple(given.get("Metrics") or ())
    if new and (old or given.get("CostTypes")):
        raise errors.invalid("FilterExpression cannot be combined with CostFilters or CostTypes.")
    if metrics and (given.get("CostTypes") or old):
        raise errors.invalid("Metrics cannot be combined with CostFilters or CostTypes.")
    if new and not metrics:
        raise errors.invalid("Metrics must be given with FilterExpression.")
    if metrics and (metrics[0] in _COSTS) != (kind == COST):
        raise errors.invalid(f"{metrics[0]} is no metric of a budget of type {kind}.")
    filters = filtering.checked(old)
    said = given.get("CostTypes") or {}
    types = {name: default if said.get(name) is None else said[name] for name, default in COST_TYPES.items()}
    if types["UseBlended"] and types["UseAmortized"]:
        raise errors.invalid("UseBlended and UseAmortized cannot both be true.")
    named = set(filters) | {filtering.OLD_NAMES.get(key, key) for key in _dimensions(new)}
    if kind == USAGE and not named & {"UsageType", "UsageTypeGroup"}:
        raise errors.invalid("A usage budget must be filtered by usage type or usage type group.")
    return {"filters": filters, "expression": new, "metrics": metrics, "types": {} if metrics else types}


def _dimensions(expression: Mapping[str, Any]) -> Iterator[str]:
    """The dimensions that an expression is about."""
    said = expression.get("Dimensions") or {}
    if said:
        yield said["Key"]
    for part in (*(expression.get("And") or ()), *(expression.get("Or") or ())):
        yield from _dimensions(part)
    if expression.get("Not"):
        yield from _dimensions(expression["Not"])


def custom(budget: Budget) -> Period | None:
    """The one period of a budget that does not recur."""
    return Period(budget.start, budget.end) if budget.unit == CUSTOM else None
