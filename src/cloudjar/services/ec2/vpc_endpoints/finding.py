"""Endpoints as others ask for them: what is behind one, and what its names mean."""

from __future__ import annotations

from cloudjar.auth.doorway import Doorway
from cloudjar.base.caller import service as service_caller
from cloudjar.kit import names
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import Db
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpc_endpoints import services
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint
from cloudjar.services.ec2.vpc_endpoints.views import own_name, zone_name

DOMAIN = ".vpce.amazonaws.com"


def _find(world: World, endpoint_id: str) -> VpcEndpoint | None:
    db = Ctx(world, "", "", service_caller("cloudjar.internal", "")).db
    found = db.find(VpcEndpoint, endpoint_id)
    return found if found is not None and found.state == "available" else None


def doorway(world: World, endpoint_id: str) -> Doorway | None:
    """What is behind an endpoint that is available."""
    with world.state.database.lock:
        found = _find(world, endpoint_id)
    return None if found is None else Doorway(services.botocore_name(found.service), found.document)


@names.resolves(DOMAIN)
def addresses(world: World, vpc_id: str, name: str) -> tuple[str, ...]:
    """What an endpoint's own names resolve to, wherever they are asked for: its addresses, or the one in a zone."""
    with world.state.database.lock:
        endpoint = _find(world, "-".join(name.split("-")[:2]))
        return () if endpoint is None else _of(_db(world, endpoint), endpoint, name)


def _db(world: World, endpoint: VpcEndpoint) -> Db:
    return Ctx(world, endpoint.account, endpoint.region, service_caller("cloudjar.internal", "")).db


def _of(db: Db, endpoint: VpcEndpoint, name: str) -> tuple[str, ...]:
    if name == own_name(endpoint):
        return private_addresses(db, endpoint)
    zones = {key: db[Subnet].need(key).zone for key in endpoint.subnets}
    return tuple(
        address
        for subnet, address in zip(endpoint.subnets, private_addresses(db, endpoint), strict=True)
        if name == zone_name(endpoint, zones[subnet])
    )


def private_addresses(db: Db, endpoint: VpcEndpoint) -> tuple[str, ...]:
    """The addresses of an endpoint's interfaces, in the order of its subnets."""
    return tuple(db[NetworkInterface].need(key).primary.ip for key in endpoint.interfaces)
