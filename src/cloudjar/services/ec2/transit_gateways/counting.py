"""``AWS/TransitGateway``: what the network counts at a gateway's attachments, read each minute while instances run and
before an attachment goes. The gateway's owner sees everything, an attachment's owner his own.

What was counted between two readings is told in the minute of the second one.

https://docs.aws.amazon.com/vpc/latest/tgw/transit-gateway-cloudwatch-metrics.html
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.metrics import Metric
from cloudjar.kit.record import Record, record
from cloudjar.planes.network.port import NetworkPort, TransitTraffic
from cloudjar.services.ec2.transit_gateways.records import OVER, TransitAttachment, TransitGateway

NAMESPACE = "AWS/TransitGateway"
SAMPLE = "sample"
"""The purpose of a wake that asks for a reading."""
_TABLE = "ec2/transit-gateway"
_TURN = "transit counts"
_NAMES = {
    "bytes_in": ("BytesIn", "Bytes"),
    "bytes_out": ("BytesOut", "Bytes"),
    "packets_in": ("PacketsIn", "Count"),
    "packets_out": ("PacketsOut", "Count"),
    "blackhole_bytes": ("BytesDropCountBlackhole", "Bytes"),
    "blackhole_packets": ("PacketDropCountBlackhole", "Count"),
    "no_route_bytes": ("BytesDropCountNoRoute", "Bytes"),
    "no_route_packets": ("PacketDropCountNoRoute", "Count"),
}
_NOTHING = dict.fromkeys(_NAMES, 0)
Amounts = dict[str, int]


@record("ec2", "transit-count", index=("gateway_id",))
class TransitCount(Record, frozen=True, kw_only=True):
    """What had been counted at an attachment when it was last read; it is the gateway owner's."""

    id: str
    gateway_id: str
    read: TransitTraffic


def sample(world: World) -> None:
    """Have every transit gateway that is there read; in a transaction."""
    for gateway in Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(TransitGateway):
        if gateway.state in ("available", "modifying"):
            world.state.wakes.wake(_TABLE, gateway.account, gateway.region, gateway.id, purpose=SAMPLE)


def count(world: World, gateway: TransitGateway) -> None:
    """Tell what has passed a gateway since it was last read. Not within a transaction. Raises `PlaneError`."""
    network: NetworkPort = world.ports["network"]
    turn: threading.Lock = world.ports.setdefault(_TURN, threading.Lock())
    ctx = Ctx(world, gateway.account, gateway.region, service_caller("cloudjar.internal", gateway.account))
    with turn:  # a reading must be written before the next one is taken
        seen = network.transit_traffic(gateway.id)
        if not seen:
            return
        with world.state.database.transaction():
            if ctx.db[TransitGateway].get(gateway.id) is None:
                return
            _tell(ctx, gateway, {key: _grown(ctx, gateway, key, traffic) for key, traffic in seen.items()})
            for gone in ctx.db[TransitCount].all(gateway_id=gateway.id):
                if gone.id not in seen:
                    ctx.db[TransitCount].drop(gone)


def _grown(ctx: Ctx, gateway: TransitGateway, attachment: str, seen: TransitTraffic) -> Amounts:
    """What has come since the last reading, which is written down; counters that began anew are told whole."""
    table = ctx.db[TransitCount]
    known = table.get(attachment)
    if known is None:
        table.add(TransitCount(id=attachment, gateway_id=gateway.id, read=seen))
    elif known.read != seen:
        table.put(replace(known, read=seen))
    before = known.read if known is not None and known.read.born == seen.born else TransitTraffic(born=seen.born)
    return {name: max(getattr(seen, name) - getattr(before, name), 0) for name in _NAMES}


def _tell(ctx: Ctx, gateway: TransitGateway, grown: dict[str, Amounts]) -> None:
    whole = {name: sum(amounts[name] for amounts in grown.values()) for name in _NOTHING}
    _put(ctx, gateway.account, [(_gateway(gateway), whole)])
    _put(ctx, gateway.account, [(_attachment(gateway, key), amounts) for key, amounts in grown.items()])
    for item in ctx.db[TransitAttachment].all(gateway_id=gateway.id):
        if item.vpc_owner != gateway.account and item.id in grown and item.state not in OVER:
            _put(ctx, item.vpc_owner, [(_attachment(gateway, item.id), grown[item.id])])


def _gateway(gateway: TransitGateway) -> metrics.Dimensions:
    return (("TransitGateway", gateway.id),)


def _attachment(gateway: TransitGateway, attachment: str) -> metrics.Dimensions:
    return (*_gateway(gateway), ("TransitGatewayAttachment", attachment))


def _put(ctx: Ctx, account: str, told: Iterable[tuple[metrics.Dimensions, Amounts]]) -> None:
    metrics.put_all(ctx.world, account, ctx.region, list(_points(ctx, told)))


def _points(
    ctx: Ctx, told: Iterable[tuple[metrics.Dimensions, Amounts]]
) -> Iterator[tuple[Metric, bool, list[metrics.Point]]]:
    for named, amounts in told:
        for key, (name, unit) in _NAMES.items():
            yield Metric(NAMESPACE, name, named), False, [metrics.value(ctx.now, amounts[key], unit)]


def forget(ctx: Ctx, gateway_id: str) -> None:
    """The gateway is gone: what was read of it is dropped; in a transaction."""
    for known in ctx.db[TransitCount].all(gateway_id=gateway_id):
        ctx.db[TransitCount].drop(known)
