"""Security groups that are used in another VPC of their account."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import ANYWHERE, code, interface_of, launch, make_group, make_subnet, make_vpc, only


def state(ec2: Any, group: str) -> list[str]:
    found = ec2.describe_security_group_vpc_associations(Filters=only(group_id=group))
    return [one["State"] for one in found["SecurityGroupVpcAssociations"]]


def port(number: int, **peer: Any) -> list[dict[str, Any]]:
    peer = peer or {"IpRanges": [{"CidrIp": ANYWHERE}]}
    return [{"IpProtocol": "tcp", "FromPort": number, "ToPort": number, **peer}]


def test_a_group_filters_in_another_vpc_too(jar: TestJar, ec2: Any) -> None:
    home, away = make_vpc(ec2, "10.1.0.0/16"), make_vpc(ec2, "10.2.0.0/16")
    subnet = make_subnet(ec2, away, "10.2.1.0/24")
    group = make_group(ec2, home)
    worn = {"SubnetId": subnet, "Groups": [group]}
    assert code(ec2.create_network_interface, **worn) == "InvalidGroup.NotFound"
    assert ec2.associate_security_group_vpc(GroupId=group, VpcId=away)["State"] == "associating"
    jar.settle()
    assert state(ec2, group) == ["associated"]
    shown = ec2.get_security_groups_for_vpc(VpcId=away, Filters=only(group_id=group))["SecurityGroupForVpcs"]
    assert [one["PrimaryVpcId"] for one in shown] == [home]
    one = launch(ec2, SubnetId=subnet, SecurityGroupIds=[group])
    two = launch(ec2, SubnetId=subnet, SecurityGroupIds=[group])
    jar.settle()
    card, ip = interface_of(ec2, one)["NetworkInterfaceId"], interface_of(ec2, two)["PrivateIpAddress"]
    assert jar.network.reachable(card, ip, "tcp", 80) == "dropped"
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=port(80, UserIdGroupPairs=[{"GroupId": group}]))
    jar.settle()
    assert jar.network.reachable(card, ip, "tcp", 80) == "open"
    assert jar.network.reachable(card, ip, "tcp", 81) == "dropped"
    assert code(ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    ec2.disassociate_security_group_vpc(GroupId=group, VpcId=away)
    jar.settle()
    assert state(ec2, group) == ["disassociation-failed"]
    assert jar.network.reachable(card, ip, "tcp", 80) == "open"
    ec2.terminate_instances(InstanceIds=[one, two])
    jar.settle()
    assert ec2.disassociate_security_group_vpc(GroupId=group, VpcId=away)["State"] == "disassociating"
    jar.settle()
    assert state(ec2, group) == []
    assert code(ec2.create_network_interface, **worn) == "InvalidGroup.NotFound"
    ec2.delete_security_group(GroupId=group)


def test_a_rule_may_name_a_group_that_is_used_in_the_same_vpc(jar: TestJar, ec2: Any) -> None:
    home, away = make_vpc(ec2, "10.1.0.0/16"), make_vpc(ec2, "10.2.0.0/16")
    subnet = make_subnet(ec2, away, "10.2.1.0/24")
    group, local, absent = make_group(ec2, home), make_group(ec2, away), make_group(ec2, home, "absent")
    rule = port(80, UserIdGroupPairs=[{"GroupId": group}])
    assert code(ec2.authorize_security_group_ingress, GroupId=local, IpPermissions=rule) == "InvalidGroup.NotFound"
    ec2.associate_security_group_vpc(GroupId=group, VpcId=away)
    jar.settle()
    ec2.authorize_security_group_ingress(GroupId=local, IpPermissions=rule)
    named = port(81, UserIdGroupPairs=[{"GroupId": absent}])
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=named)
    one = launch(ec2, SubnetId=subnet, SecurityGroupIds=[group])
    two = launch(ec2, SubnetId=subnet, SecurityGroupIds=[local])
    jar.settle()
    card, ip = interface_of(ec2, one)["NetworkInterfaceId"], interface_of(ec2, two)["PrivateIpAddress"]
    assert jar.network.reachable(card, ip, "tcp", 80) == "open"
    back, there = interface_of(ec2, two)["NetworkInterfaceId"], interface_of(ec2, one)["PrivateIpAddress"]
    assert jar.network.reachable(back, there, "tcp", 81) == "dropped"


def test_what_cannot_be_associated(jar: TestJar, ec2: Any) -> None:
    home, away = make_vpc(ec2, "10.1.0.0/16"), make_vpc(ec2, "10.2.0.0/16")
    group = make_group(ec2, home)
    default = ec2.describe_vpcs(Filters=only(is_default="true"))["Vpcs"][0]["VpcId"]
    bottom = ec2.describe_security_groups(Filters=only(vpc_id=home, group_name="default"))["SecurityGroups"][0]
    for key, vpc in ((group, home), (group, default), (bottom["GroupId"], away)):
        assert code(ec2.associate_security_group_vpc, GroupId=key, VpcId=vpc) == "InvalidParameterValue"
    assert code(ec2.disassociate_security_group_vpc, GroupId=group, VpcId=away) == "InvalidParameterValue"
    ec2.associate_security_group_vpc(GroupId=group, VpcId=away)
    assert code(ec2.delete_vpc, VpcId=away) == "DependencyViolation"
