"""Quotas and requests as AWS answers them."""

from __future__ import annotations

import json
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.services.service_quotas.records import IncreaseRequest
from cloudjar.spec import quotas, usage_metrics
from cloudjar.spec.quotas import Quota
from cloudjar.spec.usage_metrics import UsageMetric


def show_quota(quota: Quota, value: float | None, region: str, account: str = "") -> dict[str, Any]:
    """AWS's ``ServiceQuota``; a default belongs to no account."""
    shown = {
        "ServiceCode": quota.service,
        "ServiceName": quotas.services()[quota.service],
        "QuotaArn": _arn(quota, region, account),
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": value,
        "Unit": quota.unit,
        "Adjustable": quota.adjustable,
        "GlobalQuota": quota.is_global,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }
    metric = usage_metrics.metrics().get((quota.service, quota.code))
    return shown if metric is None else {**shown, "UsageMetric": _usage(metric)}


def _usage(metric: UsageMetric) -> dict[str, Any]:
    return {
        "MetricNamespace": usage_metrics.NAMESPACE,
        "MetricName": metric.name,
        "MetricDimensions": dict(metric.dimensions),
        "MetricStatisticRecommendation": metric.statistic,
    }


def show_request(request: IncreaseRequest) -> dict[str, Any]:
    """AWS's ``RequestedServiceQuotaChange``."""
    quota = quotas.quota(request.service, request.quota)
    return {
        "Id": request.id,
        "ServiceCode": quota.service,
        "ServiceName": quotas.services()[quota.service],
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "DesiredValue": request.desired,
        "Status": request.state,
        "Created": request.created,
        "LastUpdated": request.updated,
        "Requester": json.dumps({"accountId": request.account, "callerArn": request.requester}, separators=(",", ":")),
        "QuotaArn": _arn(quota, request.region, request.account),
        "GlobalQuota": quota.is_global,
        "Unit": quota.unit,
        "QuotaRequestedAtLevel": "ACCOUNT",
    }


def _arn(quota: Quota, region: str, account: str) -> str:
    return arns.make("servicequotas", "" if quota.is_global else region, account, quota.arn_resource)
