"""Private links: real connections of one VPC's guests to a load balancer's node in another with the same addresses."""

from __future__ import annotations

import socket

import pytest
from msgspec.structs import replace

from cloudjar.planes.network.port import Endpoint, PrivateLink, Rule, Vpc
from cloudjar.planes.proxy.haproxy import HaproxyNodes
from cloudjar.planes.proxy.port import HealthCheck, Node, Relay, Target, TargetGroup
from tests.host.network.conftest import Host, host
from tests.host.proxy.test_haproxy import proxies
from tests.host.proxy.web import until
from tests.planes.network.topology import allow, eni, group, vpc

__all__ = ["host", "proxies"]
pytestmark = pytest.mark.host

NODE, WEB, CLIENT, DOOR = "10.0.1.10", "10.0.2.5", "10.0.1.10", "10.0.2.20"
"""The client has the very address of the node."""
CLIENT_ENI, OTHER_ENI = f"eni-{42:017x}", f"eni-{41:017x}"
CHECK = HealthCheck(http=False, interval=1, timeout=1, rise=1, fall=2)


def provider(host: Host) -> Vpc:
    node = replace(eni(1, "subnet-public", NODE, "sg-lb", guest="elb-1"), relays=True)
    return vpc(node, eni(5, "subnet-private", WEB, "sg-web"),
               groups=(group("sg-lb"), group("sg-web", allow("tcp", 8000, f"{NODE}/32"))))  # fmt: skip


def consumer(host: Host, *, admits: tuple[Rule, ...] | None = None, node: str = "elb-1", n: int = 2) -> Vpc:
    """A client, and an endpoint that lets in what comes to port 80 and 81."""
    door = eni(20 * n, "subnet-private", DOOR, "sg-door", guest=f"eni-door{n}", index=1)
    other = eni(20 * n + 1, "subnet-private", "10.0.2.7", guest=f"i-other{n}")
    client = eni(20 * n + 2, "subnet-public", CLIENT, guest=f"i-client{n}")
    links = (PrivateLink(interface=door.id, node=node, admits=admits),) if node else ()
    made = vpc(door, client, other, name=f"vpc-{n}", gateway="",
               groups=(group("sg-open"), group("sg-door", allow("tcp", 80, to=81))))  # fmt: skip
    return replace(made, endpoints=(
        Endpoint(id=f"vpce-{n}", kind="service", interfaces=(door.id,), links=links),))  # fmt: skip


def node(host: Host, **more: object) -> Node:
    values = {"id": "web", "targets": (Target(address=WEB, port=8000),), "check": CHECK, "keeps_source": True, **more}
    return Node(id="elb-1", namespace=host.net.guest_path("elb-1"), groups=(TargetGroup(**values),),  # type: ignore[arg-type]  # of the struct
                relays=(Relay(port=80, protocol="tcp", group="web"),))  # fmt: skip


def serve(host: Host, proxies: HaproxyNodes) -> None:
    host.net.apply(provider(host))
    host.listen("i-5", 8000)
    proxies.apply(node(host))
    until(lambda: [h.state for h in proxies.health("elb-1").values()] == ["healthy"])
    proxies.apply(node(host))


def test_an_endpoint_leads_to_the_balancers_targets_whoever_has_the_same_addresses(
    host: Host, proxies: HaproxyNodes
) -> None:
    host.net.apply(consumer(host))  # before there is anything to lead to
    assert host.tcp("i-client2", DOOR, 80) == "dropped"
    serve(host, proxies)
    assert host.seen_as("i-client2", DOOR, 80) == NODE
    host.net.apply(consumer(host, n=3))  # the same addresses once more
    with host.connect("i-client2", DOOR, 80, (CLIENT, 40000)) as one, \
            host.connect("i-client3", DOOR, 80, (CLIENT, 40000)) as other:  # fmt: skip
        for flow in (one, other):
            flow.sendall(b"?")
            assert flow.recv(64).decode() == NODE
        passed = host.net.door_traffic("eni-door2")
        assert passed is not None
        assert (passed.accepted, passed.open) == (2, 1)  # somebody was here before
    assert host.tcp("i-client2", DOOR, 81) == "refused"  # the node has no such port
    assert host.tcp("i-client2", DOOR, 82) == "dropped"  # the endpoint's group
    assert host.udp("i-client2", DOOR, 80) == "dropped"
    assert host.net.reachable(CLIENT_ENI, DOOR, "tcp", 80) == "open"
    assert host.net.reachable(CLIENT_ENI, DOOR, "udp", 80) == "dropped"
    counted = host.net.carried("eni-door2")
    assert counted is not None
    assert counted.amounts["processed"] > 0
    host.net.apply(consumer(host, node=""))
    assert host.tcp("i-client2", DOOR, 80) == "dropped"
    assert host.net.reachable(CLIENT_ENI, DOOR, "tcp", 80) == "dropped"
    assert host.seen_as("i-client3", DOOR, 80) == NODE
    host.net.remove("vpc-1")
    assert host.tcp("i-client3", DOOR, 80) == "dropped"


def test_the_nodes_groups_decide_about_the_clients_own_addresses(host: Host, proxies: HaproxyNodes) -> None:
    serve(host, proxies)
    host.net.apply(consumer(host, admits=(allow("tcp", 80, f"{CLIENT}/32"),)))
    assert host.tcp("i-client2", DOOR, 80) == "open"
    assert host.tcp("i-client2", DOOR, 81) == "dropped"
    assert host.tcp("i-other2", DOOR, 80) == "dropped"
    assert host.net.reachable(OTHER_ENI, DOOR, "tcp", 80) == "dropped"
    host.net.apply(consumer(host, admits=()))
    assert host.tcp("i-client2", DOOR, 80) == "dropped"
    host.net.apply(consumer(host))
    assert host.tcp("i-other2", DOOR, 80) == "open"


def test_the_proxy_protocol_tells_who_came_by_a_link(host: Host, proxies: HaproxyNodes) -> None:
    host.net.apply(provider(host))
    host.net.apply(consumer(host))
    listener = host.socket("i-5")
    listener.bind(("0.0.0.0", 8000))
    listener.listen(16)
    proxies.apply(node(host, announces=True, check=None))
    with host.connect("i-client2", DOOR, 80, wait=5) as flow:
        local = flow.getsockname()
        flow.sendall(b"words")
        listener.settimeout(5)
        heard, peer = listener.accept()
        with heard:
            heard.settimeout(5)
            said = heard.recv(256)
    listener.close()
    assert peer[0] == NODE
    assert said[:12] == b"\r\n\r\n\x00\r\nQUIT\n"
    assert socket.inet_ntoa(said[16:20]) == CLIENT == local[0]
    assert int.from_bytes(said[24:26], "big") == local[1]


def test_another_process_takes_the_links_over(host: Host, proxies: HaproxyNodes) -> None:
    serve(host, proxies)
    host.net.apply(consumer(host))
    with host.connect("i-client2", DOOR, 80) as flow:
        host.net.release()
        again = Host(host.state, tag=host.tag, pool=host.pool)
        again.net.apply(consumer(again))
        again.net.apply(provider(again))
        flow.sendall(b"?")
        assert flow.recv(64).decode() == NODE
        assert again.seen_as("i-client2", DOOR, 80) == NODE
        again.net.apply(consumer(again, node=""))
        assert again.tcp("i-client2", DOOR, 80) == "dropped"
        again.close()
