"""IAM on the network: condition keys that records bring, resources that requests name otherwise, tags on creation."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import ANYWHERE, code, make_gateway, make_group, make_subnet, make_vpc, only
from tests.services.iam.people import allow, user

EC2 = f"arn:aws:ec2:eu-west-3:{ACCOUNT}"
PORT = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": ANYWHERE}]}]


def test_a_group_is_known_by_its_vpc_and_tags(jar: TestJar, ec2: Any) -> None:
    mine, other = make_vpc(ec2), make_vpc(ec2, "10.1.0.0/16")
    web, foreign = make_group(ec2, mine), make_group(ec2, other)
    in_vpc = {"ArnEquals": {"ec2:Vpc": f"{EC2}:vpc/{mine}"}}
    tagged = {"StringEquals": {"ec2:ResourceTag/Owner": "ann"}}
    ann = user(
        jar,
        "ann",
        allow("ec2:AuthorizeSecurityGroupIngress", Condition=in_vpc),
        allow("ec2:DeleteSecurityGroup", Condition=tagged),
    ).client("ec2")
    ann.authorize_security_group_ingress(GroupId=web, IpPermissions=PORT)
    denied = code(ann.authorize_security_group_ingress, GroupId=foreign, IpPermissions=PORT)
    assert denied == "UnauthorizedOperation"
    assert code(ann.delete_security_group, GroupId=web) == "UnauthorizedOperation"
    ec2.create_tags(Resources=[web], Tags=[{"Key": "Owner", "Value": "ann"}])
    ann.delete_security_group(GroupId=web)


def test_resources_are_found_behind_associations_names_and_addresses(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    make_gateway(ec2, vpc)
    subnet = make_subnet(ec2, vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    key = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    address = ec2.allocate_address()
    group = ec2.create_security_group(GroupName="old", Description="in the default VPC")["GroupId"]
    pair = ec2.create_key_pair(KeyName="k", KeyType="ed25519")["KeyPairId"]
    ann = user(
        jar,
        "ann",
        allow("ec2:DisassociateRouteTable", on=f"{EC2}:route-table/{table}"),
        allow("ec2:DisassociateRouteTable", on=f"{EC2}:subnet/{subnet}"),
        allow("ec2:AssociateAddress", on=f"{EC2}:network-interface/{eni}"),
        allow("ec2:AssociateAddress", "ec2:DisassociateAddress", on=f"{EC2}:elastic-ip/{address['AllocationId']}"),
        allow("ec2:AuthorizeSecurityGroupIngress", on=f"{EC2}:security-group/{group}"),
        allow("ec2:DeleteKeyPair", on=f"{EC2}:key-pair/k"),
    ).client("ec2")
    ann.disassociate_route_table(AssociationId=key)
    ann.associate_address(PublicIp=address["PublicIp"], NetworkInterfaceId=eni)
    [shown] = ec2.describe_addresses()["Addresses"]
    ann.disassociate_address(AssociationId=shown["AssociationId"])
    ann.authorize_security_group_ingress(GroupName="old", IpPermissions=PORT)
    ann.delete_key_pair(KeyPairId=pair)
    other = ec2.allocate_address()
    assert code(ann.associate_address, AllocationId=other["AllocationId"], NetworkInterfaceId=eni) == (
        "UnauthorizedOperation"
    )


def test_tags_on_creation_are_a_permission_of_their_own(jar: TestJar, ec2: Any) -> None:
    ann = user(jar, "ann", allow("ec2:CreateVpc"))
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "mine"}]}]
    client = ann.client("ec2")
    assert code(client.create_vpc, CidrBlock="10.0.0.0/16", TagSpecifications=tags) == "UnauthorizedOperation"
    client.create_vpc(CidrBlock="10.0.0.0/16")
    when = {"StringEquals": {"ec2:CreateAction": "CreateVpc"}}
    bob = user(jar, "bob", allow("ec2:CreateVpc"), allow("ec2:CreateTags", Condition=when)).client("ec2")
    made = bob.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
    again = [{"Key": "Name", "Value": "other"}]
    assert code(bob.create_tags, Resources=[made], Tags=again) == "UnauthorizedOperation"
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["mine"]}])["Vpcs"]
    assert vpc["VpcId"] == made


def test_looking_needs_leave_and_says_nothing_of_what_is_there(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    ann = user(jar, "ann").client("ec2")
    assert code(ann.describe_vpcs) == "UnauthorizedOperation"
    assert code(ann.delete_vpc, VpcId=vpc) == "UnauthorizedOperation"
    assert len(ec2.describe_vpcs(Filters=only(vpc_id=vpc))["Vpcs"]) == 1


def test_peering_is_asked_about_with_both_vpcs(jar: TestJar, ec2: Any) -> None:
    mine, theirs, other = (make_vpc(ec2, f"10.{n}.0.0/16") for n in range(3))
    towards = {"ArnEquals": {"ec2:AccepterVpc": f"{EC2}:vpc/{theirs}"}}
    ann = user(
        jar,
        "ann",
        allow("ec2:CreateVpcPeeringConnection", on=f"{EC2}:vpc/{mine}"),
        allow("ec2:CreateVpcPeeringConnection", on=f"{EC2}:vpc-peering-connection/*", Condition=towards),
        allow("ec2:AcceptVpcPeeringConnection", on=f"{EC2}:vpc/{theirs}"),
        allow("ec2:AcceptVpcPeeringConnection", on=f"{EC2}:vpc-peering-connection/*"),
    ).client("ec2")
    assert code(ann.create_vpc_peering_connection, VpcId=mine, PeerVpcId=other) == "UnauthorizedOperation"
    made = ann.create_vpc_peering_connection(VpcId=mine, PeerVpcId=theirs)["VpcPeeringConnection"]
    ann.accept_vpc_peering_connection(VpcPeeringConnectionId=made["VpcPeeringConnectionId"])
    second = ec2.create_vpc_peering_connection(VpcId=mine, PeerVpcId=other)["VpcPeeringConnection"]
    assert code(ann.accept_vpc_peering_connection, VpcPeeringConnectionId=second["VpcPeeringConnectionId"]) == (
        "UnauthorizedOperation"
    )


def test_endpoints_are_allowed_by_service(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    s3 = {"StringEquals": {"ec2:VpceServiceName": "com.amazonaws.eu-west-3.s3"}}
    ann = user(
        jar,
        "ann",
        allow("ec2:CreateVpcEndpoint", on=f"{EC2}:vpc/*"),
        allow("ec2:CreateVpcEndpoint", on=f"{EC2}:vpc-endpoint/*", Condition=s3),
    ).client("ec2")
    ann.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.eu-west-3.s3")
    denied = code(ann.create_vpc_endpoint, VpcId=vpc, ServiceName="com.amazonaws.eu-west-3.dynamodb")
    assert denied == "UnauthorizedOperation"


def test_an_ipv6_block_is_found_by_its_association(jar: TestJar, ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    [block] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    ann = user(jar, "ann", allow("ec2:DisassociateVpcCidrBlock", on=f"{EC2}:vpc/{vpc}")).client("ec2")
    ann.disassociate_vpc_cidr_block(AssociationId=block["AssociationId"])
    assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"] == []
