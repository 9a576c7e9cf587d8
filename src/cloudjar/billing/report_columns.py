"""The tables that can be exported, column by column: CUR 2.0 and FOCUS 1.0.

https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html
https://focus.finops.org/focus-columns/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import sha256

from cloudjar.billing import dimensions
from cloudjar.billing.report_commitments import FOCUS_COLUMNS as COMMITTED
from cloudjar.billing.report_commitments import (
    LINE_COLUMNS,
    PLAN_COLUMNS,
    RESERVATION_COLUMNS,
    category,
    focus,
    frequency,
    pricing,
)
from cloudjar.billing.report_rows import Column, Used
from cloudjar.spec import prices, regions

CUR, FOCUS = "COST_AND_USAGE_REPORT", "FOCUS_1_0_AWS"
_ISSUER = "Amazon Web Services, Inc."
_FORM = "%Y-%m-%dT%H:%M:%SZ"


def _id(one: Used) -> str:
    return sha256(repr((one.line, one.start)).encode()).hexdigest()[:52]


def _rate(cost: Decimal, usage: Decimal) -> Decimal | None:
    return cost / usage if usage else None


def _description(one: Used) -> str:
    return f"{one.line.bill_usage_type} of {prices.service_name(one.line.service)}"


_CUR: Mapping[str, Column] = {
    "bill_bill_type": ("string", lambda _: "Anniversary"),
    "bill_billing_entity": ("string", lambda _: "AWS"),
    "bill_billing_period_end_date": ("timestamp", lambda one: one.month[1]),
    "bill_billing_period_start_date": ("timestamp", lambda one: one.month[0]),
    "bill_invoice_id": ("string", lambda _: None),
    "bill_invoicing_entity": ("string", lambda _: _ISSUER),
    "bill_payer_account_id": ("string", lambda one: one.payer),
    "identity_line_item_id": ("string", _id),
    "identity_time_interval": ("string", lambda one: f"{one.start:{_FORM}}/{one.end:{_FORM}}"),
    "line_item_blended_cost": ("double", lambda one: one.blended),
    "line_item_blended_rate": ("double", lambda one: _rate(one.blended, one.usage)),
    "line_item_currency_code": ("string", lambda _: prices.CURRENCY),
    "line_item_legal_entity": ("string", lambda _: _ISSUER),
    "line_item_line_item_description": ("string", _description),
    "line_item_line_item_type": ("string", lambda one: one.line.kind),
    "line_item_operation": ("string", lambda one: one.line.operation),
    "line_item_product_code": ("string", lambda one: one.line.service),
    "line_item_resource_id": ("string", lambda one: one.line.resource),
    "line_item_unblended_cost": ("double", lambda one: one.cost),
    "line_item_unblended_rate": ("double", lambda one: _rate(one.cost, one.usage)),
    "line_item_usage_account_id": ("string", lambda one: one.line.account),
    "line_item_usage_amount": ("double", lambda one: one.usage),
    "line_item_usage_end_date": ("timestamp", lambda one: one.end),
    "line_item_usage_start_date": ("timestamp", lambda one: one.start),
    "line_item_usage_type": ("string", lambda one: one.line.bill_usage_type),
    "pricing_currency": ("string", lambda _: prices.CURRENCY),
    "pricing_public_on_demand_cost": ("double", lambda one: one.public * one.usage),
    "pricing_public_on_demand_rate": ("double", lambda one: one.public),
    "pricing_unit": ("string", lambda one: one.line.unit),
    "product_instance_type": ("string", lambda one: dimensions.instance_type(one.line)),
    "product_region_code": ("string", lambda one: one.line.region),
    "product_servicecode": ("string", lambda one: one.line.service),
    "resource_tags": ("map", lambda one: {f"user_{key}": value for key, value in one.line.tags}),
}
CUR_COLUMNS: Mapping[str, Column] = dict(
    sorted({**_CUR, **LINE_COLUMNS, **RESERVATION_COLUMNS, **PLAN_COLUMNS}.items())
)
_CATEGORIES = {
    "AmazonEC2": "Compute",
    "AWSLambda": "Compute",
    "AmazonECS": "Compute",
    "AmazonS3": "Storage",
    "AmazonEFS": "Storage",
    "AmazonRDS": "Databases",
    "AmazonDynamoDB": "Databases",
    "AmazonVPC": "Networking",
    "AWSELB": "Networking",
    "AWSDataTransfer": "Networking",
    "AmazonRoute53": "Networking",
    "AWSQueueService": "Integration",
    "AmazonSNS": "Integration",
    "AWSEvents": "Integration",
    "awskms": "Security",
    "AWSSecretsManager": "Security",
    "AWSIdentityAndAccessManagement": "Identity",
    "AWSSecurityTokenService": "Identity",
    "AmazonKinesis": "Analytics",
    "AmazonKinesisFirehose": "Analytics",
    "AmazonCloudWatch": "Management and Governance",
    "AWSCloudTrail": "Management and Governance",
    "AWSSystemsManager": "Management and Governance",
}


_FOCUS: Mapping[str, Column] = {
    "BilledCost": ("double", lambda one: one.cost),
    "BillingAccountId": ("string", lambda one: one.payer),
    "BillingCurrency": ("string", lambda _: prices.CURRENCY),
    "BillingPeriodEnd": ("timestamp", lambda one: one.month[1]),
    "BillingPeriodStart": ("timestamp", lambda one: one.month[0]),
    "ChargeCategory": ("string", category),
    "ChargeClass": ("string", lambda _: None),
    "ChargeDescription": ("string", _description),
    "ChargeFrequency": ("string", frequency),
    "ChargePeriodEnd": ("timestamp", lambda one: one.end),
    "ChargePeriodStart": ("timestamp", lambda one: one.start),
    "ConsumedQuantity": ("double", lambda one: one.usage),
    "ConsumedUnit": ("string", lambda one: one.line.unit),
    "ContractedCost": ("double", lambda one: one.cost),
    "EffectiveCost": ("double", lambda one: one.amortized),
    "InvoiceIssuerName": ("string", lambda _: _ISSUER),
    "ListCost": ("double", lambda one: one.public * one.usage),
    "ListUnitPrice": ("double", lambda one: one.public),
    "PricingCategory": ("string", pricing),
    "PricingQuantity": ("double", lambda one: one.usage),
    "PricingUnit": ("string", lambda one: one.line.unit),
    "ProviderName": ("string", lambda _: "AWS"),
    "PublisherName": ("string", lambda _: "AWS"),
    "RegionId": ("string", lambda one: one.line.region or None),
    "RegionName": ("string", lambda one: regions.region(one.line.region).long_name if one.line.region else None),
    "ResourceId": ("string", lambda one: one.line.resource or None),
    "ServiceCategory": ("string", lambda one: _CATEGORIES.get(one.line.service, "Other")),
    "ServiceName": ("string", lambda one: prices.service_name(one.line.service)),
    "SubAccountId": ("string", lambda one: one.line.account),
    "Tags": ("map", lambda one: dict(one.line.tags)),
    "x_Operation": ("string", lambda one: one.line.operation),
    "x_ServiceCode": ("string", lambda one: one.line.service),
    "x_UsageType": ("string", lambda one: one.line.bill_usage_type),
}
FOCUS_COLUMNS: Mapping[str, Column] = dict(sorted({**_FOCUS, **COMMITTED}.items()))
TABLES: Mapping[str, Mapping[str, Column]] = {CUR: CUR_COLUMNS, FOCUS: FOCUS_COLUMNS}


def rows(table: str, found: Iterable[Used]) -> Iterable[Used]:
    """Rows as a table has them."""
    return focus(found) if table == FOCUS else found


DESCRIPTIONS = {
    CUR: "Cost and usage by line item.",
    FOCUS: "Cost and usage in the columns of the FinOps Open Cost and Usage Specification 1.0.",
}
PROPERTIES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    CUR: {
        "TIME_GRANULARITY": ("HOURLY", "DAILY", "MONTHLY"),
        "INCLUDE_RESOURCES": ("FALSE", "TRUE"),
        "INCLUDE_SPLIT_COST_ALLOCATION_DATA": ("FALSE",),
        "INCLUDE_MANUAL_DISCOUNT_COMPATIBILITY": ("FALSE",),
    },
    FOCUS: {},
}
"""Values that may be chosen, the default first."""
