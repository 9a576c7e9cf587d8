"""A VPC's records as the network plane wants them, and the laying out itself.

`layout` is pure: the same records give the same value. Only interfaces of machines that are wanted up are part of it;
a VPC without any needs no place on the host.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Literal

from cloudjar.kit.db import Db
from cloudjar.kit.machine import Step
from cloudjar.planes.network import port
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.ec2 import beyond, naming, private_names, traffic_bill
from cloudjar.services.ec2.block_public_access.standing import Standing
from cloudjar.services.ec2.flow_logs.covering import logged
from cloudjar.services.ec2.multicast.casting import vpc_casts
from cloudjar.services.ec2.network_acls.records import AclEntry, NetworkAcl
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.route_tables.records import RouteTable
from cloudjar.services.ec2.security_groups.records import SecurityGroupRule
from cloudjar.services.ec2.security_groups.within import groups_in, rules_in
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
        wanted = _read(step, vpc_id, network.service_addresses)
        if wanted is None or not wanted.interfaces:
            traffic_bill.read_last(step, vpc_id)
            network.remove(vpc_id)
        else:
            network.apply(wanted)
        done[vpc_id] = version


def _read(step: Step, vpc_id: str, hosts: Mapping[str, str]) -> port.Vpc | None:
    with step.world.state.database.lock:
        vpc = step.db[Vpc].get(vpc_id)
        return None if vpc is None else layout(step.db, vpc, hosts, step.world.faults.zones)


def layout(db: Db, vpc: Vpc, hosts: Mapping[str, str], dark: Collection[str] = ()) -> port.Vpc:
    """One VPC, whole. `hosts` says where the services answer that gateway endpoints lead to, `dark` which zones (ids)
    have no power."""
    interfaces = [eni for eni in db[NetworkInterface].all(vpc_id=vpc.id) if eni.powered and eni.zone_id not in dark]
    wanted = logged(db, vpc.id, interfaces)
    ways = beyond.ways(db, vpc, {eni.id for eni in interfaces}, hosts)
    standing = Standing(db)
    return port.Vpc(
        id=vpc.id,
        region=vpc.region,
        cidrs=tuple(block.cidr for block in vpc.cidrs),
        subnets=tuple(_subnet(vpc, subnet, standing) for subnet in db[Subnet].all(vpc_id=vpc.id)),
        route_tables=tuple(
            port.RouteTable(id=table.id, routes=ways.routes(table)) for table in db[RouteTable].all(vpc_id=vpc.id)
        ),
        groups=_groups(db, vpc, ways),
        acls=tuple(
            port.NetworkAcl(id=acl.id, entries=tuple(_entry(e) for e in acl.entries))
            for acl in db[NetworkAcl].all(vpc_id=vpc.id)
        ),
        interfaces=tuple(_interface(eni, logged=eni.id in wanted) for eni in interfaces),
        internet_gateway=ways.internet_gateway,
        dns_support=vpc.dns_support,
        ipv6_cidrs=tuple(block.cidr for block in vpc.ipv6_cidrs),
        egress_only_gateway=ways.egress_only_gateway,
        nat_gateways=ways.nat_gateways,
        peerings=ways.peerings,
        peer_groups=ways.peer_groups,
        prefix_lists=ways.prefix_lists,
        endpoints=ways.endpoints,
        transit_attachments=ways.transit_attachments,
        casts=_casts(db, vpc, interfaces, ways),
        names=private_names.of(db, vpc),
    )


def _casts(
    db: Db, vpc: Vpc, interfaces: Collection[NetworkInterface], ways: beyond.Ways
) -> tuple[port.Cast, ...]:
    known = {way.id for way in ways.transit_attachments}
    live = {eni.id: eni.subnet_id for eni in interfaces}
    return tuple(cast for cast in vpc_casts(db, vpc.id, live) if cast.attachment in known)


def _subnet(vpc: Vpc, subnet: Subnet, standing: Standing) -> port.Subnet:
    return port.Subnet(
        id=subnet.id,
        cidr=subnet.cidr,
        zone=subnet.zone_id,
        route_table=subnet.route_table_id or vpc.main_route_table_id,
        network_acl=subnet.network_acl_id,
        ipv6_cidr=subnet.ipv6_cidr,
        dns64=subnet.dns64,
        openness=standing.of(vpc.id, subnet.id),
    )


def _groups(db: Db, vpc: Vpc, ways: beyond.Ways) -> tuple[port.SecurityGroup, ...]:
    rules: dict[str, list[SecurityGroupRule]] = {}
    for rule in rules_in(db, vpc.id):
        if not rule.peering or rule.peering in ways.active:  # a stale rule lets nobody in
            rules.setdefault(rule.group_id, []).append(rule)
    return tuple(
        port.SecurityGroup(
            id=group.id,
            rules=tuple(_rule(rule) for rule in sorted(rules.get(group.id, ()), key=lambda rule: rule.order)),
        )
        for group in groups_in(db, vpc.id)
    )


def _rule(rule: SecurityGroupRule) -> port.Rule:
    return port.Rule(
        direction=_direction(rule.egress),
        protocol=rule.protocol,
        from_port=rule.from_port,
        to_port=rule.to_port,
        peer=rule.cidr or rule.cidr6 or rule.prefix_list or rule.peer_group,
    )


def _entry(entry: AclEntry) -> port.AclEntry:
    return port.AclEntry(
        number=entry.number,
        direction=_direction(entry.egress),
        allow=entry.allow,
        protocol=entry.protocol,
        from_port=entry.from_port,
        to_port=entry.to_port,
        cidr=entry.cidr or entry.cidr6,
    )


def _direction(egress: bool) -> Literal["ingress", "egress"]:
    return "egress" if egress else "ingress"


def _pays_zones(eni: NetworkInterface) -> bool:
    """What passes between an Application Load Balancer, or an endpoint, and another zone costs nothing.

    https://aws.amazon.com/elasticloadbalancing/faqs/ https://aws.amazon.com/privatelink/pricing/
    """
    return eni.relays or (eni.requester_id != "amazon-elb" and eni.interface_type != "vpc_endpoint")


def _interface(eni: NetworkInterface, *, logged: bool) -> port.Interface:
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
        logged=logged,
        relays=eni.relays,
        unguarded=eni.unguarded,
        rate_mbit=plugged.rate_mbit,
        ipv6=eni.ipv6,
        hostname=naming.private_dns(eni.region, eni.primary.ip),
        pays_zones=_pays_zones(eni),
    )
