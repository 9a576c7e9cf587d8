"""The data feed of an account's Spot Instances: a packed file for each hour in which one ran, in a bucket.

It is written as the account of AWS's own that the bucket's access control list lets in; subscribing puts it there in
the caller's name, so buckets without lists cannot be used, as on AWS.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-data-feeds.html
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery
from cloudjar.kit.bucket_delivery import Place
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, record
from cloudjar.kit.usage import Span
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.spot.records import SpotRequest
from cloudjar.spec import prices

_HOUR = timedelta(hours=1)
_DUE = "hour"
_HEAD = (
    "#Version: 1.0\n"
    "#Fields: Timestamp UsageType Operation InstanceID MyBidID MyMaxPrice MarketPrice Charge Version\n"
)
_GRANTEE = {"Type": "CanonicalUser", "ID": callers.canonical_id(callers.DATA_FEEDS)}
_VIA = "ec2.amazonaws.com"


@record("ec2", "spot-datafeed", key="name", regional=False)
class DataFeed(Record, frozen=True, kw_only=True):
    """Where an account's feed goes; `told` is up to when usage was written, `fault` why it could not be."""

    name: str = "feed"
    bucket: str
    prefix: str = ""
    told: datetime
    fault: tuple[str, str] | None = None


@op("CreateSpotDatafeedSubscription")
def create_spot_datafeed_subscription(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One feed for the account, in the place of an earlier one."""
    where = bucket_delivery.place(ctx, req["Bucket"], req.get("Prefix") or "")
    if where is None:
        raise _inaccessible(req["Bucket"])
    _let_in(ctx, where)
    feed = DataFeed(bucket=where.bucket, prefix=(req.get("Prefix") or "").strip("/"), told=_hour(ctx.now))
    before = ctx.db[DataFeed].get("feed")
    if before is None:
        stored = ctx.db[DataFeed].add(feed)
    else:
        stored = ctx.db[DataFeed].put(replace(feed, account=before.account, region=before.region))
    return {"SpotDatafeedSubscription": show(stored)}


def _let_in(ctx: Ctx, where: Place) -> None:
    there = ctx.at(ctx.account, where.region)
    try:
        held = there.call("s3", "GetBucketAcl", {"Bucket": where.bucket}, via=_VIA)
        grant = {"Grantee": _GRANTEE, "Permission": "FULL_CONTROL"}
        if not any(one["Grantee"].get("ID") == _GRANTEE["ID"] for one in held.get("Grants") or ()):
            policy = {"Owner": held["Owner"], "Grants": [*(held.get("Grants") or ()), grant]}
            there.call("s3", "PutBucketAcl", {"Bucket": where.bucket, "AccessControlPolicy": policy}, via=_VIA)
    except AwsError as error:
        if error.is_server_fault:
            raise
        raise _inaccessible(where.bucket) from error


def _inaccessible(bucket: str) -> AwsError:
    return AwsError(
        "InaccessibleStorageLocation",
        f"The bucket '{bucket}' does not exist, does not use access control lists, or you may not change its list.",
    )


@op("DescribeSpotDatafeedSubscription")
def describe_spot_datafeed_subscription(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's feed."""
    return {"SpotDatafeedSubscription": show(_need(ctx))}


@op("DeleteSpotDatafeedSubscription")
def delete_spot_datafeed_subscription(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No more files; those that were written stay."""
    feed = ctx.db[DataFeed].get("feed")
    if feed is not None:
        ctx.db[DataFeed].drop(feed)
    return {}


def _need(ctx: Ctx) -> DataFeed:
    feed = ctx.db[DataFeed].get("feed")
    if feed is None:
        raise AwsError("InvalidSpotDatafeed.NotFound", "Spot datafeed subscription does not exist.")
    return feed


def show(feed: DataFeed) -> dict[str, Any]:
    """AWS's SpotDatafeedSubscription."""
    fault = {"Code": feed.fault[0], "Message": feed.fault[1]} if feed.fault else None
    return {
        "Bucket": feed.bucket,
        "Fault": fault,
        "OwnerId": feed.account,
        "Prefix": feed.prefix or None,
        "State": "Inactive" if feed.fault else "Active",
    }


def _hour(when: datetime) -> datetime:
    return when.replace(minute=0, second=0, microsecond=0)


@reconciler(DataFeed)
def converge(step: Step, feed: DataFeed | None) -> None:
    """Write the hours that are over, oldest first; one that cannot be written is tried again an hour later."""
    if feed is None:
        return
    now = step.world.clock.now()
    while feed.told + _HOUR <= now:
        fault = _deliver(step, feed)
        told = feed.told if fault else feed.told + _HOUR
        before = feed

        def noted(one: DataFeed, seen: DataFeed = before, told: datetime = told, why: Any = fault) -> DataFeed | None:
            return replace(one, told=told, fault=why) if one == seen else None

        after = step.change(DataFeed, noted)
        if after is None:
            return
        feed = after
        if fault:
            break
    if not step.world.state.wakes.expects(step.wake, _DUE):
        step.again(_DUE, _hour(now) + _HOUR)


def _deliver(step: Step, feed: DataFeed) -> tuple[str, str] | None:
    """Write one hour; why it could not be."""
    with step.world.state.database.lock:
        text = "".join(_lines(step.world, feed.account, feed.told))
    if not text:
        return None
    ctx = step.ctx
    where = bucket_delivery.place(ctx, feed.bucket, feed.prefix)
    name = f"{feed.account}.{feed.told:%Y-%m-%d-%H}.001.{ids.token(8).lower()}.gz"
    try:
        if where is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist")
        body = gzip.compress((_HEAD + text).encode(), mtime=0)
        _write(ctx, where, name, body)
    except AwsError as error:
        if error.is_server_fault:
            raise
        return "InaccessibleStorageLocation", error.message
    return None


def _write(ctx: Ctx, where: Place, name: str, body: bytes) -> None:
    """The list of a bucket lets a stranger write; the file is then the stranger's, who lets the bucket's owner read."""
    writer = callers.root(callers.DATA_FEEDS)
    bucket_delivery.put(ctx, writer, where, name, body)
    granted = {"Bucket": where.bucket, "Key": where.prefix + name, "ACL": "bucket-owner-full-control"}
    ctx.at(ctx.account, where.region).call("s3", "PutObjectAcl", granted, caller=writer)


def _lines(world: World, account: str, start: datetime) -> Iterator[str]:
    """What each instance used of an hour, and what that cost."""
    end = start + _HOUR
    for span in world.state.usage.spans(start, end, account):
        if span.meter.service != "AmazonEC2" or not span.meter.usage_type.startswith("SpotUsage:"):
            continue
        begin, stop = max(span.start, start), min(span.end or end, end)
        if stop > begin:
            yield _line(Ctx(world, account, span.region, callers.service(_VIA, account)), span, begin, stop)


def _line(ctx: Ctx, span: Span, begin: datetime, stop: datetime) -> str:
    """Fields apart by tabs; prices are by the hour."""
    vm = ctx.db[Instance].get(span.resource)
    request = ctx.db[SpotRequest].get(vm.spot_request_id) if vm is not None else None
    price = prices.price("AmazonEC2", span.meter.usage_type, span.region, span.meter.operation).per_unit
    charge = price * Decimal(str((stop - begin).total_seconds())) / 3600
    most = Decimal(request.max_price) if request is not None and request.max_price else price
    fields = (
        f"{begin:%Y-%m-%d %H:%M:%S} UTC",
        prices.bill_usage_type(span.meter.usage_type, span.region),
        span.meter.operation,
        span.resource,
        request.id if request is not None else "",
        *(f"{amount:.10f} USD" for amount in (most, price, charge)),
        "1",
    )
    return "\t".join(fields) + "\n"
