"""A VPC's records as the network plane wants them, and the laying out itself.

`layout` is pure: the same records give the same value. Only interfaces of machines that are wanted up are part of it;
a VPC without any needs no place on the host.
"""

from __future__ import annotations

import threading
from typing import Literal

from cloudjar.kit.db import Db
from cloudjar.kit.machine import Step
from cloudjar.planes.network import port
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.ec2 import naming
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.network_acls.records import AclEntry, NetworkAcl
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.route_tables.records import Route, RouteTable
from cloudjar.services.ec2.security_groups.records import SecurityGroup, SecurityGroupRule
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.records import Vpc

# Two reconcilers may lay out one VPC at the same time: what was read later must be applied later.
_TURNS = tuple(threading.Lock() for _ in range(64))


def lay_out(step: Step, vpc_id: str) -> None:
    """Make the host hold this VPC as its records are now, or nothing of it. Raises `PlaneError`.

    Must not be called inside a transaction: it waits for the host.
    """
    network: NetworkPort = step.port("network")
    done = step.world.laid_out
    with _TURNS[hash(vpc_id) % len(_TURNS)]:
        # A hundred instances of one launch ask for the same layout: the first one's is everybody's.
        version = step.world.state.wakes.version("ec2/vpc", vpc_id)
        if version and done.get(vpc_id) == version:
            return
        done.pop(vpc_id, None)
        wanted = _read(step, vpc_id)
        if wanted is None or not wanted.interfaces:
            network.remove(vpc_id)
        else:
            network.apply(wanted)
        done[vpc_id] = version


def _read(step: Step, vpc_id: str) -> port.Vpc | None:
    with step.world.state.database.lock:
        vpc = step.db[Vpc].get(vpc_id)
        return None if vpc is None else layout(step.db, vpc)


def layout(db: Db, vpc: Vpc) -> port.Vpc:
    """One VPC, whole."""
    interfaces = [eni for eni in db[NetworkInterface].all(vpc_id=vpc.id) if eni.powered]
    gateways = db[InternetGateway].all(vpc_id=vpc.id)
    gateway = gateways[0].id if gateways else ""
    return port.Vpc(
        id=vpc.id,
        region=vpc.region,
        cidrs=tuple(block.cidr for block in vpc.cidrs),
        subnets=tuple(_subnet(vpc, subnet) for subnet in db[Subnet].all(vpc_id=vpc.id)),
        route_tables=tuple(
            _route_table(vpc, table, gateway, {eni.id for eni in interfaces})
            for table in db[RouteTable].all(vpc_id=vpc.id)
        ),
        groups=_groups(db, vpc),
        acls=tuple(
            port.NetworkAcl(id=acl.id, entries=tuple(_entry(e) for e in acl.entries if e.cidr))
            for acl in db[NetworkAcl].all(vpc_id=vpc.id)
        ),
        interfaces=tuple(_interface(eni) for eni in interfaces),
        internet_gateway=gateway,
        dns_support=vpc.dns_support,
    )


def _subnet(vpc: Vpc, subnet: Subnet) -> port.Subnet:
    return port.Subnet(
        id=subnet.id,
        cidr=subnet.cidr,
        zone=subnet.zone,
        route_table=subnet.route_table_id or vpc.main_route_table_id,
        network_acl=subnet.network_acl_id,
    )


def _route_table(vpc: Vpc, table: RouteTable, gateway: str, live: set[str]) -> port.RouteTable:
    local = tuple(port.Route(destination=block.cidr, kind="local") for block in vpc.cidrs)
    return port.RouteTable(id=table.id, routes=local + tuple(_route(route, gateway, live) for route in table.routes))


def _route(route: Route, gateway: str, live: set[str]) -> port.Route:
    if route.gateway_id and route.gateway_id == gateway:
        return port.Route(destination=route.destination, kind="internet-gateway", target=gateway)
    if route.interface_id in live:
        return port.Route(destination=route.destination, kind="interface", target=route.interface_id)
    return port.Route(destination=route.destination, kind="blackhole")


def _groups(db: Db, vpc: Vpc) -> tuple[port.SecurityGroup, ...]:
    rules: dict[str, list[SecurityGroupRule]] = {}
    for rule in db[SecurityGroupRule].all(vpc_id=vpc.id):
        if rule.cidr or rule.peer_group:  # the fabric carries IPv4 alone
            rules.setdefault(rule.group_id, []).append(rule)
    return tuple(
        port.SecurityGroup(
            id=group.id,
            rules=tuple(_rule(rule) for rule in sorted(rules.get(group.id, ()), key=lambda rule: rule.order)),
        )
        for group in db[SecurityGroup].all(vpc_id=vpc.id)
    )


def _rule(rule: SecurityGroupRule) -> port.Rule:
    return port.Rule(
        direction=_direction(rule.egress),
        protocol=rule.protocol,
        from_port=rule.from_port,
        to_port=rule.to_port,
        peer=rule.cidr or rule.peer_group,
    )


def _entry(entry: AclEntry) -> port.AclEntry:
    return port.AclEntry(
        number=entry.number,
        direction=_direction(entry.egress),
        allow=entry.allow,
        protocol=entry.protocol,
        from_port=entry.from_port,
        to_port=entry.to_port,
        cidr=entry.cidr,
    )


def _direction(egress: bool) -> Literal["ingress", "egress"]:
    return "egress" if egress else "ingress"


def _interface(eni: NetworkInterface) -> port.Interface:
    plugged = eni.attachment
    assert plugged is not None
    return port.Interface(
        id=eni.id,
        mac=eni.mac,
        subnet=eni.subnet_id,
        private=tuple((a.ip, a.public.ip if a.public else "") for a in eni.addresses),
        groups=eni.groups,
        guest=plugged.instance_id,
        index=plugged.device_index,
        source_dest_check=eni.source_dest_check,
        rate_mbit=plugged.rate_mbit,
        hostname=naming.private_dns(eni.region, eni.primary.ip),
    )
