"""Connect attachments of transit gateways: their peers, what those tell, and who is told."""

from __future__ import annotations

from typing import Any

from cloudjar.planes.network.connect import Learned, PeerSeen
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import NOWHERE, code, only, refused
from tests.services.ec2.test_transit_gateways import Hub, Spoke

INSIDE = "169.254.6.0/29"


class Site(Hub):
    """A gateway with a block of its own, and a VPC's attachment that can carry tunnels."""

    def __init__(self, jar: TestJar, ec2: Any, *blocks: str, **options: Any) -> None:
        super().__init__(jar, ec2, TransitGatewayCidrBlocks=list(blocks or ("10.99.0.0/24",)), **options)
        self.spoke = Spoke(ec2, 1)
        self.transport = self.attach(self.spoke.vpc, self.spoke.subnet)

    def connect(self, **more: Any) -> str:
        made = self.ec2.create_transit_gateway_connect(
            TransportTransitGatewayAttachmentId=self.transport, Options={"Protocol": "gre"}, **more
        )["TransitGatewayConnect"]
        assert made["State"] == "pending"
        self.jar.settle()
        return str(made["TransitGatewayAttachmentId"])

    def peer(self, connect: str, inside: str = INSIDE, address: str = "", **more: Any) -> str:
        made = self.ec2.create_transit_gateway_connect_peer(
            TransitGatewayAttachmentId=connect, PeerAddress=address or self.spoke.ip, InsideCidrBlocks=[inside], **more
        )["TransitGatewayConnectPeer"]
        assert made["State"] == "pending"
        self.jar.settle()
        return str(made["TransitGatewayConnectPeerId"])

    def says(self, peer: str, *told: Learned, up: tuple[bool, bool] = (True, True)) -> None:
        self.jar.network.say(self.id, peer, PeerSeen(up=up, learned=told))
        self.jar.settle()

    def ways(self, block: str) -> list[str]:
        found = self.ec2.search_transit_gateway_routes(
            TransitGatewayRouteTableId=self.table, Filters=[{"Name": "route-search.exact-match", "Values": [block]}]
        )["Routes"]
        return [way["TransitGatewayAttachmentId"] for one in found for way in one["TransitGatewayAttachments"]]

    def told(self, connect: str) -> dict[str, tuple[int, ...]]:
        """What the network has to tell a Connect attachment's peers."""
        laid = self.jar.network.transit(self.id)
        return {one.block: one.path for c in laid.connects if c.attachment == connect for one in c.announced}


def test_a_connect_attachment_has_peers_with_two_sessions_each(jar: TestJar, ec2: Any) -> None:
    hub = Site(jar, ec2)
    connect = hub.connect(TagSpecifications=[
        {"ResourceType": "transit-gateway-attachment", "Tags": [{"Key": "k", "Value": "v"}]}])  # fmt: skip
    [shown] = ec2.describe_transit_gateway_connects(Filters=only(state="available"))["TransitGatewayConnects"]
    created = shown.pop("CreationTime")
    assert shown == {
        "TransitGatewayAttachmentId": connect, "TransportTransitGatewayAttachmentId": hub.transport,
        "TransitGatewayId": hub.id, "State": "available", "Options": {"Protocol": "gre"},
        "Tags": [{"Key": "k", "Value": "v"}],
    }  # fmt: skip
    [attachment] = ec2.describe_transit_gateway_attachments(Filters=only(resource_type="connect"))[
        "TransitGatewayAttachments"
    ]
    assert attachment == {
        "TransitGatewayAttachmentId": connect, "TransitGatewayId": hub.id, "TransitGatewayOwnerId": ACCOUNT,
        "ResourceOwnerId": ACCOUNT, "ResourceType": "connect", "ResourceId": hub.transport, "State": "available",
        "Association": {"TransitGatewayRouteTableId": hub.table, "State": "associated"}, "CreationTime": created,
        "Tags": [{"Key": "k", "Value": "v"}],
    }  # fmt: skip
    peer = hub.peer(connect, BgpOptions={"PeerAsn": 65001})
    [seen] = ec2.describe_transit_gateway_connect_peers(TransitGatewayConnectPeerIds=[peer])[
        "TransitGatewayConnectPeers"
    ]
    sessions = [
        {"TransitGatewayAsn": 64512, "PeerAsn": 65001, "TransitGatewayAddress": own, "PeerAddress": "169.254.6.1",
         "BgpStatus": "down"} for own in ("169.254.6.2", "169.254.6.3")
    ]  # fmt: skip
    assert (seen["State"], seen["TransitGatewayAttachmentId"], seen["Tags"]) == ("available", connect, [])
    assert seen["ConnectPeerConfiguration"] == {
        "TransitGatewayAddress": "10.99.0.1", "PeerAddress": hub.spoke.ip, "InsideCidrBlocks": [INSIDE],
        "Protocol": "gre", "BgpConfigurations": sessions,
    }  # fmt: skip
    ec2.create_tags(Resources=[peer, connect], Tags=[{"Key": "t", "Value": "1"}])
    assert {tag["ResourceId"] for tag in ec2.describe_tags(Filters=only(key="t"))["Tags"]} == {peer, connect}
    # The gateway's own number is a peer's, unless it has one.
    same = hub.peer(connect, "169.254.7.0/29", "10.1.1.77")
    [own] = ec2.describe_transit_gateway_connect_peers(Filters=only(transit_gateway_connect_peer_id=same))[
        "TransitGatewayConnectPeers"
    ]
    assert own["ConnectPeerConfiguration"]["BgpConfigurations"][0]["PeerAsn"] == 64512
    assert own["ConnectPeerConfiguration"]["TransitGatewayAddress"] == "10.99.0.2"


def test_what_peers_tell_is_propagated_and_what_the_table_holds_is_told_them(jar: TestJar, ec2: Any) -> None:
    hub, other = Site(jar, ec2), Spoke(ec2, 2)
    hub.attach(other.vpc, other.subnet)
    first, second = hub.connect(), hub.connect()
    one, two = hub.peer(first), hub.peer(first, "169.254.7.0/29", "10.1.1.77")
    far = hub.peer(second, "169.254.8.0/29", "10.1.1.78")
    hub.says(one, Learned(block="10.50.0.0/16", path=(65001,)), Learned(block="10.2.0.0/16", path=(65001,)))
    assert hub.routes(hub.table) == {
        "10.1.0.0/16": ("propagated", "active"), "10.2.0.0/16": ("propagated", "active"),
        "10.50.0.0/16": ("propagated", "active"),
    }  # fmt: skip
    assert hub.ways("10.50.0.0/16") == [first]
    assert hub.ways("10.2.0.0/16") != [first]  # a VPC's own block goes before
    assert hub.told(first) == {"10.1.0.0/16": (), "10.2.0.0/16": ()}
    assert hub.told(second) == {"10.1.0.0/16": (), "10.2.0.0/16": (), "10.50.0.0/16": (65001,)}
    # Equal ways share; another path is another way, and the shorter one is taken.
    hub.says(two, Learned(block="10.50.0.0/16", path=(65001,)))
    hub.says(far, Learned(block="10.50.0.0/16", path=(65001,)))
    assert set(hub.ways("10.50.0.0/16")) == {first, second}
    hub.says(far, Learned(block="10.50.0.0/16", path=(65003, 65004)))
    assert hub.ways("10.50.0.0/16") == [first]
    [row] = [r for t in jar.network.transit(hub.id).route_tables for r in t.routes if r.destination == "10.50.0.0/16"]
    assert set(row.peers) == {one, two}
    [seen] = ec2.describe_transit_gateway_connect_peers(TransitGatewayConnectPeerIds=[one])[
        "TransitGatewayConnectPeers"
    ]
    statuses = [one["BgpStatus"] for one in seen["ConnectPeerConfiguration"]["BgpConfigurations"]]
    assert statuses == ["up", "up"]
    # The session dies, the route is withdrawn; what nobody propagates is in no table.
    for gone in (one, two):
        hub.says(gone, up=(False, False))
    assert hub.ways("10.50.0.0/16") == [second]
    ec2.disable_transit_gateway_route_table_propagation(
        TransitGatewayRouteTableId=hub.table, TransitGatewayAttachmentId=second
    )
    jar.settle()
    assert hub.ways("10.50.0.0/16") == []
    # Without an association its peers are told nothing.
    ec2.disassociate_transit_gateway_route_table(
        TransitGatewayRouteTableId=hub.table, TransitGatewayAttachmentId=first
    )
    jar.settle()
    assert hub.told(first) == {}
    assert refused(
        ec2.create_transit_gateway_route, TransitGatewayRouteTableId=hub.table, DestinationCidrBlock="10.60.0.0/16",
        TransitGatewayAttachmentId=first,
    ) == ("OperationNotPermitted", f"Static routes are not supported by the Connect attachment {first}.")  # fmt: skip


def test_a_packet_s_way_into_a_tunnel_is_explained(jar: TestJar, ec2: Any) -> None:
    hub, other = Site(jar, ec2), Spoke(ec2, 2)
    hub.attach(other.vpc, other.subnet)
    peer = hub.peer(hub.connect())
    other.route("10.50.0.0/16", hub.id)
    assert jar.network.reachable(other.eni, "10.50.0.1", "tcp", 80) == "dropped"
    hub.says(peer, Learned(block="10.50.0.0/16", path=(65001,)))
    answer = jar.network.explain(other.eni, "10.50.0.1", "tcp", 80)
    assert answer.status == "open"
    assert answer.path[-1] == f"{hub.spoke.eni} receives it; what it forwards is its own decision"
    assert f"{hub.id} leads into {peer}, to {hub.spoke.ip}" in answer.path
    asked = ec2.create_network_insights_path(
        Source=other.eni, Protocol="tcp", FilterAtSource={"DestinationAddress": "10.50.0.1"}
    )["NetworkInsightsPath"]["NetworkInsightsPathId"]  # fmt: skip

    def analysed() -> dict[str, Any]:
        jar.settle()
        begun = ec2.start_network_insights_analysis(NetworkInsightsPathId=asked)["NetworkInsightsAnalysis"]
        jar.settle()
        [found] = ec2.describe_network_insights_analyses(
            NetworkInsightsAnalysisIds=[begun["NetworkInsightsAnalysisId"]]
        )["NetworkInsightsAnalyses"]
        assert found["Status"] == "succeeded", found
        shown: dict[str, Any] = found
        return shown

    there = analysed()
    assert there["NetworkPathFound"] is True
    assert hub.id in [one["Component"]["Id"] for one in there["ForwardPathComponents"]]
    group = ec2.describe_security_groups(Filters=only(vpc_id=hub.spoke.vpc, group_name="web"))["SecurityGroups"][0]
    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
    stopped = analysed()  # GRE itself is not let in
    assert stopped["NetworkPathFound"] is False
    assert [one["ExplanationCode"] for one in stopped["Explanations"]] == ["ENI_SG_RULES_MISMATCH"]


def test_what_hangs_on_something_keeps_it(jar: TestJar, ec2: Any) -> None:
    hub = Site(jar, ec2)
    connect = hub.connect()
    peer = hub.peer(connect)
    assert code(ec2.delete_transit_gateway_vpc_attachment, TransitGatewayAttachmentId=hub.transport) == "IncorrectState"
    assert code(ec2.delete_transit_gateway_connect, TransitGatewayAttachmentId=connect) == "IncorrectState"
    assert code(ec2.delete_transit_gateway, TransitGatewayId=hub.id) == "IncorrectState"
    assert code(
        ec2.modify_transit_gateway, TransitGatewayId=hub.id,
        Options={"RemoveTransitGatewayCidrBlocks": ["10.99.0.0/24"]},
    ) == "InvalidParameterValue"  # fmt: skip
    gone = ec2.delete_transit_gateway_connect_peer(TransitGatewayConnectPeerId=peer)["TransitGatewayConnectPeer"]
    assert gone["State"] == "deleting"
    jar.settle()
    assert jar.network.transit(hub.id).connects[0].peers == ()
    assert code(ec2.delete_transit_gateway_connect_peer, TransitGatewayConnectPeerId=peer) == (
        "InvalidTransitGatewayConnectPeerID.NotFound"
    )
    ended = ec2.delete_transit_gateway_connect(TransitGatewayAttachmentId=connect)["TransitGatewayConnect"]
    assert ended["State"] == "deleting"
    jar.settle()
    [left] = ec2.describe_transit_gateway_connects()["TransitGatewayConnects"]
    assert left["State"] == "deleted"
    assert code(ec2.delete_transit_gateway_connect, TransitGatewayAttachmentId=connect) == (
        "InvalidTransitGatewayAttachmentID.NotFound"
    )
    jar.advance(hours=2)
    assert ec2.describe_transit_gateway_connects()["TransitGatewayConnects"] == []
    assert ec2.describe_transit_gateway_connect_peers()["TransitGatewayConnectPeers"] == []
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=hub.transport)


def test_addresses_that_tunnels_cannot_have(jar: TestJar, ec2: Any) -> None:
    hub = Site(jar, ec2)
    connect = hub.connect()
    ask = {"TransitGatewayAttachmentId": connect, "PeerAddress": hub.spoke.ip, "InsideCidrBlocks": [INSIDE]}
    make = ec2.create_transit_gateway_connect_peer
    for inside in (["169.254.0.0/29"], ["169.254.5.0/29"], ["169.254.169.248/29"], ["169.254.6.0/28"], ["10.0.0.0/29"],
                   [], ["fd00::/125"], [INSIDE, "fd00::/124"], [INSIDE, "169.254.7.0/29"], ["x"]):  # fmt: skip
        assert code(make, **{**ask, "InsideCidrBlocks": inside}) in (
            "InvalidParameterValue", "MissingParameter"), inside  # fmt: skip
    assert code(make, **ask, TransitGatewayAddress="10.98.0.1") == "InvalidParameterValue"
    assert code(make, **{**ask, "PeerAddress": "fd00::1"}) == "UnsupportedOperation"
    assert code(make, **{**ask, "PeerAddress": "x"}) == "InvalidParameterValue"
    assert code(make, **ask, BgpOptions={"PeerAsn": 0}) == "InvalidParameterValue"
    assert code(make, **{**ask, "TransitGatewayAttachmentId": hub.transport}) == (
        "InvalidTransitGatewayAttachmentID.NotFound"
    )
    assert code(make, **ask, DryRun=True) == "DryRunOperation"
    hub.peer(connect, TransitGatewayAddress="10.99.0.9")
    assert code(make, **{**ask, "PeerAddress": "10.1.1.9"}) == "InvalidParameterValue"  # the block inside is taken
    assert code(make, **{**ask, "InsideCidrBlocks": ["169.254.9.0/29"]}, TransitGatewayAddress="10.99.0.9") == (
        "DuplicateTransitGatewayConnectPeer"
    )
    for n in (10, 11, 12):
        hub.peer(connect, f"169.254.{n}.0/29")
    assert code(make, **{**ask, "InsideCidrBlocks": ["169.254.13.0/29"]}) == "TransitGatewayConnectPeerLimitExceeded"
    assert code(
        ec2.create_transit_gateway_connect, TransportTransitGatewayAttachmentId=connect, Options={"Protocol": "gre"}
    ) == "InvalidParameterValue"  # fmt: skip
    assert code(ec2.describe_transit_gateway_connects, TransitGatewayAttachmentIds=[f"tgw-attach-{NOWHERE}"]) == (
        "InvalidTransitGatewayAttachmentID.NotFound"
    )


def test_a_gateway_s_own_blocks(jar: TestJar, ec2: Any) -> None:
    make = ec2.create_transit_gateway
    for blocks in (["10.99.0.0/25"], ["169.254.0.0/16"], ["fd01::/65"], ["10.9.0.0/16", "10.9.1.0/24"], ["x"]):
        assert code(make, Options={"TransitGatewayCidrBlocks": blocks}) == "InvalidParameterValue", blocks
    many = [f"10.{n}.0.0/24" for n in range(90, 96)]
    assert code(make, Options={"TransitGatewayCidrBlocks": many}) == "TransitGatewayCidrBlockLimitExceeded"
    hub = Site(jar, ec2, "10.99.0.0/24", "fd01::/64")
    assert hub.options["TransitGatewayCidrBlocks"] == ["10.99.0.0/24", "fd01::/64"]

    def change(**blocks: list[str]) -> Any:
        options = {f"{way}TransitGatewayCidrBlocks": some for way, some in blocks.items()}
        made = ec2.modify_transit_gateway(TransitGatewayId=hub.id, Options=options)["TransitGateway"]["Options"]
        jar.settle()
        return made["TransitGatewayCidrBlocks"]

    assert change(Remove=["fd01::/64"], Add=["10.98.0.0/24"]) == ["10.99.0.0/24", "10.98.0.0/24"]
    assert code(change, Add=["10.1.0.0/16"]) == "InvalidParameterValue"  # an attached VPC's
    assert code(change, Remove=["10.97.0.0/24"]) == "InvalidParameterValue"


def test_tunnels_through_an_attachment_cost_nothing_besides_it(jar: TestJar, ec2: Any) -> None:
    hub = Site(jar, ec2)
    hub.peer(hub.connect())
    jar.advance(hours=3)
    before = jar.usage("TransitGateway-Hours").total_seconds()
    jar.advance(hours=2)
    assert jar.usage("TransitGateway-Hours").total_seconds() - before == 2 * 3600
