"""Shards: listed, split, merged, scaled.

https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-resharding.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.kinesis import errors, finding, life, reshaping, tokens
from cloudjar.services.kinesis.ops.streams import within_limits
from cloudjar.services.kinesis.records import ON_DEMAND, PROVISIONED, Stream
from cloudjar.services.kinesis.shards import Shard
from cloudjar.services.kinesis.views import shown

_PER_DAY = 10
_MOST = 10_000
_DAY = timedelta(days=1)


@op("ListShards", pages=False)
def list_shards(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The shards of a stream, all or by what they hold."""
    asked = {name: req[name] for name in ("ShardFilter",) if req.get(name)}
    after = req.get("ExclusiveStartShardId") or ""
    if req.get("NextToken"):
        token = tokens.read(ctx, "ListShards", req["NextToken"])
        asked, after = _recalled(token.asked), token.after
        stream = finding.stream(ctx, {"StreamARN": token.stream})
        if req.get("StreamName") not in (None, stream.name):
            raise errors.invalid("NextToken and StreamName cannot be provided together.")
    else:
        stream = finding.stream(ctx, req)
    made = req.get("StreamCreationTimestamp")
    if made is not None and int(made.timestamp()) != stream.created // 1000:
        raise errors.no_stream(stream.name, stream.account)
    most = req.get("MaxResults") or 1000
    listed = [one for one in _filtered(ctx, stream, asked.get("ShardFilter")) if one.id > after]
    told: dict[str, Any] = {"Shards": [shown(one) for one in listed[:most]]}
    if len(listed) > most:
        told["NextToken"] = tokens.write(ctx, "ListShards", ctx.arn(stream), listed[most - 1].id, _kept(asked))
    return told


def _kept(asked: dict[str, Any]) -> dict[str, Any]:
    """What was asked, as a token keeps it."""
    given = dict(asked.get("ShardFilter") or {})
    if given.get("Timestamp") is not None:
        given["Timestamp"] = given["Timestamp"].timestamp()
    return {"ShardFilter": given} if given else {}


def _recalled(kept: dict[str, Any]) -> dict[str, Any]:
    given = dict(kept.get("ShardFilter") or {})
    if given.get("Timestamp") is not None:
        given["Timestamp"] = datetime.fromtimestamp(given["Timestamp"], UTC)
    return {"ShardFilter": given} if given else {}


def _filtered(ctx: Ctx, stream: Stream, given: dict[str, Any] | None) -> list[Shard]:
    there = finding.there(ctx, stream)
    if not given:
        return there
    kind, instant = given["Type"], given.get("Timestamp")
    if kind == "AFTER_SHARD_ID":
        if not given.get("ShardId"):
            raise errors.invalid("ShardId must be specified with the shard filter AFTER_SHARD_ID.")
        return [one for one in there if one.id > given["ShardId"]]
    if kind.endswith("_TIMESTAMP"):
        if instant is None:
            raise errors.invalid(f"Timestamp must be specified with the shard filter {kind}.")
        at = max(int(instant.timestamp() * 1000), finding.horizon(ctx, stream), stream.created)
    else:
        at = max(finding.horizon(ctx, stream), stream.created)
    if kind == "AT_LATEST":
        return [one for one in there if one.closed is None]
    if kind.startswith("FROM_"):
        return [one for one in there if one.closed is None or one.closed > at]
    return [one for one in there if one.opened <= at and (one.closed is None or one.closed > at)]


def _provisioned(ctx: Ctx, req: dict[str, Any]) -> Stream:
    stream = finding.active(ctx, req)
    if stream.mode == ON_DEMAND:
        raise errors.validation(
            f"Request is invalid. Stream {stream.name} under account {stream.account} is in On-Demand mode."
        )
    return stream


def _open(ctx: Ctx, stream: Stream, name: str) -> Shard:
    shard = finding.shard(ctx, stream, name)
    if shard.closed is not None:
        raise errors.invalid(
            f"Shard {shard.id} in stream {stream.name} under account {stream.account} has already been merged or "
            "split, and thus is not eligible for merging or splitting."
        )
    return shard


@op("SplitShard")
def split_shard(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Two shards out of one, cut at a hash key."""
    stream = _provisioned(ctx, req)
    shard, cut = _open(ctx, stream, req["ShardToSplit"]), int(req["NewStartingHashKey"])
    if not shard.lo + 1 < cut < shard.hi:
        raise errors.invalid(
            f"NewStartingHashKey {cut} used in SplitShard() on shard {shard.id} in stream {stream.name} under account "
            f"{stream.account} is not both greater than one plus the shard's StartingHashKey {shard.lo} and less than "
            f"the shard's EndingHashKey {shard.hi}."
        )
    within_limits(ctx, PROVISIONED, 1)
    life.begin(ctx, stream, [reshaping.Step((shard.ordinal,), ((shard.lo, cut - 1), (cut, shard.hi)))])
    return {}


@op("MergeShards")
def merge_shards(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One shard out of two that lie beside each other."""
    stream = _provisioned(ctx, req)
    one, other = _open(ctx, stream, req["ShardToMerge"]), _open(ctx, stream, req["AdjacentShardToMerge"])
    low, high = sorted((one, other), key=lambda shard: shard.lo)
    if low.hi + 1 != high.lo:
        raise errors.invalid(
            f"Shards {one.id} and {other.id} in stream {stream.name} under account {stream.account} are not an "
            "adjacent pair of shards eligible for merging"
        )
    life.begin(ctx, stream, [reshaping.Step((one.ordinal, other.ordinal), ((low.lo, high.hi),))])
    return {}


@op("UpdateShardCount")
def update_shard_count(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """So many equal shards, by splits and merges; twice as many or half as many at most, ten times a day."""
    stream, count = _provisioned(ctx, req), req["TargetShardCount"]
    held = finding.layout(ctx, stream).open
    now = len(held)
    told = f"Current open shard count: {now} Target shard count: {count}"
    if count > 2 * now:
        raise errors.invalid(f"UpdateShardCount cannot scale up over double your current open shard count. {told}")
    if 2 * count < now:
        raise errors.invalid(f"UpdateShardCount cannot scale down below half your current open shard count. {told}")
    if count > _MOST:
        raise errors.limit(f"UpdateShardCount cannot scale to more than {_MOST} shards. {told}")
    since = (ctx.now - _DAY).timestamp()
    lately = tuple(at for at in stream.scalings if at > since)
    if len(lately) >= _PER_DAY:
        raise errors.limit(
            f"Stream {stream.name} under account {stream.account} was scaled {_PER_DAY} times in the last 24 hours, "
            "which is the most."
        )
    within_limits(ctx, PROVISIONED, max(count - now, 0))
    last = max(finding.layout(ctx, stream).by_ordinal)
    steps = reshaping.scale([shard.range for shard in held], count, last + 1)
    life.begin(ctx, stream, steps, target=count, scalings=(*lately, ctx.now.timestamp()))
    return {
        "StreamName": stream.name, "StreamARN": ctx.arn(stream), "CurrentShardCount": now, "TargetShardCount": count,
    }  # fmt: skip
