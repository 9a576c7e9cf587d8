"""Figures of every day, written to a bucket that lets Storage Lens in.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage_lens_understanding_metrics_export_schema.html
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec

from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import arn_of, by_noun
from cloudjar.kit.storage_figures import Figures, figures
from cloudjar.services.s3control.lens.records import PRINCIPAL, RUN, Lens, LensRun
from cloudjar.services.s3control.lookup import Bucket

SCHEMA = (
    "version_number,configuration_id,report_date,aws_account_number,aws_region,storage_class,record_type,record_value,"
    "bucket_name,metric_name,metric_value"
)


def wake(ctx: Ctx, lens: Lens) -> None:
    """Have a configuration looked at when the day is over."""
    ctx.world.state.wakes.wake(RUN, lens.account, lens.region, lens.id, due=_midnight(ctx.now))


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


@reconciler(LensRun)
def run(step: Step, _: LensRun | None) -> None:
    """Tell of the day that is over, and come again tomorrow."""
    lens = step.db[Lens].get(step.key)
    if lens is None:
        return
    due = datetime.fromtimestamp(step.wake.due, UTC)
    place = (lens.configuration.get("DataExport") or {}).get("S3BucketDestination")
    if lens.configuration["IsEnabled"] and place is not None and due.hour == 0 and due.minute == 0:
        _export(step, lens, place, due - timedelta(days=1))
    step.again("", _midnight(step.ctx.now))


def _export(step: Step, lens: Lens, place: Mapping[str, Any], day: datetime) -> None:
    """The report and its manifest. Where they may not be put there are none."""
    where = bucket_delivery.place_of(step.ctx, place["Arn"])
    if where is None:
        return
    body = _report(step.ctx, lens, day)
    prefix = (place.get("Prefix") or "").strip("/")
    folder = "/".join(part for part in (prefix, "StorageLens", lens.account, lens.id, "V_1") if part)
    date = f"{day:%Y-%m-%d}"
    key = f"{folder}/reports/dt={date}/{ids.uuid4()}.csv"
    manifest = {
        "sourceAccountId": lens.account,
        "configId": lens.id,
        "destinationBucket": place["Arn"],
        "reportVersion": "V_1",
        "reportDate": date,
        "reportFormat": "CSV",
        "reportSchema": SCHEMA,
        "reportFiles": [
            {"key": key, "size": len(body), "md5Checksum": hashlib.md5(body, usedforsecurity=False).hexdigest()}
        ],
    }
    who = callers.service(PRINCIPAL, lens.account, arn_of(lens))
    try:
        bucket_delivery.put(step.ctx, who, where, key, body)
        name = f"{folder}/manifests/dt={date}/manifest.json"
        bucket_delivery.put(step.ctx, who, where, name, msgspec.json.encode(manifest))
    except AwsError:
        return


def _report(ctx: Ctx, lens: Lens, day: datetime) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(SCHEMA.split(","))
    regions: dict[str, Figures] = {}
    first = ("V_1", lens.id, f"{day:%Y-%m-%d}", lens.account)
    for bucket in _buckets(ctx, lens):
        found = figures(ctx, bucket.name)
        regions.setdefault(bucket.location, Counter()).update(found)
        for (storage_class, metric), value in sorted(found.items()):
            writer.writerow((*first, bucket.location, storage_class, "BUCKET", "", bucket.name, metric, value))
    for region, found in sorted(regions.items()):
        for (storage_class, metric), value in sorted(found.items()):
            writer.writerow((*first, region, storage_class, "ACCOUNT", "", "", metric, value))
    return out.getvalue().encode()


def _buckets(ctx: Ctx, lens: Lens) -> Iterator[Bucket]:
    """The account's buckets that a configuration looks at, by name."""
    ctx.world.load("s3")
    declared = by_noun("s3", "bucket")
    assert declared is not None
    include, exclude = lens.configuration.get("Include") or {}, lens.configuration.get("Exclude") or {}
    for item in sorted(ctx.db.at(lens.account, "")[declared.type].all(), key=lambda one: one.name):
        bucket = cast("Bucket", item)
        if _is_in(bucket, include, default=True) and not _is_in(bucket, exclude, default=False):
            yield bucket


def _is_in(bucket: Bucket, given: Mapping[str, Any], *, default: bool) -> bool:
    buckets, regions = given.get("Buckets") or (), given.get("Regions") or ()
    if not buckets and not regions:
        return default
    return f"arn:aws:s3:::{bucket.name}" in buckets or bucket.location in regions
