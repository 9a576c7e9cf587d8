"""NAT gateways: pending, available, gone; why they fail; what they let through and cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import (
    ANYWHERE,
    NOWHERE,
    code,
    interface_of,
    launch,
    main_table,
    make_gateway,
    make_subnet,
    make_vpc,
    only,
    refused,
)


class Site:
    """A public subnet for the gateway, and a private one with a machine that has a route through it."""

    def __init__(self, jar: TestJar, ec2: Any, *, internet: bool = True) -> None:
        self.jar = jar
        self.ec2 = ec2
        self.vpc = make_vpc(ec2)
        self.public = make_subnet(ec2, self.vpc, "10.0.1.0/24", AvailabilityZone="eu-west-3a")
        self.private = make_subnet(ec2, self.vpc, "10.0.2.0/24", AvailabilityZone="eu-west-3a")
        self.table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        if internet:
            self.gateway = make_gateway(ec2, self.vpc)
            ec2.create_route(RouteTableId=self.table, DestinationCidrBlock=ANYWHERE, GatewayId=self.gateway)
            ec2.associate_route_table(RouteTableId=self.table, SubnetId=self.public)
        self.allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]

    def nat(self, **more: Any) -> dict[str, Any]:
        asked = {"SubnetId": self.public, "AllocationId": self.allocation, **more}
        made: dict[str, Any] = self.ec2.create_nat_gateway(**asked)["NatGateway"]
        return made

    def shown(self, key: str) -> dict[str, Any]:
        self.jar.settle()
        [found] = self.ec2.describe_nat_gateways(NatGatewayIds=[key])["NatGateways"]
        one: dict[str, Any] = found
        return one


def test_a_gateway_becomes_available_with_its_interface_and_its_address(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    tags = [{"ResourceType": "natgateway", "Tags": [{"Key": "Name", "Value": "out"}]}]
    made = site.nat(TagSpecifications=tags)
    assert (made["State"], made["ConnectivityType"], made["SubnetId"]) == ("pending", "public", site.public)
    gateway = site.shown(made["NatGatewayId"])
    assert (gateway["State"], gateway["Tags"]) == ("available", [{"Key": "Name", "Value": "out"}])
    [address] = gateway["NatGatewayAddresses"]
    assert (address["AllocationId"], address["IsPrimary"], address["Status"]) == (site.allocation, True, "succeeded")
    [eni] = ec2.describe_network_interfaces(NetworkInterfaceIds=[address["NetworkInterfaceId"]])["NetworkInterfaces"]
    assert (eni["InterfaceType"], eni["SourceDestCheck"], eni["Groups"]) == ("nat_gateway", False, [])
    assert eni["Description"] == f"Interface for NAT Gateway {gateway['NatGatewayId']}"
    assert eni["Association"]["PublicIp"] == address["PublicIp"]
    found = ec2.describe_nat_gateways(Filter=only(state="available", vpc_id=site.vpc))["NatGateways"]
    assert [one["NatGatewayId"] for one in found] == [gateway["NatGatewayId"]]


def test_why_a_gateway_fails(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2, internet=False)
    gateway = site.shown(site.nat()["NatGatewayId"])
    assert (gateway["State"], gateway["FailureCode"], gateway["FailureMessage"]) == (
        "failed", "Gateway.NotAttached", f"Network {site.vpc} has no Internet gateway attached",
    )  # fmt: skip
    jar.advance(hours=1.1)
    assert refused(ec2.describe_nat_gateways, NatGatewayIds=[gateway["NatGatewayId"]]) == (
        "NatGatewayNotFound", f"The Nat Gateway {gateway['NatGatewayId']} was not found",
    )  # fmt: skip
    make_gateway(ec2, site.vpc)
    assert site.shown(site.nat()["NatGatewayId"])["State"] == "available"
    second = site.shown(site.nat()["NatGatewayId"])
    assert (second["State"], second["FailureCode"]) == ("failed", "Resource.AlreadyAssociated")


def test_a_gateway_that_goes_leaves_a_black_hole_and_its_address(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    key = site.nat()["NatGatewayId"]
    jar.settle()
    table = main_table(ec2, site.vpc)["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, NatGatewayId=key)
    route = main_table(ec2, site.vpc)["Routes"][1]
    assert (route["NatGatewayId"], route["State"]) == (key, "active")
    assert code(ec2.release_address, AllocationId=site.allocation) == "InvalidIPAddress.InUse"
    assert code(ec2.delete_subnet, SubnetId=site.public) == "DependencyViolation"
    assert ec2.delete_nat_gateway(NatGatewayId=key)["NatGatewayId"] == key
    gone = site.shown(key)
    assert (gone["State"], gone["DeleteTime"] is None) == ("deleted", False)
    assert main_table(ec2, site.vpc)["Routes"][1]["State"] == "blackhole"
    assert "AssociationId" not in ec2.describe_addresses()["Addresses"][0]
    ec2.release_address(AllocationId=site.allocation)
    assert code(ec2.create_route, RouteTableId=table, DestinationCidrBlock="8.8.8.0/24", NatGatewayId=key) == (
        "InvalidNatGatewayID.NotFound"
    )


def test_packets_go_out_through_the_gateway_and_none_come_in(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    vm = launch(ec2, SubnetId=site.private)
    jar.settle()
    eni = interface_of(ec2, vm)["NetworkInterfaceId"]
    assert jar.network.reachable(eni, "93.184.216.34", "tcp", 443) == "dropped"
    key = site.nat()["NatGatewayId"]
    jar.settle()
    table = main_table(ec2, site.vpc)["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, NatGatewayId=key)
    jar.settle()
    assert jar.network.reachable(eni, "93.184.216.34", "tcp", 443) == "open"
    public = site.shown(key)["NatGatewayAddresses"][0]["PublicIp"]
    assert jar.network.reachable("internet", public, "tcp", 22) == "dropped"
    ec2.delete_route(RouteTableId=site.table, DestinationCidrBlock=ANYWHERE)
    jar.settle()
    assert jar.network.reachable(eni, "93.184.216.34", "tcp", 443) == "dropped"  # no way out of its own subnet


def test_what_a_gateway_costs(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    key = site.nat()["NatGatewayId"]
    jar.settle()
    jar.advance(hours=3)
    ec2.delete_nat_gateway(NatGatewayId=key)
    jar.settle()
    jar.advance(hours=5)
    assert jar.usage("NatGateway-Hours") == timedelta(hours=3)
    assert jar.usage("PublicIPv4:InUseAddress") == timedelta(hours=3)


def _private(site: Site, key: str) -> list[tuple[str, bool, str]]:
    return [(a["PrivateIp"], a["IsPrimary"], a["Status"]) for a in site.shown(key)["NatGatewayAddresses"]]


def test_further_elastic_ips_come_and_go_with_their_connections(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    more = [ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in range(2)]
    key = site.nat(SecondaryAllocationIds=more[:1], SecondaryPrivateIpAddresses=["10.0.1.40"])["NatGatewayId"]
    first, second = site.shown(key)["NatGatewayAddresses"]
    assert (first["IsPrimary"], second["IsPrimary"], second["PrivateIp"]) == (True, False, "10.0.1.40")
    assert second["AllocationId"] == more[0]
    assert code(ec2.associate_nat_gateway_address, NatGatewayId=key, AllocationIds=more[1:]) == "AddressLimitExceeded"
    gone = ec2.disassociate_nat_gateway_address(
        NatGatewayId=key, AssociationIds=[second["AssociationId"]], MaxDrainDurationSeconds=60
    )["NatGatewayAddresses"]
    assert [(a["PublicIp"], a["Status"]) for a in gone] == [(second["PublicIp"], "disassociating")]
    assert code(ec2.associate_nat_gateway_address, NatGatewayId=key, AllocationIds=more[1:]) == "IncorrectState"
    assert [s for _, _, s in _private(site, key)] == ["succeeded", "disassociating"]
    jar.advance(minutes=2)
    assert [s for _, _, s in _private(site, key)] == ["succeeded"]
    [eni] = ec2.describe_network_interfaces(NetworkInterfaceIds=[first["NetworkInterfaceId"]])["NetworkInterfaces"]
    assert [one["PrivateIpAddress"] for one in eni["PrivateIpAddresses"]] == [first["PrivateIp"]]
    ec2.release_address(AllocationId=more[0])
    came = ec2.associate_nat_gateway_address(NatGatewayId=key, AllocationIds=more[1:], PrivateIpAddresses=["10.0.1.41"])
    assert came["NatGatewayAddresses"][0]["Status"] == "associating"
    _, third = site.shown(key)["NatGatewayAddresses"]
    assert (third["AllocationId"], third["PrivateIp"], third["Status"]) == (more[1], "10.0.1.41", "succeeded")
    assert code(ec2.release_address, AllocationId=more[1]) == "InvalidIPAddress.InUse"
    ec2.delete_nat_gateway(NatGatewayId=key)
    jar.settle()
    ec2.release_address(AllocationId=more[1])


def test_a_private_gateway_has_further_private_addresses(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    key = ec2.create_nat_gateway(SubnetId=site.private, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    [(first, *_)] = _private(site, key)
    made = ec2.assign_private_nat_gateway_address(NatGatewayId=key, PrivateIpAddressCount=2)["NatGatewayAddresses"]
    assert [(a["Status"], "PrivateIp" in a) for a in made] == [("assigning", False)] * 2
    ec2.assign_private_nat_gateway_address(NatGatewayId=key, PrivateIpAddresses=["10.0.2.99"])
    found = _private(site, key)
    assert [(ip == first, s) for ip, _, s in found] == [(True, "succeeded"), *[(False, "succeeded")] * 3]
    assert found[3][0] == "10.0.2.99"
    going = ec2.unassign_private_nat_gateway_address(NatGatewayId=key, PrivateIpAddresses=["10.0.2.99", found[1][0]])
    assert [a["Status"] for a in going["NatGatewayAddresses"]] == ["unassigning"] * 2
    jar.advance(minutes=6)
    assert [ip for ip, _, _ in _private(site, key)] == [first, found[2][0]]
    assert code(ec2.unassign_private_nat_gateway_address, NatGatewayId=key, PrivateIpAddresses=[first]) == (
        "InvalidParameterValue"
    )
    assert code(ec2.assign_private_nat_gateway_address, NatGatewayId=key, PrivateIpAddressCount=7) == (
        "PrivateIpAddressLimitExceeded"
    )


def test_changes_of_addresses_that_are_refused(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    key = site.nat()["NatGatewayId"]
    [address] = site.shown(key)["NatGatewayAddresses"]
    associate, disassociate = ec2.associate_nat_gateway_address, ec2.disassociate_nat_gateway_address
    assert code(associate, NatGatewayId=key, AllocationIds=[site.allocation]) == "Resource.AlreadyAssociated"
    assert code(associate, NatGatewayId=f"nat-{NOWHERE}", AllocationIds=[site.allocation]) == "NatGatewayNotFound"
    assert code(disassociate, NatGatewayId=key, AssociationIds=[address["AssociationId"]]) == "InvalidParameterValue"
    assert code(disassociate, NatGatewayId=key, AssociationIds=[f"eipassoc-{NOWHERE}"]) == (
        "InvalidAssociationID.NotFound"
    )
    assert code(ec2.assign_private_nat_gateway_address, NatGatewayId=key, PrivateIpAddressCount=1) == (
        "InvalidParameterValue"
    )
    spare = ec2.allocate_address(Domain="vpc")["AllocationId"]
    assert code(associate, NatGatewayId=key, AllocationIds=[spare], PrivateIpAddresses=["10.0.2.9"]) == (
        "InvalidParameterValue"
    )
    held = launch(ec2, SubnetId=site.public, PrivateIpAddress="10.0.1.77")
    associate(NatGatewayId=key, AllocationIds=[spare], PrivateIpAddresses=["10.0.1.77"])
    _, failed = site.shown(key)["NatGatewayAddresses"]
    assert (held[:2], failed["Status"], "in use" in failed["FailureMessage"]) == ("i-", "failed", True)


def test_what_is_asked_for_wrongly(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    assert code(ec2.create_nat_gateway, SubnetId=site.public) == "MissingParameter"
    assert code(site.nat, ConnectivityType="private") == "InvalidParameterCombination"
    assert code(site.nat, SubnetId=f"subnet-{NOWHERE}") == "InvalidSubnetID.NotFound"
    assert code(site.nat, AllocationId=f"eipalloc-{NOWHERE}") == "InvalidAllocationID.NotFound"
    assert code(site.nat, DryRun=True) == "DryRunOperation"
    assert code(ec2.describe_nat_gateways, NatGatewayIds=["nat-1"]) == "NatGatewayMalformed"
    private = ec2.create_nat_gateway(SubnetId=site.public, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    [address] = site.shown(private)["NatGatewayAddresses"]
    assert (address["PrivateIp"].startswith("10.0.1."), "PublicIp" in address) == (True, False)


def test_a_zone_has_five_of_them(jar: TestJar, ec2: Any) -> None:
    subnet = make_subnet(ec2, make_vpc(ec2))
    for _ in range(5):
        ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")
    assert code(ec2.create_nat_gateway, SubnetId=subnet, ConnectivityType="private") == "NatGatewayLimitExceeded"
