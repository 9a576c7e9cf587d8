"""Cost Explorer and the price list for the laws: what each operation is asked about, and several of what is paged."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.jar import TestJar

Scene = Callable[[Any], dict[str, Any]]
RULES = [{"Value": "all", "Rule": {"Dimensions": {"Key": "REGION", "Values": ["eu-west-3"]}}}]
VERSION = "CostCategoryExpression.v1"
_NUMBERS = itertools.count()


def _made(jar: TestJar) -> str:
    ce = jar.client("ce")
    made = ce.create_cost_category_definition(Name=f"law-{next(_NUMBERS)}", RuleVersion=VERSION, Rules=RULES)
    return str(made["CostCategoryArn"])


def _category(things: Any) -> dict[str, Any]:
    return {"CostCategoryArn": _made(things.jar)}


def _tagged(things: Any) -> dict[str, Any]:
    return {"ResourceArn": _made(things.jar)}


def _updated(things: Any) -> dict[str, Any]:
    return {"CostCategoryArn": _made(things.jar), "RuleVersion": VERSION, "Rules": RULES}


def _monitor(jar: TestJar) -> str:
    wanted = {"Dimensions": {"Key": "REGION", "Values": ["eu-west-3"]}}
    about = {"MonitorName": f"law-{next(_NUMBERS)}", "MonitorType": "CUSTOM", "MonitorSpecification": wanted}
    return str(jar.client("ce").create_anomaly_monitor(AnomalyMonitor=about)["MonitorArn"])


def _about(monitor: str) -> dict[str, Any]:
    return {
        "SubscriptionName": f"law-{next(_NUMBERS)}", "MonitorArnList": [monitor], "Frequency": "DAILY",
        "Subscribers": [{"Type": "EMAIL", "Address": "law@example.com"}], "Threshold": 5.0,
    }  # fmt: skip


def _watched(things: Any) -> dict[str, Any]:
    return {"MonitorArn": _monitor(things.jar)}


def _subscribed(things: Any) -> dict[str, Any]:
    about = _about(_monitor(things.jar))
    made = things.jar.client("ce").create_anomaly_subscription(AnomalySubscription=about)
    return {"SubscriptionArn": str(made["SubscriptionArn"])}


def _found(things: Any) -> dict[str, Any]:
    now = things.jar.clock.now()
    return {"MonitorArn": _monitor(things.jar), "DateInterval": {"StartDate": f"{now:%Y-%m-%d}"}}


def _subscribing(things: Any) -> dict[str, Any]:
    return {"AnomalySubscription": _about(_monitor(things.jar))}


SCENES: dict[str, Scene] = {
    **{f"ce:{name}AnomalyMonitor": _watched for name in ("Update", "Delete")},
    **{f"ce:{name}AnomalySubscription": _subscribed for name in ("Update", "Delete")},
    "ce:CreateAnomalySubscription": _subscribing,
    "ce:GetAnomalies": _found,
    "ce:GetAnomalyMonitors": lambda things: {"MonitorArnList": [_monitor(things.jar)]},
    "ce:GetAnomalySubscriptions": lambda things: {"SubscriptionArnList": [_subscribed(things)["SubscriptionArn"]]},
    "ce:DescribeCostCategoryDefinition": _category,
    "ce:DeleteCostCategoryDefinition": _category,
    "ce:UpdateCostCategoryDefinition": _updated,
    **{f"ce:{name}": _tagged for name in ("ListTagsForResource", "TagResource", "UntagResource")},
}


def many(jar: TestJar) -> dict[str, Any]:
    """Several categories and tag keys; and which prices to ask for."""
    ce = jar.client("ce")
    first = jar.clock.now().replace(day=1)
    month = {"Start": f"{first:%Y-%m-%d}", "End": f"{first + timedelta(days=32):%Y-%m-01}"}
    jar.client("compute-optimizer").update_enrollment_status(status="Active")
    for _ in range(7):
        _made(jar)
        ce.create_anomaly_subscription(AnomalySubscription=_about(_monitor(jar)))
    return {
        "GetAnomalies": {"DateInterval": {"StartDate": f"{jar.clock.now():%Y-%m-%d}"}},
        "GetReservationPurchaseRecommendation": {"Service": "Amazon Elastic Compute Cloud - Compute"},
        "GetRightsizingRecommendation": {"Service": "AmazonEC2"},
        "GetCostAndUsageComparisons": {
            "BaselineTimePeriod": month, "ComparisonTimePeriod": month, "MetricForComparison": "UnblendedCost",
        },
        "GetRecommendationPreferences": {"resourceType": "Ec2Instance"},
        "GetProducts": {"ServiceCode": "AmazonVPC"},
        "ListPriceLists": {
            "ServiceCode": "AmazonRDS", "EffectiveDate": jar.clock.now(), "CurrencyCode": "USD",
        },
        "GetAttributeValues": {"ServiceCode": "AmazonVPC", "AttributeName": "usagetype"},
    }  # fmt: skip
