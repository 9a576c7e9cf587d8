"""What names mean inside VPCs: private DNS of endpoints, public names of machines here and in peered VPCs."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

from cloudjar.kit import names
from cloudjar.planes.dns.names import lookup
from tests.jar import TestJar
from tests.services.ec2.asking import interface_of, launch, make_gateway, make_group, make_subnet, make_vpc, only

KMS = "com.amazonaws.eu-west-3.kms"
POOL = IPv4Network("198.18.0.0/16")


def resolve(jar: TestJar, vpc: str, name: str) -> tuple[str, ...] | None:
    """What the VPC's resolver answers, after the reconcilers came to rest; None when it asks the wide world."""
    jar.settle()
    world = jar.jar.world
    found = lookup(jar.network._vpcs[vpc], POOL, name, lambda *asked: names.addresses(world, *asked))
    return None if found is None else found.addresses


def hostnames(ec2: Any, vpc: str, on: bool = True) -> None:
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": on})


def test_private_dns_of_an_endpoint_holds_in_its_own_vpc_alone(jar: TestJar, ec2: Any) -> None:
    vpc, other = make_vpc(ec2), make_vpc(ec2, "10.1.0.0/16")
    hostnames(ec2, vpc)
    subnets = [make_subnet(ec2, vpc, f"10.0.{i}.0/24", AvailabilityZone=f"eu-west-3{z}") for i, z in enumerate("ab")]
    for subnet in (subnets[0], make_subnet(ec2, other, "10.1.0.0/24")):
        launch(ec2, SubnetId=subnet)
    asked = {"VpcId": vpc, "ServiceName": KMS, "VpcEndpointType": "Interface", "SubnetIds": subnets}
    key = ec2.create_vpc_endpoint(**asked)["VpcEndpoint"]["VpcEndpointId"]
    jar.settle()
    [shown] = ec2.describe_vpc_endpoints(VpcEndpointIds=[key])["VpcEndpoints"]
    own, first, second, public = (entry["DnsName"] for entry in shown["DnsEntries"])
    enis = ec2.describe_network_interfaces(Filters=only(interface_type="vpc_endpoint"))["NetworkInterfaces"]
    by_zone = [e["PrivateIpAddress"] for e in sorted(enis, key=lambda e: str(e["AvailabilityZone"]))]
    assert resolve(jar, vpc, public) == resolve(jar, vpc, own) == tuple(by_zone)
    assert (resolve(jar, vpc, first), resolve(jar, vpc, second)) == ((by_zone[0],), (by_zone[1],))
    assert resolve(jar, other, own) == tuple(by_zone)  # its own names are public
    assert resolve(jar, other, public) is None
    assert resolve(jar, vpc, f"x{own}") == ()
    ec2.modify_vpc_endpoint(VpcEndpointId=key, PrivateDnsEnabled=False)
    assert resolve(jar, vpc, public) is None
    ec2.modify_vpc_endpoint(VpcEndpointId=key, PrivateDnsEnabled=True)
    hostnames(ec2, vpc, on=False)
    assert resolve(jar, vpc, public) is None
    ec2.delete_vpc_endpoints(VpcEndpointIds=[key])
    assert resolve(jar, vpc, own) == ()


def public_machine(ec2: Any, vpc: str, cidr: str) -> dict[str, Any]:
    """The interface of a machine with a public address."""
    subnet = make_subnet(ec2, vpc, cidr)
    make_gateway(ec2, vpc)
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    return interface_of(ec2, launch(ec2, SubnetId=subnet))


def test_a_peers_public_names_become_private_where_it_allows(jar: TestJar, ec2: Any) -> None:
    one, other = make_vpc(ec2), make_vpc(ec2, "10.1.0.0/16")
    for vpc in (one, other):
        hostnames(ec2, vpc)
    here, there = public_machine(ec2, one, "10.0.1.0/24"), public_machine(ec2, other, "10.1.1.0/24")
    name = there["Association"]["PublicDnsName"]
    made = ec2.create_vpc_peering_connection(VpcId=one, PeerVpcId=other)["VpcPeeringConnection"]
    key = made["VpcPeeringConnectionId"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=key)
    public, private = (there["Association"]["PublicIp"],), (there["PrivateIpAddress"],)
    assert resolve(jar, other, name) == private
    assert resolve(jar, one, name) == public
    ec2.modify_vpc_peering_connection_options(
        VpcPeeringConnectionId=key, RequesterPeeringConnectionOptions={"AllowDnsResolutionFromRemoteVpc": True}
    )
    assert resolve(jar, one, name) == public  # that was the other side's leave to give
    assert resolve(jar, other, here["Association"]["PublicDnsName"]) == (here["PrivateIpAddress"],)
    ec2.modify_vpc_peering_connection_options(
        VpcPeeringConnectionId=key, AccepterPeeringConnectionOptions={"AllowDnsResolutionFromRemoteVpc": True}
    )
    assert resolve(jar, one, name) == private
    hostnames(ec2, other, on=False)
    assert resolve(jar, one, name) == public
    hostnames(ec2, other)
    ec2.terminate_instances(InstanceIds=[there["Attachment"]["InstanceId"]])
    assert resolve(jar, one, name) == public
    later = interface_of(ec2, launch(ec2, SubnetId=there["SubnetId"]))
    assert resolve(jar, one, later["Association"]["PublicDnsName"]) == (later["PrivateIpAddress"],)
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=key)
    assert resolve(jar, one, later["Association"]["PublicDnsName"]) == (later["Association"]["PublicIp"],)


def test_a_peer_hears_of_new_members_of_a_group(jar: TestJar, ec2: Any) -> None:
    one, other = make_vpc(ec2), make_vpc(ec2, "10.1.0.0/16")
    key = ec2.create_vpc_peering_connection(VpcId=one, PeerVpcId=other)["VpcPeeringConnection"][
        "VpcPeeringConnectionId"]  # fmt: skip
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=key)
    for vpc, beyond in ((one, "10.1.0.0/16"), (other, "10.0.0.0/16")):
        [table] = ec2.describe_route_tables(Filters=only(vpc_id=vpc))["RouteTables"]
        ec2.create_route(
            RouteTableId=table["RouteTableId"], DestinationCidrBlock=beyond, VpcPeeringConnectionId=key
        )
    mine, theirs = make_group(ec2, one), make_group(ec2, other)
    here = interface_of(ec2, launch(ec2, SubnetId=make_subnet(ec2, one), SecurityGroupIds=[mine]))
    allowed = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": theirs}]}]
    ec2.authorize_security_group_ingress(GroupId=mine, IpPermissions=allowed)
    jar.settle()
    subnet = make_subnet(ec2, other, "10.1.1.0/24")
    there = interface_of(ec2, launch(ec2, SubnetId=subnet, SecurityGroupIds=[theirs]))
    jar.settle()
    assert jar.network.reachable(there["NetworkInterfaceId"], here["PrivateIpAddress"], "tcp", 5432) == "open"
