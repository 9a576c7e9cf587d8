"""What the host is told: the simulated network obeys gateways, routes, groups and ACLs as they change."""

from __future__ import annotations

from typing import Any

from cloudjar.planes.network.port import Vpc
from tests.jar import TestJar
from tests.services.ec2.asking import (
    ANYWHERE,
    interface_of,
    launch,
    main_table,
    make_gateway,
    make_group,
    make_subnet,
    make_vpc,
    only,
)


def http(port: int) -> list[dict[str, Any]]:
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": ANYWHERE}]}]


class Site:
    """A public subnet with a machine, and a private one with another."""

    def __init__(self, jar: TestJar, ec2: Any) -> None:
        self.jar = jar
        self.ec2 = ec2
        self.vpc = make_vpc(ec2)
        self.public = make_subnet(ec2, self.vpc, "10.0.1.0/24")
        self.private = make_subnet(ec2, self.vpc, "10.0.2.0/24")
        self.gateway = make_gateway(ec2, self.vpc)
        self.table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=self.table, DestinationCidrBlock=ANYWHERE, GatewayId=self.gateway)
        self.association = ec2.associate_route_table(RouteTableId=self.table, SubnetId=self.public)["AssociationId"]
        self.group = make_group(ec2, self.vpc)
        ec2.modify_subnet_attribute(SubnetId=self.public, MapPublicIpOnLaunch={"Value": True})
        self.front = launch(ec2, SubnetId=self.public, SecurityGroupIds=[self.group])
        self.back = launch(ec2, SubnetId=self.private, SecurityGroupIds=[self.group])
        jar.settle()

    def reach(self, source: str, address: str, port: int, protocol: str = "tcp") -> str:
        """Whether a packet would arrive, after the reconcilers came to rest."""
        self.jar.settle()
        return self.jar.network.reachable(source, address, protocol, port)

    def public_ip(self) -> str:
        return str(interface_of(self.ec2, self.front)["Association"]["PublicIp"])


def test_a_port_opens_and_closes_with_its_rule(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    ip = site.public_ip()
    assert site.reach("internet", ip, 9000) == "dropped"
    ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=http(9000))
    assert site.reach("internet", ip, 9000) == "open"
    assert site.reach("internet", ip, 9001) == "dropped"
    ec2.revoke_security_group_ingress(GroupId=site.group, IpPermissions=http(9000))
    assert site.reach("internet", ip, 9000) == "dropped"


def test_a_rule_for_a_group_admits_its_members_alone(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    back = interface_of(ec2, site.back)
    front = interface_of(ec2, site.front)["NetworkInterfaceId"]
    assert site.reach(front, back["PrivateIpAddress"], 5432) == "dropped"
    pair = [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": site.group}]}]
    ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=pair)
    assert site.reach(front, back["PrivateIpAddress"], 5432) == "open"
    other = make_group(ec2, site.vpc, "other")
    ec2.modify_network_interface_attribute(NetworkInterfaceId=front, Groups=[other])
    assert site.reach(front, back["PrivateIpAddress"], 5432) == "dropped"


def test_routes_and_gateways_decide_who_reaches_the_internet(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=http(80))
    ip, front = site.public_ip(), interface_of(ec2, site.front)["NetworkInterfaceId"]
    back = interface_of(ec2, site.back)["NetworkInterfaceId"]
    assert site.reach(front, "1.1.1.1", 443) == "open"
    assert site.reach(back, "1.1.1.1", 443) == "dropped"  # no public address, no route
    main = main_table(ec2, site.vpc)["RouteTableId"]
    ec2.disassociate_route_table(AssociationId=site.association)
    assert site.reach("internet", ip, 80) == "dropped"
    ec2.create_route(RouteTableId=main, DestinationCidrBlock=ANYWHERE, GatewayId=site.gateway)
    assert site.reach("internet", ip, 80) == "open"


def test_network_acls_are_stateless_and_ordered(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=http(80))
    ip = site.public_ip()
    assert site.reach("internet", ip, 80) == "open"
    acl = ec2.create_network_acl(VpcId=site.vpc)["NetworkAcl"]["NetworkAclId"]
    [old] = ec2.describe_network_acls(Filters=only(association__subnet_id=site.public))["NetworkAcls"]
    [key] = [a["NetworkAclAssociationId"] for a in old["Associations"] if a["SubnetId"] == site.public]
    ec2.replace_network_acl_association(AssociationId=key, NetworkAclId=acl)
    assert site.reach("internet", ip, 80) == "dropped"
    entry: dict[str, Any] = {"NetworkAclId": acl, "Protocol": "tcp", "RuleAction": "allow", "CidrBlock": ANYWHERE}
    ec2.create_network_acl_entry(**entry, RuleNumber=100, Egress=False, PortRange={"From": 80, "To": 80})
    assert site.reach("internet", ip, 80) == "dropped"  # the answer cannot leave
    ec2.create_network_acl_entry(**entry, RuleNumber=100, Egress=True, PortRange={"From": 1024, "To": 65535})
    assert site.reach("internet", ip, 80) == "open"


def test_a_vpc_is_on_the_host_while_a_machine_is_up(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    assert jar.network.vpcs() == [site.vpc]
    assert jar.network.guests() == sorted([site.front, site.back])
    ec2.stop_instances(InstanceIds=[site.front, site.back])
    jar.settle()
    assert jar.network.vpcs() == []
    ec2.start_instances(InstanceIds=[site.front])
    jar.settle()
    assert jar.network.guests() == [site.front]
    ec2.terminate_instances(InstanceIds=[site.front, site.back])
    jar.settle()
    assert jar.network.vpcs() == []


def test_a_second_interface_joins_at_once(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    eni = ec2.create_network_interface(SubnetId=site.public, Groups=[site.group])["NetworkInterface"]
    ec2.attach_network_interface(
        NetworkInterfaceId=eni["NetworkInterfaceId"], InstanceId=site.front, DeviceIndex=1
    )
    ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=http(80))
    back = interface_of(ec2, site.back)["NetworkInterfaceId"]
    assert site.reach(back, eni["PrivateIpAddress"], 80) == "open"


def test_what_no_record_knows_is_swept_at_boot(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    jar.network.apply(Vpc(id="vpc-0stranger", region="eu-west-3", cidrs=("10.9.0.0/16",)))
    jar.network.remove(site.vpc)  # as if the host had lost it
    jar.crash()
    jar.settle()
    assert jar.network.vpcs() == [site.vpc]
    assert site.reach("internet", site.public_ip(), 80) == "dropped"
