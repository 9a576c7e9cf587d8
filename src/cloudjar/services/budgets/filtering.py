"""Filters of budgets: the old form (lists by name) as an expression of Cost Explorer's, so that both mean the same.

https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-create-filters.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.services.budgets import errors
from cloudjar.services.budgets.records import Budget

DIMENSIONS = {
    "AZ": "AZ",
    "BillingEntity": "BILLING_ENTITY",
    "CacheEngine": "CACHE_ENGINE",
    "DatabaseEngine": "DATABASE_ENGINE",
    "DeploymentOption": "DEPLOYMENT_OPTION",
    "InstanceType": "INSTANCE_TYPE",
    "InstanceTypeFamily": "INSTANCE_TYPE_FAMILY",
    "InvoicingEntity": "INVOICING_ENTITY",
    "LegalEntityName": "LEGAL_ENTITY_NAME",
    "LinkedAccount": "LINKED_ACCOUNT",
    "OperatingSystem": "OPERATING_SYSTEM",
    "Operation": "OPERATION",
    "Platform": "PLATFORM",
    "PurchaseType": "PURCHASE_TYPE",
    "RecordType": "RECORD_TYPE",
    "Region": "REGION",
    "ReservationId": "RESERVATION_ID",
    "SavingsPlanArn": "SAVINGS_PLAN_ARN",
    "SavingsPlansType": "SAVINGS_PLANS_TYPE",
    "Scope": "SCOPE",
    "Service": "SERVICE",
    "Tenancy": "TENANCY",
    "UsageType": "USAGE_TYPE",
    "UsageTypeGroup": "USAGE_TYPE_GROUP",
}
"""Names of old filters, and the dimensions that they are."""
OLD_NAMES = {new: old for old, new in DIMENSIONS.items()}
_TAG, _CATEGORY = "TagKeyValue", "CostCategory"
RECORD_TYPES = {
    "IncludeTax": ("Tax",),
    "IncludeRefund": ("Refund",),
    "IncludeCredit": ("Credit",),
    "IncludeUpfront": ("Fee", "SavingsPlanUpfrontFee"),
    "IncludeRecurring": ("RIFee", "SavingsPlanRecurringFee"),
    "IncludeOtherSubscription": ("Other",),
    "IncludeSupport": ("Support",),
    "IncludeDiscount": ("Enterprise Discount Program Discount", "PrivateRateDiscount", "BundledDiscount"),
}
"""Kinds of charges, which a budget may leave out."""


def checked(filters: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Old filters, if each is one; raises InvalidParameterException."""
    for name, values in filters.items():
        if name not in DIMENSIONS and name not in (_TAG, _CATEGORY):
            raise errors.invalid(f"{name} is not a cost filter.")
        if not values:
            raise errors.invalid(f"The cost filter {name} has no values.")
        if name == _TAG and not all("$" in value for value in values):
            raise errors.invalid("A tag filter is written user:KEY$VALUE.")
    return {name: list(values) for name, values in filters.items()}


def expression(budget: Budget) -> dict[str, Any] | None:
    """What a budget is about, as one expression; None for everything."""
    if budget.metrics:
        return budget.expression or None
    parts = [_part(name, budget.filters[name]) for name in sorted(budget.filters)]
    left_out = [one for name, kinds in RECORD_TYPES.items() if not budget.types.get(name, True) for one in kinds]
    if not budget.types.get("IncludeSubscription", True):
        left_out += ["Fee", "RIFee", "SavingsPlanRecurringFee", "SavingsPlanUpfrontFee"]
    if left_out:
        parts.append({"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": sorted(set(left_out))}}})
    if len(parts) > 1:
        return {"And": parts}
    return parts[0] if parts else None


def _part(name: str, values: list[str]) -> dict[str, Any]:
    if name in DIMENSIONS:
        return {"Dimensions": {"Key": DIMENSIONS[name], "Values": values}}
    by_key: dict[str, list[str]] = {}
    for value in values:
        key, _, wanted = value.partition("$")
        by_key.setdefault(key.removeprefix("user:"), []).append(wanted)
    form = "Tags" if name == _TAG else "CostCategories"
    parts = [{form: {"Key": key, "Values": by_key[key]}} for key in sorted(by_key)]
    return parts[0] if len(parts) == 1 else {"Or": parts}


def metric(budget: Budget) -> str:
    """What of the lines is added up, in Cost Explorer's words."""
    if budget.metrics:
        return budget.metrics[0]
    if budget.kind == "USAGE":
        return "UsageQuantity"
    if budget.types.get("UseBlended"):
        return "BlendedCost"
    return "AmortizedCost" if budget.types.get("UseAmortized") else "UnblendedCost"
