"""Plans as text that a person can read; refresh with CLOUDJAR_SNAPSHOTS=write."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network.internet import host_rules
from cloudjar.planes.network.plan import plan, show
from cloudjar.planes.network.port import AclEntry, NetworkAcl, Route, RouteTable, Rule, Vpc
from cloudjar.planes.network.ruleset import Ruleset, render
from cloudjar.planes.network.site import site
from tests.planes.network.topology import ANYWHERE, OPEN, PRIVATE, PUBLIC, TO_INTERNET, acl, allow, eni, group, vpc

SITE = site("test", "198.18.0.0/16")
replace = msgspec.structs.replace


def kept(name: str, text: str) -> None:
    path = Path(__file__).parent / "plans" / f"{name}.txt"
    if os.environ.get("CLOUDJAR_SNAPSHOTS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def test_an_empty_vpc() -> None:
    kept("empty", show(plan(vpc(groups=(), gateway=""), SITE)))


def test_a_web_server_and_its_database() -> None:
    web, db = group("sg-web", allow("tcp", 80), allow("tcp", 22, "198.18.0.1/32"), allow("icmp", 8, to=-1)), \
        group("sg-db", allow("tcp", 5432, "sg-web"), out=())
    kept("web-and-database", show(plan(vpc(
        eni(1, "subnet-public", "10.0.1.5", "sg-web", public="198.18.0.5"),
        eni(2, "subnet-private", "10.0.2.5", "sg-db", "sg-web", rate=50), groups=(web, db)), SITE)))


def test_acls_routes_and_a_forwarding_instance() -> None:
    nat = eni(1, "subnet-public", "10.0.1.5", public="198.18.0.5", checked=False,
              secondary=(("10.0.1.6", "198.18.0.6"),))
    tables = (RouteTable(id="rtb-public", routes=(TO_INTERNET, Route(destination="172.16.0.0/12", kind="blackhole"))),
              RouteTable(id="rtb-private", routes=(Route(destination=ANYWHERE, kind="interface", target=nat.id),)))
    rules = acl("acl-1", (200, "in", True, "tcp", 1024, 65535, ANYWHERE),
                (100, "in", False, "6", 22, 22, "10.0.2.0/24"),
                (100, "out", True, "-1", -1, -1, ANYWHERE), (110, "out", True, "-1", -1, -1, "::/0"))
    subnets = (replace(PUBLIC, network_acl="acl-1"), PRIVATE)
    kept("acls-and-routes", show(plan(vpc(
        nat, eni(2, "subnet-private", "10.0.2.5"), eni(3, "subnet-private", "10.0.2.6", guest=""),
        subnets=subnets, acls=(rules,), tables=tables), SITE)))


def test_the_hosts_own_table() -> None:
    kept("host-loopback-api", render(host_rules(SITE, ("127.0.0.1", 4566))))
    kept("host-open-api", render(host_rules(SITE, ("0.0.0.0", 4566))))
    kept("host-no-api", render(host_rules(SITE, None)))
    doors = [("198.18.0.1", 587), ("198.18.0.3", 443), ("198.18.0.1", 25)]
    kept("host-doors", render(host_rules(SITE, ("198.18.0.1", 4566), also=doors)))
    kept("host-bridged", render(host_rules(SITE, ("198.18.0.1", 4566), "br0")))


def test_equal_vpcs_make_equal_plans() -> None:
    one = vpc(eni(1, "subnet-public", "10.0.1.5"))
    assert plan(one, SITE) == plan(replace(one), SITE)


@pytest.mark.parametrize(("broken", "words"), [
    (vpc(eni(1, "subnet-gone", "10.0.1.5")), "subnet-gone"),
    (vpc(eni(1, "subnet-public", "10.0.2.5")), "outside its subnet"),
    (vpc(eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-public", "10.0.1.5")), "twice"),
    (vpc(eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-public", "10.0.1.6", guest="i-1")), "eth0 of i-1"),
    (vpc(eni(1, "subnet-public", "10.0.1.5", public="192.0.2.7")), "pool"),
    (vpc(eni(1, "subnet-public", "10.0.1.5", public="198.18.0.1")), "pool"),
    (vpc(eni(1, "subnet-public", "10.0.1.5", guest="../../etc")), "cannot name"),
    (vpc(eni(1, "subnet-public", "10.0.1.5", guest="vpc-2")), "id of a VPC"),
    (vpc(name="vpc-1; flush ruleset"), "cannot name"),
    (vpc(name="i-1"), "not the id of a VPC"),
    (vpc(groups=(group("sg-1", allow("tcp", 80, to=22)),)), "not a range"),
    (vpc(groups=(group("sg-1", allow("carrier-pigeon", 80)),)), "carrier-pigeon"),
    (vpc(groups=(group("sg-1", allow("tcp", 80, "10.0.0.0/33")),)), "10.0.0.0/33"),
    (vpc(groups=(group("sg-1 }"),)), "cannot name"),
    (vpc(subnets=(replace(PUBLIC, network_acl="acl-gone"), PRIVATE)), "acl-gone"),
    (replace(vpc(), cidrs=()), "no CIDR"),
    (vpc(acls=(NetworkAcl(id="acl-1", entries=(AclEntry(
        number=1, direction="ingress", allow=True, protocol="icmp", from_port=999, to_port=0, cidr=ANYWHERE),)),)),
     "ICMP type 999"),
])
def test_what_contradicts_itself_is_refused(broken: Vpc, words: str) -> None:
    with pytest.raises(PlaneError, match=words.replace(".", r"\.")):
        plan(broken, SITE)


def test_rules_of_the_other_family_and_groups_that_are_gone_match_nothing() -> None:
    odd = group("sg-odd", allow("icmp", -1, "::/0"), allow("tcp", 80, "sg-gone"), allow("icmpv6", -1),
                Rule(direction="ingress", protocol="58", peer=ANYWHERE), out=())
    rules = plan(vpc(groups=(OPEN, odd)), SITE).rules
    assert next(c for c in rules.chains if c.name == "sg-odd-ingress").rules == ()


@pytest.mark.parametrize(("tag", "pool"), [
    ("", "198.18.0.0/16"), ("a-b", "198.18.0.0/16"), ("thirteenchars", "198.18.0.0/16"), ("a", "192.0.2.0/24"),
    ("a", "203.0.113.0/25"), ("a", "0.0.0.0/0"), ("a", "198.18.0.0/30"), ("a", "198.18.0.1/16"), ("a", "pool"),
])
def test_installations_that_cannot_be_are_refused(tag: str, pool: str) -> None:
    with pytest.raises(PlaneError):
        site(tag, pool)


def test_names_fit_and_differ() -> None:
    other = site("twelvelongaa", "198.19.0.0/16")
    assert len(other.bridge) <= 15
    names = {s.uplink(v) for s in (SITE, other) for v in ("vpc-1", "vpc-2")}
    assert len(names) == 4
    assert all(len(n) <= 15 for n in names)
    assert SITE.route_table != other.route_table


def reached(of: Ruleset, rules: Iterable[str]) -> set[str]:
    """The chains that packets may come to by some rules."""
    chains, maps = {c.name: c.rules for c in of.chains}, {s.name: s for s in of.sets}
    seen: set[str] = set()
    waiting = list(rules)
    while waiting:
        rule = waiting.pop()
        verdicts = [rule, *(verdict for name in re.findall(r"vmap @(\S+)", rule) for _, verdict in maps[name].elements)]
        for name in re.findall(r"(?:goto|jump) (\S+)", " ".join(verdicts)):
            if name not in seen:
                seen.add(name)
                waiting += chains[name]
    return seen


def test_packets_of_a_known_connection_come_to_no_rule_of_a_group_however_many_there_are() -> None:
    own = tuple(allow("tcp", 80 + n, f"172.16.{n // 250}.{n % 250}/32") for n in range(1000))
    enis = (eni(1, "subnet-public", "10.0.1.5", rate=50), eni(2, "subnet-private", "10.0.2.5"))
    few, many = (plan(vpc(*enis, groups=(group("sg-open", *rules),)), SITE).rules for rules in (own[:1], own))
    assert few.sets == many.sets
    assert {c.name for c in many.chains if c not in few.chains} == {"sg-open-ingress"}
    assert len(next(c.rules for c in many.chains if c.name == "sg-open-ingress")) == 1000
    begins = {c.name: c.rules for c in many.chains if c.hook}
    forwarding = begins.pop("forwarding")
    known = forwarding.index("ct state established,related accept")
    before = [*forwarding[:known], *(rule for rules in begins.values() for rule in rules)]
    assert not {name for name in reached(many, before) if name.startswith("sg-")}
    assert "sg-open-ingress" in reached(many, forwarding[known:])
