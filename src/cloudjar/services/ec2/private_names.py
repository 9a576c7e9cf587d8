"""Names that mean something else inside a VPC than outside: private DNS of endpoints, public names of peers; pure.

https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html (private DNS)
https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-dns.html
"""

from __future__ import annotations

from collections.abc import Iterator

from cloudjar.kit.db import Db
from cloudjar.services.ec2 import naming
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.vpc_endpoints.finding import private_addresses
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint
from cloudjar.services.ec2.vpc_endpoints.views import service_name
from cloudjar.services.ec2.vpc_peering.finding import peerings_of
from cloudjar.services.ec2.vpc_peering.records import Side
from cloudjar.services.ec2.vpcs.records import Vpc

Names = tuple[tuple[str, tuple[str, ...]], ...]


def of(db: Db, vpc: Vpc) -> Names:
    """(name, addresses); but for machines' resource names both DNS attributes of the VPC must be on."""
    named = tuple(_machines(db, vpc))
    if not (vpc.dns_support and vpc.dns_hostnames):
        return named
    return (*named, *_endpoints(db, vpc), *_peers(db, vpc))


def _machines(db: Db, vpc: Vpc) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Resource names that the resolver is to know.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-naming.html
    """
    for vm in db[Instance].all(vpc_id=vpc.id):
        if not vm.alive or not (vm.name_record or vm.name_record6):
            continue
        four = (vm.private_ip,) if vm.name_record and vm.private_ip else ()
        first = [eni.ipv6[:1] for eni in db[NetworkInterface].all(instance_id=vm.id) if eni.device_index == 0]
        six = first[0] if vm.name_record6 and first else ()
        if four or six:
            yield naming.resource_name(vm.region, vm.id), (*four, *six)


def _endpoints(db: Db, vpc: Vpc) -> Iterator[tuple[str, tuple[str, ...]]]:
    for endpoint in db[VpcEndpoint].all(vpc_id=vpc.id):
        if endpoint.private_dns and endpoint.state == "available" and endpoint.interfaces:
            yield service_name(endpoint), private_addresses(db, endpoint)


def _peers(db: Db, vpc: Vpc) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Public names of machines in peered VPCs that let this one resolve them to private addresses."""
    for peering in peerings_of(db, vpc.id):
        side = peering.other(vpc.id)
        if side.dns_from_remote:
            yield from _side(db.at(side.account, side.region), side)


def _side(db: Db, side: Side) -> Iterator[tuple[str, tuple[str, ...]]]:
    there = db[Vpc].get(side.vpc_id)
    if there is None or not (there.dns_support and there.dns_hostnames):
        return
    for eni in db[NetworkInterface].all(vpc_id=side.vpc_id):
        for address in eni.addresses if eni.powered else ():
            if address.public is not None:
                yield naming.public_dns(side.region, address.public.ip), (address.ip,)
