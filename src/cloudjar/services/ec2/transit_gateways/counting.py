"""``AWS/TransitGateway``: what the network counts at a gateway's attachments, read each minute while instances run and
before an attachment goes. The gateway's owner sees everything, an attachment's owner his own.

https://docs.aws.amazon.com/vpc/latest/tgw/transit-gateway-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections.abc import Iterator

from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.record import Record, record
from cloudjar.planes.network.port import NetworkPort, TransitTraffic
from cloudjar.services.ec2 import readings
from cloudjar.services.ec2.transit_gateways.records import OVER, TransitAttachment, TransitGateway

NAMESPACE = "AWS/TransitGateway"
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
Amounts = dict[str, int]


@record("ec2", "transit-count", index=("gateway_id",))
class TransitCount(Record, frozen=True, kw_only=True):
    """What had been counted at an attachment when it was last read; it is the gateway owner's."""

    id: str
    gateway_id: str
    read: TransitTraffic


def sample(world: World) -> None:
    """Have every transit gateway that is there read; in a transaction."""
    readings.sample(world, TransitGateway, lambda gateway: gateway.state in ("available", "modifying"))


def count(world: World, gateway: TransitGateway) -> None:
    """Tell what has passed a gateway since it was last read. Not within a transaction. Raises `PlaneError`."""
    network: NetworkPort = world.ports["network"]
    ctx = readings.house(world, gateway)
    with readings.turn(world, "transit"):
        seen = network.transit_traffic(gateway.id)
        if not seen:
            return
        with world.state.database.transaction():
            if ctx.db[TransitGateway].get(gateway.id) is None:
                return
            _tell(ctx, gateway, {key: _grown(ctx, gateway, key, traffic) for key, traffic in seen.items()})
            gone = (one for one in ctx.db[TransitCount].all(gateway_id=gateway.id) if one.id not in seen)
            readings.forget(ctx.db[TransitCount], gone)


def _grown(ctx: Ctx, gateway: TransitGateway, key: str, seen: TransitTraffic) -> Amounts:
    """What has come at an attachment since the last reading, which is written down."""
    made = TransitCount(id=key, gateway_id=gateway.id, read=seen)
    return readings.growth(readings.write(ctx.db[TransitCount], key, seen, lambda: made), seen, _NAMES)


def _tell(ctx: Ctx, gateway: TransitGateway, grown: dict[str, Amounts]) -> None:
    whole = {name: sum(amounts[name] for amounts in grown.values()) for name in _NAMES}
    own = (("TransitGateway", gateway.id),)
    parts = {key: (*own, ("TransitGatewayAttachment", key)) for key in grown}
    told = [*_told(own, whole), *(one for key, amounts in grown.items() for one in _told(parts[key], amounts))]
    readings.tell(ctx.world, gateway.account, ctx.region, NAMESPACE, told)
    for item in ctx.db[TransitAttachment].all(gateway_id=gateway.id):
        if item.vpc_owner != gateway.account and item.id in grown and item.state not in OVER:
            mine = _told(parts[item.id], grown[item.id])
            readings.tell(ctx.world, item.vpc_owner, ctx.region, NAMESPACE, mine)


def _told(named: metrics.Dimensions, amounts: Amounts) -> Iterator[readings.Told]:
    for key, (name, unit) in _NAMES.items():
        yield named, name, unit, amounts[key]


def forget(ctx: Ctx, gateway_id: str) -> None:
    """The gateway is gone: what was read of it is dropped; in a transaction."""
    readings.forget(ctx.db[TransitCount], ctx.db[TransitCount].all(gateway_id=gateway_id))
