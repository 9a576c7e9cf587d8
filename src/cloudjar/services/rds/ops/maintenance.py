"""Maintenance that is pending: shown, and chosen."""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import maintenance
from cloudjar.services.rds.records import DbInstance

_GETTERS = {"db-instance-id": lambda db: [db.id, arn_of(db)], "db-cluster-id": lambda db: None}


@op("DescribePendingMaintenanceActions")
def describe_pending_maintenance_actions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What waits for one instance, or for all."""
    named = req.get("ResourceIdentifier")
    found = [_need(ctx, named)] if named else sorted(ctx.db[DbInstance].all(), key=lambda db: db.id)
    narrowed = filters.apply(req.get("Filters"), _GETTERS, found)
    shown = [pending for db in narrowed if (pending := maintenance.shown(ctx, db)) is not None]
    return {"PendingMaintenanceActions": shown}


@op("ApplyPendingMaintenanceAction")
def apply_pending_maintenance_action(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have an action done now, or in the next window, or not yet."""
    db = _need(ctx, req["ResourceIdentifier"])
    after = maintenance.choose(ctx, db, req["ApplyAction"], req["OptInType"])
    return {"ResourcePendingMaintenanceActions": maintenance.shown(ctx, after)}


def _need(ctx: Ctx, name: str) -> DbInstance:
    parsed = arns.parse(name)
    mine = parsed is not None and (parsed.service, parsed.region, parsed.account) == ("rds", ctx.region, ctx.account)
    kind, _, key = parsed.resource.partition(":") if parsed is not None and mine else ("", "", "")
    found = ctx.db[DbInstance].get(key) if kind == "db" else None
    if found is None:
        raise AwsError("ResourceNotFoundFault", f"The specified resource ID was not found: {name}", 404)
    return found
