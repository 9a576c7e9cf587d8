"""Every quota of the network: AWS's number, and the code of whoever asks for one more."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

import cloudjar.services.ec2
from cloudjar.kit.quota import AppliedQuota
from cloudjar.kit.record import meta
from cloudjar.spec import quotas
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import ANYWHERE, launch, make_group, make_subnet, make_vpc

More = Callable[[int], Any]
"""Asks for one more; the number makes it another one than those before."""


class Scene(NamedTuple):
    """A quota's number, the code of its refusal, and how one more is asked for."""

    default: float
    code: str
    begin: Callable[[Any], More]


def vpcs(ec2: Any) -> More:
    return lambda n: ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")


def subnets(ec2: Any) -> More:
    vpc = make_vpc(ec2)
    return lambda n: make_subnet(ec2, vpc, f"10.0.{n}.0/24")


def blocks(ec2: Any) -> More:
    vpc = make_vpc(ec2, "10.200.0.0/16")
    return lambda n: ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock=f"10.{n}.0.0/16")


def blocks6(ec2: Any) -> More:
    vpc = make_vpc(ec2)
    return lambda _: ec2.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)


def gateways(ec2: Any) -> More:
    return lambda _: ec2.create_internet_gateway()


def egress_only(ec2: Any) -> More:
    without = [make_vpc(ec2, f"10.{n}.0.0/16") for n in range(3)]  # each has one at most

    def more(_: int) -> None:
        ec2.create_egress_only_internet_gateway(VpcId=without[-1])
        without.pop()

    return more


def tables(ec2: Any) -> More:
    vpc = make_vpc(ec2)
    return lambda _: ec2.create_route_table(VpcId=vpc)


def routes(ec2: Any) -> More:
    vpc = make_vpc(ec2)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return lambda n: ec2.create_route(
        RouteTableId=table, DestinationCidrBlock=f"192.168.{n}.0/24", GatewayId=gateway)  # fmt: skip


def groups(ec2: Any) -> More:
    vpc = make_vpc(ec2)
    return lambda n: make_group(ec2, vpc, f"g{n}")


def rules(ec2: Any) -> More:
    group = make_group(ec2, make_vpc(ec2))
    return lambda n: ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=n, ToPort=n, CidrIp=ANYWHERE)  # fmt: skip


def groups_of_an_interface(ec2: Any) -> More:
    vpc = make_vpc(ec2)
    eni = interface(ec2, make_subnet(ec2, vpc))
    named: list[str] = []

    def more(n: int) -> None:
        named.append(make_group(ec2, vpc, f"g{n}"))
        try:
            ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=named)
        except ClientError:
            named.pop()
            raise

    return more


def interface(ec2: Any, subnet: str) -> str:
    return str(ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"])


def interfaces(ec2: Any) -> More:
    subnet = make_subnet(ec2, make_vpc(ec2))
    return lambda _: interface(ec2, subnet)


def acls(ec2: Any) -> More:
    vpc = make_vpc(ec2)
    return lambda _: ec2.create_network_acl(VpcId=vpc)


def entries(ec2: Any) -> More:
    acl = ec2.create_network_acl(VpcId=make_vpc(ec2))["NetworkAcl"]["NetworkAclId"]
    entry = {"Protocol": "-1", "RuleAction": "allow", "Egress": False, "CidrBlock": ANYWHERE}
    return lambda n: ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=n, **entry)


def nat_gateways(ec2: Any) -> More:
    subnet = make_subnet(ec2, make_vpc(ec2))
    return lambda _: ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")


def addresses_of_a_nat_gateway(ec2: Any) -> More:
    subnet = make_subnet(ec2, make_vpc(ec2))
    return lambda n: ec2.create_nat_gateway(
        SubnetId=subnet, ConnectivityType="private", SecondaryPrivateIpAddressCount=n)  # fmt: skip


def elastic_addresses_of_a_nat_gateway(ec2: Any) -> More:
    subnet = make_subnet(ec2, make_vpc(ec2))
    first, *others = [ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in range(4)]
    return lambda n: ec2.create_nat_gateway(
        SubnetId=subnet, AllocationId=first, SecondaryAllocationIds=others[:n])  # fmt: skip


def elastic_addresses(ec2: Any) -> More:
    return lambda _: ec2.allocate_address(Domain="vpc")


def requests(ec2: Any) -> More:
    one, other = make_vpc(ec2, "10.200.0.0/16"), [make_vpc(ec2, f"10.{n}.0.0/16") for n in range(3)]
    return lambda n: ec2.create_vpc_peering_connection(VpcId=one, PeerVpcId=other[n % 3])


def peerings(ec2: Any) -> More:
    one, other = make_vpc(ec2, "10.200.0.0/16"), [make_vpc(ec2, f"10.{n}.0.0/16") for n in range(3)]
    asked = [ec2.create_vpc_peering_connection(VpcId=one, PeerVpcId=vpc) for vpc in other]
    keys = [one["VpcPeeringConnection"]["VpcPeeringConnectionId"] for one in asked]

    def more(_: int) -> None:
        ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=keys[-1])
        keys.pop()

    return more


def address_usage(ec2: Any) -> More:
    subnet = make_subnet(ec2, make_vpc(ec2))
    return lambda _: ec2.create_network_interface(SubnetId=subnet)


def peered_address_usage(ec2: Any) -> More:
    one, other = make_vpc(ec2), make_vpc(ec2, "10.1.0.0/16")
    key = ec2.create_vpc_peering_connection(VpcId=one, PeerVpcId=other)["VpcPeeringConnection"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=key["VpcPeeringConnectionId"])
    subnets = make_subnet(ec2, one), make_subnet(ec2, other, "10.1.1.0/24")
    ec2.create_network_interface(SubnetId=subnets[1])
    return lambda _: ec2.create_network_interface(SubnetId=subnets[0])


def gateway_endpoints(ec2: Any) -> More:
    vpc = make_vpc(ec2)

    def more(_: int) -> None:
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.eu-west-3.s3", RouteTableIds=[table])

    return more


def interface_endpoints(ec2: Any) -> More:
    vpc = make_vpc(ec2)
    asked = {"VpcId": vpc, "VpcEndpointType": "Interface", "PrivateDnsEnabled": False}
    subnet = make_subnet(ec2, vpc)
    return lambda _: ec2.create_vpc_endpoint(
        ServiceName="com.amazonaws.eu-west-3.sts", SubnetIds=[subnet], **asked)  # fmt: skip


def endpoint_policies(ec2: Any) -> More:
    vpc = make_vpc(ec2)
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'

    def more(n: int) -> None:
        ec2.create_vpc_endpoint(
            VpcId=vpc, ServiceName="com.amazonaws.eu-west-3.s3", PolicyDocument=policy + " " * n)  # fmt: skip

    return more


SCENES = {
    "vpc/L-F678F1CE": Scene(5, "VpcLimitExceeded", vpcs),
    "vpc/L-407747CB": Scene(200, "SubnetLimitExceeded", subnets),
    "vpc/L-83CA0A9D": Scene(5, "CidrLimitExceeded", blocks),
    "vpc/L-085A6257": Scene(5, "CidrLimitExceeded", blocks6),
    "vpc/L-A4707A72": Scene(5, "InternetGatewayLimitExceeded", gateways),
    "vpc/L-45FE3B85": Scene(5, "EgressOnlyInternetGatewayLimitExceeded", egress_only),
    "vpc/L-589F43AA": Scene(200, "RouteTableLimitExceeded", tables),
    "vpc/L-93826ACB": Scene(50, "RouteLimitExceeded", routes),
    "vpc/L-E79EC296": Scene(2500, "SecurityGroupLimitExceeded", groups),
    "vpc/L-0EA8095F": Scene(60, "RulesPerSecurityGroupLimitExceeded", rules),
    "vpc/L-2AFB9258": Scene(5, "SecurityGroupsPerInterfaceLimitExceeded", groups_of_an_interface),
    "vpc/L-DF5E4CA3": Scene(5000, "NetworkInterfaceLimitExceeded", interfaces),
    "vpc/L-B4A6D682": Scene(200, "NetworkAclLimitExceeded", acls),
    "vpc/L-2AEEBF1A": Scene(20, "NetworkAclEntryLimitExceeded", entries),
    "vpc/L-FE5A380F": Scene(5, "NatGatewayLimitExceeded", nat_gateways),
    "vpc/L-DC9F7029": Scene(25, "OutstandingVpcPeeringConnectionLimitExceeded", requests),
    "vpc/L-7E9ECCDB": Scene(50, "ActiveVpcPeeringConnectionPerVpcLimitExceeded", peerings),
    "vpc/L-1B52E74A": Scene(20, "VpcEndpointLimitExceeded", gateway_endpoints),
    "vpc/L-29B6F2EB": Scene(50, "VpcEndpointLimitExceeded", interface_endpoints),
    "vpc/L-BB24F6E5": Scene(64000, "NetworkAddressUsageLimitExceeded", address_usage),
    "vpc/L-CD17FD4B": Scene(128000, "NetworkAddressUsageLimitExceeded", peered_address_usage),
    "ec2/L-0263D0A3": Scene(5, "AddressLimitExceeded", elastic_addresses),
}
OF_A_SIZE = {
    "vpc/L-DFA99DE7": Scene(8, "PrivateIpAddressLimitExceeded", addresses_of_a_nat_gateway),
    "vpc/L-5F53652F": Scene(2, "AddressLimitExceeded", elastic_addresses_of_a_nat_gateway),
    "vpc/L-3248932A": Scene(20480, "PolicyLimitExceeded", endpoint_policies),
}
"""Quotas of how much one call may ask for, not of how many there are."""


def limit(jar: TestJar, key: str, value: float) -> None:
    """What Service Quotas would have granted, also less than AWS's own number."""

    async def put() -> None:
        with jar.jar.database.transaction():
            quota = AppliedQuota(account=ACCOUNT, region="eu-west-3", code=key, value=value)
            jar.jar.world.state.tables.put(meta(AppliedQuota).spec, quota)

    jar.on_loop(put())


def answer(more: More, n: int) -> str:
    """The code of a refusal; empty when there was room."""
    try:
        more(n)
    except ClientError as refused:
        return str(refused.response["Error"]["Code"])
    return ""


def test_every_quota_of_the_network_has_a_scene() -> None:
    source = "".join(p.read_text() for p in Path(str(cloudjar.services.ec2.__file__)).parent.rglob("*.py"))
    assert {f"vpc/{code}" for code in re.findall(r'"vpc", "(L-[0-9A-F]{8})"', source)} == {
        key for key in SCENES | OF_A_SIZE if key.startswith("vpc/")
    }


@pytest.mark.parametrize("key", SCENES)
def test_one_more_than_the_quota_is_refused(steady_jar: TestJar, key: str) -> None:
    scene = SCENES[key]
    assert quotas.default(*key.split("/")) == scene.default
    more = scene.begin(steady_jar.client("ec2"))
    steady_jar.settle()
    numbers = iter(range(1, 99))
    for room in range(12):
        limit(steady_jar, key, room)
        if not (said := answer(more, next(numbers))):
            break
        assert said == scene.code
    else:
        pytest.fail("never room")
    steady_jar.settle()
    assert answer(more, next(numbers)) == scene.code
    limit(steady_jar, key, room + 1)
    assert answer(more, next(numbers)) == ""


@pytest.mark.parametrize("key", OF_A_SIZE)
def test_more_at_once_than_the_quota_is_refused(steady_jar: TestJar, key: str) -> None:
    scene = OF_A_SIZE[key]
    most = int(scene.default)
    assert quotas.default(*key.split("/")) == most
    more = scene.begin(steady_jar.client("ec2"))
    assert answer(more, most) == scene.code


def test_a_request_for_peering_waits_as_long_as_the_quota_says(steady_jar: TestJar) -> None:
    ec2 = steady_jar.client("ec2")
    limit(steady_jar, "vpc/L-8312C5BB", 24)
    requests(ec2)(1)
    steady_jar.advance(hours=25)
    [shown] = ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]
    assert shown["Status"]["Code"] == "expired"


def test_iops_and_changes_of_volumes_are_limited(steady_jar: TestJar) -> None:
    ec2 = steady_jar.client("ec2")
    limit(steady_jar, "ebs/L-B3A130E6", 250)

    def make(iops: int) -> str:
        made = ec2.create_volume(AvailabilityZone="eu-west-3a", Size=10, VolumeType="io1", Iops=iops)
        return str(made["VolumeId"])

    def change(key: str, **more: Any) -> str:
        return answer(lambda _: ec2.modify_volume(VolumeId=key, **more), 0)

    one, two = make(100), make(100)
    assert answer(lambda _: make(100), 0) == "MaxIOPSLimitExceeded"
    steady_jar.settle()
    assert change(one, Iops=200) == "MaxIOPSLimitExceeded"
    limit(steady_jar, "ebs/L-B3A130E6", 1000)
    limit(steady_jar, "ebs/L-98A0B26D", 300)
    assert change(one, Iops=200) == ""
    steady_jar.settle()
    assert change(two, Iops=200) == "MaxIOPSLimitExceeded"
    limit(steady_jar, "ebs/L-5F80CA91", 0.02)
    assert change(two, Size=20) == "VolumeModificationSizeLimitExceeded"
    assert change(two, VolumeType="gp3", Iops=3000) == ""


def test_images_are_public_and_shared_within_limits(steady_jar: TestJar) -> None:
    ec2 = steady_jar.client("ec2")
    ec2.disable_image_block_public_access()
    vm = launch(ec2)
    steady_jar.settle()
    images = [ec2.create_image(InstanceId=vm, Name=f"image-{n}", NoReboot=True)["ImageId"] for n in range(2)]
    steady_jar.settle()

    def let(image: str, **who: str) -> str:
        adding = {"Add": [who]}
        return answer(lambda _: ec2.modify_image_attribute(ImageId=image, LaunchPermission=adding), 0)

    limit(steady_jar, "ec2/L-0E3CBAB9", 1)
    limit(steady_jar, "ec2/L-70015FFA", 1)
    assert [let(image, Group="all") for image in images] == ["", "ResourceLimitExceeded"]
    assert let(images[0], Group="all") == ""  # it is already
    assert let(images[1], UserId="222222222222") == ""
    assert let(images[1], UserId="333333333333") == "ResourceLimitExceeded"
