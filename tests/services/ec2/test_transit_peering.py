"""Transit gateways that are peered: asked for, accepted, routed over accounts and Regions."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import NOWHERE, code, only, refused
from tests.services.ec2.test_transit_gateways import Hub, Spoke

OTHER, THERE = "222222222222", "eu-west-1"


class Pair:
    """A gateway here and one elsewhere, each with a spoke, and the request to peer them."""

    def __init__(self, jar: TestJar, ec2: Any, other: Any, account: str = OTHER, region: str = THERE) -> None:
        self.jar, self.ec2, self.other = jar, ec2, other
        self.one, self.two = Hub(jar, ec2), Hub(jar, other)
        self.asked = {"TransitGatewayId": self.one.id, "PeerTransitGatewayId": self.two.id, "PeerAccountId": account,
                      "PeerRegion": region}  # fmt: skip
        made = ec2.create_transit_gateway_peering_attachment(**self.asked)["TransitGatewayPeeringAttachment"]
        assert made["State"] == "initiatingRequest"
        self.id = str(made["TransitGatewayAttachmentId"])
        jar.settle()

    def show(self, client: Any = None) -> dict[str, Any]:
        asked = {"TransitGatewayAttachmentIds": [self.id]}
        [found] = (client or self.ec2).describe_transit_gateway_peering_attachments(**asked)[
            "TransitGatewayPeeringAttachments"]  # fmt: skip
        one: dict[str, Any] = found
        return one

    def accept(self) -> None:
        self.other.accept_transit_gateway_peering_attachment(TransitGatewayAttachmentId=self.id)
        self.jar.settle()

    @property
    def states(self) -> tuple[str, str]:
        return self.show()["State"], self.show(self.other)["State"]


def test_a_peering_is_the_other_owners_to_accept(jar: TestJar, ec2: Any) -> None:
    pair = Pair(jar, ec2, jar.client("ec2", THERE, key=OTHER))
    assert pair.states == ("pendingAcceptance", "pendingAcceptance")
    shown = pair.show(pair.other)
    assert shown["RequesterTgwInfo"] == {"OwnerId": ACCOUNT, "Region": "eu-west-3", "TransitGatewayId": pair.one.id}
    assert shown["AccepterTgwInfo"]["TransitGatewayId"] == pair.two.id
    accept = {"TransitGatewayAttachmentId": pair.id}
    assert code(ec2.accept_transit_gateway_peering_attachment, **accept) == "OperationNotPermitted"
    assert refused(ec2.create_transit_gateway_peering_attachment, **pair.asked) == (
        "DuplicateTransitGatewayAttachment",
        f"{pair.one.id} has non-deleted Transit Gateway Peering Attachments with {pair.two.id}.",
    )
    pair.accept()
    assert pair.states == ("available", "available")
    assert code(pair.other.accept_transit_gateway_peering_attachment, **accept) == "IncorrectState"
    [one] = ec2.describe_transit_gateway_attachments(Filters=only(resource_type="peering"))["TransitGatewayAttachments"]
    assert (one["ResourceId"], one["ResourceOwnerId"], one["TransitGatewayId"]) == (pair.two.id, OTHER, pair.one.id)
    assert one["Association"]["TransitGatewayRouteTableId"] == pair.one.table
    assert code(ec2.delete_transit_gateway, TransitGatewayId=pair.one.id) == "IncorrectState"
    ec2.create_tags(Resources=[pair.id], Tags=[{"Key": "side", "Value": "ours"}])
    assert (pair.show()["Tags"], pair.show(pair.other)["Tags"]) == ([{"Key": "side", "Value": "ours"}], [])
    pair.other.delete_transit_gateway_peering_attachment(TransitGatewayAttachmentId=pair.id)
    jar.settle()
    assert pair.states == ("deleted", "deleted")
    assert code(ec2.delete_transit_gateway_peering_attachment, **accept) == "InvalidTransitGatewayAttachmentID.NotFound"
    jar.advance(hours=2)
    assert ec2.describe_transit_gateway_peering_attachments()["TransitGatewayPeeringAttachments"] == []


def test_static_routes_lead_from_spoke_to_spoke(jar: TestJar, ec2: Any) -> None:
    pair = Pair(jar, ec2, jar.client("ec2", THERE, key=OTHER))
    pair.accept()
    one, two = Spoke(ec2, 1), Spoke(pair.other, 2)
    pair.one.attach(one.vpc, one.subnet)
    pair.two.attach(two.vpc, two.subnet)
    for spoke, hub in ((one, pair.one), (two, pair.two)):
        spoke.route("10.0.0.0/8", hub.id)
    jar.settle()
    assert jar.network.reachable(one.eni, two.ip, "tcp", 80) == "dropped"  # nothing is propagated
    there = {"TransitGatewayAttachmentId": pair.id, "DestinationCidrBlock": "10.2.0.0/16"}
    made = ec2.create_transit_gateway_route(TransitGatewayRouteTableId=pair.one.table, **there)["Route"]
    assert made["TransitGatewayAttachments"] == [
        {"ResourceId": pair.two.id, "ResourceType": "peering", "TransitGatewayAttachmentId": pair.id}]  # fmt: skip
    jar.settle()
    assert jar.network.reachable(one.eni, two.ip, "tcp", 80) == "dropped"  # no way back
    pair.other.create_transit_gateway_route(
        TransitGatewayRouteTableId=pair.two.table, **{**there, "DestinationCidrBlock": "10.1.0.0/16"})  # fmt: skip
    jar.settle()
    assert jar.network.reachable(one.eni, two.ip, "tcp", 80) == "open"
    told = {"TransitGatewayRouteTableId": pair.one.table, "TransitGatewayAttachmentId": pair.id}
    assert code(ec2.enable_transit_gateway_route_table_propagation, **told) == "OperationNotPermitted"
    ec2.disassociate_transit_gateway_route_table(**told)
    jar.settle()
    assert jar.network.reachable(one.eni, two.ip, "tcp", 80) == "dropped"  # what comes back obeys no table
    ec2.associate_transit_gateway_route_table(**told)
    jar.settle()
    assert jar.network.reachable(one.eni, two.ip, "tcp", 80) == "open"
    [shown] = ec2.get_transit_gateway_route_table_associations(
        TransitGatewayRouteTableId=pair.one.table, Filters=only(resource_type="peering"))["Associations"]  # fmt: skip
    assert (shown["ResourceId"], shown["State"]) == (pair.two.id, "associated")
    ec2.delete_transit_gateway_peering_attachment(TransitGatewayAttachmentId=pair.id)
    jar.settle()
    assert pair.one.routes(pair.one.table)["10.2.0.0/16"] == ("static", "blackhole")
    assert jar.network.reachable(one.eni, two.ip, "tcp", 80) == "dropped"


def test_two_gateways_of_one_place_are_peered_by_one_record(jar: TestJar, ec2: Any) -> None:
    pair = Pair(jar, ec2, ec2, ACCOUNT, "eu-west-3")
    pair.accept()
    one, two = Spoke(ec2, 1), Spoke(ec2, 2)
    for spoke, hub, where in ((one, pair.one, "10.2.0.0/16"), (two, pair.two, "10.1.0.0/16")):
        hub.attach(spoke.vpc, spoke.subnet)
        spoke.route("10.0.0.0/8", hub.id)
        by = {"TransitGatewayRouteTableId": hub.table, "TransitGatewayAttachmentId": pair.id}
        ec2.create_transit_gateway_route(**by, DestinationCidrBlock=where)
    jar.settle()
    assert jar.network.reachable(one.eni, two.ip, "tcp", 80) == "open"
    found = ec2.describe_transit_gateway_attachments(TransitGatewayAttachmentIds=[pair.id])["TransitGatewayAttachments"]
    assert {item["TransitGatewayId"]: item["ResourceId"] for item in found} == {
        pair.one.id: pair.two.id, pair.two.id: pair.one.id}  # fmt: skip


def test_what_cannot_be_fails_or_is_rejected(jar: TestJar, ec2: Any) -> None:
    pair = Pair(jar, ec2, jar.client("ec2", THERE, key=OTHER))
    pair.other.reject_transit_gateway_peering_attachment(TransitGatewayAttachmentId=pair.id)
    jar.settle()
    assert pair.states == ("rejected", "rejected")
    nobody = {**pair.asked, "PeerTransitGatewayId": f"tgw-{NOWHERE}"}
    made = ec2.create_transit_gateway_peering_attachment(**nobody)["TransitGatewayPeeringAttachment"]
    jar.settle()
    shown = ec2.describe_transit_gateway_peering_attachments(Filters=only(state="failed"))[
        "TransitGatewayPeeringAttachments"]  # fmt: skip
    assert [one["TransitGatewayAttachmentId"] for one in shown] == [made["TransitGatewayAttachmentId"]]
    assert shown[0]["Status"]["Message"] == "Failed due to incorrect TGW-ID or Account ID"
    create = ec2.create_transit_gateway_peering_attachment
    assert code(create, **{**pair.asked, "PeerTransitGatewayId": pair.one.id}) == "InvalidParameterValue"
    assert code(create, **pair.asked, Options={"DynamicRouting": "enable"}) == "UnsupportedOperation"
    assert code(ec2.modify_transit_gateway_vpc_attachment, TransitGatewayAttachmentId=pair.id) == (
        "InvalidTransitGatewayAttachmentID.NotFound")  # fmt: skip
    assert code(ec2.describe_transit_gateway_peering_attachments, TransitGatewayAttachmentIds=["tgw-1"]) == (
        "InvalidTransitGatewayAttachmentID.Malformed")  # fmt: skip
