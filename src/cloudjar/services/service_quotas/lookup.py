"""Finding services and quotas where they can be asked for."""

from __future__ import annotations

from cloudjar.kit.context import Ctx
from cloudjar.services.service_quotas import errors
from cloudjar.spec import quotas
from cloudjar.spec.quotas import Quota

HOME = "us-east-1"
"""Where the quotas of global services are."""


def services(ctx: Ctx) -> list[str]:
    """Codes of the services whose quotas are kept in this region, sorted."""
    return sorted(code for code in quotas.services() if ctx.region == HOME or code not in quotas.GLOBAL)


def need_service(ctx: Ctx, code: str) -> tuple[Quota, ...]:
    """A service's quotas by name; raises AWS's answer when it has none here."""
    if code not in services(ctx):
        raise errors.no_service()
    return quotas.quotas(code)


def need_quota(ctx: Ctx, service: str, code: str) -> Quota:
    """One quota; raises AWS's answer when there is none here."""
    for quota in need_service(ctx, service):
        if quota.code == code:
            return quota
    raise errors.no_quota()


def in_force(ctx: Ctx, quota: Quota) -> float | None:
    """The limit that the services obey; None when its number is not known."""
    return ctx.limit(quota.service, quota.code)
