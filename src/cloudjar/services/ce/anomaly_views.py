"""Anomalies, monitors and subscriptions as AWS shows them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from cloudjar.kit.accounts import described
from cloudjar.kit.context import Ctx
from cloudjar.services.ce.anomaly_records import Anomaly, Monitor, Subscription


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _money(amount: Decimal) -> float:
    return float(round(amount, 10))


def shown(ctx: Ctx, one: Anomaly) -> dict[str, Any]:
    """AWS's Anomaly."""
    percent = {"TotalImpactPercentage": _money(one.impact * 100 / one.expected)} if one.expected else {}
    causes = [
        {
            "Service": service, "Region": region, "LinkedAccount": account,
            "LinkedAccountName": described(ctx.db, account).name, "UsageType": usage_type,
            "Impact": {"Contribution": _money(dollars)},
        }
        for service, region, account, usage_type, dollars in one.causes
    ]  # fmt: skip
    found: dict[str, Any] = {
        "AnomalyId": one.id,
        "AnomalyStartDate": _text(one.start),
        "AnomalyEndDate": _text(one.end),
        "RootCauses": causes,
        "AnomalyScore": {"MaxScore": one.top_score, "CurrentScore": one.score},
        "Impact": {
            "MaxImpact": _money(one.most),
            "TotalImpact": _money(one.impact),
            "TotalActualSpend": _money(one.actual),
            "TotalExpectedSpend": _money(one.expected),
            **percent,
        },
        "MonitorArn": f"arn:aws:ce::{ctx.account}:anomalymonitor/{one.monitor}",
    }
    if one.value:
        found["DimensionValue"] = one.value
    if one.feedback:
        found["Feedback"] = one.feedback
    return found


def monitor(ctx: Ctx, one: Monitor) -> dict[str, Any]:
    """AWS's AnomalyMonitor."""
    found: dict[str, Any] = {
        "MonitorArn": ctx.arn(one),
        "MonitorName": one.name,
        "CreationDate": _text(one.made),
        "LastUpdatedDate": _text(one.changed),
        "MonitorType": one.kind,
    }
    if one.evaluated is not None:
        found["LastEvaluatedDate"] = _text(one.evaluated)
    if one.dimension:
        found["MonitorDimension"] = one.dimension
    if one.filter is not None:
        found["MonitorSpecification"] = one.filter
    return found


def subscription(ctx: Ctx, one: Subscription) -> dict[str, Any]:
    """AWS's AnomalySubscription."""
    found: dict[str, Any] = {
        "SubscriptionArn": ctx.arn(one),
        "AccountId": ctx.account,
        "MonitorArnList": list(one.monitors),
        "Subscribers": [{"Type": kind, "Address": to, "Status": "CONFIRMED"} for kind, to in one.subscribers],
        "Frequency": one.frequency,
        "SubscriptionName": one.name,
    }
    if one.threshold:
        found["ThresholdExpression"] = one.threshold
        dimension = one.threshold.get("Dimensions") or {}
        if dimension.get("Key") == "ANOMALY_TOTAL_IMPACT_ABSOLUTE":
            found["Threshold"] = float(dimension["Values"][0])
    return found
