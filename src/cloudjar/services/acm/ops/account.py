"""When an account hears of certificates that come to their end."""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.acm.records import Certificate, Configuration


@op("GetAccountConfiguration")
def get_account_configuration(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """The days before the end on which events begin."""
    found = ctx.db[Configuration].get("configuration") or Configuration()
    return {"ExpiryEvents": {"DaysBeforeExpiry": found.days_before_expiry}}


@op("PutAccountConfiguration")
def put_account_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change them; certificates that are in force are looked at anew."""
    days = (req.get("ExpiryEvents") or {}).get("DaysBeforeExpiry")
    if days is not None:
        table = ctx.db[Configuration]
        store = table.put if table.get("configuration") else table.add
        store(Configuration(account=ctx.account, region=ctx.region, days_before_expiry=days))
        for certificate in ctx.db[Certificate].all():
            ctx.wake(certificate)
    return {}
