"""Offerings and rates, as they are searched.

https://docs.aws.amazon.com/savingsplans/latest/APIReference/API_DescribeSavingsPlansOfferings.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cloudjar.kit import pages
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.savingsplans.offerings import Offering, all_offerings, rates, show_rate
from cloudjar.services.savingsplans.records import SavingsPlan
from cloudjar.spec import prices
from cloudjar.spec.models import Paginator

_MOST = 1000


def page(operation: str, member: str, req: Mapping[str, Any], items: Iterable[Any]) -> dict[str, Any]:
    """One page: the model does not say how this service pages, its documentation does."""
    how = Paginator(("nextToken",), ("nextToken",), "maxResults", (member,), "")
    limit = req.get("maxResults") or _MOST
    return pages.cut(how, "savingsplans", operation, {**req, "maxResults": limit}, {member: list(items)})


def _wanted(value: Any, allowed: Iterable[Any] | None) -> bool:
    return not allowed or value in allowed


def _properties(view: Mapping[str, Any], filters: Iterable[Mapping[str, Any]] | None) -> bool:
    held = {one["name"]: one["value"] for one in view["properties"]}
    return all(_wanted(held.get(one.get("name")), one.get("values")) for one in filters or ())


@op("DescribeSavingsPlansOfferings")
def describe_savings_plans_offerings(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What can be bought."""
    found = [
        view
        for offering in all_offerings().values()
        if _offered(offering, req)
        and _properties(view := _shown(offering), req.get("filters"))
        and _wanted(view["usageType"], req.get("usageTypes"))
    ]
    return page("DescribeSavingsPlansOfferings", "searchResults", req, found)


def _offered(offering: Offering, req: Mapping[str, Any]) -> bool:
    return (
        _wanted(offering.id, req.get("offeringIds"))
        and _wanted(offering.option, req.get("paymentOptions"))
        and _wanted(offering.type, req.get("planTypes"))
        and _wanted(offering.seconds, req.get("durations"))
        and _wanted("USD", req.get("currencies"))
        and _wanted(offering.description, req.get("descriptions"))
        and _wanted("ComputeSavingsPlans", req.get("serviceCodes"))
        and _wanted("", req.get("operations"))
        and req.get("productType") in (None, *offering.products)
    )


def _shown(offering: Offering) -> dict[str, Any]:
    properties = {"region": offering.region, "instanceFamily": offering.family}
    return {
        "offeringId": offering.id,
        "productTypes": offering.products,
        "planType": offering.type,
        "description": offering.description,
        "paymentOption": offering.option,
        "durationSeconds": offering.seconds,
        "currency": "USD",
        "serviceCode": "ComputeSavingsPlans",
        "usageType": prices.bill_usage_type(offering.usage_type, offering.region or "us-east-1"),
        "operation": "",
        "properties": [{"name": name, "value": value} for name, value in properties.items() if value],
    }


@op("DescribeSavingsPlansOfferingRates")
def describe_savings_plans_offering_rates(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What types cost under plans that can be bought; of what there are no facts there is nothing."""
    found = [
        {**view, "savingsPlanOffering": _brief(offering)}
        for offering in all_offerings().values()
        if _wanted(offering.id, req.get("savingsPlanOfferingIds"))
        and _wanted(offering.option, req.get("savingsPlanPaymentOptions"))
        and _wanted(offering.type, req.get("savingsPlanTypes"))
        for view in map(show_rate, rates(offering))
        if _rated(view, req)
    ]
    return page("DescribeSavingsPlansOfferingRates", "searchResults", req, found)


def _rated(view: Mapping[str, Any], req: Mapping[str, Any]) -> bool:
    return (
        _wanted("EC2", req.get("products"))
        and _wanted(view["serviceCode"], req.get("serviceCodes"))
        and _wanted(view["usageType"], req.get("usageTypes"))
        and _wanted(view["operation"], req.get("operations"))
        and _properties(view, req.get("filters"))
    )


def _brief(offering: Offering) -> dict[str, Any]:
    return {
        "offeringId": offering.id,
        "paymentOption": offering.option,
        "planType": offering.type,
        "durationSeconds": offering.seconds,
        "currency": "USD",
        "planDescription": offering.description,
    }


@op("DescribeSavingsPlanRates")
def describe_savings_plan_rates(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What types cost under a plan that was bought."""
    plan = ctx.db[SavingsPlan].need(req["savingsPlanId"])
    views = [{**show_rate(rate), "currency": "USD"} for rate in rates(all_offerings()[plan.offering])]
    for entry in req.get("filters") or ():
        views = [view for view in views if _admits(view, str(entry.get("name")), entry.get("values"))]
    return {"savingsPlanId": plan.id, **page("DescribeSavingsPlanRates", "searchResults", req, views)}


def _admits(view: Mapping[str, Any], name: str, values: Iterable[str] | None) -> bool:
    held = {one["name"]: one["value"] for one in view["properties"]}
    return _wanted(held[name] if name in held else view.get(name), values)
