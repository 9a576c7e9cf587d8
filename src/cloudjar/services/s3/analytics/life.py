"""Analyses at work: what comes and is read is noted, what lies there is counted at midnight, and the file is written
to a bucket that lets S3 in.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/analytics-storage-class.html
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudjar.base import caller as callers
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.db import State, watches
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.quantities import Owner, Quantities, Tally
from cloudjar.kit.record import Record, arn_of, record
from cloudjar.services.s3.access.asking import object_refusal
from cloudjar.services.s3.analytics.days import CLASSES, DAY, Group, Seen, age_of, days, table
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.delivery import filters
from cloudjar.services.s3.objects import changes
from cloudjar.services.s3.objects.changes import Change
from cloudjar.services.s3.objects.index import Index, index
from cloudjar.services.s3.objects.ops.put import put_object
from cloudjar.services.s3.objects.rows import Version

PRINCIPAL = "s3.amazonaws.com"
_WRITES = (changes.PUT, changes.POST, changes.COPY, changes.COMPLETED)
_KEYS = 500


@record("s3", "analysis", key="bucket")
class Analysis(Record, frozen=True, kw_only=True):
    """Whose analyses are due. Never stored: it wakes itself from day to day while there is a configuration."""

    bucket: str


@watches("s3/bucket")
def on_bucket(state: State, item: Record) -> None:
    """A bucket with analyses was changed: the next midnight is waited for."""
    assert isinstance(item, Bucket)
    if item.analytics:
        due = _midnight(state.wakes.now())
        state.wakes.wake("s3/analysis", item.account, item.location, item.name, due=due)


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _about(bucket: Bucket, version: Version) -> Iterator[str]:
    """The ids of the configurations that are about an object."""
    if version.storage_class in CLASSES:
        for name, configuration in bucket.analytics.items():
            if filters.is_about(filters.flat(configuration), version.key, version.tags):
                yield name


def _group(name: str, version: Version, now: float) -> Group:
    return Group(version.bucket, name, version.storage_class, age_of(now - version.modified))


@changes.hears
def on_change(ctx: Ctx, bucket: Bucket, change: Change) -> None:
    """An object came."""
    if bucket.analytics and change.event in _WRITES:
        now = ctx.now.timestamp()
        for name in _about(bucket, change.version):
            days(ctx.world).add(_group(name, change.version, now), now, Seen(uploaded=change.version.size))


def on_read(ctx: Ctx, bucket: Bucket, key: str, version_id: str, sent: int) -> None:
    """An object was read, of which so many bytes were sent; in the running transaction."""
    objects = index(ctx.world)
    version = objects.version(bucket.name, key, version_id) if version_id else objects.current(bucket.name, key)
    if version is not None:
        now = ctx.now.timestamp()
        for name in _about(bucket, version):
            days(ctx.world).add(_group(name, version, now), now, Seen(retrieved=sent, gets=1))


@reconciler(Analysis)
def run(step: Step, item: Analysis | None) -> None:
    """Close the day that is over: count what lies there, export it, and come again tomorrow."""
    bucket = find_bucket(step.ctx, step.key)
    with step.world.state.database.transaction():
        days(step.world).keep(step.key, bucket.analytics if bucket is not None else ())
    if bucket is None or not bucket.analytics:
        return
    due = datetime.fromtimestamp(step.wake.due, UTC)
    if due.hour == 0 and due.minute == 0:  # else the bucket was merely changed, or the day is not over
        for name, configuration in bucket.analytics.items():
            _close(step, bucket, name, configuration, due)
    step.again("", _midnight(step.ctx.now))


def _close(step: Step, bucket: Bucket, name: str, configuration: Mapping[str, Any], due: datetime) -> None:
    over = due.timestamp() - DAY
    objects: Counter[Group] = Counter()
    sizes: Counter[Group] = Counter()
    for version in _current(index(step.world), bucket):
        if name in _about(bucket, version):
            group = _group(name, version, due.timestamp())
            objects[group] += 1
            sizes[group] += version.size
    with step.world.state.database.transaction():
        found = [(group, Seen(objects=count, bytes=sizes[group])) for group, count in objects.items()]
        if days(step.world).lay(bucket.name, name, over, found):
            _bill(step, bucket, objects.total(), due)
    export = configuration["StorageClassAnalysis"].get("DataExport")
    if export is not None:
        _export(step, bucket, name, configuration, export["Destination"]["S3BucketDestination"])


def _current(objects: Index, bucket: Bucket) -> Iterator[Version]:
    after = ""
    while keys := objects.keys(bucket.name, after, _KEYS):
        after = keys[-1]
        for key in keys:
            version = objects.current(bucket.name, key)
            if version is not None:
                yield version


def _bill(step: Step, bucket: Bucket, count: int, due: datetime) -> None:
    """Objects are paid by the month: a day is its part of it."""
    if count:
        yesterday = due - timedelta(days=1)
        tally = Tally("AmazonS3", "StorageAnalytics-ObjCount", "", "Objects",
                      monthrange(yesterday.year, yesterday.month)[1])  # fmt: skip
        quantities: Quantities = step.world.ports["quantities"]
        quantities.add(Owner(bucket.account, bucket.location, bucket.name), tally, count, yesterday)


def _export(
    step: Step, bucket: Bucket, name: str, configuration: Mapping[str, Any], destination: Mapping[str, Any]
) -> None:
    """The file with all days. Where it may not be put there is none, as on AWS."""
    target = find_bucket(step.ctx, destination["Bucket"].removeprefix("arn:aws:s3:::"))
    owner = destination.get("BucketAccountId")
    if target is None or (owner and owner != target.account):
        return
    key = "/".join(part for part in (destination.get("Prefix") or "", bucket.name, f"{name}.csv") if part)
    ctx = Ctx(step.world, bucket.account, target.location, callers.service(PRINCIPAL, bucket.account, arn_of(bucket)))
    if object_refusal(ctx, target, key, "s3:PutObject", "PutObject", {}) is not None:
        return
    body = table(days(step.world), bucket.name, name, _told(configuration))
    try:
        with step.world.state.database.transaction():
            put_object(ctx, {"Bucket": target.name, "Key": key, "Body": body})
    except AwsError:
        return


def _told(configuration: Mapping[str, Any]) -> str:
    """A filter as the file tells it."""
    wanted = filters.flat(configuration)
    parts = [wanted["Prefix"]] if wanted.get("Prefix") else []
    parts += [f"{name}={value}" for name, value in sorted((wanted.get("Tags") or {}).items())]
    return " ".join(parts)
