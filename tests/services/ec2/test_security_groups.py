"""Security groups and their rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import ANYWHERE, NOWHERE, code, make_group, make_subnet, make_vpc, only, refused


def tcp(port: int, cidr: str = ANYWHERE, **more: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr, **more}]}


def allow(ec2: Any, group: str, *permissions: dict[str, Any]) -> list[dict[str, Any]]:
    answer = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(permissions))
    assert answer["Return"] is True
    rules: list[dict[str, Any]] = answer["SecurityGroupRules"]
    return rules


def show(ec2: Any, group: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    return found


def test_a_new_group_lets_out_and_not_in(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    made = ec2.create_security_group(GroupName="web", Description="the web", VpcId=vpc)
    arn = f"arn:aws:ec2:eu-west-3:{ACCOUNT}:security-group/{made['GroupId']}"
    assert made["SecurityGroupArn"] == arn
    shown = show(ec2, made["GroupId"])
    assert shown["IpPermissions"] == []
    assert shown["IpPermissionsEgress"] == [
        {
            "IpProtocol": "-1",
            "UserIdGroupPairs": [],
            "IpRanges": [{"CidrIp": ANYWHERE}],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
        }
    ]
    assert (shown["GroupName"], shown["Description"], shown["VpcId"]) == ("web", "the web", vpc)


def test_names_are_unique_in_a_vpc(ec2: Any) -> None:
    vpc, other = make_vpc(ec2), make_vpc(ec2, "10.1.0.0/16")
    make_group(ec2, vpc)
    make_group(ec2, other)
    ask = {"Description": "d", "VpcId": vpc}
    assert refused(ec2.create_security_group, GroupName="web", **ask) == (
        "InvalidGroup.Duplicate", f"The security group 'web' already exists for VPC '{vpc}'",
    )  # fmt: skip
    assert code(ec2.create_security_group, GroupName="default", **ask) == "InvalidGroup.Reserved"
    assert code(ec2.create_security_group, GroupName="sg-web", **ask) == "InvalidParameterValue"
    assert code(ec2.create_security_group, GroupName="w\u00e9b", **ask) == "InvalidParameterValue"


def test_authorize_returns_the_rules_and_the_group_shows_them(ec2: Any) -> None:
    group = make_group(ec2, make_vpc(ec2))
    ssh, http = allow(ec2, group, tcp(22, "10.0.0.9/8", Description="admins"), tcp(80))
    assert ssh["SecurityGroupRuleId"].startswith("sgr-")
    assert ssh["SecurityGroupRuleArn"].endswith(f":security-group-rule/{ssh['SecurityGroupRuleId']}")
    assert {k: ssh[k] for k in ("CidrIpv4", "Description", "FromPort", "ToPort", "IpProtocol", "IsEgress")} == {
        "CidrIpv4": "10.0.0.0/8", "Description": "admins", "FromPort": 22, "ToPort": 22, "IpProtocol": "tcp",
        "IsEgress": False,
    }  # fmt: skip
    assert (ssh["GroupId"], ssh["GroupOwnerId"]) == (group, ACCOUNT)
    shown = show(ec2, group)["IpPermissions"]
    assert [(p["FromPort"], p["IpRanges"]) for p in shown] == [
        (22, [{"CidrIp": "10.0.0.0/8", "Description": "admins"}]), (80, [{"CidrIp": ANYWHERE}]),
    ]  # fmt: skip
    assert ec2.describe_security_group_rules(SecurityGroupRuleIds=[http["SecurityGroupRuleId"]])[
        "SecurityGroupRules"
    ] == [http]


def test_the_same_rule_twice_is_refused_in_aws_words(ec2: Any) -> None:
    group = make_group(ec2, make_vpc(ec2))
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ping = {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": ANYWHERE}]}
    allow(ec2, group, tcp(22), everything, ping)
    for permission, words in (
        (tcp(22), "peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW"),
        (everything, "peer: 10.0.0.0/8, ALL, ALLOW"),
        (ping, "peer: 0.0.0.0/0, ICMP, type: 8, code: ALL, ALLOW"),
    ):
        assert refused(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[permission]) == (
            "InvalidPermission.Duplicate", f'the specified rule "{words}" already exists',
        )  # fmt: skip
    twice = [tcp(443), tcp(443)]
    assert code(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=twice) == "InvalidParameterValue"
    # The same thing outwards is another rule.
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[tcp(22)])


def test_one_bad_rule_keeps_all_out(ec2: Any) -> None:
    group = make_group(ec2, make_vpc(ec2))
    allow(ec2, group, tcp(22))
    assert code(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[tcp(80), tcp(22)]) == (
        "InvalidPermission.Duplicate"
    )
    assert len(show(ec2, group)["IpPermissions"]) == 1


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        ({"IpProtocol": "tcp", "IpRanges": [{"CidrIp": ANYWHERE}]}, "InvalidParameterValue"),
        (tcp(70000), "InvalidParameterValue"),
        ({**tcp(80), "FromPort": 81}, "InvalidParameterValue"),
        ({**tcp(80), "IpProtocol": "carrier-pigeon"}, "InvalidParameterValue"),
        (tcp(80, "10.0.0"), "InvalidParameterValue"),
        (tcp(80, Description="caf\u00e9"), "InvalidParameterValue"),
        ({"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}, "MissingParameter"),
        (
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": f"sg-{NOWHERE}"}]},
            "InvalidGroup.NotFound",
        ),
        ({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "web"}]}, "InvalidGroupId.Malformed"),
        ({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-12345678"}]}, "InvalidPrefixListID.NotFound"),
    ],
)
def test_rules_that_cannot_be(steady_jar: TestJar, permission: dict[str, Any], expected: str) -> None:
    ec2 = steady_jar.client("ec2")
    group = make_group(ec2, make_vpc(ec2))
    assert code(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[permission]) == expected


def test_protocols_are_shown_by_name_and_ports_where_they_mean_something(ec2: Any) -> None:
    group = make_group(ec2, make_vpc(ec2))
    numbered = {**tcp(80), "IpProtocol": "6"}
    tunnel = {"IpProtocol": "50", "FromPort": 1, "ToPort": 2, "IpRanges": [{"CidrIp": ANYWHERE}]}
    web, esp = allow(ec2, group, numbered, tunnel)
    assert web["IpProtocol"] == "tcp"
    assert (esp["IpProtocol"], esp["FromPort"], esp["ToPort"]) == ("50", -1, -1)


def test_the_older_form_of_a_request_and_groups_by_name(ec2: Any) -> None:
    group = ec2.create_security_group(GroupName="old", Description="in the default VPC")["GroupId"]
    made = ec2.authorize_security_group_ingress(
        GroupName="old", IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp=ANYWHERE
    )["SecurityGroupRules"]
    assert made[0]["GroupId"] == group
    assert ec2.describe_security_groups(GroupNames=["old"])["SecurityGroups"] == [show(ec2, group)]
    assert code(ec2.describe_security_groups, GroupNames=["none"]) == "InvalidGroup.NotFound"


def test_rules_are_revoked_by_what_they_say_or_by_id(ec2: Any) -> None:
    group = make_group(ec2, make_vpc(ec2))
    ssh, http = allow(ec2, group, tcp(22), tcp(80))
    answer = ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[tcp(22)])
    assert [r["SecurityGroupRuleId"] for r in answer["RevokedSecurityGroupRules"]] == [ssh["SecurityGroupRuleId"]]
    assert refused(ec2.revoke_security_group_ingress, GroupId=group, IpPermissions=[tcp(22)]) == (
        "InvalidPermission.NotFound", "The specified rule does not exist in this security group.",
    )  # fmt: skip
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[http["SecurityGroupRuleId"]])
    assert show(ec2, group)["IpPermissions"] == []
    assert code(
        ec2.revoke_security_group_ingress, GroupId=group, SecurityGroupRuleIds=[http["SecurityGroupRuleId"]]
    ) == "InvalidSecurityGroupRuleId.NotFound"
    [out] = ec2.describe_security_group_rules(Filters=only(group_id=group))["SecurityGroupRules"]
    assert out["IsEgress"] is True
    ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=[out["SecurityGroupRuleId"]])
    assert show(ec2, group)["IpPermissionsEgress"] == []


def test_a_default_vpc_forgives_what_is_not_there(ec2: Any) -> None:
    group = ec2.create_security_group(GroupName="old", Description="in the default VPC")["GroupId"]
    answer = ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[tcp(22)])
    assert answer["UnknownIpPermissions"][0]["FromPort"] == 22


def test_a_rule_changes_under_its_id(ec2: Any) -> None:
    group = make_group(ec2, make_vpc(ec2))
    ssh, http = allow(ec2, group, tcp(22), tcp(80))
    key = ssh["SecurityGroupRuleId"]
    new = {"IpProtocol": "tcp", "FromPort": 2222, "ToPort": 2222, "CidrIpv4": "10.0.0.0/8", "Description": "moved"}
    ec2.modify_security_group_rules(
        GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": key, "SecurityGroupRule": new}]
    )
    [shown] = ec2.describe_security_group_rules(SecurityGroupRuleIds=[key])["SecurityGroupRules"]
    assert (shown["FromPort"], shown["CidrIpv4"], shown["Description"]) == (2222, "10.0.0.0/8", "moved")
    same = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIpv4": ANYWHERE}
    assert code(
        ec2.modify_security_group_rules,
        GroupId=group,
        SecurityGroupRules=[{"SecurityGroupRuleId": key, "SecurityGroupRule": same}],
    ) == "InvalidPermission.Duplicate"
    [unchanged] = ec2.describe_security_group_rules(SecurityGroupRuleIds=[key])["SecurityGroupRules"]
    assert unchanged == shown
    ec2.update_security_group_rule_descriptions_ingress(
        GroupId=group,
        SecurityGroupRuleDescriptions=[
            {"SecurityGroupRuleId": http["SecurityGroupRuleId"], "Description": "for all"}
        ],
    )
    ec2.update_security_group_rule_descriptions_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 2222, "ToPort": 2222,
             "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "again"}]}
        ],
    )  # fmt: skip
    described = {r["FromPort"]: r.get("Description") for r in ec2.describe_security_group_rules(
        Filters=only(group_id=group))["SecurityGroupRules"]}  # fmt: skip
    assert described == {2222: "again", 80: "for all", -1: None}


def test_groups_in_use_stay(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    web, database = make_group(ec2, vpc), make_group(ec2, vpc, "database")
    [rule] = allow(ec2, database, {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": web}]})
    assert rule["ReferencedGroupInfo"] == {"GroupId": web, "UserId": ACCOUNT}
    in_use = ("DependencyViolation", f"resource {web} has a dependent object")
    assert refused(ec2.delete_security_group, GroupId=web) == in_use
    ec2.revoke_security_group_ingress(GroupId=database, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    eni = ec2.create_network_interface(SubnetId=make_subnet(ec2, vpc), Groups=[web])["NetworkInterface"]
    assert refused(ec2.delete_security_group, GroupId=web) == in_use
    ec2.delete_network_interface(NetworkInterfaceId=eni["NetworkInterfaceId"])
    assert ec2.delete_security_group(GroupId=web)["GroupId"] == web
    assert code(ec2.describe_security_groups, GroupIds=[web]) == "InvalidGroup.NotFound"
    [default] = ec2.describe_security_groups(Filters=only(vpc_id=vpc, group_name="default"))["SecurityGroups"]
    assert refused(ec2.delete_security_group, GroupId=default["GroupId"]) == (
        "CannotDelete",
        f'the specified group: "{default["GroupId"]}" name: "default" cannot be deleted by a user',
    )


def test_groups_are_found_by_what_their_rules_say(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    web, other = make_group(ec2, vpc), make_group(ec2, vpc, "other")
    allow(ec2, web, tcp(8000, "10.0.0.0/8"))
    allow(ec2, other, {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": web}]})

    def found(**filters: str) -> list[str]:
        groups = ec2.describe_security_groups(Filters=only(vpc_id=vpc) + [
            {"Name": f"ip-permission.{name.replace('_', '-')}", "Values": [value]} for name, value in filters.items()
        ])["SecurityGroups"]  # fmt: skip
        return [g["GroupId"] for g in groups]

    assert found(cidr="10.0.0.0/8") == [web]
    assert found(from_port="8000", to_port="8000", protocol="tcp") == [web]
    assert found(group_id=web) == [other]
    assert found(from_port="9000") == []


def test_the_sixty_first_rule_is_too_many(steady_jar: TestJar) -> None:
    ec2 = steady_jar.client("ec2")
    group = make_group(ec2, make_vpc(ec2))
    allow(ec2, group, *[tcp(1000 + i) for i in range(60)])
    assert refused(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[tcp(22)]) == (
        "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.",
    )  # fmt: skip
    six = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    [rule] = allow(ec2, group, six)  # IPv6 counts apart
    assert rule["CidrIpv6"] == "::/0"


def test_groups_for_a_vpc(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    group = make_group(ec2, vpc)
    names = {g["GroupName"] for g in ec2.get_security_groups_for_vpc(VpcId=vpc)["SecurityGroupForVpcs"]}
    assert names == {"default", "web"}
    assert ec2.describe_security_group_references(GroupId=[group])["SecurityGroupReferenceSet"] == []


def test_a_protocol_that_is_none(ec2: Any) -> None:
    group = make_group(ec2, make_vpc(ec2))
    for strange in ("256", "9" * 5000, "carrier-pigeon"):
        rule = {"IpProtocol": strange, "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        refusal = code(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[rule])
        assert refusal == "InvalidParameterValue"
