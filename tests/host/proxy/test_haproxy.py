"""A load balancer's node on the host: a real proxy behind an ENI of a VPC, and real targets behind it."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.proxy import processes
from cloudjar.planes.proxy.haproxy import HaproxyNodes
from cloudjar.planes.proxy.port import (
    Condition,
    FixedResponse,
    Forward,
    HealthCheck,
    Listener,
    Node,
    Redirect,
    Rule,
    Target,
    TargetGroup,
    TargetHealth,
)
from tests.host.network.conftest import Host, host
from tests.host.proxy.web import Site, ask, until
from tests.planes.network.topology import allow, eni, group, vpc

__all__ = ["host"]
pytestmark = pytest.mark.host

CHECK = HealthCheck(interval=1, timeout=1, rise=2, fall=2)
NODE, WEB = "10.0.1.10", "10.0.2.5"


@pytest.fixture
def proxies() -> Iterator[HaproxyNodes]:
    """A driver whose every process and file is gone when the test ends."""
    folder = Path(tempfile.mkdtemp(prefix="cjp-", dir="/var/tmp"))
    made = HaproxyNodes(folder)
    yield made
    for node in made.nodes():
        made.remove(node)
    left = processes.below(folder)
    shutil.rmtree(folder)
    assert left == []


def laid(host: Host, *, web_admits: str = "sg-lb") -> None:
    """The node ``elb-1`` in the public subnet, a web server ``i-5`` in the private one that admits the node's group."""
    host.net.apply(vpc(
        eni(1, "subnet-public", NODE, "sg-lb", public=host.public(5), guest="elb-1"),
        eni(5, "subnet-private", WEB, "sg-web"), eni(6, "subnet-private", "10.0.2.6", "sg-web"),
        groups=(group("sg-lb", allow("tcp", 80)), group("sg-web", allow("tcp", 8000, web_admits))),
    ))


def node(host: Host, *targets: Target, rules: tuple[Rule, ...] = (), **more: object) -> Node:
    """A node with one listener that forwards to `targets`."""
    values = {
        "id": "elb-1", "namespace": host.net.guest_path("elb-1"),
        "listeners": (Listener(port=80, rules=(*rules, Rule(action=Forward(groups=(("web", 1),))))),),
        "groups": (TargetGroup(id="web", targets=targets, check=CHECK),), **more,
    }
    return Node(**values)  # type: ignore[arg-type]  # the values are those of the struct


def test_a_node_answers_at_its_public_address_and_reaches_a_target(host: Host, proxies: HaproxyNodes) -> None:
    laid(host)
    with Site(host, "i-5", 8000) as web:
        proxies.apply(node(host, Target(address=WEB, port=8000)))
        until(lambda: proxies.health("elb-1") == {("web", f"{WEB}:8000"): TargetHealth(state="healthy")})
        answer = ask(host, "", host.public(5), "/hello?x=1")
    assert (answer.status, answer.body) == (200, "GET /hello?x=1")
    seen = web.requests[-1]
    assert seen.source == NODE  # what the target's group admitted
    assert seen.headers["x-forwarded-for"] == host.net.host_address
    assert seen.headers["x-forwarded-proto"] == "http"
    assert seen.headers["x-forwarded-port"] == "80"
    assert seen.headers["x-amzn-trace-id"].startswith("Root=1-")
    assert any(r.headers["user-agent"] == "ELB-HealthChecker/2.0" and r.headers["host"] == f"{WEB}:8000"
               for r in web.requests)  # fmt: skip


def test_the_targets_group_decides_about_the_node(host: Host, proxies: HaproxyNodes) -> None:
    laid(host, web_admits="sg-web")
    with Site(host, "i-5", 8000) as web:
        proxies.apply(node(host, Target(address=WEB, port=8000)))
        key = ("web", f"{WEB}:8000")
        until(lambda: proxies.health("elb-1").get(key) == TargetHealth(state="unhealthy", why="timeout"))
        assert web.requests == []
        laid(host)
        until(lambda: proxies.health("elb-1").get(key) == TargetHealth(state="healthy"))


def test_nobody_to_ask_is_503_and_a_refused_connection_502(host: Host, proxies: HaproxyNodes) -> None:
    laid(host)
    proxies.apply(node(host))
    answer = ask(host, "", host.public(5))
    assert (answer.status, answer.headers["server"]) == (503, "awselb/2.0")
    assert "<h1>503 Service Temporarily Unavailable</h1>" in answer.body
    proxies.apply(node(host, Target(address=WEB, port=8000)))  # nobody listens; all are down, so all are tried
    until(lambda: proxies.health("elb-1").get(("web", f"{WEB}:8000")) == TargetHealth(state="unhealthy", why="refused"))
    answer = ask(host, "", host.public(5))
    assert (answer.status, answer.headers["server"]) == (502, "awselb/2.0")
    assert "<h1>502 Bad Gateway</h1>" in answer.body


def test_a_target_that_says_nothing_is_504(host: Host, proxies: HaproxyNodes) -> None:
    laid(host)
    with Site(host, "i-5", 8000, silent="/slow"):
        proxies.apply(node(host, Target(address=WEB, port=8000), idle_seconds=1))
        until(lambda: ask(host, "", host.public(5), "/").status == 200)
        answer = ask(host, "", host.public(5), "/slow")
    assert (answer.status, answer.headers["server"]) == (504, "awselb/2.0")


def test_a_change_keeps_the_health_that_is_known_and_the_requests_under_way(
    host: Host, proxies: HaproxyNodes
) -> None:
    laid(host)
    with Site(host, "i-5", 8000, silent="/slow") as web:
        target = Target(address=WEB, port=8000)
        proxies.apply(node(host, target))
        until(lambda: proxies.health("elb-1").get(("web", target.name)) == TargetHealth(state="healthy"))
        before = processes.below(proxies._folder)
        pending = web.begin(host.public(5), "/slow")
        fixed = Rule(action=FixedResponse(status=418, content_type="text/plain", body="a 'teapot' %[env(HOME)]"))
        proxies.apply(node(host, target, Target(address="10.0.2.6", port=8000), rules=(fixed,)))
        assert proxies.health("elb-1")[("web", target.name)] == TargetHealth(state="healthy")
        assert proxies.health("elb-1")[("web", "10.0.2.6:8000")].state != "healthy"
        answer = ask(host, "", host.public(5))
        assert (answer.status, answer.body) == (418, "a 'teapot' %[env(HOME)]")
        web.let_go.set()
        assert pending.getresponse().status == 200
        assert processes.below(proxies._folder) != before
        after = processes.below(proxies._folder)
        proxies.apply(node(host, target, Target(address="10.0.2.6", port=8000), rules=(fixed,)))
        assert set(processes.below(proxies._folder)) <= set(after)  # nothing to do


def test_a_new_target_is_well_after_one_probe_and_stays_so(host: Host, proxies: HaproxyNodes) -> None:
    """However seldom and often the group's own probes must pass."""
    laid(host)
    slow = (TargetGroup(id="web", targets=(Target(address=WEB, port=8000, new=True),),
                        check=HealthCheck(interval=300, timeout=1, rise=10, fall=2)),)  # fmt: skip
    known = (TargetGroup(id="web", targets=(Target(address=WEB, port=8000),), check=slow[0].check),)
    proxies.apply(node(host, groups=slow))
    with Site(host, "i-5", 8000):
        place = ("web", f"{WEB}:8000")
        until(lambda: proxies.health("elb-1").get(place) == TargetHealth(state="healthy"))
        proxies.apply(node(host, groups=known))
        assert proxies.health("elb-1")[place] == TargetHealth(state="healthy")
    proxies.apply(node(host, groups=known))
    assert proxies.health("elb-1")[place] == TargetHealth(state="healthy")  # nobody has asked again


def test_a_node_without_its_network_is_refused_and_one_that_died_comes_back(
    host: Host, proxies: HaproxyNodes
) -> None:
    with pytest.raises(PlaneError, match="not laid out"):
        proxies.apply(node(host))
    laid(host)
    proxies.apply(node(host))
    told: list[str] = []
    proxies.watch(told.append)
    processes.end(processes.below(proxies._folder))
    until(lambda: "elb-1" in told)
    proxies.apply(node(host))
    assert ask(host, "", host.public(5)).status == 503
    proxies.release()


def test_a_target_whose_network_swallows_connections_is_504(host: Host, proxies: HaproxyNodes) -> None:
    laid(host, web_admits="sg-web")
    proxies.apply(node(host, Target(address=WEB, port=8000)))
    answer = ask(host, "", host.public(5))
    assert (answer.status, answer.headers["server"]) == (504, "awselb/2.0")


CASES: list[tuple[str, str, dict[str, str], str]] = [
    ("GET", "/img/a.png", {}, "path"),
    ("GET", "/IMG/a.png", {}, "none"),
    ("GET", "/img/ab.gif", {}, "none"),
    ("GET", "/", {"Host": "API.example.com:80"}, "host"),
    ("GET", "/", {"Host": "apiXexample.com"}, "none"),
    ("GET", "/", {"X-Color": "Deep Blue"}, "header"),
    ("GET", "/", {"X-Color": "deep red"}, "none"),
    ("GET", "/?Version=V1&b=2", {}, "query"),
    ("GET", "/?xversion=v1", {}, "none"),
    ("GET", "/?whatever=bare", {}, "query"),
    ("GET", "/?bare", {}, "query"),
    ("DELETE", "/", {}, "method"),
    ("GET", "/both", {"X-One": "1"}, "none"),
    ("GET", "/both", {"X-One": "1", "X-Two": "2"}, "both"),
    ("GET", "/it's(*)", {}, "odd"),
    ("GET", "/it's(x)", {}, "none"),
    ("GET", "/mine", {}, "source"),
]


def test_the_first_rule_whose_conditions_hold_decides(host: Host, proxies: HaproxyNodes) -> None:
    def when(name: str, *conditions: Condition) -> Rule:
        return Rule(action=FixedResponse(status=200, content_type="text/plain", body=name), conditions=conditions)

    def header(name: str, *values: str) -> Condition:
        return Condition(field="http-header", name=name, values=values)

    def path(*values: str) -> Condition:
        return Condition(field="path-pattern", values=values)

    laid(host)
    proxies.apply(node(host, rules=(
        when("path", path("/img/?.*")),
        when("host", Condition(field="host-header", values=("api.example.com", "*.example.org"))),
        when("header", header("X-Color", "green", "*blue")),
        when("query", Condition(field="query-string", pairs=(("version", "v?"), ("", "bare")))),
        when("method", Condition(field="http-request-method", values=("PUT", "DELETE"))),
        when("both", path("/both"), header("X-One", "*"), header("X-Two", "*")),
        when("odd", path("/it's(\\*)")),
        when("elsewhere", path("/mine"), Condition(field="source-ip", values=("203.0.113.0/24",))),
        when("source", path("/mine"), Condition(field="source-ip", values=("203.0.113.0/24", host.pool))),
        when("none"),
    )))  # fmt: skip
    for method, asked, sent, expected in CASES:
        answer = ask(host, "", host.public(5), asked, method=method, headers=sent)
        assert (method, asked, sent, answer.body) == (method, asked, sent, expected)


def test_redirects_are_filled_in(host: Host, proxies: HaproxyNodes) -> None:
    laid(host)
    for n, (redirect, asked, where) in enumerate([
        (Redirect(status=301, protocol="HTTPS", port="443"), "/a/b?c=d&e", "https://www.example.com:443/a/b?c=d&e"),
        (Redirect(status=301, protocol="HTTPS", port="443"), "/a", "https://www.example.com:443/a"),
        (Redirect(status=302, host="old.#{host}", path="/100%/#{path}", query="q='#{query}'"), "/a?b",
         "http://old.www.example.com:80/100%/a?q='b'"),
        (Redirect(status=302, path="/", query=""), "/a?b", "http://www.example.com:80/"),
    ]):  # fmt: skip
        proxies.apply(node(host, rules=(Rule(action=redirect),)))
        answer = ask(host, "", host.public(5), asked, headers={"Host": "www.example.com"})
        assert (n, answer.status, answer.headers["location"]) == (n, redirect.status, where)
        assert answer.headers["server"] == "awselb/2.0"


def test_weights_share_requests_and_a_cookie_keeps_a_browser_with_its_target(
    host: Host, proxies: HaproxyNodes
) -> None:
    laid(host)
    with Site(host, "i-5", 8000) as blue, Site(host, "i-6", 8000) as green:
        def group_of(name: str, *addresses: str, cookie: int = 0) -> TargetGroup:
            return TargetGroup(id=name, cookie_seconds=cookie,
                               targets=tuple(Target(address=a, port=8000) for a in addresses))  # fmt: skip

        def shared(*weights: int) -> None:
            proxies.apply(node(host, groups=(group_of("blue", WEB), group_of("green", "10.0.2.6")), listeners=(
                Listener(port=80, rules=(Rule(action=Forward(groups=(("blue", weights[0]), ("green", weights[1])))),)),
            )))  # fmt: skip
            blue.requests.clear()
            green.requests.clear()
            for _ in range(60):
                assert ask(host, "", host.public(5)).status == 200

        shared(3, 1)
        assert len(blue.requests) > len(green.requests) > 0
        shared(0, 1)
        assert (len(blue.requests), len(green.requests)) == (0, 60)
        proxies.apply(node(host, groups=(group_of("web", WEB, "10.0.2.6", cookie=600),)))
        cookie = ask(host, "", host.public(5)).headers["set-cookie"]
        assert re.fullmatch(r"AWSALBCORS=[0-9a-f]{24}; Expires=\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT; Path=/; "
                            "SameSite=None; Secure", cookie)  # fmt: skip
        assert WEB not in cookie
        before = len(blue.requests), len(green.requests)
        for _ in range(6):
            assert ask(host, "", host.public(5), headers={"Cookie": cookie.partition(";")[0]}).status == 200
        assert sorted((len(blue.requests) - before[0], len(green.requests) - before[1])) == [0, 6]
