"""VPC Block Public Access: an account's mode, its exclusions, what packets and answers make of them."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.planes.network.port import Flow
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import ANYWHERE, NOWHERE, code, interface_of, make_subnet, make_vpc, only, refused
from tests.services.ec2.test_flow_logs import Scene
from tests.services.ec2.test_insights import Asked
from tests.services.ec2.test_layout import http

BOTH, INGRESS, OFF = "block-bidirectional", "block-ingress", "off"


def block(jar: TestJar, ec2: Any, mode: str) -> None:
    asked = ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode=mode)["VpcBlockPublicAccessOptions"]
    assert (asked["State"], asked["InternetGatewayBlockMode"]) == ("update-in-progress", mode)
    jar.settle()
    assert options(ec2)["State"] == "update-complete"


def options(ec2: Any) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    return found


def exclude(ec2: Any, mode: str, **what: Any) -> dict[str, Any]:
    made = ec2.create_vpc_block_public_access_exclusion(InternetGatewayExclusionMode=mode, **what)
    one: dict[str, Any] = made["VpcBlockPublicAccessExclusion"]
    return one


def exclusions(ec2: Any, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ec2.describe_vpc_block_public_access_exclusions(**asked)[
        "VpcBlockPublicAccessExclusions"]  # fmt: skip
    return found


class Edge(Asked):
    """A site whose machines serve HTTPS, one behind a NAT gateway."""

    def __init__(self, jar: TestJar, ec2: Any) -> None:
        super().__init__(jar, ec2)
        ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=http(443))
        allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = ec2.create_nat_gateway(SubnetId=self.public, AllocationId=allocation)["NatGateway"]
        jar.settle()
        [main] = ec2.describe_route_tables(Filters=only(vpc_id=self.vpc, association__main="true"))["RouteTables"]
        ec2.create_route(RouteTableId=main["RouteTableId"], DestinationCidrBlock=ANYWHERE,
                         NatGatewayId=made["NatGatewayId"])  # fmt: skip
        self.front_eni = str(interface_of(ec2, self.front)["NetworkInterfaceId"])
        self.back_eni = str(interface_of(ec2, self.back)["NetworkInterfaceId"])

    def open_ways(self) -> set[str]:
        asked = {
            "in": ("internet", self.public_ip()), "out": (self.front_eni, "1.1.1.1"), "nat": (self.back_eni, "1.1.1.1"),
            "local": (self.front_eni, str(interface_of(self.ec2, self.back)["PrivateIpAddress"])),
        }  # fmt: skip
        return {name for name, ends in asked.items() if self.reach(*ends, 443) == "open"}


@pytest.fixture
def edge(jar: TestJar, ec2: Any) -> Edge:
    return Edge(jar, ec2)


def shown(edge: Edge) -> tuple[str, str, str]:
    """What is said of the VPC, its public subnet and its private one."""
    [vpc] = edge.ec2.describe_vpcs(VpcIds=[edge.vpc])["Vpcs"]
    found = edge.ec2.describe_subnets(SubnetIds=[edge.public, edge.private])["Subnets"]
    said = {s["SubnetId"]: s["BlockPublicAccessStates"]["InternetGatewayBlockMode"] for s in found}
    mode: str = vpc["BlockPublicAccessStates"]["InternetGatewayBlockMode"]
    return mode, said[edge.public], said[edge.private]


def test_at_first_nothing_is_blocked(ec2: Any) -> None:
    said = options(ec2)
    assert said == {
        "AwsAccountId": ACCOUNT, "AwsRegion": "eu-west-3", "State": "default-state", "InternetGatewayBlockMode": OFF,
        "ManagedBy": "account", "ExclusionsAllowed": "allowed",
    }  # fmt: skip
    [vpc] = ec2.describe_vpcs(Filters=only(is_default="true"))["Vpcs"]
    assert vpc["BlockPublicAccessStates"] == {"InternetGatewayBlockMode": OFF}
    assert code(ec2.modify_vpc_block_public_access_options, InternetGatewayBlockMode=BOTH, DryRun=True) == (
        "DryRunOperation"
    )
    assert options(ec2)["State"] == "default-state"


def test_packets_obey_the_mode_and_its_exclusions(jar: TestJar, ec2: Any, edge: Edge) -> None:
    assert edge.open_ways() == {"in", "out", "nat", "local"}
    block(jar, ec2, BOTH)
    assert (edge.open_ways(), shown(edge)) == ({"local"}, (BOTH, BOTH, BOTH))
    block(jar, ec2, INGRESS)
    assert (edge.open_ways(), shown(edge)) == ({"nat", "local"}, (INGRESS, INGRESS, INGRESS))
    front = exclude(ec2, "allow-egress", SubnetId=edge.public)
    assert edge.open_ways() == {"nat", "local"}  # an exclusion for egress changes nothing in this mode
    block(jar, ec2, BOTH)
    assert (edge.open_ways(), shown(edge)) == ({"out", "nat", "local"}, (BOTH, INGRESS, BOTH))
    ec2.modify_vpc_block_public_access_exclusion(
        ExclusionId=front["ExclusionId"], InternetGatewayExclusionMode="allow-bidirectional")  # fmt: skip
    assert (edge.open_ways(), shown(edge)) == ({"in", "out", "nat", "local"}, (BOTH, OFF, BOTH))
    ec2.delete_vpc_block_public_access_exclusion(ExclusionId=front["ExclusionId"])
    exclude(ec2, "allow-bidirectional", SubnetId=edge.private)
    assert edge.open_ways() == {"local"}  # the NAT gateway's own subnet decides
    exclude(ec2, "allow-bidirectional", VpcId=edge.vpc)
    assert (edge.open_ways(), shown(edge)) == ({"in", "out", "nat", "local"}, (OFF, OFF, OFF))
    block(jar, ec2, OFF)
    assert edge.open_ways() == {"in", "out", "nat", "local"}


def test_another_account_and_region_are_not_blocked(jar: TestJar, ec2: Any) -> None:
    block(jar, ec2, BOTH)
    for other in (jar.client("ec2", key="222222222222"), jar.client("ec2", region="eu-west-1")):
        assert options(other)["InternetGatewayBlockMode"] == OFF
        assert other.describe_vpcs()["Vpcs"][0]["BlockPublicAccessStates"] == {"InternetGatewayBlockMode": OFF}
    made = make_vpc(ec2, "10.7.0.0/16")  # what is made later is blocked as well
    [vpc] = ec2.describe_vpcs(VpcIds=[made])["Vpcs"]
    assert vpc["BlockPublicAccessStates"] == {"InternetGatewayBlockMode": BOTH}


def test_the_life_of_an_exclusion(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    made = exclude(
        ec2, "allow-egress", VpcId=vpc,
        TagSpecifications=[{"ResourceType": "vpc-block-public-access-exclusion", "Tags": [{"Key": "a", "Value": "b"}]}],
    )  # fmt: skip
    key = made["ExclusionId"]
    assert key.startswith("vpcbpa-exclude-")
    assert (made["State"], made["ResourceArn"]) == (
        "create-in-progress", f"arn:aws:ec2:eu-west-3:{ACCOUNT}:vpc/{vpc}",
    )  # fmt: skip
    assert "LastUpdateTimestamp" not in made
    jar.settle()
    [one] = exclusions(ec2, ExclusionIds=[key])
    assert (one["State"], one["Tags"]) == ("create-complete", [{"Key": "a", "Value": "b"}])
    changed = ec2.modify_vpc_block_public_access_exclusion(
        ExclusionId=key, InternetGatewayExclusionMode="allow-bidirectional"
    )["VpcBlockPublicAccessExclusion"]
    assert (changed["State"], changed["InternetGatewayExclusionMode"]) == ("update-in-progress", "allow-bidirectional")
    jar.settle()
    assert exclusions(ec2)[0]["State"] == "update-complete"
    ec2.create_tags(Resources=[key], Tags=[{"Key": "c", "Value": "d"}])
    assert {tag["Key"] for tag in exclusions(ec2)[0]["Tags"]} == {"a", "c"}
    gone = ec2.delete_vpc_block_public_access_exclusion(ExclusionId=key)["VpcBlockPublicAccessExclusion"]
    assert gone["State"] == "delete-in-progress"
    jar.settle()
    [one] = exclusions(ec2)
    assert (one["State"], "DeletionTimestamp" in one) == ("delete-complete", True)
    assert refused(ec2.delete_vpc_block_public_access_exclusion, ExclusionId=key) == (
        "InvalidParameterValue", f"The exclusion {key} is in delete-complete state and cannot be deleted.",
    )  # fmt: skip
    exclude(ec2, "allow-egress", VpcId=vpc)  # a new one may come
    jar.advance(days=91)
    assert [one["State"] for one in exclusions(ec2)] == ["create-complete"]


def test_exclusions_are_found_by_filter_and_page(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    subnet = make_subnet(ec2, vpc)
    whole, part = exclude(ec2, "allow-egress", VpcId=vpc), exclude(ec2, "allow-bidirectional", SubnetId=subnet)
    jar.settle()

    def found(**by: str) -> set[str]:
        return {one["ExclusionId"] for one in exclusions(ec2, Filters=only(**by))}

    assert found(resource_arn=part["ResourceArn"]) == {part["ExclusionId"]}
    assert found(internet_gateway_exclusion_mode="allow-egress") == {whole["ExclusionId"]}
    assert found(state="create-complete") == {whole["ExclusionId"], part["ExclusionId"]}
    assert code(ec2.describe_vpc_block_public_access_exclusions, Filters=only(colour="red")) == "InvalidParameterValue"
    first = ec2.describe_vpc_block_public_access_exclusions(MaxResults=5)
    assert len(first["VpcBlockPublicAccessExclusions"]) == 2
    ec2.delete_subnet(SubnetId=subnet)
    jar.settle()
    assert found(state="delete-complete") == {part["ExclusionId"]}
    ec2.delete_vpc(VpcId=vpc)
    jar.settle()
    assert {one["State"] for one in exclusions(ec2)} == {"delete-complete"}
    assert {one["Reason"] for one in exclusions(ec2)} == {"The excluded resource was deleted."}


def test_what_is_refused(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    subnet = make_subnet(ec2, vpc)
    create = ec2.create_vpc_block_public_access_exclusion
    mode = {"InternetGatewayExclusionMode": "allow-egress"}
    assert code(create, **mode) == "MissingParameter"
    assert code(create, VpcId=vpc, SubnetId=subnet, **mode) == "InvalidParameterCombination"
    assert code(create, VpcId=f"vpc-{NOWHERE}", **mode) == "InvalidVpcID.NotFound"
    assert code(create, SubnetId=f"subnet-{NOWHERE}", **mode) == "InvalidSubnetID.NotFound"
    missing = f"vpcbpa-exclude-{NOWHERE}"
    for call in (ec2.delete_vpc_block_public_access_exclusion,
                 lambda **k: ec2.modify_vpc_block_public_access_exclusion(**k, **mode)):  # fmt: skip
        assert code(call, ExclusionId=missing) == "InvalidVpcBlockPublicAccessExclusionId.NotFound"
    assert code(ec2.describe_vpc_block_public_access_exclusions, ExclusionIds=[missing]) == (
        "InvalidVpcBlockPublicAccessExclusionId.NotFound"
    )
    made = exclude(ec2, "allow-egress", VpcId=vpc)
    assert refused(create, VpcId=vpc, **mode) == (
        "InvalidParameterValue", f"An exclusion for {vpc} already exists: {made['ExclusionId']}",
    )  # fmt: skip


def test_there_are_fifty_exclusions_at_most(steady_jar: TestJar) -> None:
    ec2 = steady_jar.client("ec2")
    vpc = make_vpc(ec2)
    for n in range(50):
        exclude(ec2, "allow-egress", SubnetId=make_subnet(ec2, vpc, f"10.0.{n}.0/24"))
    assert code(
        ec2.create_vpc_block_public_access_exclusion, VpcId=vpc, InternetGatewayExclusionMode="allow-egress"
    ) == "VpcBlockPublicAccessExclusionLimitExceeded"  # fmt: skip


def test_the_analyzer_names_it(jar: TestJar, ec2: Any, edge: Edge) -> None:
    block(jar, ec2, INGRESS)
    found = edge.why(edge.gateway, edge.front)
    assert (found["ExplanationCode"], found["Direction"]) == ("VPC_BLOCK_PUBLIC_ACCESS_ENABLED", "ingress")
    assert (found["InternetGateway"]["Id"], found["Subnet"]["Id"], found["Vpc"]["Id"]) == (
        edge.gateway, edge.public, edge.vpc,
    )  # fmt: skip
    assert edge.why(edge.front, edge.gateway)["ExplanationCode"] == "VPC_BLOCK_PUBLIC_ACCESS_ENABLED"
    assert edge.analysis(edge.back, edge.gateway)["NetworkPathFound"] is True
    block(jar, ec2, BOTH)
    assert edge.why(edge.back, edge.gateway)["ExplanationCode"] == "VPC_BLOCK_PUBLIC_ACCESS_ENABLED"


def test_flow_logs_say_why(jar: TestJar) -> None:
    scene = Scene(jar)
    scene.log(LogFormat="${dstport} ${action} ${reject-reason}")
    for port, action, reason in ((443, "REJECT", "BPA"), (80, "REJECT", ""), (22, "ACCEPT", "")):
        jar.network.pass_by(Flow(
            interface=scene.eni, direction="ingress", action="ACCEPT" if action == "ACCEPT" else "REJECT",
            source="8.8.8.8", target="10.0.1.4", source_port=49152, target_port=port, protocol=6, packets=1, bytes=60,
            reason=reason,
        ))  # fmt: skip
    jar.advance(seconds=60)
    assert sorted(scene.lines()) == [["22", "ACCEPT", "-"], ["443", "REJECT", "BPA"], ["80", "REJECT", "-"]]
