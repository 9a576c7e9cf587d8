"""Which values dimensions, tags and cost categories have in a period.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetDimensionValues.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.billing import using
from cloudjar.billing.expressions import Values
from cloudjar.billing.ledger import Group
from cloudjar.billing.measured import Line
from cloudjar.services.ce import commitments, errors, periods
from cloudjar.services.ce.asking import Asking, asks
from cloudjar.services.ce.usage import METRICS

_MOST = 1000
_CONTEXTS = ("RESERVATIONS", "SAVINGS_PLANS")


def _period(asking: Asking, req: Mapping[str, Any]) -> tuple[datetime, datetime]:
    start, end = periods.past(req, asking.now, "HOURLY" if "T" in req["TimePeriod"]["Start"] else "DAILY")
    return start, end


def _found(asking: Asking, req: Mapping[str, Any], value: Values) -> dict[str, Group[str]]:
    """The values of a period's lines, with what each comes to; of hours, their days."""
    start, end = _period(asking, req)
    keep = asking.keep(req.get("Filter"))
    _, groups = asking.ledger.sums(periods.midnight(start), end, "MONTHLY", keep=keep, key=value)
    wanted = str(req.get("SearchString") or "").lower()
    return {name: group for name, group in groups.items() if name and wanted in name.lower()}


def _sorted(req: Mapping[str, Any], found: Mapping[str, Group[str]]) -> list[str]:
    """By the metrics of SortBy, else by the costs, dearest first."""
    by = [(entry["Key"], entry.get("SortOrder") or "DESCENDING") for entry in req.get("SortBy") or ()]
    unknown = [key for key, _ in by if key not in METRICS]
    if unknown:
        raise errors.invalid(f"Sort key {unknown[0]} is not supported: choose from {sorted(METRICS)}")
    names = sorted(found)
    for key, order in reversed(by or [("UnblendedCost", "DESCENDING")]):
        names.sort(key=lambda name: _worth(found[name], key), reverse=order == "DESCENDING")
    return names


def _worth(group: Group[str], metric: str) -> Decimal:
    column: list[Decimal] = getattr(group, {"normalized": "usage"}.get(METRICS[metric], METRICS[metric]))
    return sum(column, Decimal(0))


def _page(req: Mapping[str, Any], member: str, items: Sequence[Any]) -> dict[str, Any]:
    """One page of a list; a token is its place."""
    token = req.get("NextPageToken")
    start = 0
    if token:
        try:
            start = int(base64.urlsafe_b64decode(token.encode()).decode())
        except ValueError:
            raise AwsError("InvalidNextTokenException", "The pagination token is invalid.", 400) from None
    end = start + int(req.get("MaxResults") or _MOST)
    shown = list(items[start:end])
    answer = {member: shown, "ReturnSize": len(shown), "TotalSize": len(items)}
    if end < len(items):
        answer["NextPageToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return answer


@asks("GetDimensionValues")
def get_dimension_values(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """The values of one dimension."""
    if req.get("Context") in _CONTEXTS:
        return _page(req, "DimensionValues", _of_commitments(asking, req))
    found = _found(asking, req, asking.naming({"Type": "DIMENSION", "Key": req["Dimension"]}))
    linked = req["Dimension"] == "LINKED_ACCOUNT"
    values = [
        {"Value": name, "Attributes": {"description": asking.account_name(name)} if linked else {}}
        for name in _sorted(req, found)
    ]
    return _page(req, "DimensionValues", values)


def _of_commitments(asking: Asking, req: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The values that reservations (or plans) of a period have, by name."""
    start, end = _period(asking, req)
    reserved, dimension = req["Context"] == "RESERVATIONS", req["Dimension"]
    deals = commitments.mine(asking, periods.midnight(start), end, reserved=reserved, keep=req.get("Filter"))
    value = commitments.dimensions(deals).get(dimension) or asking.naming({"Type": "DIMENSION", "Key": dimension})
    wanted, linked = str(req.get("SearchString") or "").lower(), dimension == "LINKED_ACCOUNT"
    names = sorted({value(using.about(deal)) for deal in deals.values()} - {""})
    return [
        {"Value": name, "Attributes": {"description": asking.account_name(name)} if linked else {}}
        for name in names
        if wanted in name.lower()
    ]


@asks("GetTags")
def get_tags(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """The active tag keys, or one key's values; a line without the tag has the value ""."""
    key = req.get("TagKey")
    if key:
        found = _found(asking, {**req, "SearchString": ""}, asking.naming({"Type": "TAG", "Key": key}))
        wanted = str(req.get("SearchString") or "").lower()
        names = [name[len(key) + 1 :] for name in _sorted(req, found)]
        return _page(req, "Tags", [name for name in names if wanted in name.lower()])
    seen: set[str] = set()

    def note(line: Line) -> str:
        seen.update(name for name, _ in line.tags if name in asking.active)
        return ""

    _found(asking, {**req, "SearchString": ""}, note)
    wanted = str(req.get("SearchString") or "").lower()
    return _page(req, "Tags", sorted(name for name in seen if wanted in name.lower()))


@asks("GetCostCategories")
def get_cost_categories(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """The names of the cost categories, or one's values."""
    name = req.get("CostCategoryName")
    wanted = str(req.get("SearchString") or "").lower()
    if not name:
        _period(asking, req)
        names = sorted(one for one in asking.categories if wanted in one.lower())
        return _page(req, "CostCategoryNames", names)
    value = asking.categories.get(name)
    if value is None:
        raise errors.invalid(f"Cost category {name} does not exist")
    return _page(req, "CostCategoryValues", _sorted(req, _found(asking, req, value)))
