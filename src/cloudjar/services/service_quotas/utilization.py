"""Reports of how much of quotas is used: of those of which CloudWatch tells it.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_StartQuotaUtilizationReport.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from cloudjar.base import ids
from cloudjar.kit import metrics, pages
from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric
from cloudjar.kit.operation import op
from cloudjar.services.service_quotas import errors
from cloudjar.services.service_quotas.lookup import HOME
from cloudjar.services.service_quotas.records import UtilizationReport
from cloudjar.spec import quotas, usage_metrics
from cloudjar.spec.models import Paginator

_TAKES = timedelta(minutes=1)
_SEEN = 600
"""Seconds in which the last measurement is looked for."""
_PAGE = 1000
_PAGES = Paginator(("NextToken",), ("NextToken",), "MaxResults", ("Quotas",), "")


@op("StartQuotaUtilizationReport")
def start_quota_utilization_report(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """Have a report made of what is used now; it is ready after a minute of AWS's clock."""
    rows = tuple(sorted(_used(ctx), key=lambda row: (-row["Utilization"], row["ServiceCode"], row["QuotaCode"])))
    made = ctx.db[UtilizationReport].add(
        UtilizationReport(id=ids.uuid4(), started=ctx.now, done=ctx.now + _TAKES, rows=rows)
    )
    return {"ReportId": made.id, "Status": "IN_PROGRESS"}


def _used(ctx: Ctx) -> Iterator[dict[str, Any]]:
    """What of each quota is used that counts resources, and of which there is any."""
    stop = ctx.now.timestamp() // 60 * 60
    for (service, code), metric in usage_metrics.metrics().items():
        quota = quotas.quota(service, code)
        limit = ctx.limit(service, code)
        if metric.name != usage_metrics.RESOURCES or not limit or (quota.is_global and ctx.region != HOME):
            continue
        named = Metric(usage_metrics.NAMESPACE, metric.name, metric.dimensions)
        found = metrics.values(
            ctx.world, ctx.account, ctx.region, named, "Maximum", period=60, start=stop - _SEEN, stop=stop
        )
        if found:
            yield {
                "QuotaCode": code, "ServiceCode": service, "QuotaName": quota.name,
                "Namespace": usage_metrics.NAMESPACE, "Utilization": round(found[max(found)] / limit * 100, 4),
                "DefaultValue": quota.default, "AppliedValue": limit, "ServiceName": quotas.services()[service],
                "Adjustable": quota.adjustable,
            }  # fmt: skip


@op("GetQuotaUtilizationReport", pages=False)
def get_quota_utilization_report(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A report, the most used quotas first; its status while it is being made."""
    held = ctx.db[UtilizationReport].get(req["ReportId"])
    if held is None:
        raise errors.no_report()
    if ctx.now < held.done:
        return {"ReportId": held.id, "Status": "IN_PROGRESS"}
    about = {"ReportId": held.id, "Status": "COMPLETED", "GeneratedAt": held.done, "TotalCount": len(held.rows)}
    asked = {**req, "MaxResults": req.get("MaxResults") or _PAGE}
    page = pages.cut(_PAGES, "service-quotas", "GetQuotaUtilizationReport", asked, {"Quotas": list(held.rows)})
    return {**about, **page}
