"""Consumers with enhanced fan-out.

https://docs.aws.amazon.com/streams/latest/dev/enhanced-consumers.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.kinesis import errors, finding, life, tokens
from cloudjar.services.kinesis.ops.tagging import checked
from cloudjar.services.kinesis.records import CREATING, DELETING, Consumer
from cloudjar.services.kinesis.views import consuming

_MOST = 20
_AT_ONCE = 5


@op("RegisterStreamConsumer")
def register_stream_consumer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A consumer of a stream, twenty at most."""
    stream, name = finding.usable(ctx, req), req["ConsumerName"]
    there = finding.consumers(ctx, stream)
    if any(one.name == name for one in there):
        raise errors.in_use(
            f"Consumer {name} under stream {stream.name} already exists for account {stream.account}."
        )
    if len(there) >= _MOST:
        raise errors.limit(f"Stream {stream.name} under account {stream.account} has {_MOST} consumers, the most.")
    if sum(1 for one in there if one.state == CREATING) >= _AT_ONCE:
        raise errors.limit(f"Stream {stream.name} has {_AT_ONCE} consumers in the CREATING state, the most.")
    created = int(ctx.now.timestamp() * 1000)
    made = ctx.db.at(stream.account, stream.region)[Consumer].add(
        Consumer(
            path=f"{stream.name}/consumer/{name}:{created // 1000}",
            stream=stream.name,
            number=stream.number,
            name=name,
            created=created,
            due=life.later(ctx),
            tags=checked(req.get("Tags") or {}),
        )
    )
    return {"Consumer": consuming(made)}


@op("DeregisterStreamConsumer")
def deregister_stream_consumer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a consumer; who is subscribed is told so."""
    consumer = finding.consumer(ctx, req)
    if consumer.state == DELETING:
        raise errors.no_consumer(consumer.name, consumer.account)
    life.CONSUMING.move(ctx, consumer, DELETING, due=life.later(ctx), shards=0)
    return {}


@op("DescribeStreamConsumer")
def describe_stream_consumer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A consumer, by its ARN, or its stream's and its name."""
    consumer = finding.consumer(ctx, req)
    arn = arn_of(consumer).partition("/consumer/")[0]
    return {"ConsumerDescription": {**consuming(consumer), "StreamARN": arn}}


@op("ListStreamConsumers", pages=False)
def list_stream_consumers(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The consumers of a stream."""
    stream, after = finding.stream(ctx, req), ""
    made = req.get("StreamCreationTimestamp")
    if made is not None and int(made.timestamp()) != stream.created // 1000:
        raise errors.no_stream(stream.name, stream.account)
    if req.get("NextToken"):
        token = tokens.read(ctx, "ListStreamConsumers", req["NextToken"])
        if token.stream != ctx.arn(stream):
            raise errors.invalid("NextToken is invalid.")
        after = token.after
    most = req.get("MaxResults") or 100
    listed = [one for one in finding.consumers(ctx, stream) if one.path > after]
    told: dict[str, Any] = {"Consumers": [consuming(one) for one in listed[:most]]}
    if len(listed) > most:
        told["NextToken"] = tokens.write(ctx, "ListStreamConsumers", ctx.arn(stream), listed[most - 1].path)
    return told
