"""What EC2's API says about a network, asked of the network with real packets.

Nothing is simulated between the call and the packet, and only what a test changes is different before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from tests.host.jar.account import WORLD, Account, Machine
from tests.host.jar.packets import Wire
from tests.host.jar.served import RealJar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]

LISTENED, CLOSED = 8000, 8001
"""Ports of every machine: somebody listens on the first, nobody on the second."""


class World(NamedTuple):
    """10.0.0.0/16 with a public subnet (front and its neighbour) and another subnet (back, without public address)."""

    jar: RealJar
    wire: Wire
    account: Account
    vpc: str
    igw: str
    public: str
    private: str
    front_group: str
    back_group: str
    front: Machine
    neighbour: Machine
    back: Machine

    def becomes(self, verdict: str, address: str, port: int = LISTENED, guest: str = "", source: str = "") -> None:
        """An answered change takes effect a moment later, as on AWS."""

        def same() -> bool:
            return self.wire.knock(address, port, guest, source) == verdict

        until(same, f"{guest or 'the host'} -> {address}:{port} to be {verdict}", every=0.05)


@pytest.fixture(scope="module")
def world(real: RealJar, wire: Wire) -> World:
    account = Account(real)
    vpc = account.vpc()
    public, private = account.subnet(vpc, public=True), account.subnet(vpc, "10.0.2.0/24")
    igw = account.gateway(vpc)
    front_group = account.group(vpc, "front", LISTENED, CLOSED)
    back_group = account.group(vpc, "back", LISTENED, peer=front_group)
    (front, neighbour), (back,) = account.launch(public, front_group, count=2), account.launch(private, back_group)
    machines = [account.reach(machine, "running") for machine in (front, neighbour, back)]
    for machine in machines:
        wire.listen(machine.id, LISTENED)
    return World(real, wire, account, vpc, igw, public, private, front_group, back_group, *machines)


def test_a_blocked_port_times_out_and_a_closed_one_refuses(world: World) -> None:
    world.becomes("open", world.front.public)
    assert world.wire.knock(world.front.public, CLOSED) == "refused"
    assert world.wire.knock(world.front.public, 8002) == "dropped"


def test_authorize_opens_and_revoke_closes_for_new_connections(world: World) -> None:
    front = world.front.public
    world.wire.listen(world.front.id, 9000)
    assert world.wire.knock(front, 9000) == "dropped"
    world.account.authorize(world.front_group, 9000)
    world.becomes("open", front, 9000)
    with world.wire.connect(front, 9000) as established:
        world.account.revoke(world.front_group, 9000)
        world.becomes("dropped", front, 9000)
        established.sendall(b"a tracked connection goes on")


def test_a_group_admits_the_members_of_another(world: World) -> None:
    world.becomes("open", world.back.private, guest=world.front.id)
    assert world.wire.knock(world.back.private, CLOSED, world.front.id) == "dropped"
    outsider = world.account.group(world.vpc, "outsider")
    world.account.ec2.modify_instance_attribute(InstanceId=world.neighbour.id, Groups=[outsider])
    world.becomes("dropped", world.back.private, guest=world.neighbour.id)
    world.account.ec2.modify_instance_attribute(InstanceId=world.neighbour.id, Groups=[world.front_group])
    world.becomes("open", world.back.private, guest=world.neighbour.id)


def test_a_group_means_private_addresses_only(world: World) -> None:
    """What goes out to the Internet and comes back is not a member of anything."""
    account = world.account
    account.revoke(world.front_group, LISTENED)
    account.authorize(world.front_group, LISTENED, peer=world.front_group)
    world.becomes("dropped", world.front.public)
    world.becomes("open", world.front.private, guest=world.neighbour.id)
    assert world.wire.knock(world.front.public, LISTENED, world.neighbour.id) == "dropped"
    account.revoke(world.front_group, LISTENED, peer=world.front_group)
    account.authorize(world.front_group, LISTENED)
    world.becomes("open", world.front.public)
    world.becomes("open", world.front.public, guest=world.neighbour.id)


def test_without_a_public_address_only_the_vpc_reaches_it(world: World) -> None:
    """Nor when a stranger hands the gateway a packet for the private address."""
    assert world.back.public == ""
    stranger = world.jar.network.host_address
    with world.wire.way(f"{world.back.private}/32", via=world.front.public):
        assert world.wire.knock(world.back.private, LISTENED, source=stranger) == "dropped"
    with world.wire.way(f"{world.front.private}/32", via=world.front.public):
        assert world.wire.knock(world.front.private, LISTENED, source=stranger) == "dropped"
        assert world.wire.knock(world.front.public, LISTENED, source=stranger) == "open"
    assert world.wire.knock(world.back.private, LISTENED, world.front.id) == "open"


def test_without_a_route_to_the_gateway_a_public_address_is_of_no_use(world: World) -> None:
    ec2, table = world.account.ec2, world.account.main_table(world.vpc)
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock=WORLD)
    world.becomes("dropped", world.front.public)
    assert world.wire.knock(world.front.private, LISTENED, world.neighbour.id) == "open"
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=WORLD, GatewayId=world.igw)
    world.becomes("open", world.front.public)


@pytest.fixture
def acl(world: World) -> Iterator[Callable[..., None]]:
    """A network ACL that lets everything through, on the public subnet; the function adds a denial before that."""
    ec2 = world.account.ec2
    made = ec2.create_network_acl(VpcId=world.vpc)["NetworkAcl"]["NetworkAclId"]

    def entry(number: int, action: str, egress: bool, **more: Any) -> None:
        ec2.create_network_acl_entry(
            **{"NetworkAclId": made, "RuleNumber": number, "Protocol": "-1", "RuleAction": action, "Egress": egress,
               "CidrBlock": WORLD, **more}
        )  # fmt: skip

    entry(100, "allow", False)
    entry(100, "allow", True)
    wanted = [{"Name": "association.subnet-id", "Values": [world.public]}]
    (before,) = ec2.describe_network_acls(Filters=wanted)["NetworkAcls"]
    (here,) = [a for a in before["Associations"] if a["SubnetId"] == world.public]
    moved = ec2.replace_network_acl_association(AssociationId=here["NetworkAclAssociationId"], NetworkAclId=made)
    yield entry
    ec2.replace_network_acl_association(AssociationId=moved["NewAssociationId"], NetworkAclId=before["NetworkAclId"])
    ec2.delete_network_acl(NetworkAclId=made)
    world.becomes("open", world.front.public)


def test_a_network_acl_denies_before_any_group_is_asked(world: World, acl: Callable[..., None]) -> None:
    world.becomes("open", world.front.public)
    ports = {"Protocol": "6", "PortRange": {"From": LISTENED, "To": LISTENED}}
    acl(50, "deny", False, **ports)
    world.becomes("dropped", world.front.public)
    assert world.wire.knock(world.front.public, CLOSED) == "refused"
    assert world.wire.knock(world.front.private, LISTENED, world.neighbour.id) == "open"  # not within a subnet


def test_a_network_acl_is_stateless(world: World, acl: Callable[..., None]) -> None:
    """Answers leave from the listened port to an ephemeral one: without those, nothing works."""
    world.becomes("open", world.front.public)
    acl(50, "deny", True, Protocol="6", PortRange={"From": 1024, "To": 65535})
    world.becomes("dropped", world.front.public)


def test_two_vpcs_with_the_same_block_do_not_see_each_other(world: World) -> None:
    account = world.account
    vpc = account.vpc()
    subnet = account.subnet(vpc, public=True)
    account.gateway(vpc)
    group = account.group(vpc, "twin", LISTENED)
    twin = account.run(subnet, group)
    world.wire.listen(twin.id, LISTENED)
    world.becomes("open", twin.public)
    if twin.private in (world.front.private, world.neighbour.private):
        twin_sees = next(a for a in (world.front.private, world.neighbour.private) if a != twin.private)
    else:
        twin_sees = world.front.private
    assert world.wire.knock(twin_sees, LISTENED, twin.id) == "dropped"
    assert world.wire.knock(world.back.private, LISTENED, twin.id) == "dropped"
    world.becomes("open", world.front.public, guest=twin.id)  # over the Internet, as strangers


def test_another_account_is_another_world(world: World) -> None:
    """A 12-digit key id is the root user of that account."""
    other = Account(world.jar, "111122223333", "test")
    assert other.ec2.describe_instances()["Reservations"] == []
    assert {vpc["IsDefault"] for vpc in other.ec2.describe_vpcs()["Vpcs"]} == {True}
    with pytest.raises(other.ec2.exceptions.ClientError, match=r"InvalidInstanceID\.NotFound"):
        other.ec2.terminate_instances(InstanceIds=[world.front.id])
    vpc = other.vpc()
    theirs = other.run(other.subnet(vpc, public=True), other.group(vpc, "theirs", LISTENED))
    world.wire.listen(theirs.id, LISTENED)
    assert world.wire.knock(theirs.public, LISTENED) == "dropped"  # no gateway
    other.gateway(vpc)
    world.becomes("open", theirs.public)
    assert world.wire.knock(world.back.private, LISTENED, theirs.id) == "dropped"
    assert all(
        vm["InstanceId"] != theirs.id
        for found in world.account.ec2.describe_instances()["Reservations"]
        for vm in found["Instances"]
    )


def test_an_elastic_ip_takes_its_reachability_along(world: World) -> None:
    ec2 = world.account.ec2
    elastic = ec2.allocate_address(Domain="vpc")
    address = elastic["PublicIp"]
    assert world.wire.knock(address, LISTENED) == "dropped"
    ec2.associate_address(AllocationId=elastic["AllocationId"], InstanceId=world.neighbour.id)
    world.becomes("open", address)
    assert world.wire.knock(world.neighbour.public, LISTENED) == "dropped"  # the lent one was given back
    moved = ec2.associate_address(
        AllocationId=elastic["AllocationId"], InstanceId=world.front.id, AllowReassociation=True
    )
    closed = {"IpProtocol": "tcp", "FromPort": 9100, "ToPort": 9100, "IpRanges": [{"CidrIp": WORLD}]}
    ec2.authorize_security_group_ingress(GroupId=world.front_group, IpPermissions=[closed])
    world.wire.listen(world.front.id, 9100)
    world.becomes("open", address, 9100)  # the front listens there, the neighbour does not
    ec2.disassociate_address(AssociationId=moved["AssociationId"])
    world.becomes("dropped", address)
    ec2.release_address(AllocationId=elastic["AllocationId"])


def test_a_router_must_say_that_it_is_one(world: World) -> None:
    """Traffic for others reaches an instance only when its source/destination check is off."""
    account, ec2 = world.account, world.account.ec2
    table = ec2.create_route_table(VpcId=world.vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=world.private)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="172.31.9.0/24", InstanceId=world.front.id)
    account.ec2.authorize_security_group_ingress(
        GroupId=world.front_group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.2.0/24"}]}]
    )
    # The "appliance": an address of nobody's VPC on the front's loopback.
    world.jar.inside(world.front.id, "ip addr add 172.31.9.9/32 dev lo")
    assert world.wire.knock("172.31.9.9", LISTENED, world.back.id) == "dropped"
    ec2.modify_instance_attribute(InstanceId=world.front.id, SourceDestCheck={"Value": False})
    world.becomes("open", "172.31.9.9", guest=world.back.id)
    ec2.modify_instance_attribute(InstanceId=world.front.id, SourceDestCheck={"Value": True})
    world.becomes("dropped", "172.31.9.9", guest=world.back.id)


def test_private_names_resolve_inside(world: World) -> None:
    name = world.account.show(world.neighbour.id)["PrivateDnsName"]
    answer = world.jar.inside(world.front.id, f"getent ahostsv4 {name}")
    assert answer.split()[0] == world.neighbour.private
    assert world.jar.inside(world.front.id, f"getent ahostsv4 {name.partition('.')[0]}").split()[0] == answer.split()[0]


def test_an_interface_attached_while_running_appears_as_eth1(world: World) -> None:
    ec2 = world.account.ec2
    group = world.account.group(world.vpc, "second", LISTENED)
    eni = ec2.create_network_interface(SubnetId=world.private, Groups=[group])["NetworkInterface"]
    key, address = eni["NetworkInterfaceId"], eni["PrivateIpAddress"]
    attached = ec2.attach_network_interface(NetworkInterfaceId=key, InstanceId=world.neighbour.id, DeviceIndex=1)
    inside = "ip -o addr show eth1 2>/dev/null || :"
    until(lambda: address in world.jar.inside(world.neighbour.id, inside), "eth1 to appear")
    assert eni["MacAddress"] in world.jar.inside(world.neighbour.id, "cat /sys/class/net/eth1/address")
    # From its own subnet: the guest would answer others through eth0, which may not speak for this address.
    world.becomes("open", address, guest=world.back.id)
    assert world.wire.knock(address, CLOSED, world.back.id) == "dropped"  # its own groups, not eth0's
    ec2.detach_network_interface(AttachmentId=attached["AttachmentId"])
    until(lambda: "eth1" not in world.jar.inside(world.neighbour.id, inside), "eth1 to go")
    assert world.wire.knock(address, LISTENED, world.back.id) == "dropped"
    assert world.wire.knock(world.neighbour.private, LISTENED, world.front.id) == "open"
