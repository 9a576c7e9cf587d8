"""Block Public Access by the plan alone: what passes an internet gateway, and what the filter is told of it."""

from __future__ import annotations

import msgspec
import pytest

from cloudjar.planes.network import flowlog
from cloudjar.planes.network.plan import plan, show
from cloudjar.planes.network.port import Openness, Route, Vpc
from cloudjar.planes.network.reach import World, reach
from cloudjar.planes.network.steps import Answer
from tests.planes.network.test_beyond import SITE, everything, six
from tests.planes.network.topology import PRIVATE, PUBLIC, allow, eni, vpc

replace = msgspec.structs.replace
FRONT, APP, NAT = (eni(3, "subnet-public", "10.0.1.5", public="198.18.0.3"), f"eni-{1:017x}", f"eni-{9:017x}")


def barred(public: Openness, private: Openness | None = None) -> World:
    """The picture with one of each, and a machine with a public address."""
    laid = everything()
    subnets = tuple(
        replace(s, openness=public if s.id == PUBLIC.id else private or public) for s in laid.subnets)
    front = replace(FRONT, ipv6=(six(1, 5),))
    to6 = Route(destination="::/0", kind="internet-gateway", target="igw-1")
    tables = tuple(replace(t, routes=(*t.routes, to6)) if t.id == PUBLIC.route_table else t
                   for t in laid.route_tables)
    six_too = (allow("-1", -1, "::/0"), allow("-1", -1, "::/0", direction="egress"))
    groups = tuple(replace(g, rules=(*g.rules, *six_too)) for g in laid.groups)
    return World(site=SITE, vpcs=(replace(laid, subnets=subnets, route_tables=tables, groups=groups,
                                          interfaces=(*laid.interfaces, front)),))


def ask(world: World, source: str, target: str, protocol: str = "tcp") -> Answer:
    return reach(world, source, target, protocol, 443)


ENDS = {
    "in": ("internet", "198.18.0.3"), "in6": ("internet", six(1, 5)), "out": (FRONT.id, "1.1.1.1"),
    "nat": (APP, "1.1.1.1"), "egress-only": (APP, SITE.gateway6),
}  # fmt: skip


@pytest.mark.parametrize(("public", "private", "stopped"), [
    ("open", "open", set()),
    ("closed", "closed", {"in", "in6", "out", "nat", "egress-only"}),
    ("gateways", "gateways", {"in", "in6", "out"}),
    ("outward", "closed", {"in", "in6", "egress-only"}),
    ("closed", "open", {"in", "in6", "out", "nat"}),
    ("open", "closed", {"egress-only"}),
])  # fmt: skip
def test_what_each_openness_stops(public: Openness, private: Openness, stopped: set[str]) -> None:
    world = barred(public, private)
    found = {name: ask(world, *ends) for name, ends in ENDS.items()}
    by_bar = {name for name, answer in found.items() if answer.steps and answer.steps[-1].kind == "barred"}
    assert by_bar == stopped


def test_inside_the_vpc_and_to_what_is_no_gateway_nothing_is_barred() -> None:
    world = barred("closed")
    assert ask(world, FRONT.id, "10.0.2.5").steps[-1].kind != "barred"
    assert reach(world, APP, "169.254.169.254", "tcp", 80).status == "open"
    assert ask(world, APP, "10.0.1.5").status == "open"


def test_the_reason_names_gateway_subnet_and_direction() -> None:
    world = barred("gateways")
    [last] = ask(world, FRONT.id, "1.1.1.1").steps[-1:]
    assert (last.kind, last.what, last.at, last.direction, last.source) == (
        "barred", "igw-1", PUBLIC.id, "egress", FRONT.id)  # fmt: skip
    assert last.text == "Block Public Access lets nothing of this kind out by igw-1 at subnet-public"
    [last] = ask(barred("closed"), APP, SITE.gateway6).steps[-1:]
    assert (last.what, last.at) == ("eigw-1", PRIVATE.id)
    [last] = ask(world, "internet", "198.18.0.3").steps[-1:]
    assert (last.what, last.direction) == ("igw-1", "ingress")


def laid(*, logged: bool = False, **openness: Openness) -> Vpc:
    subnets = tuple(replace(s, openness=openness.get(s.id.removeprefix("subnet-"), "open"))
                    for s in (PUBLIC, PRIVATE))
    return vpc(replace(FRONT, logged=logged), eni(2, "subnet-private", "10.0.2.5"), subnets=subnets)


def test_a_vpc_that_is_open_has_no_rule_of_it() -> None:
    assert "barred" not in show(plan(laid(logged=True), SITE))


def test_only_interfaces_of_subnets_that_are_not_open_are_asked_about() -> None:
    rules = plan(laid(public="outward"), SITE).rules
    held = {s.name: s.elements for s in rules.sets if s.name.startswith("barred")}
    [link] = [k.name for k in plan(laid(), SITE).links if k.interface == FRONT.id]
    assert held == {f"barred-{d}": ((f'"{link}"', f"jump barred-outward-{d}"),) for d in ("egress", "ingress")}
    assert not any(s.name.startswith("flows-") for s in rules.sets)


def test_a_tally_says_why_a_packet_was_barred() -> None:
    rules = plan(laid(logged=True, public="closed"), SITE).rules
    assert "flows-barred-ingress-tcp4" in {s.name for s in rules.sets}
    element = {"val": {"concat": ["eni-a", "1.1.1.1", "10.0.1.5", 4000, 80]}, "counter": {"packets": 2, "bytes": 120}}
    [flow] = flowlog.Tally().flows({"flows-barred-ingress-tcp4": [element]}, {"eni-a": "eni-1"})
    assert (flow.action, flow.reason, flow.direction, flow.packets) == ("REJECT", "BPA", "ingress", 2)
