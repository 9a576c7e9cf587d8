"""What traffic costs: gigabytes through NAT gateways and interface endpoints, into transit gateways, out to the
Internet, between public addresses, between zones, and through peering connections between Regions.

https://aws.amazon.com/vpc/pricing/ https://aws.amazon.com/privatelink/pricing/
https://aws.amazon.com/ec2/pricing/on-demand/ (data transfer)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step
from cloudjar.kit.quantities import Owner, Quantities, Reading, Tally, collects
from cloudjar.planes.network.port import NetworkPort, between_zones
from cloudjar.services.ec2.nat_gateways import counting
from cloudjar.services.ec2.nat_gateways.records import NatGateway
from cloudjar.services.ec2.transit_gateways.records import TransitAttachment
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint
from cloudjar.services.ec2.vpcs.records import Vpc

_NAT = Tally("AmazonEC2", "NatGateway-Bytes", "NatGateway")
_ENDPOINT = Tally("AmazonVPC", "VpcEndpoint-Bytes", "VpcEndpoint")
NAT = {"out": _NAT, "back": _NAT}
ENDPOINT = {"processed": _ENDPOINT}
TRANSIT = {"sent": Tally("AmazonVPC", "TransitGateway-Bytes", "TransitGatewayVPC")}
INTERNET = {
    "internet": Tally("AWSDataTransfer", "DataTransfer-Out-Bytes", ""),
    "regional": Tally("AWSDataTransfer", "DataTransfer-Regional-Bytes", ""),
}
ZONES = {
    "sent": Tally("AWSDataTransfer", "DataTransfer-Regional-Bytes", ""),
    "got": Tally("AWSDataTransfer", "DataTransfer-Regional-Bytes", ""),
    "abroad": Tally("AWSDataTransfer", "<from>-<to>-AWS-Out-Bytes", ""),
}
"""Between zones each direction costs: where it leaves, and where it comes in. Between Regions only what leaves does."""
EVERY = timedelta(hours=6)
"""How often counters are read by themselves; also whenever somebody asks, and before they go."""


def next_reading(now: datetime) -> datetime:
    """The next time at which counters are read: fixed hours, so that what a month used is in that month."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + ((now - midnight) // EVERY + 1) * EVERY


def read(world: World, vpc: Vpc) -> None:
    """Count what passed the edges of a VPC since it was last asked. Raises `PlaneError`."""
    with world.state.database.lock:
        db = Ctx(world, vpc.account, vpc.region, service_caller("cloudjar.internal", vpc.account)).db
        gateways = [one for one in db[NatGateway].all(vpc_id=vpc.id) if one.interface_id]
        endpoints = db[VpcEndpoint].all(vpc_id=vpc.id)
        attached = [item for item in db[TransitAttachment].all(vpc_id=vpc.id) if item.mine and item.live]
    for item in attached:
        read_attachment(world, item)
    for gateway in gateways:
        _read(world, Owner(gateway.account, gateway.region, gateway.id), gateway.id, NAT)
        counting.count(world, gateway)
    for endpoint in endpoints:
        for interface in endpoint.interfaces:
            _read(world, Owner(endpoint.account, endpoint.region, endpoint.id), interface, ENDPOINT)
    _read(world, Owner(vpc.account, vpc.region, vpc.id), vpc.id, INTERNET)
    _read(world, Owner(vpc.account, vpc.region, vpc.id), between_zones(vpc.id), ZONES)


def read_attachment(world: World, item: TransitAttachment) -> None:
    """Count what a VPC has sent into a transit gateway. Raises `PlaneError`."""
    _read(world, Owner(item.vpc_owner, item.region, item.id), item.id, TRANSIT)


def read_last(step: Step, vpc_id: str) -> None:
    """Counters go with what they count at: they are read before. Raises `PlaneError`."""
    vpc = step.db[Vpc].get(vpc_id)
    if vpc is not None:
        read(step.world, vpc)


def _read(world: World, owner: Owner, where: str, tallies: Mapping[str, Tally]) -> None:
    network: NetworkPort = world.ports["network"]
    quantities: Quantities = world.ports["quantities"]

    def take() -> Reading | None:
        found = network.carried(where)
        return None if found is None else Reading(found.born, found.amounts)

    quantities.read(owner, where, take, tallies)


@collects
def read_all(world: World) -> None:
    """Every VPC that is on the host."""
    network: NetworkPort = world.ports["network"]
    present = set(network.vpcs())
    if present:
        db = Ctx(world, "", "", service_caller("cloudjar.internal", "")).db
        with world.state.database.lock:
            vpcs = [vpc for vpc in db.everywhere(Vpc) if vpc.id in present]
        for vpc in vpcs:
            read(world, vpc)
