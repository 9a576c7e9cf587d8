"""Relays of a network load balancer's node: real flows whose source the targets see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from cloudjar.planes.proxy.haproxy import HaproxyNodes
from cloudjar.planes.proxy.port import HealthCheck, Node, Relay, Target, TargetGroup, TargetHealth
from tests.host.network.conftest import Host, host
from tests.host.proxy.test_haproxy import proxies
from tests.host.proxy.web import until
from tests.planes.network.topology import allow, eni, group, vpc

__all__ = ["host", "proxies"]
pytestmark = pytest.mark.host

CHECK = HealthCheck(http=False, interval=1, timeout=1, rise=2, fall=2)
NODE, WEB, OTHER, CLIENT = "10.0.1.10", "10.0.2.5", "10.0.2.6", "10.0.2.9"


def laid(
    host: Host, *, admits: str = "0.0.0.0/0", unguarded: bool = False, ports: tuple[int, ...] = (80,)
) -> None:
    """The node in the public subnet; two targets and a client in the private one, which has no way out."""
    node = replace(eni(1, "subnet-public", NODE, "sg-lb", public=host.public(5), guest="elb-1"), relays=True,
                       unguarded=unguarded)  # fmt: skip
    host.net.apply(vpc(
        node, *(eni(n, "subnet-private", a, "sg-web") for n, a in ((5, WEB), (6, OTHER))),
        eni(9, "subnet-private", CLIENT),
        groups=(group("sg-lb", *(allow(p, n) for p in ("tcp", "udp") for n in ports)), group("sg-open"),
                group("sg-web", allow("tcp", 8000, admits), allow("udp", 8000, admits))),
    ))  # fmt: skip


def node(host: Host, *relays: Relay, targets: tuple[str, ...] = (WEB, OTHER), **more: object) -> Node:
    """A node whose relays lead to port 8000 of some addresses."""
    values = {"id": "web", "targets": tuple(Target(address=a, port=8000) for a in targets), "check": CHECK,
              "keeps_source": True, **more}  # fmt: skip
    return Node(id="elb-1", namespace=host.net.guest_path("elb-1"), groups=(TargetGroup(**values),),  # type: ignore[arg-type]  # of the struct
                relays=relays or (Relay(port=80, protocol="tcp_udp", group="web"),))  # fmt: skip


def healthy(proxies: HaproxyNodes, *targets: str) -> None:
    until(lambda: {k[1] for k, h in proxies.health("elb-1").items() if h.state == "healthy"}
          == {f"{t}:8000" for t in targets})  # fmt: skip


@pytest.fixture
def watched(proxies: HaproxyNodes) -> Iterator[HaproxyNodes]:
    proxies.watch(lambda _: None)
    yield proxies
    proxies.release()


def test_targets_see_the_client_wherever_it_is(host: Host, watched: HaproxyNodes) -> None:
    laid(host)
    host.listen("i-5", 8000)
    host.listen("i-6", 8000)
    watched.apply(node(host))
    healthy(watched, WEB, OTHER)
    assert host.seen_as("", host.public(5), 80) == host.net.host_address  # though the target has no way out
    assert host.seen_as("i-9", NODE, 80) == CLIENT  # though it is the target's neighbour
    before = watched.carried("elb-1")
    assert host.udp("", host.public(5), 80) == "open"
    after = watched.carried("elb-1")
    assert before is not None
    assert after is not None
    assert (after.born, after.received > before.received) == (before.born, True)
    assert host.udp("i-9", NODE, 80) == "open"
    assert host.tcp("i-9", NODE, 81) == "dropped"  # its own group
    assert host.tcp("i-9", WEB, 8001) == "dropped"


def test_groups_of_targets_see_clients_or_name_the_balancers_group(host: Host, watched: HaproxyNodes) -> None:
    laid(host, admits=f"{CLIENT}/32")
    host.listen("i-5", 8000)
    watched.apply(node(host, targets=(WEB,)))
    assert host.seen_as("i-9", NODE, 80) == CLIENT
    assert host.tcp("", host.public(5), 80) == "dropped"
    until(lambda: watched.health("elb-1").get(("web", f"{WEB}:8000")) == TargetHealth(state="unhealthy", why="timeout"))
    laid(host, admits="sg-lb")
    healthy(watched, WEB)
    assert host.seen_as("i-9", NODE, 80) == CLIENT
    assert host.seen_as("", host.public(5), 80) == host.net.host_address
    assert host.tcp("i-9", WEB, 8000) == "dropped"  # not by itself
    laid(host, unguarded=True)
    assert host.tcp("i-9", NODE, 81) == "refused"


def test_flows_go_to_targets_that_are_well_and_end_with_those_that_were(host: Host, watched: HaproxyNodes) -> None:
    laid(host)
    host.listen("i-5", 8000)
    watched.apply(node(host))
    healthy(watched, WEB)
    until(lambda: {host.tcp("", host.public(5), 80) for _ in range(20)} == {"open"})
    watched.apply(node(host, targets=(OTHER,)))
    until(lambda: watched.health("elb-1").get(("web", f"{OTHER}:8000")) == TargetHealth(
        state="unhealthy", why="refused"))  # fmt: skip
    assert host.tcp("", host.public(5), 80) == "refused"  # the target's own answer: nobody is well, so all are asked
    watched.apply(node(host, targets=()))
    assert host.tcp("", host.public(5), 80) == "refused"


def test_flows_end_with_a_target_that_is_gone_when_they_are_to(host: Host, watched: HaproxyNodes) -> None:
    laid(host)
    for guest in ("i-5", "i-6"):
        host.listen(guest, 8000)
    for ends in (False, True):
        watched.apply(node(host, targets=(WEB,), ends_gone=ends))
        with host.connect("", host.public(5), 80, wait=5) as flow:
            leaving = (Target(address=WEB, port=8000),)
            watched.apply(node(host, targets=(OTHER,), draining=leaving, ends_gone=ends))
            flow.sendall(b"?")
            assert flow.recv(64)
            watched.apply(node(host, targets=(OTHER,), ends_gone=ends))
            flow.sendall(b"?")
            if ends:
                with pytest.raises(ConnectionResetError):
                    flow.recv(64)
            else:
                assert flow.recv(64)


def test_a_relay_in_its_own_name_tells_the_client_in_the_proxy_protocol_only(
    host: Host, watched: HaproxyNodes
) -> None:
    laid(host, admits="sg-lb")
    host.listen("i-5", 8000)
    watched.apply(node(host, Relay(port=80, protocol="tcp", group="web"), targets=(WEB,), keeps_source=False))
    healthy(watched, WEB)
    assert host.seen_as("", host.public(5), 80) == NODE
    watched.apply(node(host, Relay(port=80, protocol="tcp", group="web"), targets=(WEB,), announces=True))
    assert host.tcp("", host.public(5), 80) == "open"


def test_another_process_takes_the_relays_over(host: Host, proxies: HaproxyNodes) -> None:
    laid(host)
    host.listen("i-5", 8000)
    proxies.apply(node(host, targets=(WEB,)))
    with host.connect("", host.public(5), 80) as flow:
        HaproxyNodes(proxies._folder).apply(node(host, targets=(WEB,)))
        flow.sendall(b"?")
        assert flow.recv(64).decode() == host.net.host_address
    assert host.seen_as("", host.public(5), 80) == host.net.host_address
