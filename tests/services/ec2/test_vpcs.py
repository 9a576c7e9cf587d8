"""VPCs: what they are made with, what keeps them, the default one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import (
    ANYWHERE,
    NOWHERE,
    UNBLOCKED,
    code,
    main_table,
    make_gateway,
    make_group,
    make_subnet,
    make_vpc,
    only,
    refused,
)


def test_a_new_vpc_is_as_aws_shows_it(ec2: Any) -> None:
    made = ec2.create_vpc(
        CidrBlock="10.0.3.7/16",
        TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "devops-vpc"}]}],
    )["Vpc"]
    assert made["CidrBlock"] == "10.0.0.0/16"
    assert made["State"] == "available"
    assert made["IsDefault"] is False
    assert made["OwnerId"] == ACCOUNT
    assert made["InstanceTenancy"] == "default"
    assert made["Tags"] == [{"Key": "Name", "Value": "devops-vpc"}]
    [block] = made["CidrBlockAssociationSet"]
    assert block["CidrBlockState"] == {"State": "associated"}
    assert block["AssociationId"].startswith("vpc-cidr-assoc-")
    assert ec2.describe_vpcs(VpcIds=[made["VpcId"]])["Vpcs"] == [made | UNBLOCKED]


def test_a_vpc_is_made_with_main_table_default_group_and_default_acl(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    table = main_table(ec2, vpc)
    assert table["Routes"] == [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"}
    ]
    [group] = ec2.describe_security_groups(Filters=only(vpc_id=vpc, group_name="default"))["SecurityGroups"]
    assert group["Description"] == "default VPC security group"
    assert group["IpPermissions"][0]["UserIdGroupPairs"] == [{"UserId": ACCOUNT, "GroupId": group["GroupId"]}]
    assert group["IpPermissionsEgress"][0]["IpRanges"] == [{"CidrIp": ANYWHERE}]
    [acl] = ec2.describe_network_acls(Filters=only(vpc_id=vpc, default="true"))["NetworkAcls"]
    assert [(e["RuleNumber"], e["Egress"], e["RuleAction"]) for e in acl["Entries"]] == [
        (100, True, "allow"), (32767, True, "deny"), (100, False, "allow"), (32767, False, "deny"),
    ]  # fmt: skip


@pytest.mark.parametrize("cidr", ["10.0.0.0/8", "10.0.0.0/29", "224.0.0.0/16"])
def test_a_vpc_is_16_to_28(steady_jar: TestJar, cidr: str) -> None:
    assert refused(steady_jar.client("ec2").create_vpc, CidrBlock=cidr) == (
        "InvalidVpc.Range", f"The CIDR '{cidr}' is invalid.",
    )  # fmt: skip


def test_what_is_no_block_is_no_vpc(ec2: Any) -> None:
    assert refused(ec2.create_vpc, CidrBlock="10.0.0/16") == (
        "InvalidParameterValue",
        "Value (10.0.0/16) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
    )
    assert code(ec2.create_vpc) == "MissingParameter"


def test_ids_are_malformed_or_not_found(ec2: Any) -> None:
    assert code(ec2.describe_vpcs, VpcIds=["vpc-nonsense"]) == "InvalidVpcID.Malformed"
    assert refused(ec2.describe_vpcs, VpcIds=[f"vpc-{NOWHERE}"]) == (
        "InvalidVpcID.NotFound", f"The vpc ID 'vpc-{NOWHERE}' does not exist",
    )  # fmt: skip
    known = make_vpc(ec2)
    assert code(ec2.describe_vpcs, VpcIds=[known, f"vpc-{NOWHERE}"]) == "InvalidVpcID.NotFound"


def test_filters_narrow_and_unknown_ones_are_refused(ec2: Any) -> None:
    vpc = make_vpc(ec2, "10.7.0.0/16")
    assert [v["VpcId"] for v in ec2.describe_vpcs(Filters=only(cidr="10.7.*"))["Vpcs"]] == [vpc]
    assert ec2.describe_vpcs(Filters=only(cidr="10.8.0.0/16"))["Vpcs"] == []
    assert code(ec2.describe_vpcs, Filters=only(colour="red")) == "InvalidParameterValue"


def test_pages_add_up_and_ids_exclude_them(ec2: Any) -> None:
    made = {make_vpc(ec2, f"10.{i}.0.0/16") for i in range(4)}
    pages = list(ec2.get_paginator("describe_vpcs").paginate(PaginationConfig={"PageSize": 5}))
    seen = [v["VpcId"] for page in pages for v in page["Vpcs"]]
    assert made < set(seen)
    assert len(seen) == len(set(seen)) == 5
    assert code(ec2.describe_vpcs, VpcIds=list(made), MaxResults=5) == "InvalidParameterCombination"


def test_the_sixth_vpc_is_too_many(ec2: Any) -> None:
    for i in range(4):  # the default one counts
        make_vpc(ec2, f"10.{i}.0.0/16")
    assert refused(ec2.create_vpc, CidrBlock="10.9.0.0/16") == (
        "VpcLimitExceeded", "The maximum number of VPCs has been reached.",
    )  # fmt: skip


def test_a_vpc_with_something_in_it_stays(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    subnet, group = make_subnet(ec2, vpc), make_group(ec2, vpc)
    gateway = make_gateway(ec2, vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    in_the_way = ("DependencyViolation", f"The vpc '{vpc}' has dependencies and cannot be deleted.")
    removals: list[tuple[Any, dict[str, str]]] = [
        (ec2.delete_subnet, {"SubnetId": subnet}),
        (ec2.delete_security_group, {"GroupId": group}),
        (ec2.detach_internet_gateway, {"InternetGatewayId": gateway, "VpcId": vpc}),
        (ec2.delete_route_table, {"RouteTableId": table}),
        (ec2.delete_network_acl, {"NetworkAclId": acl}),
    ]
    for remove, which in removals:
        assert refused(ec2.delete_vpc, VpcId=vpc) == in_the_way
        remove(**which)
    ec2.delete_vpc(VpcId=vpc)
    assert code(ec2.describe_vpcs, VpcIds=[vpc]) == "InvalidVpcID.NotFound"
    for left in (
        ec2.describe_route_tables(Filters=only(vpc_id=vpc))["RouteTables"],
        ec2.describe_security_groups(Filters=only(vpc_id=vpc))["SecurityGroups"],
        ec2.describe_network_acls(Filters=only(vpc_id=vpc))["NetworkAcls"],
    ):
        assert left == []


def test_attributes_are_read_and_changed_one_at_a_time(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    assert ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsSupport")["EnableDnsSupport"] == {"Value": True}
    assert ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")["EnableDnsHostnames"] == {
        "Value": False
    }
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    assert ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")["EnableDnsHostnames"] == {
        "Value": True
    }
    both = {"EnableDnsHostnames": {"Value": True}, "EnableDnsSupport": {"Value": True}}
    assert code(ec2.modify_vpc_attribute, VpcId=vpc, **both) == "InvalidParameterCombination"


def test_every_account_finds_a_default_vpc_in_every_region(jar: TestJar) -> None:
    ec2 = jar.client("ec2", "us-east-1")
    [vpc] = ec2.describe_vpcs(Filters=only(is_default="true"))["Vpcs"]
    assert vpc["CidrBlock"] == "172.31.0.0/16"
    subnets = ec2.describe_subnets(Filters=only(vpc_id=vpc["VpcId"]))["Subnets"]
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert {s["AvailabilityZone"] for s in subnets} == {z["ZoneName"] for z in zones}
    assert all(s["DefaultForAz"] and s["MapPublicIpOnLaunch"] for s in subnets)
    assert all(s["CidrBlock"].endswith("/20") and s["AvailableIpAddressCount"] == 4091 for s in subnets)
    out = main_table(ec2, vpc["VpcId"])["Routes"][1]
    [gateway] = ec2.describe_internet_gateways(Filters=only(attachment__vpc_id=vpc["VpcId"]))["InternetGateways"]
    assert (out["DestinationCidrBlock"], out["GatewayId"]) == (ANYWHERE, gateway["InternetGatewayId"])
    attribute = ec2.describe_account_attributes(AttributeNames=["default-vpc"])["AccountAttributes"][0]
    assert attribute["AttributeValues"] == [{"AttributeValue": vpc["VpcId"]}]

    other = jar.client("ec2", "us-east-1", key="111111111111", secret="test")
    [theirs] = other.describe_vpcs()["Vpcs"]
    assert theirs["VpcId"] != vpc["VpcId"]
    assert theirs["OwnerId"] == "111111111111"


def test_the_default_vpc_goes_and_comes_back(ec2: Any) -> None:
    [vpc] = ec2.describe_vpcs()["Vpcs"]
    assert code(ec2.create_default_vpc) == "DefaultVpcAlreadyExists"
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    [gateway] = ec2.describe_internet_gateways()["InternetGateways"]
    ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc["VpcId"])
    ec2.delete_vpc(VpcId=vpc["VpcId"])
    assert ec2.describe_vpcs()["Vpcs"] == []
    assert code(ec2.create_security_group, GroupName="web", Description="web") == "VPCIdNotSpecified"
    assert code(ec2.create_default_subnet, AvailabilityZone="eu-west-3a") == "DefaultVpcDoesNotExist"
    again = ec2.create_default_vpc()["Vpc"]
    assert again["IsDefault"] is True
    assert len(ec2.describe_subnets(Filters=only(default_for_az="true"))["Subnets"]) == 3


def test_a_vpc_may_have_more_blocks(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    made = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.1.0.0/16")["CidrBlockAssociation"]
    subnet = make_subnet(ec2, vpc, "10.1.1.0/24")
    assert [r["DestinationCidrBlock"] for r in main_table(ec2, vpc)["Routes"]] == ["10.0.0.0/16", "10.1.0.0/16"]
    first = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlockAssociationSet"][0]["AssociationId"]
    assert code(ec2.disassociate_vpc_cidr_block, AssociationId=first) == "OperationNotPermitted"
    assert code(ec2.disassociate_vpc_cidr_block, AssociationId=made["AssociationId"]) == "DependencyViolation"
    ec2.delete_subnet(SubnetId=subnet)
    ec2.disassociate_vpc_cidr_block(AssociationId=made["AssociationId"])
    assert len(ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlockAssociationSet"]) == 1


def test_what_is_not_built_is_refused(ec2: Any) -> None:
    assert code(ec2.create_vpc, CidrBlock="10.0.0.0/16", Ipv6Pool="mine") == "UnsupportedOperation"
    assert code(ec2.describe_vpc_classic_link) == "UnsupportedOperation"


def test_a_dry_run_changes_nothing(ec2: Any) -> None:
    assert code(ec2.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True) == "DryRunOperation"
    assert len(ec2.describe_vpcs()["Vpcs"]) == 1


def test_dhcp_options_are_the_regions_own(jar: TestJar) -> None:
    for region, domain in (("us-east-1", "ec2.internal"), ("eu-west-3", "eu-west-3.compute.internal")):
        ec2 = jar.client("ec2", region)
        [options] = ec2.describe_dhcp_options()["DhcpOptions"]
        assert options["DhcpConfigurations"][0] == {"Key": "domain-name", "Values": [{"Value": domain}]}
        [vpc] = ec2.describe_vpcs()["Vpcs"]
        assert vpc["DhcpOptionsId"] == options["DhcpOptionsId"]
        ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc["VpcId"])
        assert ec2.describe_vpcs()["Vpcs"][0]["DhcpOptionsId"] == "default"
