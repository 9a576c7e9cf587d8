"""EC2 Instance Connect Endpoints, and tunnels through them: who may, where to, for how long."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from cloudjar.auth.presign import Credentials, presign
from cloudjar.wire import websocket
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import (
    NOWHERE,
    code,
    interface_of,
    launch,
    make_group,
    make_subnet,
    make_vpc,
    only,
    refused,
)
from tests.services.iam.people import Person, allow, user
from tests.services.ssm.agent_client import MASK, Refused, connected

STEADY = pytest.mark.parametrize("jar", ["steady"], indirect=True)
ROOT = Credentials("test", "test")


class Place:
    """A VPC with a machine that lets SSH in from the endpoint's group."""

    def __init__(self, jar: TestJar, ec2: Any, **more: Any) -> None:
        self.jar, self.ec2 = jar, ec2
        self.vpc = make_vpc(ec2)
        self.subnet = make_subnet(ec2, self.vpc)
        self.door, self.inner = make_group(ec2, self.vpc, "door"), make_group(ec2, self.vpc, "inner")
        pairs = [{"GroupId": self.door}]
        self.rule = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": pairs}]
        ec2.authorize_security_group_ingress(GroupId=self.inner, IpPermissions=self.rule)
        eni = interface_of(ec2, launch(ec2, SubnetId=self.subnet, SecurityGroupIds=[self.inner]))
        self.ip = str(eni["PrivateIpAddress"])
        made = ec2.create_instance_connect_endpoint(SubnetId=self.subnet, SecurityGroupIds=[self.door], **more)
        self.made = made["InstanceConnectEndpoint"]
        self.id = str(self.made["InstanceConnectEndpointId"])
        jar.settle()

    def show(self) -> dict[str, Any]:
        [found] = self.ec2.describe_instance_connect_endpoints(InstanceConnectEndpointIds=[self.id])[
            "InstanceConnectEndpoints"]  # fmt: skip
        one: dict[str, Any] = found
        return one

    def url(self, who: Credentials = ROOT, **changed: Any) -> str:
        """What `aws ec2-instance-connect open-tunnel` asks for."""
        asked = {"instanceConnectEndpointId": self.id, "remotePort": 22, "privateIpAddress": self.ip, **changed}
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        base = f"{self.jar.endpoint}/openTunnel?{query}"
        now = datetime.now(UTC)
        return presign("GET", base, who, "eu-west-3", "ec2-instance-connect", now, expires=60).replace("http", "ws", 1)

    def open(self, who: Credentials = ROOT, **changed: Any) -> Tunnel:
        return Tunnel(connected(self.url(who, **changed)))

    def listen(self, port: int = 22) -> None:
        """Somebody at the machine who says hello, and then everything that he hears."""
        def take(s: socket.socket) -> None:
            threading.Thread(target=_parrot, args=(s,), daemon=True).start()

        self.jar.network.answer(self.ip, port, take)


def _parrot(s: socket.socket) -> None:
    with s:
        s.sendall(b"hello ")
        while data := s.recv(1024):
            s.sendall(data)


class Tunnel:
    """The client's end."""

    def __init__(self, wire: socket.socket) -> None:
        self.wire, self._reader = wire, websocket.Reader(masked=False)
        self.heard, self.closed = b"", (0, "")

    def say(self, data: bytes, kind: int = websocket.BINARY) -> None:
        self.wire.sendall(websocket.frame(kind, data, MASK))

    def until(self, wanted: bytes) -> None:
        while wanted not in self.heard and not self.closed[0]:
            self._more()
        assert wanted in self.heard, self.closed

    def end(self) -> tuple[int, str]:
        """How it is closed."""
        while not self.closed[0]:
            self._more()
        self.wire.close()
        return self.closed

    def _more(self) -> None:
        data = self.wire.recv(65536)
        for kind, payload in self._reader.feed(data):
            if kind == websocket.BINARY:
                self.heard += payload
            elif kind == websocket.CLOSE:
                self.closed = (int.from_bytes(payload[:2], "big"), payload[2:].decode())
        if not data and not self.closed[0]:
            self.closed = (1006, "")


def keys(person: Person) -> Credentials:
    return Credentials(person.key, person.secret)


def test_an_endpoint_has_an_interface_and_groups(jar: TestJar, ec2: Any) -> None:
    place = Place(jar, ec2, TagSpecifications=[
        {"ResourceType": "instance-connect-endpoint", "Tags": [{"Key": "team", "Value": "ops"}]}])  # fmt: skip
    assert (place.made["State"], place.made["PreserveClientIp"]) == ("create-in-progress", False)
    shown = place.show()
    assert (shown["State"], shown["VpcId"], shown["Tags"]) == (
        "create-complete", place.vpc, [{"Key": "team", "Value": "ops"}])  # fmt: skip
    assert shown["DnsName"].endswith(".ec2-instance-connect-endpoint.eu-west-3.amazonaws.com")
    [eni] = ec2.describe_network_interfaces(NetworkInterfaceIds=shown["NetworkInterfaceIds"])["NetworkInterfaces"]
    assert (eni["InterfaceType"], eni["RequesterManaged"], eni["Groups"][0]["GroupId"]) == (
        "ec2_instance_connect_endpoint", True, place.door)  # fmt: skip
    create = ec2.create_instance_connect_endpoint
    assert code(create, SubnetId=place.subnet) == "InstanceConnectEndpointLimitExceeded"
    assert code(create, SubnetId=f"subnet-{NOWHERE}") == "InvalidSubnetID.NotFound"
    assert code(create, SubnetId=place.subnet, PreserveClientIp=True) == "UnsupportedOperation"
    ec2.modify_instance_connect_endpoint(InstanceConnectEndpointId=place.id, SecurityGroupIds=[place.inner])
    jar.settle()
    assert (place.show()["State"], place.show()["SecurityGroupIds"]) == ("update-complete", [place.inner])
    assert ec2.describe_instance_connect_endpoints(Filters=only(vpc_id=f"vpc-{NOWHERE}"))[
        "InstanceConnectEndpoints"] == []  # fmt: skip
    assert code(ec2.delete_subnet, SubnetId=place.subnet) == "DependencyViolation"
    gone = ec2.delete_instance_connect_endpoint(InstanceConnectEndpointId=place.id)["InstanceConnectEndpoint"]
    assert gone["State"] == "delete-in-progress"
    jar.settle()
    assert refused(ec2.delete_instance_connect_endpoint, InstanceConnectEndpointId=place.id) == (
        "InvalidInstanceConnectEndpointId.NotFound", f"The instance connect endpoint ID '{place.id}' does not exist",
    )  # fmt: skip
    assert code(ec2.delete_instance_connect_endpoint, InstanceConnectEndpointId="x") == (
        "InvalidInstanceConnectEndpointId.Malformed")  # fmt: skip


@STEADY
def test_a_tunnel_carries_what_both_sides_say(jar: TestJar, ec2: Any) -> None:
    place = Place(jar, ec2)
    place.listen()
    tunnel = place.open()
    tunnel.until(b"hello ")
    tunnel.say(b"a" * 70_000)
    tunnel.until(b"a" * 70_000)
    tunnel.say(b"words", websocket.TEXT)
    assert tunnel.end() == (1008, "Tunnels carry binary messages.")
    other = place.open()
    other.until(b"hello ")
    ec2.delete_instance_connect_endpoint(InstanceConnectEndpointId=place.id)
    jar.settle()
    assert other.end()[0] == 1000
    with pytest.raises(Refused, match="404"):
        place.open()


@STEADY
def test_groups_and_listeners_decide_where_it_leads(jar: TestJar, ec2: Any) -> None:
    place = Place(jar, ec2)
    assert place.open().end() == (
        1011, f"Unable to connect to target. The connection to {place.ip}:22 was refused.")  # fmt: skip
    place.listen()
    place.listen(3389)
    assert "not answered" in place.open(remotePort=3389).end()[1]  # the machine's group
    ec2.revoke_security_group_ingress(GroupId=place.inner, IpPermissions=place.rule)
    jar.settle()
    assert "not answered" in place.open().end()[1]


@STEADY
def test_it_lasts_as_long_as_was_asked(jar: TestJar, ec2: Any) -> None:
    place = Place(jar, ec2)
    place.listen()
    tunnel = place.open(maxTunnelDuration=1)
    tunnel.until(b"hello ")
    assert tunnel.end()[0] == 1000


@STEADY
def test_what_a_tunnel_cannot_be_is_refused(jar: TestJar, ec2: Any) -> None:
    place = Place(jar, ec2)
    for wrong in ({"remotePort": 80}, {"remotePort": "x"}, {"privateIpAddress": "10.0.1"}, {"maxTunnelDuration": 0},
                  {"maxTunnelDuration": 3601}, {"instanceConnectEndpointId": "eice-1"}):  # fmt: skip
        with pytest.raises(Refused, match="400"):
            place.open(**wrong)
    with pytest.raises(Refused, match="404"):
        place.open(instanceConnectEndpointId=f"eice-{NOWHERE}")
    with pytest.raises(Refused, match="403"):
        place.open(Credentials("test", "wrong"))
    with pytest.raises(Refused, match="403"):
        connected(place.url().replace("remotePort=22", "remotePort=3389"))
    with pytest.raises(Refused, match="403"):
        connected(f"{jar.endpoint.replace('http', 'ws')}/openTunnel?instanceConnectEndpointId={place.id}")


@STEADY
def test_policies_say_which_port_and_address(jar: TestJar, ec2: Any) -> None:
    place = Place(jar, ec2)
    place.listen()
    arn = f"arn:aws:ec2:eu-west-3:{ACCOUNT}:instance-connect-endpoint/{place.id}"
    condition = {
        "NumericEquals": {"ec2-instance-connect:remotePort": "22"},
        "IpAddress": {"ec2-instance-connect:privateIpAddress": "10.0.1.0/24"},
        "NumericLessThanEquals": {"ec2-instance-connect:maxTunnelDuration": "600"},
    }
    ann = keys(user(jar, "ann", allow("ec2-instance-connect:OpenTunnel", on=arn, Condition=condition)))
    tunnel = place.open(ann, maxTunnelDuration=600)
    tunnel.until(b"hello ")
    tunnel.wire.close()
    for more in ({}, {"maxTunnelDuration": 600, "remotePort": 3389},
                 {"maxTunnelDuration": 600, "privateIpAddress": "10.0.2.4"}):  # fmt: skip
        with pytest.raises(Refused, match="403"):
            place.open(ann, **more)
    ben = keys(user(jar, "ben", allow("ec2:*")))
    with pytest.raises(Refused, match="403"):
        place.open(ben, maxTunnelDuration=600)
    trail = jar.client("cloudtrail")
    events = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "OpenTunnel"}])
    assert {(e["Username"], "AccessDenied" in e["CloudTrailEvent"]) for e in events["Events"]} == {
        ("ann", False), ("ann", True), ("ben", True)}  # fmt: skip
