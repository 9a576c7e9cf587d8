"""``AWS/PrivateLinkEndpoints``: what the network counts at interface endpoints, read each minute while instances run
and before an endpoint goes.

https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.record import Record, record
from cloudjar.planes.network.port import DoorTraffic, NetworkPort
from cloudjar.services.ec2 import readings
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint

NAMESPACE = "AWS/PrivateLinkEndpoints"


@record("ec2", "vpc-endpoint-count", index=("endpoint_id",))
class DoorCount(Record, frozen=True, kw_only=True):
    """What an endpoint's interface had counted when it was last read."""

    id: str
    endpoint_id: str
    read: DoorTraffic


def sample(world: World) -> None:
    """Have every interface endpoint that is there read; in a transaction."""
    readings.sample(world, VpcEndpoint, lambda one: bool(one.interfaces) and one.state == "available")


def count(world: World, endpoint: VpcEndpoint) -> None:
    """Tell what has passed an endpoint since it was last read. Not within a transaction. Raises `PlaneError`."""
    network: NetworkPort = world.ports["network"]
    ctx = readings.house(world, endpoint)
    with readings.turn(world, "endpoint"):
        seen = {key: network.door_traffic(key) for key in endpoint.interfaces}
        with world.state.database.transaction():
            if ctx.db[VpcEndpoint].get(endpoint.id) is None:
                return
            grown = {key: _grown(ctx, endpoint, key, read) for key, read in seen.items() if read is not None}
            if grown:
                readings.tell(world, endpoint.account, endpoint.region, NAMESPACE, _told(endpoint, grown))


def _grown(ctx: Ctx, endpoint: VpcEndpoint, key: str, seen: DoorTraffic) -> DoorTraffic:
    """What has come since the last reading, which is written down."""
    made = DoorCount(id=key, endpoint_id=endpoint.id, read=seen)
    before = readings.write(ctx.db[DoorCount], key, seen, lambda: made)
    return replace(seen, **readings.growth(before, seen, ("bytes", "accepted")))


def _told(endpoint: VpcEndpoint, grown: dict[str, DoorTraffic]) -> Iterator[readings.Told]:
    """By endpoint, and by each of its subnets."""
    subnets = dict(zip(endpoint.interfaces, endpoint.subnets, strict=False))
    parts = {subnets[key]: [one] for key, one in grown.items() if key in subnets}
    for subnet, held in {"": list(grown.values()), **parts}.items():
        named = _dimensions(endpoint, subnet)
        yield named, "BytesProcessed", "Bytes", sum(one.bytes for one in held)
        yield named, "NewConnections", "Count", sum(one.accepted for one in held)
        if all(one.open is not None for one in held):
            yield named, "ActiveConnections", "Count", sum(one.open or 0 for one in held)


def _dimensions(endpoint: VpcEndpoint, subnet: str) -> metrics.Dimensions:
    named = {
        "Endpoint Type": endpoint.type, "Service Name": endpoint.service,
        "VPC Endpoint Id": endpoint.id, "VPC Id": endpoint.vpc_id, **({"Subnet Id": subnet} if subnet else {}),
    }  # fmt: skip
    return tuple(sorted(named.items()))


def forget(ctx: Ctx, endpoint_id: str) -> None:
    """The endpoint is gone: what was read of it is dropped; in a transaction."""
    readings.forget(ctx.db[DoorCount], ctx.db[DoorCount].all(endpoint_id=endpoint_id))
