"""Reports are made when they are new or changed, then every midnight (UTC), and put into their bucket.

https://docs.aws.amazon.com/cur/latest/userguide/understanding-report-versions.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.billing import report_files
from cloudjar.billing.ledger import ledger
from cloudjar.billing.report_rows import used
from cloudjar.kit import bucket_delivery
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import arn_of
from cloudjar.services.cur.columns import named
from cloudjar.services.cur.records import Report

REFRESH = "refresh"
PRINCIPAL = "billingreports.amazonaws.com"
FORMS = {"textORcsv": report_files.CSV, "Parquet": report_files.PARQUET}
_LATE = 5
"""Days of a month on which the one before is delivered once more."""


@reconciler(Report)
def refresh(step: Step, report: Report | None) -> None:
    """Deliver the running month, and in the first days of it the one before."""
    if report is None or not (report.due or step.wake.purpose == REFRESH):
        return
    ctx = Ctx(step.world, report.account, report.region, step.ctx.caller)
    ledger(step.world).collect()
    status = _deliver(ctx, report)
    with step.world.state.database.transaction():
        now = step.db[Report].get(report.name)
        if now is not None and now.changed == report.changed:
            step.db[Report].put(replace(now, due=False, delivered=ctx.now, status=status))
    seconds = int(ctx.now.timestamp())
    step.again(REFRESH, datetime.fromtimestamp(seconds - seconds % 86400 + 86400, UTC))


def _deliver(ctx: Ctx, report: Report) -> str:
    """How it went."""
    said = report.definition
    where = bucket_delivery.place(ctx, said["S3Bucket"], said["S3Prefix"])
    if where is None or where.region != said["S3Region"]:
        return "ERROR_NO_BUCKET"
    months = [ctx.now]
    if ctx.now.day <= _LATE:
        months.insert(0, ctx.now.replace(day=1) - timedelta(days=1))
    who = callers.service(PRINCIPAL, report.account, arn_of(report))
    try:
        for month in months:
            for key, body in _pieces(ctx, report, month, where.prefix):
                bucket_delivery.put(ctx, who, where, key, body)
    except AwsError:
        return "ERROR_PERMISSIONS"
    return "SUCCESS"


def _pieces(ctx: Ctx, report: Report, month: datetime, prefix: str) -> list[tuple[str, bytes]]:
    """The file of a month, and the manifest that names it."""
    said = report.definition
    form, elements = FORMS[said["Format"]], said["AdditionalSchemaElements"]
    rows = used(ctx.world, report.account, month, said["TimeUnit"], resources="RESOURCES" in elements)
    columns = list(named(form, elements))
    body = report_files.write(form, columns, rows)
    first = month.replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    folder = f"{report.name}/{first:%Y%m%d}-{after:%Y%m%d}"
    version = ids.uuid4()
    inner = folder if said.get("ReportVersioning") == "OVERWRITE_REPORT" else f"{folder}/{version}"
    key = f"{inner}/{report.name}-00001.{form}"
    manifest = {
        "assemblyId": version,
        "account": report.account,
        "reportName": report.name,
        "bucket": said["S3Bucket"],
        "compression": said["Compression"],
        "contentType": "text/csv" if form == report_files.CSV else "application/parquet",
        "billingPeriod": {"start": f"{first:%Y%m%d}T000000.000Z", "end": f"{after:%Y%m%d}T000000.000Z"},
        "columns": [name for name, _ in columns],
        "reportKeys": [prefix + key],
    }
    return [(key, body), (f"{folder}/{report.name}-Manifest.json", json.dumps(manifest, indent=2).encode())]
