"""VPC peering: asked for, accepted, refused, forgotten; between accounts and regions; rules naming a peer's groups."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import (
    ANYWHERE,
    code,
    interface_of,
    launch,
    main_table,
    make_group,
    make_subnet,
    make_vpc,
    only,
    refused,
)

OTHER = "222222222222"


class Pair:
    """Two VPCs, each with a machine, and a request of the first for the second."""

    def __init__(self, jar: TestJar, ec2: Any) -> None:
        self.jar = jar
        self.ec2 = ec2
        self.vpcs = [make_vpc(ec2, cidr) for cidr in ("10.0.0.0/16", "10.1.0.0/16")]
        self.key = str(
            ec2.create_vpc_peering_connection(VpcId=self.vpcs[0], PeerVpcId=self.vpcs[1])["VpcPeeringConnection"][
                "VpcPeeringConnectionId"
            ]
        )

    def state(self) -> str:
        [found] = self.ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[self.key])["VpcPeeringConnections"]
        return str(found["Status"]["Code"])

    def accept(self) -> None:
        self.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=self.key)

    def route(self) -> None:
        for vpc, there in zip(self.vpcs, ("10.1.0.0/16", "10.0.0.0/16"), strict=True):
            table = main_table(self.ec2, vpc)["RouteTableId"]
            self.ec2.create_route(
                RouteTableId=table, DestinationCidrBlock=there, VpcPeeringConnectionId=self.key
            )


def everything(**peer: str) -> list[dict[str, Any]]:
    return [{"IpProtocol": "-1", "UserIdGroupPairs": [peer]}]


def test_a_request_is_accepted_once(jar: TestJar, ec2: Any) -> None:
    pair = Pair(jar, ec2)
    assert pair.state() == "pending-acceptance"
    answer = ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=pair.key)["VpcPeeringConnection"]
    assert (answer["Status"]["Code"], pair.state()) == ("provisioning", "active")
    assert answer["AccepterVpcInfo"]["CidrBlockSet"] == [{"CidrBlock": "10.1.0.0/16"}]
    assert code(ec2.accept_vpc_peering_connection, VpcPeeringConnectionId=pair.key) == "InvalidStateTransition"
    assert code(ec2.create_vpc_peering_connection, VpcId=pair.vpcs[1], PeerVpcId=pair.vpcs[0]) == (
        "VpcPeeringConnectionAlreadyExists"
    )
    mine = only(status_code="active", requester_vpc_info__vpc_id=pair.vpcs[0])
    found = ec2.describe_vpc_peering_connections(Filters=mine)
    assert [one["VpcPeeringConnectionId"] for one in found["VpcPeeringConnections"]] == [pair.key]


def test_nobody_answers_for_a_week(jar: TestJar, ec2: Any) -> None:
    pair = Pair(jar, ec2)
    jar.advance(days=6.9)
    assert pair.state() == "pending-acceptance"
    jar.advance(days=0.2)
    assert pair.state() == "expired"
    assert code(ec2.accept_vpc_peering_connection, VpcPeeringConnectionId=pair.key) == "InvalidStateTransition"
    jar.advance(days=2.1)
    assert code(ec2.describe_vpc_peering_connections, VpcPeeringConnectionIds=[pair.key]) == (
        "InvalidVpcPeeringConnectionID.NotFound"
    )


def test_addresses_in_common_fail(jar: TestJar, ec2: Any) -> None:
    one, other = make_vpc(ec2), make_vpc(ec2, "10.0.128.0/17")
    made = ec2.create_vpc_peering_connection(VpcId=one, PeerVpcId=other)["VpcPeeringConnection"]
    assert made["Status"]["Code"] == "initiating-request"
    [shown] = ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]
    assert shown["Status"] == {
        "Code": "failed", "Message": "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range",
    }  # fmt: skip


def test_packets_pass_when_both_sides_have_routes_and_never_further(jar: TestJar, ec2: Any) -> None:
    pair = Pair(jar, ec2)
    enis = []
    for vpc, cidr in zip(pair.vpcs, ("10.0.1.0/24", "10.1.1.0/24"), strict=True):
        group = make_group(ec2, vpc)
        permissions = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
        enis.append(interface_of(ec2, launch(ec2, SubnetId=make_subnet(ec2, vpc, cidr), SecurityGroupIds=[group])))
    pair.accept()
    jar.settle()
    here, there = enis[0]["NetworkInterfaceId"], enis[1]["PrivateIpAddress"]
    assert jar.network.reachable(here, there, "tcp", 80) == "dropped"
    pair.route()
    jar.settle()
    assert jar.network.reachable(here, there, "tcp", 80) == "open"
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=pair.key)
    jar.settle()
    assert (pair.state(), main_table(ec2, pair.vpcs[0])["Routes"][1]["State"]) == ("deleted", "blackhole")
    assert jar.network.reachable(here, there, "tcp", 80) == "dropped"


def test_a_rule_names_a_peers_group_until_it_is_stale(jar: TestJar, ec2: Any) -> None:
    pair = Pair(jar, ec2)
    mine, theirs = make_group(ec2, pair.vpcs[0]), make_group(ec2, pair.vpcs[1])
    call = {"GroupId": mine, "IpPermissions": everything(GroupId=theirs)}
    assert code(ec2.authorize_security_group_ingress, **call) == "InvalidGroup.NotFound"
    pair.accept()
    ec2.authorize_security_group_ingress(**call)
    [shown] = ec2.describe_security_groups(GroupIds=[mine])["SecurityGroups"]
    [peer] = shown["IpPermissions"][0]["UserIdGroupPairs"]
    assert (peer["VpcId"], peer["VpcPeeringConnectionId"]) == (pair.vpcs[1], pair.key)
    [reference] = ec2.describe_security_group_references(GroupId=[theirs])["SecurityGroupReferenceSet"]
    assert (reference["ReferencingVpcId"], reference["VpcPeeringConnectionId"]) == (pair.vpcs[0], pair.key)
    assert ec2.describe_stale_security_groups(VpcId=pair.vpcs[0])["StaleSecurityGroupSet"] == []
    ec2.delete_security_group(GroupId=theirs)
    [stale] = ec2.describe_stale_security_groups(VpcId=pair.vpcs[0])["StaleSecurityGroupSet"]
    assert (stale["GroupId"], stale["StaleIpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"]) == (mine, theirs)
    rules = ec2.describe_security_group_rules(Filters=only(group_id=mine))["SecurityGroupRules"]
    [stale_rule] = [rule["SecurityGroupRuleId"] for rule in rules if not rule["IsEgress"]]
    ec2.revoke_security_group_ingress(GroupId=mine, SecurityGroupRuleIds=[stale_rule])
    assert ec2.describe_stale_security_groups(VpcId=pair.vpcs[0])["StaleSecurityGroupSet"] == []


def test_members_of_a_peers_group_are_let_in(jar: TestJar, ec2: Any) -> None:
    pair = Pair(jar, ec2)
    pair.accept()
    pair.route()
    mine, theirs = make_group(ec2, pair.vpcs[0]), make_group(ec2, pair.vpcs[1])
    here = launch(ec2, SubnetId=make_subnet(ec2, pair.vpcs[0], "10.0.1.0/24"), SecurityGroupIds=[mine])
    there = launch(ec2, SubnetId=make_subnet(ec2, pair.vpcs[1], "10.1.1.0/24"), SecurityGroupIds=[theirs])
    jar.settle()
    source, target = interface_of(ec2, there)["NetworkInterfaceId"], interface_of(ec2, here)["PrivateIpAddress"]
    assert jar.network.reachable(source, target, "tcp", 5432) == "dropped"
    ec2.authorize_security_group_ingress(GroupId=mine, IpPermissions=everything(GroupId=theirs, UserId=ACCOUNT))
    jar.settle()
    assert jar.network.reachable(source, target, "tcp", 5432) == "open"


def test_two_accounts_and_two_regions(jar: TestJar, ec2: Any) -> None:
    other = jar.client("ec2", "us-east-1", key=OTHER)
    mine, theirs = make_vpc(ec2), make_vpc(other, "10.1.0.0/16")
    made = ec2.create_vpc_peering_connection(
        VpcId=mine, PeerVpcId=theirs, PeerOwnerId=OTHER, PeerRegion="us-east-1",
        TagSpecifications=[{"ResourceType": "vpc-peering-connection", "Tags": [{"Key": "side", "Value": "mine"}]}],
    )["VpcPeeringConnection"]  # fmt: skip
    key = made["VpcPeeringConnectionId"]
    assert code(ec2.accept_vpc_peering_connection, VpcPeeringConnectionId=key) == "OperationNotPermitted"
    [seen] = other.describe_vpc_peering_connections()["VpcPeeringConnections"]
    assert (seen["Tags"], seen["RequesterVpcInfo"]["OwnerId"]) == ([], ACCOUNT)
    other.accept_vpc_peering_connection(VpcPeeringConnectionId=key)
    [shown] = ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]
    assert (shown["Status"]["Code"], shown["AccepterVpcInfo"]["Region"]) == ("active", "us-east-1")
    assert shown["Tags"] == [{"Key": "side", "Value": "mine"}]
    options = {"AllowDnsResolutionFromRemoteVpc": True}
    assert code(ec2.modify_vpc_peering_connection_options, VpcPeeringConnectionId=key,
                AccepterPeeringConnectionOptions=options) == "OperationNotPermitted"  # fmt: skip
    ec2.modify_vpc_attribute(VpcId=mine, EnableDnsHostnames={"Value": True})
    ec2.modify_vpc_peering_connection_options(VpcPeeringConnectionId=key, RequesterPeeringConnectionOptions=options)
    [seen] = other.describe_vpc_peering_connections()["VpcPeeringConnections"]
    assert seen["RequesterVpcInfo"]["PeeringOptions"]["AllowDnsResolutionFromRemoteVpc"] is True


@pytest.mark.parametrize("verb", ["reject", "delete"])
def test_a_request_is_refused_or_withdrawn(jar: TestJar, ec2: Any, verb: str) -> None:
    pair = Pair(jar, ec2)
    getattr(ec2, f"{verb}_vpc_peering_connection")(VpcPeeringConnectionId=pair.key)
    assert pair.state() == {"reject": "rejected", "delete": "deleted"}[verb]


def test_a_vpc_that_goes_ends_its_connections(jar: TestJar, ec2: Any) -> None:
    pair = Pair(jar, ec2)
    pair.accept()
    ec2.delete_vpc(VpcId=pair.vpcs[1])
    assert pair.state() == "deleted"
    assert refused(ec2.delete_vpc_peering_connection, VpcPeeringConnectionId=pair.key)[0] == "InvalidStateTransition"
