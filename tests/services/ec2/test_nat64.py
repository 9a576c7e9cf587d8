"""NAT gateways for IPv6, and names that lead to them."""

from __future__ import annotations

from typing import Any

from cloudjar.planes.network.reach import World, reach
from cloudjar.planes.network.sixfour import asks_for_both, spelled
from tests.jar import TestJar
from tests.services.ec2.asking import code, interface_of, launch, make_group, make_subnet
from tests.services.ec2.test_nat_gateways import Site

PREFIX = "64:ff9b::/96"


def with_block(ec2: Any, site: Site) -> str:
    """A private subnet with IPv6 beside IPv4."""
    ec2.associate_vpc_cidr_block(VpcId=site.vpc, AmazonProvidedIpv6CidrBlock=True)
    [vpc] = ec2.describe_vpcs(VpcIds=[site.vpc])["Vpcs"]
    block = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("::/56", "::/64")
    return make_subnet(ec2, site.vpc, "10.0.3.0/24", AvailabilityZone="eu-west-3a", Ipv6CidrBlock=block)


def test_ipv6_reaches_ipv4_by_a_nat_gateway(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    subnet = with_block(ec2, site)
    gateway = site.nat()["NatGatewayId"]
    assert site.shown(gateway)["State"] == "available"
    table = ec2.create_route_table(VpcId=site.vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    to = {"RouteTableId": table, "NatGatewayId": gateway}
    for elsewhere in ("::/0", "2001:db8::/32", "64:ff9b::/64"):
        assert code(ec2.create_route, **to, DestinationIpv6CidrBlock=elsewhere) == "InvalidParameterValue"
    group = make_group(ec2, site.vpc)
    vm = launch(ec2, SubnetId=subnet, Ipv6AddressCount=1, SecurityGroupIds=[group])
    eni = interface_of(ec2, vm)["NetworkInterfaceId"]
    jar.settle()
    world, port = spelled("93.184.216.34"), 443
    assert jar.network.reachable(eni, world, "tcp", port) == "dropped"
    ec2.create_route(**to, DestinationIpv6CidrBlock=PREFIX)
    jar.settle()
    assert jar.network.reachable(eni, world, "tcp", port) == "open"
    assert jar.network.reachable(eni, world, "icmpv6", -1) == "open"
    assert jar.network.reachable(eni, spelled("10.0.1.77"), "tcp", port) == "dropped"
    own = site.shown(gateway)["NatGatewayAddresses"][0]
    vpcs = tuple(jar.network._vpcs.values())
    answer = reach(World(site=jar.network.site, vpcs=vpcs), eni, world, "tcp", port)
    assert "93.184.216.34 is on the Internet, outside of this installation" in answer.path
    assert any(step.kind == "gateway" and step.target == own["PublicIp"] for step in answer.steps)
    ec2.delete_route(RouteTableId=table, DestinationIpv6CidrBlock=PREFIX)
    jar.settle()
    assert jar.network.reachable(eni, world, "tcp", port) == "dropped"


def test_a_subnet_asks_for_ipv6_addresses_of_every_name(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    subnet = with_block(ec2, site)
    wanted = {"EnableDns64": {"Value": True}}
    assert code(ec2.modify_subnet_attribute, SubnetId=site.private, **wanted) == "InvalidParameterValue"
    ec2.modify_subnet_attribute(SubnetId=subnet, **wanted)
    [shown] = ec2.describe_subnets(Filters=[{"Name": "enable-dns64", "Values": ["true"]}])["Subnets"]
    assert (shown["SubnetId"], shown["EnableDns64"]) == (subnet, True)
    inside, beside = (interface_of(ec2, launch(ec2, SubnetId=s))["PrivateIpAddress"] for s in (subnet, site.private))
    jar.settle()
    laid = jar.network._vpcs[site.vpc]
    assert (asks_for_both(laid, inside), asks_for_both(laid, beside)) == (True, False)
    ec2.disassociate_subnet_cidr_block(AssociationId=shown["Ipv6CidrBlockAssociationSet"][0]["AssociationId"])
    [shown] = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert shown["EnableDns64"] is False
