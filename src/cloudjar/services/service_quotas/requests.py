"""Asking for higher limits, and what became of it.

https://docs.aws.amazon.com/servicequotas/latest/userguide/request-quota-increase.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.service_quotas import errors
from cloudjar.services.service_quotas.life import LIFE
from cloudjar.services.service_quotas.lookup import in_force, need_quota, need_service
from cloudjar.services.service_quotas.records import IncreaseRequest
from cloudjar.services.service_quotas.views import show_request
from cloudjar.spec.quotas import Quota


@op("RequestServiceQuotaIncrease")
def request_service_quota_increase(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Open a request; one at a time for a quota. The answer is PENDING: approval takes its time."""
    quota = need_quota(ctx, req["ServiceCode"], req["QuotaCode"])
    if req.get("ContextId"):
        raise errors.no_contexts()
    if not quota.adjustable:
        raise errors.not_adjustable()
    if req["DesiredValue"] <= (in_force(ctx, quota) or 0):
        raise errors.not_greater()
    if ctx.db[IncreaseRequest].count(service=quota.service, quota=quota.code, state=LIFE.start):
        raise errors.already_open()
    return {"RequestedQuota": show_request(opened(ctx, quota, float(req["DesiredValue"])))}


def opened(ctx: Ctx, quota: Quota, desired: float) -> IncreaseRequest:
    """A request in the account and region of `ctx`, in its caller's name."""
    request = IncreaseRequest(
        id=ids.entropy(20).hex(),
        service=quota.service,
        quota=quota.code,
        desired=desired,
        state=LIFE.start,
        created=ctx.now,
        updated=ctx.now,
        requester=ctx.caller.arn,
    )
    return ctx.db[IncreaseRequest].add(request)


@op("GetRequestedServiceQuotaChange")
def get_requested_service_quota_change(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One request."""
    return {"RequestedQuota": show_request(ctx.db[IncreaseRequest].need(req["RequestId"]))}


@op("ListRequestedServiceQuotaChangeHistory")
def list_requested_service_quota_change_history(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The requests of the account in this region, newest first; of one service when it is named."""
    where = {"service": req["ServiceCode"]} if req.get("ServiceCode") else {}
    if where:
        need_service(ctx, req["ServiceCode"])
    return _history(ctx, req, where)


@op("ListRequestedServiceQuotaChangeHistoryByQuota")
def list_requested_service_quota_change_history_by_quota(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The requests for one quota, newest first."""
    quota = need_quota(ctx, req["ServiceCode"], req["QuotaCode"])
    return _history(ctx, req, {"service": quota.service, "quota": quota.code})


def _history(ctx: Ctx, req: dict[str, Any], where: dict[str, str]) -> dict[str, Any]:
    if req.get("Status"):
        where["state"] = req["Status"]
    found = ctx.db[IncreaseRequest].all(**where) if req.get("QuotaRequestedAtLevel") != "RESOURCE" else []
    newest = sorted(found, key=lambda request: (request.created, request.id), reverse=True)
    return {"RequestedQuotas": [show_request(request) for request in newest]}
