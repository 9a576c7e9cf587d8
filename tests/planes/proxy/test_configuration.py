"""A node's configuration, as text."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cloudjar.planes.proxy import relaying
from cloudjar.planes.proxy.configuration import files, new_server_states
from cloudjar.planes.proxy.port import (
    Condition,
    FixedResponse,
    Forward,
    HealthCheck,
    Listener,
    Node,
    Redirect,
    Relay,
    Rule,
    Target,
    TargetGroup,
    TargetHealth,
    TlsPolicy,
)

FIRST, SECOND = Target(address="10.0.1.5", port=80), Target(address="10.0.2.5", port=80)
WEB = TargetGroup(id="web", targets=(FIRST, SECOND), check=HealthCheck(interval=5, rise=3, codes="200-299"))
FORWARD = Rule(action=Forward(groups=(("web", 1),)))
NODE = Node(id="elb-1", namespace="/x", listeners=(Listener(port=80, rules=(FORWARD,)),), groups=(WEB,))


def lines(node: Node) -> list[str]:
    return [line.strip() for line in files(node, "/f")["haproxy.cfg"].splitlines()]


def relayed(**more: object) -> Node:
    group = replace(WEB, keeps_source=True, check=HealthCheck(http=False), **more)
    return Node(id="elb-1", namespace="/x", groups=(group,), relays=(Relay(port=80, protocol="tcp_udp", group="web"),))


def test_the_same_node_gives_the_same_files_and_nothing_of_a_user_is_words_of_haproxys() -> None:
    odd = "it's %[env(HOME)] ${HOME} \\ # \" x"
    fixed = FixedResponse(status=200, content_type="text/plain", body=f"{odd}\nmore")
    redirect = Redirect(status=301, host=odd, path="/" + odd, query="")
    when = Condition(field="path-pattern", values=(odd,))
    rules = (Rule(action=fixed, conditions=(when,)), Rule(action=redirect), FORWARD)
    node = replace(NODE, listeners=(Listener(port=80, rules=rules, headers=(("x-frame-options", odd),)),))
    made = files(node, "/f")
    assert made == files(node, "/f")
    assert made["80-0.body"] == f"{odd}\nmore"
    text = made["haproxy.cfg"]
    assert "it's" not in text  # quotes are broken out of
    assert "%[env(HOME)]" not in text.replace("%%[env(HOME)]", "")
    with pytest.raises(ValueError, match="control"):
        files(replace(node, listeners=(Listener(port=80, rules=(Rule(action=replace(redirect, host="a\nb")),)),)), "/f")
    with pytest.raises(ValueError, match="not the name of a header"):
        files(replace(node, listeners=(Listener(port=80, rules=(FORWARD,), headers=(("x y", ""),)),)), "/f")
    with pytest.raises(ValueError, match="not the name of a target group"):
        files(replace(NODE, listeners=(), groups=(replace(WEB, id="web\nuser"),)), "/f")


def test_probes_and_fail_open() -> None:
    made = lines(NODE)
    assert "server 10.0.1.5:80 10.0.1.5:80 check inter 5s rise 3 fall 2" in made
    assert "http-check expect status 200-299" in made
    assert "use_backend web.open if { var(txn.rule) -m int 0 } { nbsrv(web) lt 1 }" in made
    at = made.index("backend web.open")
    assert "server 10.0.1.5:80 10.0.1.5:80" in made[at:]
    states = list(new_server_states(NODE))
    assert [s.split()[3] for s in states] == ["10.0.1.5:80", "10.0.2.5:80"]
    picky = replace(WEB, least_healthy=2, slow_start=40, algorithm="least_outstanding_requests")
    assert any("nbsrv(web) lt 2" in line for line in lines(replace(NODE, groups=(picky,))))
    assert any(line.endswith("slowstart 40s") for line in lines(replace(NODE, groups=(picky,))))
    assert "balance leastconn" in lines(replace(NODE, groups=(picky,)))


def test_certificates_and_policies() -> None:
    tls = TlsPolicy(least="TLSv1.1", most="TLSv1.2", ciphers=("A", "B"), suites=("C",))
    listener = Listener(port=443, rules=(FORWARD,), certificates=("one", "two"), tls=tls)
    made = files(replace(NODE, listeners=(listener,)), "/f")
    assert (made["443-0.pem"], made["443-1.pem"]) == ("one", "two")
    assert made["443.certificates"] == "/f/443-0.pem\n/f/443-1.pem\n"
    assert ("bind :443 ssl crt-list /f/443.certificates ssl-min-ver TLSv1.1 ssl-max-ver TLSv1.2 "
            "ciphers A:B ciphersuites C alpn h2,http/1.1") in made["haproxy.cfg"]  # fmt: skip


def test_flows_whose_source_stays_are_the_kernels() -> None:
    node = relayed()
    assert "frontend 80" not in lines(node)  # HAProxy only probes
    assert "tcp-check connect" in lines(node)
    well = {("web", FIRST.name): TargetHealth(state="healthy"),
            ("web", SECOND.name): TargetHealth(state="unhealthy", why="refused")}  # fmt: skip
    nobody, one = relaying.ruleset(node, {}), relaying.ruleset(node, well)
    assert ('iifname != "lo" tcp dport 80 dnat ip to numgen random mod 2 map { 0 : 10.0.1.5 . 80, 1 : 10.0.2.5 . 80 }'
            in nobody)  # fmt: skip
    assert 'iifname != "lo" udp dport 80 dnat ip to jhash ip saddr . udp sport mod 1 map { 0 : 10.0.1.5 . 80 }' in one
    assert "ct direction original ip daddr 10.0.2.5 tcp dport 80 reject with tcp reset" in one
    assert "reject" not in nobody
    assert "reject" not in relaying.ruleset(relayed(ends_unwell=False), well)
    last = relaying.ruleset(relayed(ends_gone=True, targets=(FIRST,), draining=(SECOND,)), {})
    gone = "ct direction original ct mark & 0x2 != 0 meta l4proto udp ip daddr . udp dport"
    assert f"{gone} != {{ 10.0.1.5 . 80, 10.0.2.5 . 80 }} drop" in last
    assert "jhash ip saddr mod 2" in relaying.ruleset(relayed(source_sticky=True), {})
    assert "dnat ip" not in relaying.ruleset(relayed(targets=()), {})


def test_what_is_more_than_packets_is_haproxys() -> None:
    for node in (relayed(announces=True), replace(relayed(), relays=(
            Relay(port=80, protocol="tls", group="web", certificates=("one",)),))):  # fmt: skip
        made = lines(node)
        assert made[made.index("frontend 80") + 1] == "mode tcp"
        assert "dnat ip" not in relaying.ruleset(node, {})
    assert "server 10.0.1.5:80 10.0.1.5:80 send-proxy-v2 check inter 30s rise 5 fall 2 no-check-send-proxy" in lines(
        relayed(announces=True)
    )
