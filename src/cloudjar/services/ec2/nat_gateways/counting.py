"""``AWS/NATGateway``: what the network counts at a gateway, read each minute while instances run and before it goes.

What was carried between two readings is told in the minute of the second one.

https://docs.aws.amazon.com/vpc/latest/userguide/metrics-dimensions-nat-gateway.html
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.metrics import Metric
from cloudjar.kit.record import Record, record
from cloudjar.planes.network.port import NatTraffic, NetworkPort
from cloudjar.services.ec2.nat_gateways.records import NatGateway

NAMESPACE = "AWS/NATGateway"
SAMPLE = "sample"
"""The purpose of a wake that asks for a reading."""
_TABLE = "ec2/natgateway"
_TURN = "nat counts"


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
    for gateway in Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(NatGateway):
        if gateway.state == "available":
            world.state.wakes.wake(_TABLE, gateway.account, gateway.region, gateway.id, purpose=SAMPLE)


def count(world: World, gateway: NatGateway) -> None:
    """Tell what a gateway has carried since it was last read. Not within a transaction. Raises `PlaneError`."""
    network: NetworkPort = world.ports["network"]
    turn: threading.Lock = world.ports.setdefault(_TURN, threading.Lock())
    db = Ctx(world, gateway.account, gateway.region, service_caller("cloudjar.internal", gateway.account)).db
    with turn:  # a reading must be written before the next one is taken
        seen = network.nat_traffic(gateway.id)
        with world.state.database.transaction():
            if not _is_there(db[NatGateway].get(gateway.id)):
                return
            known = db[NatCount].get(gateway.id)
            told = list(_told(known.read if known is not None else NatTraffic(), seen))
            if known is None:
                db[NatCount].add(NatCount(id=gateway.id, read=seen))
            elif known.read != seen:
                db[NatCount].put(replace(known, read=seen))
            now = world.clock.now()
            named = (("NatGatewayId", gateway.id),)
            metrics.put_all(
                world, gateway.account, gateway.region,
                [(Metric(NAMESPACE, name, named), False, [metrics.value(now, amount, unit)])
                 for name, unit, amount in told],
            )  # fmt: skip


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
    known = ctx.db[NatCount].get(gateway_id)
    if known is not None:
        ctx.db[NatCount].drop(known)
