"""Multicast domains of transit gateways: subnets, groups, who would get what."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import NOWHERE, allow, code, launch, make_subnet, make_vpc, only, refused
from tests.services.ec2.test_transit_gateways import OTHER, Hub, Spoke
from tests.services.iam.people import allow as let
from tests.services.iam.people import refused as refusal
from tests.services.iam.people import root, user

GROUP = "224.1.2.3"
PORT = 5001


class Stage:
    """A gateway for multicast with a domain, and two VPCs with a machine each."""

    def __init__(self, jar: TestJar, ec2: Any, **options: str) -> None:
        self.jar, self.ec2 = jar, ec2
        self.hub = Hub(jar, ec2, MulticastSupport="enable")
        assert self.hub.options["MulticastSupport"] == "enable"
        self.spokes = Spoke(ec2, 1), Spoke(ec2, 2)
        self.ways = [self.hub.attach(spoke.vpc, spoke.subnet) for spoke in self.spokes]
        made = ec2.create_transit_gateway_multicast_domain(TransitGatewayId=self.hub.id, Options=options)
        self.shown = made["TransitGatewayMulticastDomain"]
        self.domain = str(self.shown["TransitGatewayMulticastDomainId"])
        jar.settle()

    def associate(self) -> None:
        for way, spoke in zip(self.ways, self.spokes, strict=True):
            self.ec2.associate_transit_gateway_multicast_domain(
                TransitGatewayMulticastDomainId=self.domain, TransitGatewayAttachmentId=way, SubnetIds=[spoke.subnet])
        self.jar.settle()

    def register(self, enis: list[str], what: str = "members", group: str = GROUP) -> Any:
        call = getattr(self.ec2, f"register_transit_gateway_multicast_group_{what}")
        return call(TransitGatewayMulticastDomainId=self.domain, GroupIpAddress=group, NetworkInterfaceIds=enis)

    def hear(self, sender: str) -> tuple[str, ...]:
        self.jar.settle()
        return self.jar.network.audience(sender, GROUP, "udp", PORT)

    def search(self, **filters: str) -> set[tuple[str, str, bool]]:
        found = self.ec2.search_transit_gateway_multicast_groups(
            TransitGatewayMulticastDomainId=self.domain, Filters=only(**filters))["MulticastGroups"]
        return {(one["GroupIpAddress"], one["NetworkInterfaceId"], one["GroupMember"]) for one in found}


def test_a_domain_and_the_subnets_in_it(jar: TestJar, ec2: Any) -> None:
    stage = Stage(jar, ec2, StaticSourcesSupport="enable")
    assert stage.shown["State"] == "pending"
    assert stage.shown["Options"] == {
        "AutoAcceptSharedAssociations": "disable", "Igmpv2Support": "disable", "StaticSourcesSupport": "enable",
    }  # fmt: skip
    [shown] = ec2.describe_transit_gateway_multicast_domains(Filters=only(state="available"))[
        "TransitGatewayMulticastDomains"]
    assert (shown["OwnerId"], shown["TransitGatewayId"]) == (ACCOUNT, stage.hub.id)
    assert shown["TransitGatewayMulticastDomainArn"].endswith(f":transit-gateway-multicast-domain/{stage.domain}")
    spoke, way = stage.spokes[0], stage.ways[0]
    asked = {"TransitGatewayMulticastDomainId": stage.domain, "TransitGatewayAttachmentId": way,
             "SubnetIds": [spoke.subnet]}  # fmt: skip
    made = ec2.associate_transit_gateway_multicast_domain(**asked)["Associations"]
    assert made["Subnets"] == [{"SubnetId": spoke.subnet, "State": "associating"}]
    assert (made["ResourceId"], made["ResourceType"], made["ResourceOwnerId"]) == (spoke.vpc, "vpc", ACCOUNT)
    jar.settle()
    [held] = ec2.get_transit_gateway_multicast_domain_associations(
        TransitGatewayMulticastDomainId=stage.domain, Filters=only(state="associated"))["MulticastDomainAssociations"]
    assert (held["Subnet"]["SubnetId"], held["TransitGatewayAttachmentId"]) == (spoke.subnet, way)
    assert code(ec2.associate_transit_gateway_multicast_domain, **asked) == "Resource.AlreadyAssociated"
    assert code(ec2.associate_transit_gateway_multicast_domain, **asked | {"SubnetIds": [stage.spokes[1].subnet]}) == (
        "InvalidSubnetID.NotFound")
    assert code(ec2.delete_transit_gateway_multicast_domain, TransitGatewayMulticastDomainId=stage.domain) == (
        "IncorrectState")
    gone = ec2.disassociate_transit_gateway_multicast_domain(**asked)["Associations"]
    assert gone["Subnets"][0]["State"] == "disassociating"
    jar.settle()
    assert code(ec2.disassociate_transit_gateway_multicast_domain, **asked) == (
        "InvalidTransitGatewayMulticastDomainAssociation.NotFound")
    for key in stage.ways:
        ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=key)
    jar.settle()
    assert code(ec2.delete_transit_gateway, TransitGatewayId=stage.hub.id) == "IncorrectState"
    gone = ec2.delete_transit_gateway_multicast_domain(TransitGatewayMulticastDomainId=stage.domain)
    assert gone["TransitGatewayMulticastDomain"]["State"] == "deleting"
    jar.settle()
    assert refused(ec2.search_transit_gateway_multicast_groups, TransitGatewayMulticastDomainId=stage.domain) == (
        "InvalidTransitGatewayMulticastDomainId.NotFound",
        f"Transit Gateway Multicast Domain {stage.domain} was deleted or does not exist.",
    )
    ec2.delete_transit_gateway(TransitGatewayId=stage.hub.id)
    jar.advance(hours=2)
    assert ec2.describe_transit_gateway_multicast_domains()["TransitGatewayMulticastDomains"] == []


def test_members_hear_whoever_may_send(jar: TestJar, ec2: Any) -> None:
    stage = Stage(jar, ec2)
    one, two = stage.spokes
    assert code(stage.register, enis=[one.eni]) == "InvalidParameterValue"  # its subnet is not in the domain
    stage.associate()
    stage.register([two.eni])  # which the sender's VPC has to hear of
    assert stage.hear(one.eni) == (two.eni,)
    made = stage.register([one.eni, two.eni])["RegisteredMulticastGroupMembers"]
    assert made == {"TransitGatewayMulticastDomainId": stage.domain, "GroupIpAddress": GROUP,
                    "RegisteredNetworkInterfaceIds": [one.eni, two.eni]}  # fmt: skip
    stage.register([one.eni])  # again
    assert stage.hear(one.eni) == (two.eni,)
    assert stage.hear(two.eni) == (one.eni,)
    assert stage.search() == {(GROUP, one.eni, True), (GROUP, two.eni, True)}
    assert stage.search(resource_id=two.vpc, is_group_member="true") == {(GROUP, two.eni, True)}
    assert stage.search(is_group_source="true") == set()
    assert code(stage.register, enis=[one.eni], what="sources") == "OperationNotPermitted"
    allow(jar)
    late = launch(ec2, SubnetId=one.subnet)
    jar.settle()
    [card] = ec2.describe_network_interfaces(Filters=only(attachment__instance_id=late))["NetworkInterfaces"]
    assert set(stage.hear(card["NetworkInterfaceId"])) == {one.eni, two.eni}
    gone = ec2.deregister_transit_gateway_multicast_group_members(
        TransitGatewayMulticastDomainId=stage.domain, NetworkInterfaceIds=[two.eni])
    assert gone["DeregisteredMulticastGroupMembers"]["DeregisteredNetworkInterfaceIds"] == [two.eni]
    assert stage.hear(one.eni) == ()
    assert stage.hear(two.eni) == (one.eni,)
    assert code(ec2.deregister_transit_gateway_multicast_group_members,
                TransitGatewayMulticastDomainId=stage.domain, NetworkInterfaceIds=[two.eni]) == "InvalidParameterValue"
    stage.register([two.eni], group="ff05::1:3")
    assert stage.search(group_ip_address="ff05::1:3") == {("ff05::1:3", two.eni, True)}
    # A subnet that leaves takes its interfaces along; so does an attachment.
    ec2.disassociate_transit_gateway_multicast_domain(
        TransitGatewayMulticastDomainId=stage.domain, TransitGatewayAttachmentId=stage.ways[0], SubnetIds=[one.subnet])
    jar.settle()
    assert stage.search() == {("ff05::1:3", two.eni, True)}
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=stage.ways[1])
    jar.settle()
    assert stage.search() == set()
    assert stage.hear(two.eni) == ()


def test_sources_alone_send_where_they_are_static(jar: TestJar, ec2: Any) -> None:
    stage = Stage(jar, ec2, StaticSourcesSupport="enable")
    stage.associate()
    one, two = stage.spokes
    stage.register([one.eni, two.eni])
    assert stage.hear(one.eni) == ()
    made = stage.register([one.eni], what="sources")["RegisteredMulticastGroupSources"]
    assert made["RegisteredNetworkInterfaceIds"] == [one.eni]
    assert (stage.hear(one.eni), stage.hear(two.eni)) == ((two.eni,), ())
    assert stage.search(source_type="static") == {(GROUP, one.eni, False)}
    assert code(stage.register, enis=[two.eni], what="sources") == "TransitGatewayMulticastGroupLimitExceeded"
    allow(jar, "L-4F2F99E3", 2)
    stage.register([two.eni], what="sources")
    assert stage.hear(two.eni) == (one.eni,)
    # Groups of machines judge: the receiver must let the sender in.
    group = ec2.describe_network_interfaces(NetworkInterfaceIds=[one.eni])["NetworkInterfaces"][0]["Groups"][0]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=everything)
    assert stage.hear(two.eni) == ()
    ec2.deregister_transit_gateway_multicast_group_sources(
        TransitGatewayMulticastDomainId=stage.domain, NetworkInterfaceIds=[one.eni], GroupIpAddress=GROUP)
    assert stage.hear(one.eni) == ()


def test_what_is_refused(jar: TestJar, ec2: Any) -> None:
    plain = Hub(jar, ec2)
    assert code(ec2.create_transit_gateway_multicast_domain, TransitGatewayId=plain.id) == "IncorrectState"
    hub = Hub(jar, ec2, MulticastSupport="enable")
    make = ec2.create_transit_gateway_multicast_domain
    both = {"Igmpv2Support": "enable", "StaticSourcesSupport": "enable"}
    assert code(make, TransitGatewayId=hub.id, Options=both) == "InvalidParameterCombination"
    assert code(make, TransitGatewayId=hub.id, Options={"Igmpv2Support": "enable"}) == "UnsupportedOperation"
    domain = make(TransitGatewayId=hub.id)["TransitGatewayMulticastDomain"]["TransitGatewayMulticastDomainId"]
    jar.settle()
    register = ec2.register_transit_gateway_multicast_group_members
    asked = {"TransitGatewayMulticastDomainId": domain, "NetworkInterfaceIds": [f"eni-{NOWHERE}"]}
    assert code(register, **asked) == "MissingParameter"
    for wrong in ("10.0.0.1", "224.0.0.5", "x"):
        assert code(register, **asked, GroupIpAddress=wrong) == "InvalidParameterValue"
    assert code(register, **asked, GroupIpAddress=GROUP) == "InvalidNetworkInterfaceID.NotFound"
    vpc = make_vpc(ec2, "10.9.0.0/16")
    subnets = [make_subnet(ec2, vpc, f"10.9.{n}.0/28") for n in range(21)]
    way = hub.attach(vpc, subnets[0])
    where = {"TransitGatewayMulticastDomainId": domain, "TransitGatewayAttachmentId": way}
    assert code(ec2.associate_transit_gateway_multicast_domain, **where, SubnetIds=subnets) == (
        "TransitGatewayMulticastDomainAssociationLimitExceeded")
    ec2.associate_transit_gateway_multicast_domain(**where, SubnetIds=subnets[:20])
    assert code(ec2.delete_subnet, SubnetId=subnets[1]) == "DependencyViolation"
    for _ in range(19):
        make(TransitGatewayId=hub.id)
    assert code(make, TransitGatewayId=hub.id) == "TransitGatewayMulticastDomainLimitExceeded"


def test_who_may_do_it_and_whose_it_is(jar: TestJar, ec2: Any) -> None:
    stage = Stage(jar, ec2)
    other = root(jar, "ec2", OTHER)
    assert code(other.search_transit_gateway_multicast_groups, TransitGatewayMulticastDomainId=stage.domain) == (
        "InvalidTransitGatewayMulticastDomainId.NotFound")
    only_one = {"StringEquals": {"ec2:transitGatewayMulticastDomainId": f"tgw-mcast-domain-{NOWHERE}"}}
    ada = user(jar, "ada", let("ec2:DeleteTransitGatewayMulticastDomain", Condition=only_one)).client("ec2")
    with refusal("UnauthorizedOperation"):
        ada.delete_transit_gateway_multicast_domain(TransitGatewayMulticastDomainId=stage.domain)
    ec2.create_tags(Resources=[stage.domain], Tags=[{"Key": "team", "Value": "a"}])
    [tag] = ec2.describe_tags(Filters=only(resource_id=stage.domain))["Tags"]
    assert tag["ResourceType"] == "transit-gateway-multicast-domain"
