"""What policies are held against: streams and consumers, however a request names them.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonkinesisdatastreams.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, Operation, by_arn, keys_of_resource, locates
from cloudjar.kit.record import arn_of
from cloudjar.services.kinesis import finding, iterators, tokens
from cloudjar.services.kinesis.records import Consumer, Stream
from cloudjar.spec import iam

_ON_NOTHING = frozenset(("ListStreams", "DescribeLimits"))
_ON_RESOURCES = frozenset(
    ("TagResource", "UntagResource", "ListTagsForResource", "PutResourcePolicy", "GetResourcePolicy",
     "DeleteResourcePolicy")
)  # fmt: skip
_ON_CONSUMERS = frozenset(("DescribeStreamConsumer", "DeregisterStreamConsumer", "SubscribeToShard"))


@by_arn("kinesis", "stream")
def stream(ctx: Ctx, arn: arns.Arn) -> Stream | None:
    """A stream's ARN ends in its name."""
    return ctx.db[Stream].get(arn.resource.removeprefix("stream/"))


@by_arn("kinesis", "consumer")
def consumer(ctx: Ctx, arn: arns.Arn) -> Consumer | None:
    """A consumer's ends in its stream's name, its own and when it was made."""
    return ctx.db[Consumer].get(arn.resource.removeprefix("stream/"))


@locates("kinesis")
def grants(ctx: Ctx, operation: Operation, entries: tuple[iam.Entry, ...], req: dict[str, Any]) -> Iterable[Grant]:
    """What must be allowed: the operation on its stream or consumer; tags of new ones besides."""
    action = f"kinesis:{operation.name}"
    if operation.name in _ON_NOTHING:
        return [Grant(action)]
    brought = {} if tags.CARRY.isdisjoint(req) else tags.in_request(req)
    if operation.name in _ON_RESOURCES:
        return [_on(ctx, action, req["ResourceARN"], brought)]
    if operation.name in _ON_CONSUMERS:
        return [_on(ctx, action, _consumer(ctx, req), brought)]
    arn = _stream(ctx, req)
    found = [_on(ctx, action, arn, brought)]
    if operation.name == "CreateStream" and req.get("Tags"):
        found.append(_on(ctx, "kinesis:AddTagsToStream", arn, brought))
    if operation.name == "RegisterStreamConsumer" and req.get("Tags"):
        found.append(_on(ctx, "kinesis:TagResource", f"{arn}/consumer/{req['ConsumerName']}:*", brought))
    return found


def _stream(ctx: Ctx, req: dict[str, Any]) -> str:
    """The ARN of a request's stream; a wildcard when it names none that can be read."""
    try:
        if req.get("ShardIterator"):
            iterator = iterators.read(ctx, req["ShardIterator"])
            return arns.make("kinesis", ctx.region, iterator.account, f"stream/{iterator.name}")
        if req.get("NextToken") and not (req.get("StreamName") or req.get("StreamARN")):
            return tokens.stream_arn(ctx, req["NextToken"])
        account, region, name = finding.place(ctx, req)
    except AwsError:  # said when it is known that he may ask at all
        return arns.make("kinesis", ctx.region, ctx.account, "stream/*")
    return arns.make("kinesis", region, account, f"stream/{name}")


def _consumer(ctx: Ctx, req: dict[str, Any]) -> str:
    if req.get("ConsumerARN"):
        return str(req["ConsumerARN"])
    try:
        return arn_of(finding.consumer(ctx, req))
    except AwsError:
        name = req.get("ConsumerName") or "*"
        return f"{req.get('StreamARN') or _stream(ctx, req)}/consumer/{name}:*"


def _on(ctx: Ctx, action: str, arn: str, brought: dict[str, Any]) -> Grant:
    """The grant of an action on an ARN, with the tags and the policy of what is there."""
    parsed = arns.parse(arn)
    if parsed is None or "*" in arn:
        owner = "" if parsed is None else parsed.account
        return Grant(action, arn, brought or None, owner=owner)
    noun = "consumer" if "/consumer/" in arn else "stream"
    db, key = ctx.db.at(parsed.account, parsed.region), parsed.resource.removeprefix("stream/")
    item: Stream | Consumer | None = db[Consumer].get(key) if noun == "consumer" else db[Stream].get(key)
    if item is None:
        return Grant(action, arn, brought or None, owner=parsed.account)
    keys = {**keys_of_resource("kinesis", noun, item), **brought}
    return Grant(action, arn_of(item), keys or None, item.policy, item.account)
