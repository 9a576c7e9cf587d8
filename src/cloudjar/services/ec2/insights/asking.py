"""What a path means: an interface or the Internet at one end, an address at the other."""

from __future__ import annotations

from typing import NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.planes.network import port
from cloudjar.planes.network.reach import World
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.insights.records import Path
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.layout import layout
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.network_interfaces.making import interfaces_of
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.transit_gateways.routing import everywhere
from cloudjar.services.ec2.vpcs.records import Vpc

SOMEWHERE = "8.8.8.8"
"""Stands for the Internet where a path ends at an internet gateway and names no address."""


class End(NamedTuple):
    """One end of a path: the thing named, and its interface; a gateway has none."""

    id: str
    eni: NetworkInterface | None


def plain(named: str) -> str:
    """An id, also out of an ARN."""
    parsed = arns.parse(named) if named.startswith("arn:") else None
    return parsed.name if parsed is not None else named


def end(ctx: Ctx, named: str, parameter: str) -> End:
    """The thing at an end; raises its not-found, or refuses what is no end here."""
    key = plain(named)
    if key.startswith("eni-"):
        return End(key, need(ctx, NetworkInterface, key))
    if key.startswith("i-"):
        if ctx.find("ec2", "instance", key) is None:
            raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{key}' does not exist")
        plugged = interfaces_of(ctx.db, key)
        return End(key, plugged[0] if plugged else None)
    if key.startswith("igw-"):
        return End(need(ctx, InternetGateway, key).id, None)
    if key.split("-")[0] in ("tgw", "vgw", "vpce", "pcx", "vpc"):
        raise errors.not_built(f"A path with {key} at its end")
    raise errors.invalid_parameter(named, parameter, "It is not an ID or ARN of a resource that a path can have.")


def the_world(ctx: Ctx) -> World:
    """Every VPC of the jar as it is wanted now, whether a host has it or not."""
    network = ctx.world.ports["network"]  # both drivers know the site that they are at, and the API's port
    vpcs: list[port.Vpc] = []
    for vpc in ctx.db.everywhere(Vpc):
        vpcs.append(layout(ctx.db.at(vpc.account, vpc.region), vpc, network.service_addresses, ctx.world.faults.zones))
    return World(site=network.site, vpcs=tuple(vpcs), api_port=network.api_port, transits=everywhere(ctx.db))


def public_address(eni: NetworkInterface) -> str:
    """The public address in front of an interface, or empty."""
    return next((a.public.ip for a in eni.addresses if a.public is not None), "")


def candidate_ports(world: World, path: Path) -> list[int]:
    """The ports to try: the one asked for, or where none is asked for those that any rule speaks of."""
    if path.port:
        return [path.port]
    lows = {rule.from_port for v in world.vpcs for g in v.groups for rule in g.rules}
    lows |= {entry.from_port for v in world.vpcs for acl in v.acls for entry in acl.entries}
    return [80, *sorted(low for low in lows if 0 < low < 65536 and low != 80)]
