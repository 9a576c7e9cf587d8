"""``AWS/NATGateway``: what the network counts at a gateway, read each minute while instances run and before it goes.

https://docs.aws.amazon.com/vpc/latest/userguide/metrics-dimensions-nat-gateway.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cloudjar.kit.context import Ctx, World
from cloudjar.kit.record import Record, record
from cloudjar.planes.network.port import NatTraffic, NetworkPort
from cloudjar.services.ec2 import readings
from cloudjar.services.ec2.nat_gateways.records import NatGateway

NAMESPACE = "AWS/NATGateway"


@record("ec2", "nat-count")
class NatCount(Record, frozen=True, kw_only=True):
    """What a NAT gateway had carried when it was last read."""

    id: str
    read: NatTraffic


class _Way(NamedTuple):
    """A counter of the network: `NatTraffic`'s name and the metrics that tell it; what comes in one side and may pass
    leaves on the other."""

    counter: str
    unit: str
    names: tuple[str, str]


_WAYS = (
    _Way("bytes_out", "Bytes", ("BytesInFromSource", "BytesOutToDestination")),
    _Way("bytes_in", "Bytes", ("BytesInFromDestination", "BytesOutToSource")),
    _Way("packets_out", "Count", ("PacketsInFromSource", "PacketsOutToDestination")),
    _Way("packets_in", "Count", ("PacketsInFromDestination", "PacketsOutToSource")),
)


def sample(world: World) -> None:
    """Have every NAT gateway that is there read; in a transaction."""
    readings.sample(world, NatGateway, lambda gateway: gateway.state == "available")


def count(world: World, gateway: NatGateway) -> None:
    """Tell what a gateway has carried since it was last read. Not within a transaction. Raises `PlaneError`."""
    network: NetworkPort = world.ports["network"]
    db = readings.house(world, gateway).db
    with readings.turn(world, "nat"):
        seen = network.nat_traffic(gateway.id)
        with world.state.database.transaction():
            if not _is_there(db[NatGateway].get(gateway.id)):
                return
            before = readings.write(db[NatCount], gateway.id, seen, lambda: NatCount(id=gateway.id, read=seen))
            named = (("NatGatewayId", gateway.id),)
            told = ((named, *one) for one in _told(before or NatTraffic(), seen))
            readings.tell(world, gateway.account, gateway.region, NAMESPACE, told)


def _is_there(gateway: NatGateway | None) -> bool:
    """Whether it carries packets: one that is deleted is remembered for a while."""
    return gateway is not None and gateway.state in ("available", "deleting")


def _told(before: NatTraffic, now: NatTraffic) -> Iterator[tuple[str, str, int]]:
    """(metric, unit, amount); a smaller number than before means that counters began anew."""
    for way in _WAYS:
        last, seen = getattr(before, way.counter), getattr(now, way.counter)
        for name in way.names:
            yield name, way.unit, seen - last if seen >= last else seen
    yield "ActiveConnectionCount", "Count", now.connections


def forget(ctx: Ctx, gateway_id: str) -> None:
    """The gateway is gone: what was read of it is dropped; in a transaction."""
    readings.forget(ctx.db[NatCount], [ctx.db[NatCount].get(gateway_id)])
