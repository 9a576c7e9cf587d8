"""Two VPCs that meet at a transit gateway, with real packets; and a flow log that tells which of them arrived."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import pytest

from cloudjar.gateway.admin import TOKEN_HEADER
from cloudjar.planes.network import programs
from tests.host.jar.account import Account, Machine
from tests.host.jar.packets import Wire
from tests.host.jar.served import RealJar, until
from tests.host.network.appliance import Appliance

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]
OPEN, SHUT = 8080, 8081


class World(NamedTuple):
    """A machine in each of two attached VPCs; the second lets one port in."""

    jar: RealJar
    wire: Wire
    account: Account
    gateway: str
    table: str
    tables: tuple[str, str]
    vpc: str
    one: Machine
    two: Machine

    def knock(self, port: int = OPEN) -> str:
        """What becomes of a connection of the first machine to the second."""
        return self.wire.knock(self.two.private, port, guest=self.one.id)

    def becomes(self, wanted: str) -> None:
        until(lambda: self.knock() == wanted, f"the way to be {wanted}")


@pytest.fixture(scope="module")
def world(real: RealJar, wire: Wire) -> World:
    account = Account(real)
    ec2 = account.ec2
    made = ec2.create_transit_gateway(Options={"MulticastSupport": "enable"})["TransitGateway"]
    gateway = str(made["TransitGatewayId"])

    def gone_through() -> bool:
        return bool(ec2.describe_transit_gateways()["TransitGateways"][0]["State"] == "available")

    until(gone_through, "the transit gateway to be available")
    vpcs, machines, tables = [], [], []
    for n in (1, 2):
        vpc = account.vpc(f"10.{n}.0.0/16")
        subnet = account.subnet(vpc, f"10.{n}.1.0/24")
        group = account.group(vpc, f"g{n}", OPEN)
        ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet])
        vpcs.append(vpc)
        tables.append(account.main_table(vpc))
        machines.append(account.run(subnet, group))

    def attached() -> bool:
        found = ec2.describe_transit_gateway_vpc_attachments()["TransitGatewayVpcAttachments"]
        return all(one["State"] == "available" for one in found)

    until(attached, "both VPCs to be attached")
    for n, table in ((2, tables[0]), (1, tables[1])):
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=f"10.{n}.0.0/16", TransitGatewayId=gateway)
    wire.listen(machines[1].id, OPEN, SHUT)
    table = str(made["Options"]["AssociationDefaultRouteTableId"])
    return World(real, wire, account, gateway, table, (tables[0], tables[1]), vpcs[1], machines[0], machines[1])


def test_packets_pass_as_long_as_every_table_leads_on(world: World) -> None:
    ec2 = world.account.ec2
    world.becomes("open")
    with world.wire.connect(world.two.private, OPEN, guest=world.one.id, wait=5) as line:
        assert line.getsockname()[0] == world.one.private
    ec2.delete_route(RouteTableId=world.tables[0], DestinationCidrBlock="10.2.0.0/16")
    world.becomes("dropped")
    ec2.create_route(
        RouteTableId=world.tables[0], DestinationCidrBlock="10.2.0.0/16", TransitGatewayId=world.gateway
    )
    world.becomes("open")
    hole = {"TransitGatewayRouteTableId": world.table, "DestinationCidrBlock": "10.2.1.0/24"}
    ec2.create_transit_gateway_route(**hole, Blackhole=True)
    world.becomes("dropped")
    ec2.delete_transit_gateway_route(**hole)
    world.becomes("open")


def _role(iam: Any) -> str:
    def policy(**statement: Any) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})

    trust = policy(Principal={"Service": "vpc-flow-logs.amazonaws.com"}, Action="sts:AssumeRole")
    made = iam.create_role(RoleName="flows", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="flows", PolicyName="p", PolicyDocument=policy(Action="logs:*", Resource="*"))
    return str(made)


def _hear(world: World, group: str, port: int) -> socket.socket:
    """A socket in the second machine's network that has joined a group."""

    def join() -> socket.socket:
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ear.settimeout(1)
        ear.bind(("", port))
        ear.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(world.two.private))
        return ear

    return world.wire.within(world.two.id, join)


def test_a_multicast_reaches_the_member_in_the_other_vpc(world: World) -> None:
    ec2, port = world.account.ec2, 5004
    made = ec2.create_transit_gateway_multicast_domain(TransitGatewayId=world.gateway)["TransitGatewayMulticastDomain"]
    domain = made["TransitGatewayMulticastDomainId"]

    def associated() -> bool:
        held = ec2.get_transit_gateway_multicast_domain_associations(TransitGatewayMulticastDomainId=domain)
        return [one["Subnet"]["State"] for one in held["MulticastDomainAssociations"]] == ["associated"] * 2

    until(lambda: ec2.describe_transit_gateway_multicast_domains()["TransitGatewayMulticastDomains"][0]["State"]
          == "available", "the domain to be available")  # fmt: skip
    for one in ec2.describe_transit_gateway_vpc_attachments()["TransitGatewayVpcAttachments"]:
        ec2.associate_transit_gateway_multicast_domain(
            TransitGatewayMulticastDomainId=domain, TransitGatewayAttachmentId=one["TransitGatewayAttachmentId"],
            SubnetIds=one["SubnetIds"])  # fmt: skip
    until(associated, "both subnets to be in the domain")
    [eni] = ec2.describe_network_interfaces(NetworkInterfaceIds=[world.two.eni])["NetworkInterfaces"]
    member = {"TransitGatewayMulticastDomainId": domain, "NetworkInterfaceIds": [world.two.eni]}
    ec2.register_transit_gateway_multicast_group_members(**member, GroupIpAddress="239.4.4.4")
    with _hear(world, "239.4.4.4", port) as ear:

        def heard() -> bool:
            with world.wire.within(world.one.id, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as mouth:
                mouth.sendto(b"to all", ("239.4.4.4", port))
            try:
                text, peer = ear.recvfrom(64)
            except TimeoutError:
                return False
            return (text, peer[0]) == (b"to all", world.one.private)

        assert not heard()  # the member's group lets nothing of it in
        rule = [{"IpProtocol": "udp", "FromPort": port, "ToPort": port,
                 "IpRanges": [{"CidrIp": f"{world.one.private}/32"}]}]  # fmt: skip
        ec2.authorize_security_group_ingress(GroupId=eni["Groups"][0]["GroupId"], IpPermissions=rule)
        until(heard, "the member to hear the other VPC's machine")
        ec2.deregister_transit_gateway_multicast_group_members(**member)
        until(lambda: not heard(), "the member to hear nothing any more")


def _advance(jar: RealJar, seconds: int) -> None:
    token = (jar.home / "admin-token").read_text()
    asked = Request(f"{jar.endpoint}/_cloudjar/clock?seconds={seconds}", b"", {TOKEN_HEADER: token}, method="POST")
    urlopen(asked, timeout=60).close()


def test_a_flow_log_tells_what_arrived_and_what_did_not(world: World) -> None:
    logs = world.jar.client("logs")
    world.account.ec2.create_flow_logs(
        ResourceIds=[world.vpc], ResourceType="VPC", TrafficType="ALL", LogGroupName="flows",
        DeliverLogsPermissionArn=_role(world.jar.client("iam")), MaxAggregationInterval=60,
    )  # fmt: skip

    def told() -> set[tuple[str, str, str, str]]:
        """(source, target, port, action) of the records so far; some packets, and another interval."""
        assert (world.knock(OPEN), world.knock(SHUT)) == ("open", "dropped")
        _advance(world.jar, 61)
        if not logs.describe_log_groups(logGroupNamePrefix="flows")["logGroups"]:
            return set()
        found = logs.filter_log_events(logGroupName="flows", logStreamNames=[f"{world.two.eni}-all"])["events"]
        rows = [event["message"].split() for event in found]
        return {(row[3], row[4], row[6], row[12]) for row in rows}

    ways = (world.one.private, world.two.private)
    wanted = {(*ways, str(OPEN), "ACCEPT"), (*ways, str(SHUT), "REJECT")}
    until(lambda: wanted <= told(), "the flow log to tell of both ports")
    assert (*ways, str(SHUT), "ACCEPT") not in told()
    shown = world.account.ec2.describe_flow_logs()["FlowLogs"][0]
    assert shown["DeliverLogsStatus"] == "SUCCESS"


def test_the_gateways_own_log_tells_what_it_carried_and_lost(world: World) -> None:
    logs, ec2 = world.jar.client("logs"), world.account.ec2
    role = ec2.describe_flow_logs()["FlowLogs"][0]["DeliverLogsPermissionArn"]
    ec2.create_flow_logs(
        ResourceIds=[world.gateway], ResourceType="TransitGateway", LogGroupName="hub", DeliverLogsPermissionArn=role,
        LogFormat="${srcaddr} ${dstaddr} ${dstport} ${flow-direction} ${packets-lost-blackhole}",
    )  # fmt: skip
    ways = (world.one.private, world.two.private, str(OPEN))

    def told() -> list[list[str]]:
        assert world.knock() == "open"
        _advance(world.jar, 61)
        if not logs.describe_log_groups(logGroupNamePrefix="hub")["logGroups"]:
            return []
        return [event["message"].split() for event in logs.filter_log_events(logGroupName="hub")["events"]]

    wanted = [[*ways, "ingress", "0"], [*ways, "egress", "0"]]
    until(lambda: all(line in told() for line in wanted), "the gateway's log to tell both ends")


FAR, INSIDE = "10.50.0.0/16", "169.254.6.0/29"


def _connect(world: World) -> tuple[str, str]:
    """A Connect attachment through the second machine's VPC and a tunnel to that machine; their ids."""
    ec2 = world.account.ec2
    ec2.modify_transit_gateway(
        TransitGatewayId=world.gateway, Options={"AddTransitGatewayCidrBlocks": ["10.99.0.0/24"]})  # fmt: skip
    until(lambda: ec2.describe_transit_gateways()["TransitGateways"][0]["State"] == "available", "the gateway")
    [transport] = [one for one in ec2.describe_transit_gateway_vpc_attachments()["TransitGatewayVpcAttachments"]
                   if one["VpcId"] == world.vpc]  # fmt: skip
    connect = ec2.create_transit_gateway_connect(
        TransportTransitGatewayAttachmentId=transport["TransitGatewayAttachmentId"], Options={"Protocol": "gre"}
    )["TransitGatewayConnect"]["TransitGatewayAttachmentId"]
    until(lambda: ec2.describe_transit_gateway_connects()["TransitGatewayConnects"][0]["State"] == "available",
          "the Connect attachment to be available")  # fmt: skip
    peer = ec2.create_transit_gateway_connect_peer(
        TransitGatewayAttachmentId=connect, PeerAddress=world.two.private, InsideCidrBlocks=[INSIDE],
        BgpOptions={"PeerAsn": 65001},
    )["TransitGatewayConnectPeer"]["TransitGatewayConnectPeerId"]  # fmt: skip
    [eni] = ec2.describe_network_interfaces(NetworkInterfaceIds=[world.two.eni])["NetworkInterfaces"]
    ec2.authorize_security_group_ingress(GroupId=eni["Groups"][0]["GroupId"], IpPermissions=[
        {"IpProtocol": "47", "IpRanges": [{"CidrIp": "10.99.0.0/24"}]}])  # fmt: skip
    for table, block in ((world.tables[1], "10.99.0.0/24"), (world.tables[0], FAR)):
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=block, TransitGatewayId=world.gateway)
    return connect, peer


def test_a_machine_tells_routes_through_a_tunnel_that_outlives_the_server(world: World, tmp_path: Path) -> None:
    ec2 = world.account.ec2
    connect, peer = _connect(world)
    folder = world.jar.home / "network" / "tunnels" / world.gateway
    there = world.jar.network.site.guest_namespace(world.two.id)
    router = Appliance(there, tmp_path / "router", own=world.two.private, gateway="10.99.0.1", inside=INSIDE,
                       asn=65001, gateway_asn=64512, tells=(FAR,))  # fmt: skip

    def known() -> list[tuple[str, str]]:
        found = ec2.search_transit_gateway_routes(
            TransitGatewayRouteTableId=world.table,
            Filters=[{"Name": "attachment.transit-gateway-attachment-id", "Values": [connect]}],
        )["Routes"]  # fmt: skip
        return [(one["DestinationCidrBlock"], one["Type"]) for one in found]

    def reached(wanted: str) -> None:
        until(lambda: world.wire.knock("10.50.0.1", OPEN, guest=world.one.id) == wanted, f"{FAR} to be {wanted}")

    try:
        router.start()
        until(lambda: known() == [(FAR, "propagated")], "the route to be known")
        reached("open")
        running = programs.below(folder)
        with world.wire.connect("10.50.0.1", OPEN, guest=world.one.id, wait=5) as line:
            world.jar.kill()
            world.jar.start()
            line.sendall(b"still here")
            assert programs.below(folder) == running
        reached("open")
        router.silence()
        until(lambda: known() == [], "the route to be withdrawn")
        reached("dropped")
    finally:
        router.close()
    ec2.delete_transit_gateway_connect_peer(TransitGatewayConnectPeerId=peer)
    until(lambda: not folder.exists(), "the tunnel's programs to end")
    assert programs.below(folder) == []
    ec2.delete_transit_gateway_connect(TransitGatewayAttachmentId=connect)
