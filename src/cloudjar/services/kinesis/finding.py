"""Streams, shards and consumers by what requests call them."""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import meta
from cloudjar.services.kinesis import errors, sequence
from cloudjar.services.kinesis.records import ACTIVE, UPDATING, Consumer, Stream
from cloudjar.services.kinesis.shards import Layout, Shard, shards

_SPEC = meta(Stream).spec


def place(ctx: Ctx, req: dict[str, Any]) -> tuple[str, str, str]:
    """(account, region, name) of the stream that a request names by name, ARN or id; raises when it names none."""
    name, arn = req.get("StreamName"), req.get("StreamARN")
    if arn:
        parsed = arns.parse(arn)
        named = "" if parsed is None else parsed.resource.removeprefix("stream/")
        if parsed is None or not named or "/" in named:
            raise errors.invalid(f"Invalid StreamARN: {arn}")
        if name and name != named:
            raise errors.invalid("The StreamName and the StreamARN do not name the same stream.")
        return parsed.account, parsed.region, named
    if name:
        return ctx.account, ctx.region, name
    if req.get("StreamId"):
        found = ctx.db[Stream].all(id=req["StreamId"])
        return ctx.account, ctx.region, found[0].name if found else req["StreamId"]
    raise errors.invalid("Either StreamName or StreamARN must be specified.")


def look(ctx: Ctx, account: str, region: str, name: str) -> Stream | None:
    """The stream, or None."""
    found = ctx.world.state.tables.get(_SPEC, account, region, name)
    return found if region == ctx.region else None


def stream(ctx: Ctx, req: dict[str, Any]) -> Stream:
    """The stream of a request; it may be another account's. Raises ResourceNotFoundException."""
    account, region, name = place(ctx, req)
    found = look(ctx, account, region, name)
    if found is None:
        raise errors.no_stream(name, account)
    return found


def usable(ctx: Ctx, req: dict[str, Any]) -> Stream:
    """The same, when records can be put into it and read."""
    found = stream(ctx, req)
    if found.state not in (ACTIVE, UPDATING):
        raise errors.no_stream(found.name, found.account)
    return found


def active(ctx: Ctx, req: dict[str, Any]) -> Stream:
    """The same, when nothing is under way with it."""
    found = stream(ctx, req)
    if found.state != ACTIVE:
        raise errors.not_active(found.name, found.account, found.state)
    return found


def layout(ctx: Ctx, of: Stream) -> Layout:
    """A stream's shards."""
    return shards(ctx.world).of(of.number)


def horizon(ctx: Ctx, of: Stream) -> int:
    """What came before this instant (milliseconds) has expired."""
    return int(ctx.now.timestamp() * 1000) - of.retention * 3_600_000


def there(ctx: Ctx, of: Stream) -> list[Shard]:
    """The shards that have not expired: open ones, and closed ones that may hold records yet."""
    since = horizon(ctx, of)
    return [one for one in layout(ctx, of).all if one.closed is None or one.closed >= since]


def shard(ctx: Ctx, of: Stream, name: str) -> Shard:
    """A stream's shard. Raises ResourceNotFoundException."""
    ordinal = sequence.ordinal_of(name)
    found = None if ordinal is None else layout(ctx, of).by_ordinal.get(ordinal)
    if found is None or (found.closed is not None and found.closed < horizon(ctx, of)):
        raise errors.no_shard(name, of.name, of.account)
    return found


def consumer_of(ctx: Ctx, arn: str) -> Consumer | None:
    """The consumer behind an ARN."""
    parsed = arns.parse(arn)
    if parsed is None or parsed.region != ctx.region:
        return None
    path = parsed.resource.removeprefix("stream/")
    return ctx.db.at(parsed.account, parsed.region)[Consumer].get(path)


def consumer(ctx: Ctx, req: dict[str, Any]) -> Consumer:
    """The consumer of a request, by ARN, or by its stream's ARN and its name. Raises ResourceNotFoundException."""
    arn, of, name = req.get("ConsumerARN"), req.get("StreamARN"), req.get("ConsumerName")
    if arn:
        found = consumer_of(ctx, arn)
        if found is None:
            raise errors.no_consumer(str(arn), ctx.account)
        if (of and not arn.startswith(f"{of}/")) or (name and name != found.name):
            raise errors.invalid("The consumer's ARN does not go with the stream's ARN and the consumer's name.")
        return found
    if not of or not name:
        raise errors.invalid("Either ConsumerARN, or StreamARN and ConsumerName must be specified.")
    owner = stream(ctx, req)
    held = consumers(ctx, owner)
    found = next((one for one in held if one.name == name), None)
    if found is None:
        raise errors.no_consumer(name, owner.account)
    return found


def consumers(ctx: Ctx, of: Stream) -> list[Consumer]:
    """The consumers of a stream."""
    return ctx.db.at(of.account, of.region)[Consumer].all(stream=of.name)


def resource(ctx: Ctx, arn: str) -> Stream | Consumer:
    """The stream or consumer behind an ARN. Raises ResourceNotFoundException."""
    found: Stream | Consumer | None
    if "/consumer/" in arn:
        found = consumer_of(ctx, arn)
        if found is None:
            raise errors.no_consumer(arn, ctx.account)
        return found
    parsed = arns.parse(arn)
    if parsed is None or not parsed.resource.startswith("stream/"):
        raise AwsError("ResourceNotFoundException", f"{arn} is neither a stream nor a consumer.", 400)
    return stream(ctx, {"StreamARN": arn})
