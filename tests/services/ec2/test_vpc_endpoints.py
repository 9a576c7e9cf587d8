"""VPC endpoints: gateways with their routes, interfaces with their addresses and names."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code, main_table, make_group, make_subnet, make_vpc, only, refused

S3 = "com.amazonaws.eu-west-3.s3"
KMS = "com.amazonaws.eu-west-3.kms"


def named_vpc(ec2: Any) -> str:
    vpc = make_vpc(ec2)
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    return vpc


def shown(ec2: Any, key: str) -> dict[str, Any]:
    [found] = ec2.describe_vpc_endpoints(VpcEndpointIds=[key])["VpcEndpoints"]
    one: dict[str, Any] = found
    return one


def test_a_gateway_has_a_route_in_its_tables(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    table = main_table(ec2, vpc)["RouteTableId"]
    made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=S3, RouteTableIds=[table])["VpcEndpoint"]
    key = made["VpcEndpointId"]
    assert (made["VpcEndpointType"], made["State"], made["NetworkInterfaceIds"]) == ("Gateway", "available", [])
    assert json.loads(made["PolicyDocument"])["Statement"][0]["Action"] == "*"
    [local, route] = main_table(ec2, vpc)["Routes"]
    [lists] = ec2.describe_prefix_lists(Filters=only(prefix_list_name=S3))["PrefixLists"]
    assert (route["GatewayId"], route["DestinationPrefixListId"]) == (key, lists["PrefixListId"])
    assert code(ec2.create_vpc_endpoint, VpcId=vpc, ServiceName=S3, RouteTableIds=[table]) == "RouteAlreadyExists"
    ec2.modify_vpc_endpoint(VpcEndpointId=key, RemoveRouteTableIds=[table])
    assert main_table(ec2, vpc)["Routes"] == [local]
    assert code(ec2.delete_vpc, VpcId=vpc) == "DependencyViolation"
    assert ec2.delete_vpc_endpoints(VpcEndpointIds=[key, f"vpce-{NOWHERE}"])["Unsuccessful"] == [
        {
            "ResourceId": f"vpce-{NOWHERE}",
            "Error": {
                "Code": "InvalidVpcEndpoint.NotFound", "Message": f"The VpcEndpoint Id 'vpce-{NOWHERE}' does not exist",
            },
        }
    ]  # fmt: skip
    jar.settle()
    assert refused(ec2.describe_vpc_endpoints, VpcEndpointIds=[key]) == (
        "InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{key}' does not exist",
    )  # fmt: skip


def test_an_interface_endpoint_has_an_address_in_each_zone(jar: TestJar, ec2: Any) -> None:
    vpc = named_vpc(ec2)
    subnets = [make_subnet(ec2, vpc, f"10.0.{i}.0/24", AvailabilityZone=f"eu-west-3{z}") for i, z in enumerate("ab")]
    group = make_group(ec2, vpc)
    asked = {"VpcId": vpc, "ServiceName": KMS, "VpcEndpointType": "Interface"}
    made = ec2.create_vpc_endpoint(SubnetIds=subnets, SecurityGroupIds=[group], **asked)["VpcEndpoint"]
    key = made["VpcEndpointId"]
    assert (made["State"], made["PrivateDnsEnabled"], len(made["NetworkInterfaceIds"])) == ("pending", True, 2)
    jar.settle()
    endpoint = shown(ec2, key)
    assert endpoint["State"] == "available"
    names = [entry["DnsName"] for entry in endpoint["DnsEntries"]]
    assert names[0].startswith(f"{key}-")
    assert names[0].endswith(".kms.eu-west-3.vpce.amazonaws.com")
    assert names[-1] == "kms.eu-west-3.amazonaws.com"
    [eni, _] = ec2.describe_network_interfaces(Filters=only(interface_type="vpc_endpoint"))["NetworkInterfaces"]
    assert (eni["Description"], eni["RequesterManaged"]) == (f"VPC Endpoint Interface {key}", True)
    assert code(ec2.delete_network_interface, NetworkInterfaceId=eni["NetworkInterfaceId"]) == "AuthFailure"
    third = make_subnet(ec2, vpc, "10.0.9.0/24", AvailabilityZone="eu-west-3a")
    assert code(ec2.modify_vpc_endpoint, VpcEndpointId=key, AddSubnetIds=[third]) == "DuplicateSubnetsInSameZone"
    assert code(ec2.create_vpc_endpoint, **asked) == "InvalidParameter"  # the name is taken
    ec2.modify_vpc_endpoint(VpcEndpointId=key, RemoveSubnetIds=[subnets[0]], AddSubnetIds=[third])
    assert shown(ec2, key)["SubnetIds"] == [subnets[1], third]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[key])
    jar.settle()
    assert ec2.describe_network_interfaces(Filters=only(interface_type="vpc_endpoint"))["NetworkInterfaces"] == []


def test_what_an_endpoint_costs(jar: TestJar, ec2: Any) -> None:
    vpc = named_vpc(ec2)
    subnet = make_subnet(ec2, vpc)
    key = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=KMS, VpcEndpointType="Interface", SubnetIds=[subnet]
    )["VpcEndpoint"]["VpcEndpointId"]  # fmt: skip
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=S3)
    jar.settle()
    jar.advance(hours=2)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[key])
    jar.settle()
    jar.advance(hours=2)
    assert jar.usage("VpcEndpoint-Hours") == timedelta(hours=2)


def test_what_is_asked_for_wrongly(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    assert refused(ec2.create_vpc_endpoint, VpcId=vpc, ServiceName="com.amazonaws.eu-west-3.nothing") == (
        "InvalidServiceName", "The Vpc Endpoint Service 'com.amazonaws.eu-west-3.nothing' does not exist",
    )  # fmt: skip
    assert code(ec2.create_vpc_endpoint, VpcId=vpc, ServiceName=KMS) == "InvalidParameter"
    interface = {"VpcId": vpc, "ServiceName": KMS, "VpcEndpointType": "Interface"}
    code_, message = refused(ec2.create_vpc_endpoint, **interface)
    assert (code_, "enableDnsHostnames" in message) == ("InvalidParameter", True)
    assert code(ec2.create_vpc_endpoint, PrivateDnsEnabled=False, RouteTableIds=["rtb-1"], **interface) == (
        "InvalidParameter"
    )
    assert code(ec2.create_vpc_endpoint, VpcId=vpc, ServiceName=S3, PolicyDocument="{") == "InvalidPolicyDocument"
    assert code(ec2.create_vpc_endpoint, VpcId=vpc, ServiceName=S3, DryRun=True) == "DryRunOperation"


def test_the_services_that_there_are(ec2: Any) -> None:
    answer = ec2.describe_vpc_endpoint_services()
    assert {S3, KMS, "com.amazonaws.eu-west-3.ec2"} <= set(answer["ServiceNames"])
    [found] = ec2.describe_vpc_endpoint_services(ServiceNames=[KMS])["ServiceDetails"]
    assert (found["ServiceType"], found["PrivateDnsName"]) == (
        [{"ServiceType": "Interface"}], "kms.eu-west-3.amazonaws.com",
    )  # fmt: skip
    gateways = ec2.describe_vpc_endpoint_services(Filters=only(service_type="Gateway"))["ServiceDetails"]
    assert [one["ServiceName"].rpartition(".")[2] for one in gateways] == ["dynamodb", "s3"]
