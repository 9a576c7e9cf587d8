"""Managed prefix lists: versions, sizes, who refers to them; AWS's own."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import (
    ANYWHERE,
    code,
    interface_of,
    launch,
    main_table,
    make_gateway,
    make_group,
    make_subnet,
    make_vpc,
    only,
    refused,
)


def make_list(ec2: Any, *cidrs: str, size: int = 5, **more: Any) -> str:
    asked = {"PrefixListName": "offices", "AddressFamily": "IPv4", "MaxEntries": size, **more}
    entries = [{"Cidr": cidr, "Description": "one"} for cidr in cidrs]
    return str(ec2.create_managed_prefix_list(Entries=entries, **asked)["PrefixList"]["PrefixListId"])


def entries(ec2: Any, key: str, **more: Any) -> list[str]:
    return [e["Cidr"] for e in ec2.get_managed_prefix_list_entries(PrefixListId=key, **more)["Entries"]]


def rule(key: str, port: int = 22) -> list[dict[str, Any]]:
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "PrefixListIds": [{"PrefixListId": key}]}]


def test_a_list_has_versions(ec2: Any) -> None:
    key = make_list(ec2, "192.168.1.0/24")
    [shown] = ec2.describe_managed_prefix_lists(PrefixListIds=[key])["PrefixLists"]
    assert shown["PrefixListArn"] == f"arn:aws:ec2:eu-west-3:{ACCOUNT}:prefix-list/{key}"
    assert (shown["State"], shown["Version"], shown["MaxEntries"]) == ("create-complete", 1, 5)
    change = {
        "PrefixListId": key,
        "AddEntries": [{"Cidr": "10.9.0.0/16"}],
        "RemoveEntries": [{"Cidr": "192.168.1.0/24"}],
    }
    assert code(ec2.modify_managed_prefix_list, **change) == "MissingParameter"
    assert code(ec2.modify_managed_prefix_list, CurrentVersion=7, **change) == "PrefixListVersionMismatch"
    changed = ec2.modify_managed_prefix_list(CurrentVersion=1, **change)["PrefixList"]
    assert (changed["State"], changed["Version"]) == ("modify-in-progress", 2)
    assert entries(ec2, key) == ["10.9.0.0/16"]
    assert entries(ec2, key, TargetVersion=1) == ["192.168.1.0/24"]
    ec2.restore_managed_prefix_list_version(PrefixListId=key, PreviousVersion=1, CurrentVersion=2)
    assert entries(ec2, key) == ["192.168.1.0/24"]
    assert ec2.describe_managed_prefix_lists(PrefixListIds=[key])["PrefixLists"][0]["Version"] == 3


def test_a_list_is_no_larger_than_said(ec2: Any) -> None:
    key = make_list(ec2, "10.1.0.0/16", size=1)
    more = {"PrefixListId": key, "CurrentVersion": 1, "AddEntries": [{"Cidr": "10.2.0.0/16"}]}
    assert code(ec2.modify_managed_prefix_list, **more) == "PrefixListMaxEntriesExceeded"
    assert code(ec2.modify_managed_prefix_list, MaxEntries=3, **more) == "InvalidParameterCombination"
    ec2.modify_managed_prefix_list(PrefixListId=key, MaxEntries=3)
    ec2.modify_managed_prefix_list(**more)
    assert entries(ec2, key) == ["10.1.0.0/16", "10.2.0.0/16"]
    reserved = {"PrefixListName": "com.amazonaws.x", "AddressFamily": "IPv4", "MaxEntries": 1}
    assert code(ec2.create_managed_prefix_list, **reserved) == "InvalidParameterValue"


def test_a_rule_lets_in_what_the_list_holds_now(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    here, there = make_subnet(ec2, vpc, "10.0.1.0/24"), make_subnet(ec2, vpc, "10.0.2.0/24")
    group, key = make_group(ec2, vpc), make_list(ec2, "10.0.1.0/24")
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule(key))
    assert code(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=rule(key)) == (
        "InvalidPermission.Duplicate"
    )
    front, back = launch(ec2, SubnetId=here), launch(ec2, SubnetId=there, SecurityGroupIds=[group])
    jar.settle()
    source, target = interface_of(ec2, front)["NetworkInterfaceId"], interface_of(ec2, back)["PrivateIpAddress"]
    assert jar.network.reachable(source, target, "tcp", 22) == "open"
    ec2.modify_managed_prefix_list(PrefixListId=key, CurrentVersion=1, RemoveEntries=[{"Cidr": "10.0.1.0/24"}])
    jar.settle()
    assert jar.network.reachable(source, target, "tcp", 22) == "dropped"
    found = ec2.get_managed_prefix_list_associations(PrefixListId=key)["PrefixListAssociations"]
    assert found == [{"ResourceId": group, "ResourceOwner": ACCOUNT}]
    assert code(ec2.delete_managed_prefix_list, PrefixListId=key) == "DependencyViolation"
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule(key))
    ec2.delete_managed_prefix_list(PrefixListId=key)
    assert code(ec2.describe_managed_prefix_lists, PrefixListIds=[key]) == "InvalidPrefixListID.NotFound"


def test_a_list_weighs_its_size_in_quotas(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    group, key = make_group(ec2, vpc), make_list(ec2, size=60)
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule(key))
    assert code(ec2.authorize_security_group_ingress, GroupId=group, CidrIp=ANYWHERE, IpProtocol="-1") == (
        "RulesPerSecurityGroupLimitExceeded"
    )
    six = [{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]
    assert ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=six)["Return"] is True


def test_a_route_leads_to_what_a_list_holds(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    gateway, key = make_gateway(ec2, vpc), make_list(ec2, "8.8.8.0/24")
    table = main_table(ec2, vpc)["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationPrefixListId=key, GatewayId=gateway)
    assert main_table(ec2, vpc)["Routes"][1]["DestinationPrefixListId"] == key
    assert refused(ec2.create_route, RouteTableId=table, DestinationPrefixListId=key, GatewayId=gateway) == (
        "RouteAlreadyExists", f"The route identified by {key} already exists.",
    )  # fmt: skip
    large = make_list(ec2, size=49)
    assert code(ec2.create_route, RouteTableId=table, DestinationPrefixListId=large, GatewayId=gateway) == (
        "RouteLimitExceeded"
    )
    ec2.delete_route(RouteTableId=table, DestinationPrefixListId=key)
    assert len(main_table(ec2, vpc)["Routes"]) == 1


def test_awss_own_lists_are_everybodys_and_nobodys_to_change(ec2: Any) -> None:
    s3 = only(prefix_list_name="com.amazonaws.eu-west-3.s3")
    [own] = ec2.describe_managed_prefix_lists(Filters=s3)["PrefixLists"]
    assert (own["OwnerId"], "MaxEntries" in own) == ("AWS", False)
    names = [one["PrefixListName"] for one in ec2.describe_prefix_lists()["PrefixLists"]]
    assert names == ["com.amazonaws.eu-west-3.dynamodb", "com.amazonaws.eu-west-3.s3"]
    assert code(ec2.delete_managed_prefix_list, PrefixListId=own["PrefixListId"]) == "OperationNotPermitted"
    pages = ec2.get_paginator("describe_managed_prefix_lists").paginate(PaginationConfig={"PageSize": 1})
    assert len([one for page in pages for one in page["PrefixLists"]]) == 2
