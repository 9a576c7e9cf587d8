"""Transit gateways: attached, routed, isolated, shared with another account; what the network does with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

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
from tests.services.iam.people import allow, root, user
from tests.services.iam.people import refused as refusal

OTHER = "222222222222"
ALL = [{"Name": "type", "Values": ["static", "propagated"]}]


class Hub:
    """A gateway and what is attached to it."""

    def __init__(self, jar: TestJar, ec2: Any, **options: Any) -> None:
        self.jar, self.ec2 = jar, ec2
        made = ec2.create_transit_gateway(Options=options)["TransitGateway"]
        self.id = str(made["TransitGatewayId"])
        self.options = made["Options"]
        assert made["State"] == "pending"
        jar.settle()

    def attach(self, vpc: str, *subnets: str, client: Any = None) -> str:
        made = (client or self.ec2).create_transit_gateway_vpc_attachment(
            TransitGatewayId=self.id, VpcId=vpc, SubnetIds=list(subnets)
        )["TransitGatewayVpcAttachment"]
        self.jar.settle()
        return str(made["TransitGatewayAttachmentId"])

    def state(self, key: str, client: Any = None) -> str:
        found = (client or self.ec2).describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=[key])
        return str(found["TransitGatewayVpcAttachments"][0]["State"])

    def routes(self, table: str, filters: Any = None) -> dict[str, tuple[str, str]]:
        found = self.ec2.search_transit_gateway_routes(TransitGatewayRouteTableId=table, Filters=filters or ALL)
        return {route["DestinationCidrBlock"]: (route["Type"], route["State"]) for route in found["Routes"]}

    @property
    def table(self) -> str:
        return str(self.options["AssociationDefaultRouteTableId"])


class Spoke:
    """A VPC with a machine that lets everything in."""

    def __init__(self, ec2: Any, n: int) -> None:
        self.ec2, self.cidr = ec2, f"10.{n}.0.0/16"
        self.vpc = make_vpc(ec2, self.cidr)
        self.subnet = make_subnet(ec2, self.vpc, f"10.{n}.1.0/24")
        group = make_group(ec2, self.vpc)
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=everything)
        eni = interface_of(ec2, launch(ec2, SubnetId=self.subnet, SecurityGroupIds=[group]))
        self.eni, self.ip = str(eni["NetworkInterfaceId"]), str(eni["PrivateIpAddress"])

    def route(self, where: str, gateway: str) -> None:
        table = main_table(self.ec2, self.vpc)["RouteTableId"]
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock=where, TransitGatewayId=gateway)


def reaches(jar: TestJar, one: Spoke, other: Spoke) -> bool:
    jar.settle()
    return jar.network.reachable(one.eni, other.ip, "tcp", 80) == "open"


def test_a_gateway_comes_with_a_route_table_and_goes_with_it(jar: TestJar, ec2: Any) -> None:
    hub = Hub(jar, ec2)
    [shown] = ec2.describe_transit_gateways(Filters=only(state="available", owner_id=ACCOUNT))["TransitGateways"]
    assert shown["Options"] == {
        "AmazonSideAsn": 64512, "AutoAcceptSharedAttachments": "disable", "DefaultRouteTableAssociation": "enable",
        "AssociationDefaultRouteTableId": hub.table, "DefaultRouteTablePropagation": "enable",
        "PropagationDefaultRouteTableId": hub.table, "VpnEcmpSupport": "enable", "DnsSupport": "enable",
        "SecurityGroupReferencingSupport": "disable", "MulticastSupport": "disable",
    }  # fmt: skip
    [table] = ec2.describe_transit_gateway_route_tables()["TransitGatewayRouteTables"]
    assert (table["State"], table["DefaultAssociationRouteTable"]) == ("available", True)
    changed = ec2.modify_transit_gateway(
        TransitGatewayId=hub.id, Description="d", Options={"DefaultRouteTablePropagation": "disable"}
    )["TransitGateway"]
    assert (changed["State"], "PropagationDefaultRouteTableId" in changed["Options"]) == ("modifying", False)
    jar.settle()
    assert ec2.delete_transit_gateway(TransitGatewayId=hub.id)["TransitGateway"]["State"] == "deleting"
    jar.settle()
    assert ec2.describe_transit_gateways()["TransitGateways"][0]["State"] == "deleted"
    assert refused(ec2.delete_transit_gateway, TransitGatewayId=hub.id) == (
        "InvalidTransitGatewayID.NotFound", f"Transit Gateway {hub.id} was deleted or does not exist.",
    )  # fmt: skip
    jar.advance(hours=2)
    assert ec2.describe_transit_gateways()["TransitGateways"] == []
    assert code(ec2.describe_transit_gateways, TransitGatewayIds=["x"]) == "InvalidTransitGatewayID.Malformed"
    for n in range(5):
        ec2.create_transit_gateway(Description=str(n))
    assert code(ec2.create_transit_gateway) == "TransitGatewayLimitExceeded"
    assert code(ec2.create_transit_gateway, Options={"AmazonSideAsn": 1}) == "InvalidParameterValue"


def test_attached_vpcs_reach_each_other_by_their_routes(jar: TestJar, ec2: Any) -> None:
    hub, one, two = Hub(jar, ec2), Spoke(ec2, 1), Spoke(ec2, 2)
    assert code(one.route, where=two.cidr, gateway=hub.id) == "InvalidTransitGatewayID.NotFound"
    first, second = hub.attach(one.vpc, one.subnet), hub.attach(two.vpc, two.subnet)
    assert (hub.state(first), hub.state(second)) == ("available", "available")
    assert not reaches(jar, one, two)
    one.route(two.cidr, hub.id)
    assert not reaches(jar, one, two)  # no way back
    two.route(one.cidr, hub.id)
    assert reaches(jar, one, two)
    assert hub.routes(hub.table) == {one.cidr: ("propagated", "active"), two.cidr: ("propagated", "active")}
    route = main_table(ec2, one.vpc)["Routes"][1]
    assert (route["TransitGatewayId"], route["State"]) == (hub.id, "active")
    ec2.create_transit_gateway_route(
        TransitGatewayRouteTableId=hub.table, DestinationCidrBlock="10.2.1.0/24", Blackhole=True
    )
    assert not reaches(jar, one, two)
    ec2.delete_transit_gateway_route(TransitGatewayRouteTableId=hub.table, DestinationCidrBlock="10.2.1.0/24")
    assert reaches(jar, one, two)
    jar.network.carry(first, sent=5000)
    jar.advance(hours=7)
    jar.network.carry(second, sent=700)
    assert jar.usage("TransitGateway-Hours").total_seconds() >= 2 * 3 * 3600
    assert code(ec2.delete_transit_gateway, TransitGatewayId=hub.id) == "IncorrectState"
    assert code(ec2.delete_subnet, SubnetId=two.subnet) == "DependencyViolation"
    gone = ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=second)
    assert gone["TransitGatewayVpcAttachment"]["State"] == "deleting"
    assert not reaches(jar, one, two)
    now = jar.clock.now()
    counted = jar.jar.quantities.rows(now - timedelta(days=1), now + timedelta(hours=1))
    assert {(q.owner.resource, q.amount) for q in counted if q.tally.usage_type == "TransitGateway-Bytes"} == {
        (first, 5000), (second, 700),
    }  # fmt: skip
    assert main_table(ec2, two.vpc)["Routes"][1]["State"] == "blackhole"
    assert hub.state(second) == "deleted"
    assert hub.routes(hub.table) == {one.cidr: ("propagated", "active")}
    [card] = ec2.describe_network_interfaces(Filters=only(interface_type="transit_gateway"))["NetworkInterfaces"]
    assert (card["SubnetId"], card["RequesterManaged"]) == (one.subnet, True)


def test_tables_isolate(jar: TestJar, ec2: Any) -> None:
    quotas = jar.client("service-quotas")
    quotas.request_service_quota_increase(ServiceCode="ec2", QuotaCode="L-1216C47A", DesiredValue=64)
    jar.advance(minutes=10)
    hub = Hub(jar, ec2, DefaultRouteTableAssociation="disable", DefaultRouteTablePropagation="disable")
    spokes = [Spoke(ec2, n) for n in (1, 2, 3)]
    attached = [hub.attach(spoke.vpc, spoke.subnet) for spoke in spokes]
    tables = []
    for _ in range(2):
        made = ec2.create_transit_gateway_route_table(TransitGatewayId=hub.id)["TransitGatewayRouteTable"]
        tables.append(made["TransitGatewayRouteTableId"])
    jar.settle()
    apart, shared = tables
    for spoke in spokes:
        spoke.route("10.0.0.0/8", hub.id)
    for key, table in zip(attached, (apart, apart, shared), strict=True):
        made = ec2.associate_transit_gateway_route_table(
            TransitGatewayRouteTableId=table, TransitGatewayAttachmentId=key
        )["Association"]
        assert made["State"] == "associating"
    link = {"TransitGatewayRouteTableId": apart, "TransitGatewayAttachmentId": attached[2]}
    assert ec2.enable_transit_gateway_route_table_propagation(**link)["Propagation"]["State"] == "enabled"
    for key in attached[:2]:
        ec2.enable_transit_gateway_route_table_propagation(
            TransitGatewayRouteTableId=shared, TransitGatewayAttachmentId=key
        )
    one, two, three = spokes
    assert [reaches(jar, a, b) for a, b in ((one, two), (one, three), (two, three), (three, one))] == [
        False, True, True, True,
    ]  # fmt: skip
    again = "TransitGatewayRouteTablePropagation.Duplicate"
    assert code(ec2.enable_transit_gateway_route_table_propagation, **link) == again
    taken = {"TransitGatewayRouteTableId": shared, "TransitGatewayAttachmentId": attached[0]}
    assert code(ec2.associate_transit_gateway_route_table, **taken) == "Resource.AlreadyAssociated"
    found = ec2.get_transit_gateway_route_table_associations(TransitGatewayRouteTableId=apart)["Associations"]
    assert {(one["TransitGatewayAttachmentId"], one["State"]) for one in found} == {
        (key, "associated") for key in attached[:2]
    }
    found = ec2.get_transit_gateway_route_table_propagations(
        TransitGatewayRouteTableId=shared, Filters=only(resource_id=two.vpc)
    )["TransitGatewayRouteTablePropagations"]
    assert [one["TransitGatewayAttachmentId"] for one in found] == [attached[1]]
    found = ec2.get_transit_gateway_attachment_propagations(TransitGatewayAttachmentId=attached[2])
    assert found["TransitGatewayAttachmentPropagations"] == [
        {"TransitGatewayRouteTableId": apart, "State": "enabled"}
    ]
    assert code(ec2.delete_transit_gateway_route_table, TransitGatewayRouteTableId=apart) == "IncorrectState"
    off = {"TransitGatewayRouteTableId": apart, "TransitGatewayAttachmentId": attached[0]}
    assert ec2.disassociate_transit_gateway_route_table(**off)["Association"]["State"] == "disassociating"
    assert not reaches(jar, one, three)
    shown = ec2.describe_transit_gateway_attachments(
        Filters=only(association__transit_gateway_route_table_id=apart)
    )["TransitGatewayAttachments"]
    assert [one["TransitGatewayAttachmentId"] for one in shown] == [attached[1]]
    ec2.disable_transit_gateway_route_table_propagation(**link)
    assert not reaches(jar, two, three)


def test_static_routes_come_before_propagated_ones_and_are_searched(jar: TestJar, ec2: Any) -> None:
    hub, one, two = Hub(jar, ec2), Spoke(ec2, 1), Spoke(ec2, 2)
    first, second = hub.attach(one.vpc, one.subnet), hub.attach(two.vpc, two.subnet)
    table = {"TransitGatewayRouteTableId": hub.table}
    made = ec2.create_transit_gateway_route(
        **table, DestinationCidrBlock=two.cidr, TransitGatewayAttachmentId=first
    )["Route"]
    assert (made["Type"], made["State"], made["TransitGatewayAttachments"][0]["ResourceId"]) == (
        "static", "active", one.vpc,
    )  # fmt: skip
    assert code(ec2.create_transit_gateway_route, **table, DestinationCidrBlock=two.cidr, Blackhole=True) == (
        "RouteAlreadyExists"
    )
    assert hub.routes(hub.table)[two.cidr] == ("static", "active")
    ec2.replace_transit_gateway_route(**table, DestinationCidrBlock=two.cidr, Blackhole=True)
    assert hub.routes(hub.table)[two.cidr] == ("static", "blackhole")
    ec2.create_transit_gateway_route(**table, DestinationCidrBlock="0.0.0.0/0", TransitGatewayAttachmentId=second)

    def search(**filters: str) -> set[str]:
        return set(hub.routes(hub.table, [{"Name": k.replace("_", "-").replace("--", "."), "Values": [v]}
                                          for k, v in filters.items()]))  # fmt: skip

    assert search(state="blackhole") == {two.cidr}
    assert search(route_search__exact_match="0.0.0.0/0") == {"0.0.0.0/0"}
    assert search(route_search__longest_prefix_match="10.1.2.3/32") == {one.cidr}
    assert search(route_search__subnet_of_match="10.0.0.0/8") == {one.cidr, two.cidr}
    assert search(route_search__supernet_of_match="10.1.2.0/24") == {one.cidr, "0.0.0.0/0"}
    assert search(attachment__transit_gateway_attachment_id=second) == {"0.0.0.0/0"}
    assert ec2.delete_transit_gateway_route(**table, DestinationCidrBlock=two.cidr)["Route"]["State"] == "deleted"
    assert hub.routes(hub.table)[two.cidr] == ("propagated", "active")
    assert code(ec2.delete_transit_gateway_route, **table, DestinationCidrBlock=two.cidr) == "InvalidRoute.NotFound"
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=second)
    jar.settle()
    assert hub.routes(hub.table)["0.0.0.0/0"] == ("static", "blackhole")


def test_prefix_lists_bring_routes(jar: TestJar, ec2: Any) -> None:
    hub, one, two = Hub(jar, ec2, DefaultRouteTablePropagation="disable"), Spoke(ec2, 1), Spoke(ec2, 2)
    first, second = hub.attach(one.vpc, one.subnet), hub.attach(two.vpc, two.subnet)
    for here, there in ((one, two), (two, one)):
        here.route(there.cidr, hub.id)
    lists = [
        ec2.create_managed_prefix_list(
            PrefixListName="l", AddressFamily="IPv4", MaxEntries=5, Entries=[{"Cidr": spoke.cidr}]
        )["PrefixList"]["PrefixListId"]
        for spoke in (one, two)
    ]
    table = {"TransitGatewayRouteTableId": hub.table}
    for key, attachment in zip(lists, (first, second), strict=True):
        made = ec2.create_transit_gateway_prefix_list_reference(
            **table, PrefixListId=key, TransitGatewayAttachmentId=attachment
        )["TransitGatewayPrefixListReference"]
        assert (made["State"], made["Blackhole"], made["PrefixListOwnerId"]) == ("pending", False, ACCOUNT)
    assert reaches(jar, one, two)
    assert code(ec2.delete_managed_prefix_list, PrefixListId=lists[0]) == "DependencyViolation"
    ec2.modify_managed_prefix_list(PrefixListId=lists[1], CurrentVersion=1, RemoveEntries=[{"Cidr": two.cidr}],
                                   AddEntries=[{"Cidr": "10.7.0.0/16"}])  # fmt: skip
    assert not reaches(jar, one, two)
    assert hub.routes(hub.table) == {one.cidr: ("static", "active"), "10.7.0.0/16": ("static", "active")}
    ec2.modify_transit_gateway_prefix_list_reference(**table, PrefixListId=lists[1], Blackhole=True)
    assert hub.routes(hub.table)["10.7.0.0/16"] == ("static", "blackhole")
    [hole] = ec2.get_transit_gateway_prefix_list_references(**table, Filters=only(is_blackhole="true"))[
        "TransitGatewayPrefixListReferences"
    ]
    assert (hole["PrefixListId"], hole["State"]) == (lists[1], "available")
    ec2.delete_transit_gateway_prefix_list_reference(**table, PrefixListId=lists[1])
    gone = code(ec2.delete_transit_gateway_prefix_list_reference, **table, PrefixListId=lists[1])
    assert gone == "InvalidPrefixListID.NotFound"


def test_what_an_attachment_must_be(jar: TestJar, ec2: Any) -> None:
    hub, one, two = Hub(jar, ec2), Spoke(ec2, 1), Spoke(ec2, 2)
    call = {"TransitGatewayId": hub.id, "VpcId": one.vpc}
    create = ec2.create_transit_gateway_vpc_attachment
    assert code(create, **call, SubnetIds=[two.subnet]) == "InvalidSubnetID.NotFound"
    zone = ec2.describe_subnets(SubnetIds=[one.subnet])["Subnets"][0]["AvailabilityZone"]
    twin = make_subnet(ec2, one.vpc, "10.1.2.0/24", AvailabilityZone=zone)
    assert code(create, **call, SubnetIds=[one.subnet, twin]) == "DuplicateSubnetsInSameZone"
    key = hub.attach(one.vpc, one.subnet)
    assert code(create, **call, SubnetIds=[one.subnet]) == "DuplicateTransitGatewayAttachment"
    other = make_subnet(ec2, one.vpc, "10.1.3.0/24", AvailabilityZone="eu-west-3c" if zone[-1] != "c" else "eu-west-3a")
    changed = ec2.modify_transit_gateway_vpc_attachment(
        TransitGatewayAttachmentId=key, AddSubnetIds=[other], Options={"DnsSupport": "disable"}
    )["TransitGatewayVpcAttachment"]
    assert (changed["State"], set(changed["SubnetIds"])) == ("modifying", {one.subnet, other})
    jar.settle()
    cards = ec2.describe_network_interfaces(Filters=only(interface_type="transit_gateway"))["NetworkInterfaces"]
    assert {card["SubnetId"] for card in cards} == {one.subnet, other}
    assert hub.state(key) == "available"
    ec2.create_tags(Resources=[key, hub.id, hub.table], Tags=[{"Key": "a", "Value": "b"}])
    [found] = ec2.describe_transit_gateway_vpc_attachments(Filters=[{"Name": "tag:a", "Values": ["b"]}])[
        "TransitGatewayVpcAttachments"
    ]
    assert found["Options"]["DnsSupport"] == "disable"


def test_another_accounts_vpc_is_let_in_by_the_owner(jar: TestJar, ec2: Any) -> None:
    hub, one = Hub(jar, ec2), Spoke(ec2, 1)
    theirs = root(jar, "ec2", OTHER)
    two = Spoke(theirs, 2)
    hub.attach(one.vpc, one.subnet)
    key = hub.attach(two.vpc, two.subnet, client=theirs)
    assert (hub.state(key), hub.state(key, theirs)) == ("pendingAcceptance", "pendingAcceptance")
    assert code(theirs.accept_transit_gateway_vpc_attachment, TransitGatewayAttachmentId=key) == "OperationNotPermitted"
    accepted = ec2.accept_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=key)
    assert accepted["TransitGatewayVpcAttachment"]["State"] == "pending"
    jar.settle()
    assert (hub.state(key), hub.state(key, theirs)) == ("available", "available")
    one.route(two.cidr, hub.id)
    two.route(one.cidr, hub.id)
    assert reaches(jar, one, two)
    assert hub.routes(hub.table)[two.cidr] == ("propagated", "active")
    theirs.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=key)
    assert not reaches(jar, one, two)
    again = hub.attach(two.vpc, two.subnet, client=theirs)
    rejected = ec2.reject_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=again)
    assert rejected["TransitGatewayVpcAttachment"]["State"] == "rejecting"
    jar.settle()
    assert hub.state(again, theirs) == "rejected"
    assert code(ec2.accept_transit_gateway_vpc_attachment, TransitGatewayAttachmentId=again) == (
        "InvalidTransitGatewayAttachmentID.NotFound"
    )


def test_blocks_that_a_vpc_gets_later_are_propagated(jar: TestJar, ec2: Any) -> None:
    hub, one = Hub(jar, ec2), Spoke(ec2, 1)
    hub.attach(one.vpc, one.subnet)
    ec2.associate_vpc_cidr_block(VpcId=one.vpc, CidrBlock="10.9.0.0/16")
    jar.settle()
    assert set(hub.routes(hub.table)) == {"10.1.0.0/16", "10.9.0.0/16"}


def test_policies_name_gateways_tables_and_attachments(jar: TestJar, ec2: Any) -> None:
    hub, one = Hub(jar, ec2), Spoke(ec2, 1)
    arn = f"arn:aws:ec2:eu-west-3:{ACCOUNT}:transit-gateway-route-table/{hub.table}"
    ann = user(jar, "ann", allow("ec2:CreateTransitGatewayRoute", on=arn)).client("ec2")
    where = {"TransitGatewayRouteTableId": hub.table, "DestinationCidrBlock": "10.0.0.0/8"}
    assert ann.create_transit_gateway_route(**where, Blackhole=True)["Route"]["State"] == "blackhole"
    key = hub.attach(one.vpc, one.subnet)
    with refusal("UnauthorizedOperation", "transit-gateway-attachment"):
        ann.create_transit_gateway_route(
            TransitGatewayRouteTableId=hub.table, DestinationCidrBlock="10.3.0.0/16", TransitGatewayAttachmentId=key
        )
    with refusal("UnauthorizedOperation"):
        ann.search_transit_gateway_routes(TransitGatewayRouteTableId=hub.table, Filters=ALL)


def test_the_analyzer_names_the_gateway(jar: TestJar, ec2: Any) -> None:
    hub, one, two = Hub(jar, ec2), Spoke(ec2, 1), Spoke(ec2, 2)
    key = hub.attach(one.vpc, one.subnet)
    hub.attach(two.vpc, two.subnet)
    for here, there in ((one, two), (two, one)):
        here.route(there.cidr, hub.id)

    def analysis() -> dict[str, Any]:
        path = ec2.create_network_insights_path(Source=one.eni, Destination=two.eni, Protocol="tcp", DestinationPort=80)
        made = ec2.start_network_insights_analysis(
            NetworkInsightsPathId=path["NetworkInsightsPath"]["NetworkInsightsPathId"]
        )["NetworkInsightsAnalysis"]
        jar.settle()
        [found] = ec2.describe_network_insights_analyses(
            NetworkInsightsAnalysisIds=[made["NetworkInsightsAnalysisId"]]
        )["NetworkInsightsAnalyses"]
        return dict(found)

    found = analysis()
    assert found["NetworkPathFound"]
    passed = [one["Component"]["Id"] for one in found["ForwardPathComponents"]]
    assert hub.id in passed
    ec2.create_transit_gateway_route(
        TransitGatewayRouteTableId=hub.table, DestinationCidrBlock="10.2.1.0/24", Blackhole=True
    )
    found = analysis()
    assert not found["NetworkPathFound"]
    [reason] = found["Explanations"]
    assert reason["TransitGateway"]["Id"] == hub.id
    assert reason["TransitGatewayAttachment"]["Id"] == key
    assert (reason["ExplanationCode"], reason["TransitGatewayRouteTableRoute"]["State"]) == (
        "BAD_STATE_ROUTE", "blackhole",
    )  # fmt: skip
