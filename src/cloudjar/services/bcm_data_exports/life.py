"""Exports are made when they are new or changed, then every midnight (UTC), and put into their bucket.

https://docs.aws.amazon.com/cur/latest/userguide/dataexports-export-delivery.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.billing import report_files
from cloudjar.billing.ledger import ledger
from cloudjar.billing.report_columns import TABLES
from cloudjar.billing.report_columns import rows as table_rows
from cloudjar.billing.report_rows import HOURLY, used
from cloudjar.kit import bucket_delivery
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import arn_of
from cloudjar.services.bcm_data_exports.querying import Query, query
from cloudjar.services.bcm_data_exports.records import FAILURE, SUCCESS, Execution, Export

REFRESH = "refresh"
PRINCIPAL = "bcm-data-exports.amazonaws.com"
_SUFFIXES = {"TEXT_OR_CSV": report_files.CSV, "PARQUET": report_files.PARQUET}
_KEPT = 100
_LATE = 5
"""Days of a month on which the one before is delivered once more."""


@reconciler(Export)
def refresh(step: Step, export: Export | None) -> None:
    """Deliver the running month, and in the first days of it the one before."""
    if export is None or not (export.due or step.wake.purpose == REFRESH):
        return
    ctx = Ctx(step.world, export.account, export.region, step.ctx.caller)
    ledger(step.world).collect()
    begun, execution = ctx.now, ids.uuid4()
    reason = _deliver(ctx, export, execution)
    with step.world.state.database.transaction():
        now = step.db[Export].get(export.id)
        if now is not None and now.changed == export.changed:
            status = FAILURE if reason else SUCCESS
            held = (*now.executions, Execution(id=execution, status=status, reason=reason, at=begun))[-_KEPT:]
            step.db[Export].put(replace(now, due=False, executions=held, refreshed=begun))
    seconds = int(ctx.now.timestamp())
    step.again(REFRESH, datetime.fromtimestamp(seconds - seconds % 86400 + 86400, UTC))


def _deliver(ctx: Ctx, export: Export, execution: str) -> str:
    """Why it did not succeed, or ""."""
    said = export.destination
    where = bucket_delivery.place(ctx, said["S3Bucket"], said["S3Prefix"])
    if where is None or where.region != said["S3Region"]:
        return "INSUFFICIENT_PERMISSION"
    wanted = query(export.statement, export.tables)
    months = [ctx.now]
    if ctx.now.day <= _LATE:
        months.insert(0, ctx.now.replace(day=1) - timedelta(days=1))
    try:
        for month in months:
            for key, body in _pieces(ctx, export, execution, wanted, month):
                who = callers.service(PRINCIPAL, export.account, arn_of(export))
                bucket_delivery.put(ctx, who, where, key, body)
    except AwsError:
        return "INSUFFICIENT_PERMISSION"
    return ""


def _pieces(
    ctx: Ctx, export: Export, execution: str, wanted: Query, month: datetime
) -> list[tuple[str, bytes]]:
    """The file of a billing period, and the manifest that names it."""
    form = export.destination["S3OutputConfigurations"]
    granularity = wanted.settings.get("TIME_GRANULARITY", HOURLY)
    resources = wanted.settings.get("INCLUDE_RESOURCES", "TRUE") == "TRUE"
    rows = table_rows(wanted.table, used(ctx.world, export.account, month, granularity, resources=resources))
    suffix = _SUFFIXES[form["Format"]]
    body = report_files.write(suffix, [(name, TABLES[wanted.table][one]) for one, name in wanted.columns], rows)
    period = f"BILLING_PERIOD={month:%Y-%m}"
    folder = f"{export.name}/data/{period}"
    if form["Overwrite"] == "CREATE_NEW_REPORT":
        folder = f"{folder}/{ctx.now:%Y-%m-%dT%H:%M:%S.000Z}-{execution}"
    key = f"{folder}/{export.name}-00001.{suffix}"
    manifest = _manifest(export, execution, month, key, wanted)
    named = f"{export.name}/metadata/{period}/{export.name}-Manifest.json"
    return [(key, body), (named, json.dumps(manifest, indent=2).encode())]


def _manifest(export: Export, execution: str, month: datetime, key: str, wanted: Query) -> dict[str, Any]:
    prefix = export.destination["S3Prefix"].strip("/")
    return {
        "exportArn": arn_of(export),
        "executionId": execution,
        "billingPeriod": f"{month:%Y-%m}",
        "table": wanted.table,
        "columns": [name for _, name in wanted.columns],
        "dataFiles": [f"s3://{export.destination['S3Bucket']}/{prefix + '/' if prefix else ''}{key}"],
    }
