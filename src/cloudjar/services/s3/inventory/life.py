"""Inventories, made by the clock: a list of all objects in files, with a manifest, in a bucket that lets S3 in.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.db import State, watches
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.quantities import Owner, Quantities, Tally
from cloudjar.kit.record import Record, arn_of, record
from cloudjar.planes.objects.port import Landed
from cloudjar.services.s3.access.asking import object_refusal
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.inventory import files
from cloudjar.services.s3.inventory.rows import Value, columns, values
from cloudjar.services.s3.objects.index import Index, index
from cloudjar.services.s3.objects.ops.put import put_object
from cloudjar.services.s3.objects.writing import blobs

PRINCIPAL = "s3.amazonaws.com"
_HOUR = 1
"""The hour (UTC) at which inventories are made: AWS's own are dated T01-00Z."""
_SUNDAY = 6
_KEYS = 500


@record("s3", "inventory", key="bucket")
class Inventory(Record, frozen=True, kw_only=True):
    """Whose inventories are due. Never stored: it wakes itself from day to day while there is a configuration."""

    bucket: str


@watches("s3/bucket")
def on_bucket(state: State, item: Record) -> None:
    """A bucket with inventories was changed: the next hour of inventories is waited for."""
    assert isinstance(item, Bucket)
    if item.inventory:
        state.wakes.wake("s3/inventory", item.account, item.location, item.name, due=_next(state.wakes.now()))


def _next(now: datetime) -> datetime:
    today = now.replace(hour=_HOUR, minute=0, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


@reconciler(Inventory)
def run(step: Step, item: Inventory | None) -> None:
    """Make what is due today, and come again tomorrow."""
    bucket = find_bucket(step.ctx, step.key)
    if bucket is None or not bucket.inventory:
        return
    due = datetime.fromtimestamp(step.wake.due, UTC)
    if due.hour == _HOUR:  # else the bucket was merely changed, or the hour is yet to come
        for configuration in bucket.inventory.values():
            weekly = configuration["Schedule"]["Frequency"] == "Weekly"
            if configuration["IsEnabled"] and not (weekly and due.weekday() != _SUNDAY):
                _make(step, bucket, configuration, due)
    step.again("", _next(step.ctx.now))


def _make(step: Step, bucket: Bucket, configuration: dict[str, Any], now: datetime) -> None:
    """One inventory. Where it may not be put, there is none: AWS leaves it out too."""
    destination = configuration["Destination"]["S3BucketDestination"]
    target = find_bucket(step.ctx, destination["Bucket"].removeprefix("arn:aws:s3:::"))
    if target is None:
        return
    place = "/".join(part for part in (destination.get("Prefix") or "", bucket.name, configuration["Id"]) if part)
    ctx = Ctx(step.world, bucket.account, target.location, callers.service(PRINCIPAL, bucket.account, arn_of(bucket)))
    if object_refusal(ctx, target, f"{place}/data/file", "s3:PutObject", "PutObject", {}) is not None:
        return
    form = destination["Format"]
    wanted = columns(configuration)
    sink = blobs(ctx).sink()
    try:
        counted = _Counted(_rows(index(step.world), bucket, configuration))
        files.write(form, wanted, counted, sink)
        landed: Landed = sink.finish()
    except BaseException:
        sink.abort()
        raise
    key = f"{place}/data/{ids.uuid4()}.{files.SUFFIXES[form]}"
    manifest = {
        "sourceBucket": bucket.name,
        "destinationBucket": destination["Bucket"],
        "version": "2016-11-30",
        "creationTimestamp": str(int(now.timestamp() * 1000)),
        "fileFormat": form,
        "fileSchema": files.schema(form, wanted),
        "files": [{"key": key, "size": landed.size, "MD5checksum": landed.md5.hex()}],
    }
    _put_all(ctx, target, destination, place, now, (key, landed), manifest)
    with step.world.state.database.transaction():
        quantities: Quantities = step.world.ports["quantities"]
        owner = Owner(bucket.account, bucket.location, bucket.name)
        quantities.add(owner, Tally("AmazonS3", "Inventory-ObjectsListed", "", "Objects", 1), counted.count)


class _Counted:
    """Rows, counted as they pass: what is listed is paid."""

    def __init__(self, rows: Iterator[list[Value]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[list[Value]]:
        for row in self._rows:
            self.count += 1
            yield row


def _put_all(
    ctx: Ctx,
    target: Bucket,
    destination: dict[str, Any],
    place: str,
    now: datetime,
    data: tuple[str, Landed],
    manifest: dict[str, Any],
) -> None:
    """The data, the manifest that names it, its checksum, and the list of files for Hive: all or none."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    dated = f"{place}/{now:%Y-%m-%dT%H-%M}Z"
    hive = f"{place}/hive/dt={now:%Y-%m-%d-%H-%M}/symlink.txt"
    pieces: list[tuple[str, Any]] = [
        data,
        (f"{dated}/manifest.json", text),
        (f"{dated}/manifest.checksum", hashlib.md5(text, usedforsecurity=False).hexdigest().encode()),
        (hive, f"s3://{target.name}/{data[0]}".encode()),
    ]
    encryption = _encryption(destination.get("Encryption") or {})
    try:
        with ctx.world.state.database.transaction():
            for key, body in pieces:
                put_object(ctx, {"Bucket": target.name, "Key": key, "Body": body, **encryption})
    except AwsError:
        data[1].close()


def _encryption(given: dict[str, Any]) -> dict[str, str]:
    if given.get("SSEKMS") is not None:
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": given["SSEKMS"]["KeyId"]}
    return {"ServerSideEncryption": "AES256"} if given.get("SSES3") is not None else {}


def _rows(objects: Index, bucket: Bucket, configuration: dict[str, Any]) -> Iterator[list[Value]]:
    """Every version (or current object) under the prefix, in order, some keys at a time."""
    wanted = columns(configuration)
    prefix = (configuration.get("Filter") or {}).get("Prefix") or ""
    whole = configuration["IncludedObjectVersions"] == "All"
    after = ""
    while keys := objects.keys(bucket.name, after, _KEYS):
        after = keys[-1]
        for key in keys:
            if not key.startswith(prefix):
                continue
            for place, version in enumerate(objects.versions(bucket.name, key)):
                if whole or (place == 0 and not version.marker):
                    yield values(bucket, version, latest=place == 0, wanted=wanted)
