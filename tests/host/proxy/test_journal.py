"""What a node writes down of its requests, over a change of the node and without anybody who listens."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.planes.proxy.haproxy import HaproxyNodes
from cloudjar.planes.proxy.port import Condition, FixedResponse, Rule, Target
from tests.host.network.conftest import Host, host
from tests.host.proxy import test_haproxy as listening
from tests.host.proxy.test_haproxy import proxies, pytestmark
from tests.host.proxy.web import Site, ask, until

__all__ = ["host", "proxies", "pytestmark"]


def test_requests_are_written_down_over_a_change_of_the_node(host: Host, proxies: HaproxyNodes) -> None:
    listening.laid(host)
    fixed = Rule(
        conditions=(Condition(field="path-pattern", values=("/fixed",)),),
        action=FixedResponse(status=418, body="", content_type="text/plain"),
    )
    with Site(host, "i-5", 8000):
        node = listening.node(host, Target(address=listening.WEB, port=8000), rules=(fixed,), logs=True)
        proxies.apply(node)
        until(lambda: ask(host, "", host.public(5), "/first?a=|").status == 200)
        proxies.apply(replace(node, idle_seconds=30))
        assert ask(host, "", host.public(5), "/fixed").status == 418
        until(lambda: any(one.status == 418 for one in proxies.requests("elb-1", {})[0]))
    found, end = proxies.requests("elb-1", {})
    first = next(one for one in found if one.status == 200)
    assert first.line == f"GET http://{host.public(5)}:80/first?a=| HTTP/1.1"
    assert first.client.partition(":")[0] == host.net.host_address
    assert (first.target, first.group, first.rule) == (f"{listening.WEB}:8000", "web", 1)
    assert first.answered >= 0
    assert first.trace.startswith("Root=1-")
    last = found[-1]
    assert (last.status, last.target, last.answered, last.rule, last.group) == (418, "", -1, 0, "80")
    assert proxies.requests("elb-1", end) == ([], end)
