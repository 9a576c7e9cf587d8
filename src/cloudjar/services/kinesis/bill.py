"""What costs money: open shards by the hour, what is put, what is kept longer than a day, what on-demand streams carry,
and what consumers with enhanced fan-out are given.

https://aws.amazon.com/kinesis/data-streams/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.context import Ctx, World
from cloudjar.kit.gauges import gauges
from cloudjar.kit.quantities import GB, Owner, Quantities, Tally
from cloudjar.kit.usage import Meter, meters
from cloudjar.services.kinesis.records import CREATING, DELETING, ON_DEMAND, Consumer, Stream

_CODE, _OPERATION = "AmazonKinesis", ""
_UNITS = Tally(_CODE, "PutRequestPayloadUnits", _OPERATION, "PutRequestPayloadUnits", 1)
_IN = Tally(_CODE, "OnDemand-BilledIncomingBytes", _OPERATION)
_OUT = Tally(_CODE, "OnDemand-BilledOutgoingBytes", _OPERATION)
_FAN_OUT = Tally(_CODE, "EnhancedFanoutBytes", _OPERATION)
_FAN_OUT_ON_DEMAND = Tally(_CODE, "OnDemand-BilledOutgoingEFOBytes", _OPERATION)
_UNIT = 25 << 10
_KB = 1 << 10
_DAY, _WEEK = 24, 168


def put(ctx: Ctx, stream: Stream, sizes: Iterable[int]) -> None:
    """Records that were taken; inside the transaction that takes them."""
    quantities: Quantities = ctx.world.ports["quantities"]
    owner = Owner(stream.account, stream.region, stream.name)
    if stream.mode == ON_DEMAND:
        quantities.add(owner, _IN, sum(-(-max(size, 1) // _KB) * _KB for size in sizes))
    else:
        quantities.add(owner, _UNITS, sum(-(-max(size, 1) // _UNIT) for size in sizes))


def read(world: World, stream: Stream, size: int) -> None:
    """Bytes that were read: on-demand streams pay for them."""
    if stream.mode == ON_DEMAND and size:
        gauges(world).count(Owner(stream.account, stream.region, stream.name), _OUT, size)


def fanned_out(world: World, stream: Stream, size: int) -> None:
    """Bytes that a consumer with enhanced fan-out was given."""
    tally = _FAN_OUT_ON_DEMAND if stream.mode == ON_DEMAND else _FAN_OUT
    if size:
        gauges(world).count(Owner(stream.account, stream.region, stream.name), tally, size)


@meters(Stream)
def hours(stream: Stream) -> Iterable[Meter]:
    """A stream's hours: of its open shards, or its own when it is on demand."""
    if stream.state in (CREATING, DELETING):
        return
    shards = Decimal(stream.open_shards)
    if stream.mode == ON_DEMAND:
        yield Meter(_CODE, "OnDemand-StreamHour", _OPERATION, "StreamHour")
    else:
        yield Meter(_CODE, "Storage-ShardHour", _OPERATION, "ShardHour", shards)
        if stream.retention > _DAY:
            yield Meter(_CODE, "Extended-ShardHour", _OPERATION, "ShardHour", shards)
    if stream.retention > _WEEK and stream.long_kept:
        yield Meter(_CODE, "LongTermRetention-ByteHrs", _OPERATION, "GB-Mo", Decimal(stream.long_kept) / GB)


@meters(Consumer)
def consuming(consumer: Consumer) -> Iterable[Meter]:
    """A consumer pays by the hour for every open shard of its stream."""
    if consumer.state == "ACTIVE" and consumer.shards:
        yield Meter(_CODE, "EnhancedFanoutHour", _OPERATION, "ConsumerShardHour", Decimal(consumer.shards))
