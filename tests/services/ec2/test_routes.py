"""Internet gateways, route tables, routes and who obeys them."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT
from tests.services.ec2.asking import (
    ANYWHERE,
    NOWHERE,
    code,
    main_table,
    make_gateway,
    make_subnet,
    make_vpc,
    only,
    refused,
)


def make_table(ec2: Any, vpc: str) -> str:
    return str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])


def routes(ec2: Any, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    return found


def test_a_gateway_is_attached_to_one_vpc(ec2: Any) -> None:
    vpc, other = make_vpc(ec2), make_vpc(ec2, "10.1.0.0/16")
    gateway = ec2.create_internet_gateway()["InternetGateway"]
    key = gateway["InternetGatewayId"]
    assert (gateway["Attachments"], gateway["OwnerId"]) == ([], ACCOUNT)
    assert refused(ec2.detach_internet_gateway, InternetGatewayId=key, VpcId=vpc) == (
        "Gateway.NotAttached", f"resource {key} is not attached to network {vpc}",
    )  # fmt: skip
    ec2.attach_internet_gateway(InternetGatewayId=key, VpcId=vpc)
    [shown] = ec2.describe_internet_gateways(InternetGatewayIds=[key])["InternetGateways"]
    assert shown["Attachments"] == [{"State": "available", "VpcId": vpc}]
    assert code(ec2.attach_internet_gateway, InternetGatewayId=key, VpcId=other) == "Resource.AlreadyAssociated"
    second = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    assert refused(ec2.attach_internet_gateway, InternetGatewayId=second, VpcId=vpc) == (
        "InvalidParameterValue", f"Network {vpc} already has an internet gateway attached",
    )  # fmt: skip
    assert refused(ec2.delete_internet_gateway, InternetGatewayId=key) == (
        "DependencyViolation", f"The internetGateway '{key}' has dependencies and cannot be deleted.",
    )  # fmt: skip
    ec2.detach_internet_gateway(InternetGatewayId=key, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=key)
    assert code(ec2.describe_internet_gateways, InternetGatewayIds=[key]) == "InvalidInternetGatewayID.NotFound"


def test_a_route_leads_somewhere_and_says_whether_it_does(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    table, gateway = make_table(ec2, vpc), make_gateway(ec2, vpc)
    assert ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, GatewayId=gateway)["Return"] is True
    assert routes(ec2, table)[1] == {
        "DestinationCidrBlock": ANYWHERE, "GatewayId": gateway, "Origin": "CreateRoute", "State": "active",
    }  # fmt: skip
    assert refused(ec2.create_route, RouteTableId=table, DestinationCidrBlock=ANYWHERE, GatewayId=gateway) == (
        "RouteAlreadyExists", f"The route identified by {ANYWHERE} already exists.",
    )  # fmt: skip
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert routes(ec2, table)[1]["State"] == "blackhole"
    found = ec2.describe_route_tables(Filters=only(route__state="blackhole"))["RouteTables"]
    assert [t["RouteTableId"] for t in found] == [table]
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE)
    assert code(ec2.delete_route, RouteTableId=table, DestinationCidrBlock=ANYWHERE) == "InvalidRoute.NotFound"


def test_routes_to_interfaces_can_be_replaced(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    table, gateway, subnet = make_table(ec2, vpc), make_gateway(ec2, vpc), make_subnet(ec2, vpc)
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    where = {"RouteTableId": table, "DestinationCidrBlock": "192.168.0.0/16"}
    assert code(ec2.replace_route, **where, NetworkInterfaceId=eni) == "InvalidParameterValue"
    ec2.create_route(**where, NetworkInterfaceId=eni)
    assert routes(ec2, table)[1]["NetworkInterfaceId"] == eni
    assert routes(ec2, table)[1]["State"] == "blackhole"  # nothing is plugged into it
    ec2.replace_route(**where, GatewayId=gateway)
    assert (routes(ec2, table)[1]["GatewayId"], routes(ec2, table)[1]["State"]) == (gateway, "active")


def test_routes_that_cannot_be(ec2: Any) -> None:
    vpc, other = make_vpc(ec2), make_vpc(ec2, "10.1.0.0/16")
    table, foreign = make_table(ec2, vpc), make_gateway(ec2, other)
    own = make_gateway(ec2, vpc)
    ask = {"RouteTableId": table, "DestinationCidrBlock": ANYWHERE}
    assert code(ec2.create_route, **ask) == "MissingParameter"
    assert code(ec2.create_route, **ask, GatewayId=f"igw-{NOWHERE}") == "InvalidGatewayID.NotFound"
    assert refused(ec2.create_route, **ask, GatewayId=foreign) == (
        "InvalidParameterValue", f"route table {table} and network gateway {foreign} belong to different networks",
    )  # fmt: skip
    assert code(ec2.create_route, **ask, NatGatewayId=f"nat-{NOWHERE}") == "InvalidNatGatewayID.NotFound"
    inside = {"RouteTableId": table, "GatewayId": own}
    assert code(ec2.create_route, **inside, DestinationCidrBlock="10.0.0.0/16") == "RouteAlreadyExists"
    assert code(ec2.create_route, **inside, DestinationCidrBlock="10.0.3.0/24") == "InvalidParameterValue"
    assert code(ec2.create_route, **inside, DestinationCidrBlock="10.0.3") == "InvalidParameterValue"
    assert refused(ec2.delete_route, RouteTableId=table, DestinationCidrBlock="10.0.0.0/16") == (
        "InvalidParameterValue", f"cannot remove local route 10.0.0.0/16 in route table {table}",
    )  # fmt: skip


def test_the_fifty_first_route_is_too_many(steady_jar: Any) -> None:
    ec2 = steady_jar.client("ec2")
    vpc = make_vpc(ec2)
    table, gateway = make_table(ec2, vpc), make_gateway(ec2, vpc)
    for i in range(50):
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=f"192.168.{i}.0/24", GatewayId=gateway)
    assert code(ec2.create_route, RouteTableId=table, DestinationCidrBlock=ANYWHERE, GatewayId=gateway) == (
        "RouteLimitExceeded"
    )


def test_a_subnet_obeys_a_table_until_it_is_disassociated(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    subnet, table, other = make_subnet(ec2, vpc), make_table(ec2, vpc), make_table(ec2, vpc)
    made = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    assert made["AssociationState"] == {"State": "associated"}
    key = made["AssociationId"]
    [shown] = ec2.describe_route_tables(Filters=only(association__subnet_id=subnet))["RouteTables"]
    assert shown["Associations"] == [
        {
            "Main": False,
            "RouteTableAssociationId": key,
            "RouteTableId": table,
            "SubnetId": subnet,
            "AssociationState": {"State": "associated"},
        }
    ]
    assert refused(ec2.associate_route_table, RouteTableId=other, SubnetId=subnet) == (
        "Resource.AlreadyAssociated",
        f"the specified association for route table {other} conflicts with an existing association",
    )
    assert code(ec2.delete_route_table, RouteTableId=table) == "DependencyViolation"
    new = ec2.replace_route_table_association(AssociationId=key, RouteTableId=other)["NewAssociationId"]
    assert new != key
    assert code(ec2.disassociate_route_table, AssociationId=key) == "InvalidAssociationID.NotFound"
    ec2.disassociate_route_table(AssociationId=new)
    ec2.delete_route_table(RouteTableId=table)
    ec2.delete_route_table(RouteTableId=other)
    assert len(ec2.describe_route_tables(Filters=only(vpc_id=vpc))["RouteTables"]) == 1


def test_another_table_can_become_the_main_one(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    old, table = main_table(ec2, vpc), make_table(ec2, vpc)
    key = old["Associations"][0]["RouteTableAssociationId"]
    assert code(ec2.disassociate_route_table, AssociationId=key) == "InvalidParameterValue"
    assert code(ec2.delete_route_table, RouteTableId=old["RouteTableId"]) == "DependencyViolation"
    new = ec2.replace_route_table_association(AssociationId=key, RouteTableId=table)["NewAssociationId"]
    assert main_table(ec2, vpc)["RouteTableId"] == table
    assert main_table(ec2, vpc)["Associations"][0]["RouteTableAssociationId"] == new
    ec2.delete_route_table(RouteTableId=old["RouteTableId"])
    foreign = make_table(ec2, make_vpc(ec2, "10.1.0.0/16"))
    assert code(ec2.replace_route_table_association, AssociationId=new, RouteTableId=foreign) == (
        "InvalidParameterValue"
    )
