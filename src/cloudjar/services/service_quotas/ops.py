"""Reading quotas.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.service_quotas import errors
from cloudjar.services.service_quotas.lookup import in_force, need_quota, need_service, services
from cloudjar.services.service_quotas.views import show_quota
from cloudjar.spec import quotas


@op("ListServices")
def list_services(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The services that have quotas in this region."""
    names = quotas.services()
    return {"Services": [{"ServiceCode": code, "ServiceName": names[code]} for code in services(ctx)]}


@op("ListServiceQuotas")
def list_service_quotas(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A service's quotas as they are in force."""
    found = need_service(ctx, req["ServiceCode"])
    if req.get("QuotaCode"):
        found = (need_quota(ctx, req["ServiceCode"], req["QuotaCode"]),)
    if req.get("QuotaAppliedAtLevel") == "RESOURCE":
        found = ()
    return {"Quotas": [show_quota(quota, in_force(ctx, quota), ctx.region, ctx.account) for quota in found]}


@op("ListAWSDefaultServiceQuotas")
def list_aws_default_service_quotas(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A service's quotas as everybody starts with them."""
    found = need_service(ctx, req["ServiceCode"])
    return {"Quotas": [show_quota(quota, quota.default, ctx.region) for quota in found]}


@op("GetServiceQuota")
def get_service_quota(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One quota as it is in force."""
    quota = need_quota(ctx, req["ServiceCode"], req["QuotaCode"])
    if req.get("ContextId"):
        raise errors.no_contexts()
    return {"Quota": show_quota(quota, in_force(ctx, quota), ctx.region, ctx.account)}


@op("GetAWSDefaultServiceQuota")
def get_aws_default_service_quota(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One quota as everybody starts with it."""
    quota = need_quota(ctx, req["ServiceCode"], req["QuotaCode"])
    return {"Quota": show_quota(quota, quota.default, ctx.region)}
