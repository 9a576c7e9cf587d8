"""What nodes count: requests by HAProxy, flows by the kernel; what a process counted is not lost with it."""

from __future__ import annotations

from cloudjar.planes.proxy.haproxy import HaproxyNodes
from cloudjar.planes.proxy.port import Relay, Target
from tests.host.network.conftest import Host, host
from tests.host.proxy import test_haproxy as listening
from tests.host.proxy import test_relays as relaying
from tests.host.proxy.test_haproxy import proxies, pytestmark
from tests.host.proxy.web import Site, ask, until

__all__ = ["host", "proxies", "pytestmark"]


def amounts(proxies: HaproxyNodes) -> dict[str, int]:
    """All that a node's processes have counted."""
    found: dict[str, int] = {}
    for one in proxies.counted("elb-1"):
        for name, count in one.amounts.items():
            found[name] = found.get(name, 0) + count
    return found


def test_requests_are_counted_over_a_change_of_the_node(host: Host, proxies: HaproxyNodes) -> None:
    busy: list[str] = []
    listening.laid(host)
    assert proxies.counted("elb-1") == ()
    with Site(host, "i-5", 8000), Site(host, "i-6", 8000, status=404):
        targets = Target(address=listening.WEB, port=8000), Target(address="10.0.2.6", port=8000)
        proxies.apply(listening.node(host, targets[0]))
        until(lambda: ask(host, "", host.public(5), "/").status == 200)
        before = amounts(proxies)
        proxies.watch(lambda _: None, busy.append)
        for _ in range(3):
            assert ask(host, "", host.public(5), "/").status == 200
        until(lambda: busy == ["elb-1"])
        proxies.apply(listening.node(host, targets[1]))
        assert ask(host, "", host.public(5), "/").status == 404
        after = amounts(proxies)
        proxies.release()
    assert [after[name] - before[name] for name in ("requests web", "2xx web", "4xx web", "2xx", "4xx")] == [
        4, 3, 1, 3, 1,
    ]  # fmt: skip
    assert after["connections"] - before["connections"] == 4
    assert after["bytes"] - before["bytes"] > 400
    newest = proxies.counted("elb-1")[-1]
    assert (len({one.born for one in proxies.counted("elb-1")}), newest.amounts["requests web"]) == (2, 1)


def test_what_a_node_answers_itself_is_no_target_s(host: Host, proxies: HaproxyNodes) -> None:
    listening.laid(host)
    proxies.apply(listening.node(host))
    assert ask(host, "", host.public(5)).status == 503
    found = amounts(proxies)
    assert (found["5xx"], found["connections"], "requests web" in found) == (1, 1, False)


def test_flows_are_counted_once_each(host: Host, proxies: HaproxyNodes) -> None:
    relaying.laid(host)
    host.listen("i-5", 8000)
    proxies.apply(relaying.node(host, targets=(relaying.WEB,)))
    with host.connect("", host.public(5), 80) as flow:
        flow.sendall(b"?" * 1000)
        assert flow.recv(64)
        assert host.udp("", host.public(5), 80) == "open"
        until(lambda: proxies.counted("elb-1")[-1].active in (2, None))
        found = amounts(proxies)
        assert (found["tcp"], found["udp"], found["tls"]) == (1, 1, 0)
        assert found["bytes"] > 1000 < 1000 * found["packets"]
        relays = (Relay(port=80, protocol="tcp_udp", group="web"), Relay(port=81, protocol="tcp", group="web"))
        proxies.apply(relaying.node(host, *relays, targets=(relaying.WEB,)))
        flow.sendall(b"?")
        assert flow.recv(64)
        assert amounts(proxies)["tcp"] == 1
