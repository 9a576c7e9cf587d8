"""Streams: made, described, listed, ended.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.kinesis import errors, finding, life, tokens
from cloudjar.services.kinesis.ops.tagging import checked
from cloudjar.services.kinesis.records import CREATING, DELETING, ON_DEMAND, PROVISIONED, Stream
from cloudjar.services.kinesis.shards import shards
from cloudjar.services.kinesis.views import shown, summary
from cloudjar.services.kinesis.writing import tell

_ON_DEMAND_SHARDS = 4
_ON_DEMAND_STREAMS = 50
_AT_ONCE = 5
"""Streams that may be in the making."""
_QUOTA = ("kinesis", "L-0918CF54")
_ID = "abcdefghijklmnopqrstuvwxyz0123456789"


@op("CreateStream")
def create_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A stream, which takes a moment to become ACTIVE."""
    name = req["StreamName"]
    _refuse(req)
    if ctx.db[Stream].get(name) is not None:
        raise errors.exists(name, ctx.account)
    mode, count = _asked(req)
    within_limits(ctx, mode, count)
    if sum(1 for one in ctx.db[Stream].all() if one.state == CREATING) >= _AT_ONCE:
        raise errors.limit(f"Only {_AT_ONCE} streams can be in the CREATING state at a time in account {ctx.account}.")
    number, now = shards(ctx.world).number(), int(ctx.now.timestamp() * 1000)
    ctx.db[Stream].add(
        Stream(
            name=name,
            id="".join(_ID[ids.below(36)] for _ in range(20)) + "-" + "".join(_ID[ids.below(36)] for _ in range(3)),
            number=number,
            created=now,
            due=life.later(ctx),
            mode=mode,
            open_shards=count,
            max_record=req.get("MaxRecordSizeInKiB") or 1024,
            tags=checked(req.get("Tags") or {}),
        )
    )
    shards(ctx.world).begin(number, count, now)
    return {}


def _refuse(req: dict[str, Any]) -> None:
    """What is not built says so."""
    if req.get("WarmThroughputMiBps"):
        raise AwsError("NotImplemented", "Warm throughput is not built in Cloudjar yet.", 501)
    if req.get("RecordDistributionStrategy") == "AUTO":
        raise AwsError("NotImplemented", "The record distribution strategy AUTO is not built in Cloudjar yet.", 501)


def _asked(req: dict[str, Any]) -> tuple[str, int]:
    mode = (req.get("StreamModeDetails") or {}).get("StreamMode") or PROVISIONED
    count = req.get("ShardCount")
    if mode == ON_DEMAND:
        if count is not None:
            raise errors.validation("ShardCount is not supported for on-demand streams.")
        return mode, _ON_DEMAND_SHARDS
    return mode, 1 if count is None else int(count)


def within_limits(ctx: Ctx, mode: str, more: int) -> None:
    """So many more shards may be. Raises LimitExceededException."""
    there = ctx.db[Stream].all()
    if mode == ON_DEMAND:
        if sum(1 for one in there if one.mode == ON_DEMAND) >= _ON_DEMAND_STREAMS:
            raise errors.limit(f"On-demand streams per account {ctx.account}: {_ON_DEMAND_STREAMS} at most.")
        return
    used = sum(max(one.open_shards, one.target) for one in there if one.mode != ON_DEMAND)
    limit = ctx.limit(*_QUOTA)
    if limit is not None and used + more > limit:
        raise errors.limit(
            f"This request would exceed the shard limit for the account {ctx.account} in {ctx.region}. Current shard "
            f"count for the account: {used}. Limit: {int(limit)}. Number of additional shards that would have resulted "
            f"from this request: {more}. Refer to the AWS Service Limits page "
            "(http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how to "
            "request higher limits."
        )


@op("DeleteStream")
def delete_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End a stream; its records go behind the call."""
    stream = finding.stream(ctx, req)
    if stream.state == DELETING:
        raise errors.not_active(stream.name, stream.account, stream.state)
    consumers = finding.consumers(ctx, stream)
    if consumers and not req.get("EnforceConsumerDeletion"):
        raise errors.in_use(
            f"Stream {stream.name} under account {stream.account} has {len(consumers)} consumers that must be "
            "deregistered first, or EnforceConsumerDeletion must be true."
        )
    for consumer in consumers:
        if consumer.state != DELETING:
            life.CONSUMING.move(ctx, consumer, DELETING, due=life.later(ctx))
    life.LIFE.move(ctx, stream, DELETING, due=life.later(ctx), change="", target=0)
    for shard in finding.layout(ctx, stream).all:
        tell(ctx, shard)
    return {}


@op("DescribeStream", pages=False)
def describe_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A stream with its shards, a page of them at a time."""
    stream = finding.stream(ctx, req)
    after, most = req.get("ExclusiveStartShardId") or "", req.get("Limit") or 100
    listed = [one for one in finding.there(ctx, stream) if one.id > after]
    told = summary(ctx, stream)
    told.update(Shards=[shown(one) for one in listed[:most]], HasMoreShards=len(listed) > most)
    return {"StreamDescription": told}


@op("DescribeStreamSummary")
def describe_stream_summary(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A stream without its shards."""
    stream = finding.stream(ctx, req)
    told = summary(ctx, stream)
    told.update(
        StreamId=stream.id,
        OpenShardCount=stream.open_shards,
        ConsumerCount=len(finding.consumers(ctx, stream)),
        MaxRecordSizeInKiB=stream.max_record,
    )
    return {"StreamDescriptionSummary": told}


@op("ListStreams", pages=False)
def list_streams(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Streams by name."""
    after, most = req.get("ExclusiveStartStreamName") or "", req.get("Limit") or 100
    if req.get("NextToken"):
        after = tokens.read(ctx, "ListStreams", req["NextToken"]).after
    listed = [one for one in ctx.db[Stream].all() if one.name > after]
    page = listed[:most]
    told: dict[str, Any] = {
        "StreamNames": [one.name for one in page],
        "HasMoreStreams": len(listed) > most,
        "StreamSummaries": [
            {
                "StreamName": one.name,
                "StreamARN": ctx.arn(one),
                "StreamStatus": one.state,
                "StreamModeDetails": {"StreamMode": one.mode},
                "StreamCreationTimestamp": one.created / 1000,
            }
            for one in page
        ],
    }
    if len(listed) > most:
        told["NextToken"] = tokens.write(ctx, "ListStreams", "", page[-1].name)
    return told


@op("DescribeLimits")
def describe_limits(ctx: Ctx, _req: dict[str, Any]) -> dict[str, Any]:
    """Limits of the account here, and how much of them is used."""
    there = ctx.db[Stream].all()
    return {
        "ShardLimit": int(ctx.limit(*_QUOTA) or 0),
        "OpenShardCount": sum(one.open_shards for one in there if one.mode != ON_DEMAND),
        "OnDemandStreamCount": sum(1 for one in there if one.mode == ON_DEMAND),
        "OnDemandStreamCountLimit": _ON_DEMAND_STREAMS,
    }


