"""Reachability Analyzer: whether a packet arrives, by which way, or the rule, route or address that is in its way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import ANYWHERE, NOWHERE, code, launch, main_table, make_group, make_subnet, make_vpc
from tests.services.ec2.test_layout import Site, http
from tests.services.ec2.test_peering import Pair


class Asked(Site):
    """The site of the layout's tests, with questions about it."""

    def path(self, source: str, destination: str = "", **more: Any) -> str:
        asked = {"Source": source, "Protocol": "tcp", "DestinationPort": 443, **more}
        if destination:
            asked["Destination"] = destination
        return str(self.ec2.create_network_insights_path(**asked)["NetworkInsightsPath"]["NetworkInsightsPathId"])

    def analysis(self, *ends: str, **more: Any) -> dict[str, Any]:
        self.jar.settle()
        key = self.path(*ends, **more)
        begun = self.ec2.start_network_insights_analysis(NetworkInsightsPathId=key)["NetworkInsightsAnalysis"]
        assert begun["Status"] == "running"
        self.jar.settle()
        found = self.ec2.describe_network_insights_analyses(NetworkInsightsPathId=key)["NetworkInsightsAnalyses"]
        [analysis] = found
        assert analysis["Status"] == "succeeded", analysis
        one: dict[str, Any] = analysis
        return one

    def why(self, *ends: str, **more: Any) -> dict[str, Any]:
        found = self.analysis(*ends, **more)
        assert found["NetworkPathFound"] is False
        [explanation] = found["Explanations"]
        one: dict[str, Any] = explanation
        return one


def components(analysis: dict[str, Any]) -> list[str]:
    return [one["Component"]["Id"].partition("-")[0] for one in analysis["ForwardPathComponents"]]


def test_a_group_that_says_nothing_is_in_the_way(jar: TestJar, ec2: Any) -> None:
    site = Asked(jar, ec2)
    found = site.why(site.front, site.back)
    assert (found["ExplanationCode"], found["Direction"], found["Port"]) == ("ENI_SG_RULES_MISMATCH", "ingress", 443)
    arn = f"arn:aws:ec2:eu-west-3:{ACCOUNT}:security-group/{site.group}"
    assert found["SecurityGroups"] == [{"Id": site.group, "Arn": arn}]
    assert (found["Vpc"]["Id"], found["Subnet"]["Id"]) == (site.vpc, site.private)


def test_the_way_that_a_packet_takes(jar: TestJar, ec2: Any) -> None:
    site = Asked(jar, ec2)
    ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=http(443))
    found = site.analysis(site.front, site.back)
    assert (found["NetworkPathFound"], found["Explanations"]) == (True, [])
    assert components(found) == ["i", "eni", "sg", "acl", "rtb", "acl", "sg", "eni", "i"]
    way = found["ForwardPathComponents"]
    assert [one["SequenceNumber"] for one in way] == list(range(1, 10))
    assert way[2]["SecurityGroupRule"] == {"Cidr": ANYWHERE, "Direction": "egress", "Protocol": "all"}
    assert (way[3]["AclRule"]["RuleNumber"], way[3]["AclRule"]["RuleAction"]) == (100, "allow")
    assert way[4]["RouteTableRoute"]["GatewayId"] == "local"
    assert way[6]["SecurityGroupRule"]["PortRange"] == {"From": 443, "To": 443}
    assert [one["AclRule"]["Egress"] for one in found["ReturnPathComponents"]] == [True, False]


def test_an_acl_is_in_the_way_there_or_back(jar: TestJar, ec2: Any) -> None:
    site = Asked(jar, ec2)
    ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=http(443))
    [acl] = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [site.vpc]}])["NetworkAcls"]
    entry = {"NetworkAclId": acl["NetworkAclId"], "Protocol": "6", "RuleAction": "deny", "CidrBlock": ANYWHERE}
    ec2.create_network_acl_entry(RuleNumber=50, Egress=False, PortRange={"From": 443, "To": 443}, **entry)
    found = site.why(site.front, site.back)
    assert (found["ExplanationCode"], found["Direction"]) == ("SUBNET_ACL_RESTRICTION", "ingress")
    assert (found["AclRule"]["RuleNumber"], found["AclRule"]["RuleAction"]) == (50, "deny")
    ec2.delete_network_acl_entry(NetworkAclId=acl["NetworkAclId"], RuleNumber=50, Egress=False)
    ec2.create_network_acl_entry(RuleNumber=60, Egress=True, PortRange={"From": 1024, "To": 65535}, **entry)
    found = site.why(site.front, site.back)
    assert (found["ExplanationCode"], found["Direction"], found["AclRule"]["RuleNumber"]) == (
        "SUBNET_ACL_RESTRICTION", "egress", 60,
    )  # fmt: skip


def test_out_to_the_internet(jar: TestJar, ec2: Any) -> None:
    site = Asked(jar, ec2)
    found = site.analysis(site.front, site.gateway)
    assert (found["NetworkPathFound"], components(found)) == (True, ["i", "eni", "sg", "acl", "rtb", "igw"])
    missing = site.why(site.back, site.gateway)
    table = main_table(ec2, site.vpc)["RouteTableId"]
    assert (missing["ExplanationCode"], missing["RouteTable"]["Id"]) == ("NO_ROUTE_TO_DESTINATION", table)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, GatewayId=site.gateway)
    missing = site.why(site.back, site.gateway)
    assert (missing["ExplanationCode"], missing["InternetGateway"]["Id"]) == (
        "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", site.gateway,
    )  # fmt: skip


def test_in_from_the_internet(jar: TestJar, ec2: Any) -> None:
    site = Asked(jar, ec2)
    assert site.why(site.gateway, site.front)["ExplanationCode"] == "ENI_SG_RULES_MISMATCH"
    ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=http(443))
    found = site.analysis(site.gateway, site.front)
    assert (found["NetworkPathFound"], components(found)) == (True, ["igw", "acl", "sg", "eni", "i"])
    missing = site.why(site.gateway, site.back)
    assert missing["ExplanationCode"] == "IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS"
    ec2.delete_route(RouteTableId=site.table, DestinationCidrBlock=ANYWHERE)
    assert site.why(site.gateway, site.front)["ExplanationCode"] == "NO_ROUTE_TO_DESTINATION"


def test_through_a_nat_gateway_and_into_its_black_hole(jar: TestJar, ec2: Any) -> None:
    site = Asked(jar, ec2)
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=site.public, AllocationId=allocation)["NatGateway"]["NatGatewayId"]
    jar.settle()
    table = main_table(ec2, site.vpc)["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, NatGatewayId=nat)
    found = site.analysis(site.back, site.gateway)
    assert found["NetworkPathFound"] is True
    assert [one for one in components(found) if one in ("rtb", "nat", "igw")] == ["rtb", "nat", "igw"]
    ec2.delete_nat_gateway(NatGatewayId=nat)
    dead = site.why(site.back, site.gateway)
    assert (dead["ExplanationCode"], dead["RouteTableRoute"]) == (
        "BAD_STATE_ROUTE", {"DestinationCidr": ANYWHERE, "State": "blackhole"},
    )  # fmt: skip


def test_a_stopped_machine_is_in_a_bad_state(jar: TestJar, ec2: Any) -> None:
    site = Asked(jar, ec2)
    ec2.stop_instances(InstanceIds=[site.back])
    found = site.why(site.front, site.back)
    assert (found["ExplanationCode"], found["Component"]["Id"]) == ("BAD_STATE", site.back)
    detached = ec2.create_network_interface(SubnetId=site.private)["NetworkInterface"]["NetworkInterfaceId"]
    assert site.why(site.front, detached)["ExplanationCode"] == "UNASSOCIATED_COMPONENT"


def test_over_a_peering_connection(jar: TestJar, ec2: Any) -> None:
    pair, site = Pair(jar, ec2), Asked(jar, ec2)
    ec2.terminate_instances(InstanceIds=[site.front, site.back])
    jar.settle()
    ends = []
    for vpc, cidr in zip(pair.vpcs, ("10.0.1.0/24", "10.1.1.0/24"), strict=True):
        group = make_group(ec2, vpc)
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=http(443))
        ends.append(launch(ec2, SubnetId=make_subnet(ec2, vpc, cidr), SecurityGroupIds=[group]))
    pair.accept()
    assert site.why(*ends)["ExplanationCode"] == "NO_ROUTE_TO_DESTINATION"
    pair.route()
    found = site.analysis(*ends)
    assert (found["NetworkPathFound"], "pcx" in components(found)) == (True, True)


def test_no_port_means_any(jar: TestJar, ec2: Any) -> None:
    site = Asked(jar, ec2)
    ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=http(8443))
    asked = {"Source": site.front, "Destination": site.back, "Protocol": "tcp"}
    key = ec2.create_network_insights_path(**asked)["NetworkInsightsPath"]["NetworkInsightsPathId"]
    ec2.start_network_insights_analysis(NetworkInsightsPathId=key)
    jar.settle()
    [found] = ec2.describe_network_insights_analyses()["NetworkInsightsAnalyses"]
    assert found["NetworkPathFound"] is True


def test_paths_are_kept_while_they_have_analyses(jar: TestJar, ec2: Any) -> None:
    site = Asked(jar, ec2)
    key = site.path(site.front, site.back)
    [path] = ec2.describe_network_insights_paths(NetworkInsightsPathIds=[key])["NetworkInsightsPaths"]
    assert (path["Source"], path["Destination"], path["DestinationPort"]) == (site.front, site.back, 443)
    made = ec2.start_network_insights_analysis(NetworkInsightsPathId=key)["NetworkInsightsAnalysis"]
    assert code(ec2.delete_network_insights_path, NetworkInsightsPathId=key) == "AnalysisExistsForNetworkInsightsPath"
    ec2.delete_network_insights_analysis(NetworkInsightsAnalysisId=made["NetworkInsightsAnalysisId"])
    ec2.delete_network_insights_path(NetworkInsightsPathId=key)
    assert code(ec2.describe_network_insights_paths, NetworkInsightsPathIds=[key]) == (
        "InvalidNetworkInsightsPathId.NotFound"
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"Destination": f"i-{NOWHERE}"}, "InvalidInstanceID.NotFound"),
        ({"Destination": f"eni-{NOWHERE}"}, "InvalidNetworkInterfaceID.NotFound"),
        ({"Destination": "sg-1"}, "InvalidParameterValue"),
        ({}, "MissingParameter"),
        ({"DestinationIp": "300.1.1.1"}, "InvalidParameterValue"),
        ({"DestinationIp": "1.1.1.1", "DryRun": True}, "DryRunOperation"),
    ],
)
def test_what_is_no_path(ec2: Any, more: dict[str, Any], expected: str) -> None:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    assert make_vpc(ec2)
    assert code(ec2.create_network_insights_path, Source=gateway, Protocol="tcp", **more) == expected


def test_the_api_is_reached_where_it_answers_and_nowhere_else(jar: TestJar, ec2: Any) -> None:
    site = Asked(jar, ec2)
    jar.network.api_port = 4566
    asked = {"DestinationIp": jar.network.host_address}
    assert site.analysis(site.front, **asked, DestinationPort=4566)["NetworkPathFound"] is True
    assert site.analysis(site.front, **asked, DestinationPort=4567)["NetworkPathFound"] is False


def test_a_source_port_that_the_way_back_lets_through(jar: TestJar, ec2: Any) -> None:
    site = Asked(jar, ec2)
    ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=http(443))
    [acl] = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [site.vpc]}])["NetworkAcls"]
    ec2.create_network_acl_entry(
        NetworkAclId=acl["NetworkAclId"], RuleNumber=60, Egress=True, Protocol="6", RuleAction="deny",
        CidrBlock=ANYWHERE, PortRange={"From": 50000, "To": 65535},
    )  # fmt: skip

    def found(port: int) -> bool:
        ports = {"SourcePortRange": {"FromPort": port, "ToPort": port}}
        return bool(site.analysis(site.front, site.back, FilterAtSource=ports)["NetworkPathFound"])

    assert (found(49999), found(50000)) == (True, False)
