"""``AWS/PrivateLinkEndpoints``: what the network counts at interface endpoints, read each minute while instances run
and before an endpoint goes. What passed between two readings is told in the minute of the second one.

https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-cloudwatch-metrics.html
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.metrics import Metric
from cloudjar.kit.record import Record, record
from cloudjar.planes.network.port import DoorTraffic, NetworkPort
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint

NAMESPACE = "AWS/PrivateLinkEndpoints"
SAMPLE = "sample"
"""The purpose of a wake that asks for a reading."""
_TABLE = "ec2/vpc-endpoint"
_TURN = "endpoint counts"


@record("ec2", "vpc-endpoint-count", index=("endpoint_id",))
class DoorCount(Record, frozen=True, kw_only=True):
    """What an endpoint's interface had counted when it was last read."""

    id: str
    endpoint_id: str
    read: DoorTraffic


def sample(world: World) -> None:
    """Have every interface endpoint that is there read; in a transaction."""
    for endpoint in Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(VpcEndpoint):
        if endpoint.interfaces and endpoint.state == "available":
            world.state.wakes.wake(_TABLE, endpoint.account, endpoint.region, endpoint.id, purpose=SAMPLE)


def count(world: World, endpoint: VpcEndpoint) -> None:
    """Tell what has passed an endpoint since it was last read. Not within a transaction. Raises `PlaneError`."""
    network: NetworkPort = world.ports["network"]
    turn: threading.Lock = world.ports.setdefault(_TURN, threading.Lock())
    ctx = Ctx(world, endpoint.account, endpoint.region, service_caller("cloudjar.internal", endpoint.account))
    with turn:  # a reading must be written before the next one is taken
        seen = {key: network.door_traffic(key) for key in endpoint.interfaces}
        with world.state.database.transaction():
            if ctx.db[VpcEndpoint].get(endpoint.id) is None:
                return
            grown = {key: _grown(ctx, endpoint, key, read) for key, read in seen.items() if read is not None}
            if grown:
                metrics.put_all(world, endpoint.account, endpoint.region, list(_points(ctx, endpoint, grown)))


def _grown(ctx: Ctx, endpoint: VpcEndpoint, key: str, seen: DoorTraffic) -> DoorTraffic:
    """What has come since the last reading, which is written down; counters that began anew are told whole."""
    table = ctx.db[DoorCount]
    known = table.get(key)
    if known is None:
        table.add(DoorCount(id=key, endpoint_id=endpoint.id, read=seen))
    elif known.read != seen:
        table.put(replace(known, read=seen))
    before = known.read if known is not None and known.read.born == seen.born else DoorTraffic(born=seen.born)
    return replace(
        seen, bytes=max(seen.bytes - before.bytes, 0), accepted=max(seen.accepted - before.accepted, 0)
    )


def _points(
    ctx: Ctx, endpoint: VpcEndpoint, grown: dict[str, DoorTraffic]
) -> Iterator[tuple[Metric, bool, list[metrics.Point]]]:
    """By endpoint, and by each of its subnets."""
    subnets = dict(zip(endpoint.interfaces, endpoint.subnets, strict=False))
    parts = {subnets[key]: [one] for key, one in grown.items() if key in subnets}
    for subnet, held in {"": list(grown.values()), **parts}.items():
        named = _dimensions(endpoint, subnet)
        told = [
            ("BytesProcessed", "Bytes", sum(one.bytes for one in held)),
            ("NewConnections", "Count", sum(one.accepted for one in held)),
        ]
        if all(one.open is not None for one in held):
            told.append(("ActiveConnections", "Count", sum(one.open or 0 for one in held)))
        for name, unit, amount in told:
            yield Metric(NAMESPACE, name, named), False, [metrics.value(ctx.now, amount, unit)]


def _dimensions(endpoint: VpcEndpoint, subnet: str) -> metrics.Dimensions:
    named = {
        "Endpoint Type": endpoint.type, "Service Name": endpoint.service,
        "VPC Endpoint Id": endpoint.id, "VPC Id": endpoint.vpc_id, **({"Subnet Id": subnet} if subnet else {}),
    }  # fmt: skip
    return tuple(sorted(named.items()))


def forget(ctx: Ctx, endpoint_id: str) -> None:
    """The endpoint is gone: what was read of it is dropped; in a transaction."""
    for known in ctx.db[DoorCount].all(endpoint_id=endpoint_id):
        ctx.db[DoorCount].drop(known)
