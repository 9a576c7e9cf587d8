"""Tags on everything that has an id."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import (
    NOWHERE,
    code,
    launch,
    main_table,
    make_gateway,
    make_group,
    make_subnet,
    make_vpc,
    only,
    refused,
)


def tags_of(ec2: Any, key: str) -> dict[str, str]:
    return {t["Key"]: t["Value"] for t in ec2.describe_tags(Filters=only(resource_id=key))["Tags"]}


def test_everything_can_be_tagged(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    subnet, gateway, group = make_subnet(ec2, vpc), make_gateway(ec2, vpc), make_group(ec2, vpc)
    [rule] = ec2.describe_security_group_rules(Filters=only(group_id=group))["SecurityGroupRules"]
    vm = launch(ec2)
    things = {
        vpc: "vpc",
        subnet: "subnet",
        gateway: "internet-gateway",
        group: "security-group",
        rule["SecurityGroupRuleId"]: "security-group-rule",
        main_table(ec2, vpc)["RouteTableId"]: "route-table",
        ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]: "network-acl",
        ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]: "network-interface",
        ec2.allocate_address()["AllocationId"]: "elastic-ip",
        ec2.create_key_pair(KeyName="k", KeyType="ed25519")["KeyPairId"]: "key-pair",
        ec2.describe_dhcp_options()["DhcpOptions"][0]["DhcpOptionsId"]: "dhcp-options",
        vm: "instance",
        ec2.describe_volumes()["Volumes"][0]["VolumeId"]: "volume",
    }
    ec2.create_tags(Resources=list(things), Tags=[{"Key": "Project", "Value": "devops"}])
    found = ec2.describe_tags(Filters=[{"Name": "tag:Project", "Values": ["devops"]}])["Tags"]
    assert {t["ResourceId"]: t["ResourceType"] for t in found} == things
    by_tag = [{"Name": "tag:Project", "Values": ["dev*"]}]
    assert [v["VpcId"] for v in ec2.describe_vpcs(Filters=by_tag)["Vpcs"]] == [vpc]
    assert [s["SubnetId"] for s in ec2.describe_subnets(Filters=by_tag)["Subnets"]] == [subnet]
    assert [k["KeyName"] for k in ec2.describe_key_pairs(Filters=by_tag)["KeyPairs"]] == ["k"]
    assert len(ec2.describe_tags(Filters=only(resource_type="vpc"))["Tags"]) == 1


def test_tags_are_changed_and_removed(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": k, "Value": v} for k, v in (("a", "1"), ("b", "2"), ("c", ""))])
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "one"}])
    assert tags_of(ec2, vpc) == {"a": "one", "b": "2", "c": ""}
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b"}])
    assert tags_of(ec2, vpc) == {"a": "one", "c": ""}  # the value given was not the value there
    ec2.delete_tags(Resources=[vpc])
    assert tags_of(ec2, vpc) == {}


def test_one_bad_id_keeps_all_untagged(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    tags = [{"Key": "a", "Value": "1"}]
    assert code(ec2.create_tags, Resources=[vpc, f"subnet-{NOWHERE}"], Tags=tags) == "InvalidSubnetID.NotFound"
    assert refused(ec2.create_tags, Resources=["devops-vpc"], Tags=tags) == (
        "InvalidID", "The ID 'devops-vpc' is not valid",
    )  # fmt: skip
    assert code(ec2.create_tags, Resources=["vpc-123"], Tags=tags) == "InvalidID"
    assert tags_of(ec2, vpc) == {}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([{"Key": "aws:mine", "Value": ""}], "InvalidParameterValue"),
        ([{"Key": "k" * 128, "Value": ""}], "InvalidParameterValue"),
        ([{"Key": "k", "Value": "v" * 256}], "InvalidParameterValue"),
        ([{"Key": f"k{i}", "Value": ""} for i in range(51)], "TagLimitExceeded"),
    ],
)
def test_tags_that_cannot_be(steady_jar: TestJar, tags: list[dict[str, str]], expected: str) -> None:
    ec2 = steady_jar.client("ec2")
    assert code(ec2.create_tags, Resources=[make_vpc(ec2)], Tags=tags) == expected
