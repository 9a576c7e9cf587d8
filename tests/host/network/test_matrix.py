"""The packet matrix: every way from one to another, in both families, by every kind of packet, under every mistake.

Each case is said three times: by hand here, by the plan, and by a packet that is really sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from cloudjar.planes.network.leaks import leaks
from cloudjar.planes.network.port import NetworkAcl, Openness, Route, SecurityGroup, TransitAssociation, TransitRoute
from cloudjar.planes.network.reach import World
from tests.host.network.conftest import Host
from tests.host.network.fabric import (
    ALL_IN,
    ALL_OUT6,
    CLOSED,
    KINDS,
    LISTENING,
    SIX,
    Fabric,
    fabric,
    relations,
    replace,
)
from tests.host.network.volley import Shot, expect, fire
from tests.planes.network.topology import ANYWHERE, acl, allow, group
from tests.ports import OF_CLIENTS

pytestmark = pytest.mark.host
A, B, NAT = (f"eni-{n:017x}" for n in (55, 56, 45))
ALWAYS = "gateway-endpoint/4/closed gateway-endpoint/4/udp gateway-endpoint/4/icmp"
"""An endpoint is the API's door and nothing else."""
IN = ("internet-in", "peering-in", "transit-in")
NEAR = ("same-subnet", "cross-subnet", "interface-endpoint")
OUT = ("internet-out", "nat", "egress-only", "peering", "transit", "gateway-endpoint")
OVER_THE_EDGE = ("cross-subnet", "interface-endpoint", "internet-out", "peering", "transit")
"""What leaves the public subnet and waits for an answer."""


class State(NamedTuple):
    """One mistake, or one thing done right, and what it stops: patterns of relation/family/kind."""

    change: Callable[[Fabric], Fabric]
    stops: str = ""


def every(*names: str, family: str = "*", kinds: tuple[str, ...] = ("*",)) -> str:
    """Patterns of some relations, and only some kinds of packets."""
    return " ".join(f"{name}/{family}/{kind}" for name in names for kind in kinds)


def ingress(*rules: object) -> Callable[[Fabric], Fabric]:
    """The first VPC's group lets just this in."""
    return lambda f: f.with_group("sg-a", group("sg-a", *rules, out=ALL_OUT6))  # type: ignore[arg-type] # rules


def egress(*rules: object) -> Callable[[Fabric], Fabric]:
    """The first VPC's group lets everything in and just this out."""
    return lambda f: f.with_group("sg-a", SecurityGroup(id="sg-a", rules=(*ALL_IN, *rules)))  # type: ignore[arg-type] # rules


def guarded(*entries: tuple[int, str, bool, str, int, int]) -> Callable[[Fabric], Fabric]:
    """The public subnet behind a network ACL, whose entries hold for both families."""
    both = [(2 * n + k, d, a, p, low, high, cidr)
            for n, d, a, p, low, high in entries for k, cidr in enumerate((ANYWHERE, SIX))]  # fmt: skip

    def change(f: Fabric) -> Fabric:
        wall: NetworkAcl = acl("acl-1", *both)
        return f.with_vpc(1, acls=(wall,)).with_subnet("subnet-1-public", network_acl="acl-1")

    return change


def no_nat_address(f: Fabric) -> Fabric:
    return f.with_interface(NAT, private=(("10.1.1.9", ""),))


def nat_in_a_private_subnet(f: Fabric) -> Fabric:
    public = f.vpcs[1].interfaces[3].private[0][1]
    return f.with_interface(NAT, subnet="subnet-1-private", private=(("10.1.2.8", public),))


def two_groups(f: Fabric) -> Fabric:
    """What any group of an interface allows is allowed."""
    for eni in f.vpcs[1].interfaces:
        if eni.groups:
            f = f.with_interface(eni.id, groups=("sg-none", "sg-a"))
    return f


def other_side(f: Fabric, **changed: object) -> Fabric:
    return f.with_vpc(2, **changed)


def no_table_for_the_far_side(f: Fabric) -> Fabric:
    last = TransitAssociation(attachment="tgw-attach-3", vpc="vpc-3")
    return f._replace(transit=replace(f.transit, associations=(f.transit.associations[0], last)))


def opened(mode: Openness, public: Openness | None = None) -> Callable[[Fabric], Fabric]:
    """Block Public Access in the first VPC; the public subnet may be better off."""
    return lambda f: f.with_subnet("subnet-1-private", openness=mode).with_subnet(
        "subnet-1-public", openness=public or mode)


def transit_hole(f: Fabric) -> Fabric:
    [table] = f.transit.route_tables
    table = replace(table, routes=(*table.routes, TransitRoute(destination="10.3.1.0/24")))
    return f._replace(transit=replace(f.transit, route_tables=(table,)))


def pool_hole(f: Fabric) -> Fabric:
    """A more specific black hole for everybody that has a public address here."""
    pool = ".".join(f.vpcs[4].interfaces[0].private[0][1].split(".")[:3]) + ".0/24"
    return f.with_routes(1, "rtb-1-public", Route(destination=pool, kind="blackhole"))


TCP, UDP = ("open", "closed"), ("udp",)
NOT_80 = ("closed", "udp", "icmp")
DEFAULTS = (ANYWHERE, SIX)
STATES = {
    "everything is open": State(lambda f: f),
    "no rule lets anything in": State(ingress(), every(*IN, *NEAR)),
    "one port is let in": State(
        ingress(allow("tcp", LISTENING), allow("tcp", LISTENING, SIX)), every(*IN, *NEAR, kinds=NOT_80)),
    "udp alone is let in": State(
        ingress(allow("17", 0, to=65535), allow("udp", 0, SIX, to=65535)),
        every(*IN, *NEAR, kinds=("open", "closed", "icmp"))),
    "echoes alone are let in": State(
        ingress(allow("icmp", 8, to=-1), allow("icmpv6", 128, SIX, to=-1)),
        every(*IN, *NEAR, kinds=("open", "closed", "udp"))),
    "IPv4 alone is let in": State(ingress(ALL_IN[0]), every(*IN, *NEAR, family="6")),
    "members are let in": State(ingress(allow("-1", -1, "sg-a")), every(*IN)),
    "a peer's members are let in": State(
        ingress(allow("-1", -1, "sg-far")), every("internet-in", "transit-in", *NEAR)),
    "a prefix list is let in": State(ingress(allow("-1", -1, "pl-near")), every(*IN)),
    "somebody else is let in": State(ingress(allow("-1", -1, "10.1.1.77/32")), every(*IN, *NEAR)),
    "a group that does not exist is let in": State(ingress(allow("-1", -1, "sg-gone")), every(*IN, *NEAR)),
    "nothing is let out": State(egress(), every(*OUT, *NEAR)),
    "one port is let out": State(
        egress(*(allow("tcp", LISTENING, d, direction="egress") for d in DEFAULTS)),
        every(*OUT, *NEAR, kinds=NOT_80)),
    "the service's list is let out": State(
        egress(allow("tcp", LISTENING, "pl-s3", direction="egress")),
        every(*(name for name in (*OUT, *NEAR) if name != "gateway-endpoint"))),
    "the second group opens": State(two_groups),
    "an ACL denies a port at the door": State(
        guarded((10, "in", False, "tcp", LISTENING, LISTENING), (400, "in", True, "-1", -1, -1),
                (400, "out", True, "-1", -1, -1)),
        every(*IN, "nat", kinds=("open",))),
    "an ACL forgets ephemeral ports": State(
        guarded((10, "in", True, "tcp", CLOSED, LISTENING), (400, "out", True, "-1", -1, -1)),
        f"{every(*OVER_THE_EDGE, 'nat')} {every(*IN, kinds=('udp', 'icmp'))}"),
    "an ACL's first entry decides": State(
        guarded((5, "in", True, "tcp", LISTENING, LISTENING), (10, "in", False, "tcp", 0, 65535),
                (400, "in", True, "-1", -1, -1), (400, "out", True, "-1", -1, -1)),
        f"{every(*OVER_THE_EDGE, 'nat', kinds=TCP)} {every(*IN, kinds=('closed',))}"),
    "an ACL keeps answers in": State(
        guarded((10, "in", True, "-1", -1, -1), (10, "out", True, "tcp", 1, 1023)),
        f"{every(*IN, 'nat')} {every(*OVER_THE_EDGE, kinds=('udp', 'icmp'))}"),
    "an ACL without entries": State(guarded(), every(*IN, *OVER_THE_EDGE, "nat")),
    "no route to the Internet": State(
        lambda f: f.with_routes(1, "rtb-1-public", without=DEFAULTS), every("internet-in", "internet-out", "nat")),
    "a black hole instead of the Internet": State(
        lambda f: f.with_routes(1, "rtb-1-public", *(Route(destination=d, kind="blackhole") for d in DEFAULTS),
                                without=DEFAULTS),
        every("internet-in", "internet-out", "nat")),
    "a more specific black hole": State(
        pool_hole, f"{every('internet-in', 'internet-out', family='4')} {every('nat')}"),
    "no internet gateway": State(
        lambda f: f.with_vpc(1, internet_gateway=""), every("internet-in", "internet-out", "nat")),
    "no public address": State(
        lambda f: f.with_interface(A, private=(("10.1.1.5", ""),)), every("internet-in", "internet-out", family="4")),
    "the NAT gateway has no public address": State(no_nat_address, every("nat")),
    "the NAT gateway has no way out": State(nat_in_a_private_subnet, every("nat")),
    "the NAT gateway is gone": State(lambda f: f.with_vpc(1, nat_gateways=(), interfaces=tuple(
        i for i in f.vpcs[1].interfaces if i.id != NAT)), every("nat")),
    "out by an instance that checks": State(
        lambda f: f.with_routes(1, "rtb-1-private", Route(destination=ANYWHERE, kind="interface", target=B),
                                without=(ANYWHERE,)),
        every("nat", family="4")),
    "no route back over the peering": State(
        lambda f: f.with_routes(2, "rtb-2-public", without=("10.1.0.0/16",)),
        every("peering", "peering-in", family="4")),
    "the peering's other side is gone": State(
        lambda f: other_side(f, peerings=()), every("peering", "peering-in")),
    "the far side of the transit has no table": State(no_table_for_the_far_side, every("transit", "transit-in")),
    "the transit has a black hole": State(transit_hole, every("transit", "transit-in", family="4")),
    "not attached to the transit": State(
        lambda f: f.with_vpc(1, transit_attachments=()), every("transit", "transit-in")),
    "no egress-only gateway": State(lambda f: f.with_vpc(1, egress_only_gateway=""), every("egress-only")),
    "nothing passes the gateways": State(
        opened("closed"), every("internet-in", "internet-out", "nat", "egress-only")),
    "only NAT and egress-only gateways pass": State(
        opened("gateways"), every("internet-in", "internet-out")),
    "the public subnet is excluded": State(opened("closed", public="open"), every("egress-only")),
    "the public subnet may open connections": State(
        opened("closed", public="outward"), every("internet-in", "egress-only")),
    "somebody else's gateway is closed": State(
        lambda f: f.with_vpc(4, subnets=tuple(replace(s, openness="closed") for s in f.vpcs[4].subnets)),
        every("internet-out", "nat", "egress-only")),
    "no gateway endpoint": State(
        lambda f: f.with_vpc(1, endpoints=f.vpcs[1].endpoints[1:]), every("gateway-endpoint")),
}  # fmt: skip
RELATIONS = 21
CASES = len(STATES) * (RELATIONS * len(KINDS) - 1)


class Ground:
    """One installation for all of the matrix: what one state leaves behind is where the next one begins."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.laid = fabric(host)
        self.ports = iter(Random(7).sample(OF_CLIENTS, 11000))  # no flow is ever a continuation of another
        self.apply(self.laid)
        for vpc in self.laid.vpcs.values():
            for eni in vpc.interfaces:
                if eni.guest.startswith("i-"):
                    host.listen(eni.guest, LISTENING)
                    host.listen6(eni.guest, LISTENING)

    def apply(self, wanted: Fabric) -> None:
        for endpoint in ("vpce-1", "vpce-2"):  # a socket that is closed cannot be watched
            for s in self.host.doors.open.get(endpoint, ()):
                self.host.echo.forget(s)
        for vpc in wanted.vpcs.values():
            self.host.net.apply(vpc)
        self.host.net.apply_transit(wanted.transit)
        for opened in self.host.doors.open.values():
            for s in opened:
                self.host.echo.add(s)

    def world(self, wanted: Fabric) -> World:
        return World(site=self.host.net.site, vpcs=tuple(wanted.vpcs.values()), transits=(wanted.transit,))

    def shots(self) -> dict[str, Shot]:
        """One of every kind over every relation, by name."""
        return {f"{name}/{kind}": Shot(*pair, *packet, next(self.ports))
                for name, pair in relations(self.laid, self.host).items() for kind, packet in KINDS.items()
                if (name, kind) != ("interface-endpoint/4", "udp")}  # fmt: skip


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    started = Host(Path(tmp_path_factory.mktemp("matrix")))
    try:
        yield Ground(started)
    finally:
        started.close()
    assert leaks(started.tag) == []


@pytest.mark.parametrize("name", STATES)
def test_hand_plan_and_packet_agree(ground: Ground, name: str) -> None:
    state = STATES[name]
    wanted = state.change(ground.laid)
    ground.apply(wanted)
    shots = ground.shots()
    planned = {case: expect(ground.world(wanted), shot, (LISTENING,)) for case, shot in shots.items()}
    stops = [*ALWAYS.split(), *state.stops.split()]
    by_hand = {case: "dropped" if any(fnmatchcase(case, one) for one in stops)
               else "refused" if case.endswith("/closed") else "open" for case in shots}  # fmt: skip
    assert {case: said for case, (said, _) in planned.items()} == by_hand
    became = fire(ground.host, list(shots.values()), list(by_hand.values()))
    wrong = [(case, by_hand[case], was, planned[case][1].path)
             for case, was in zip(shots, became, strict=True) if was != by_hand[case]]  # fmt: skip
    assert not wrong, "\n".join(map(str, wrong))


def test_the_matrix_is_whole(ground: Ground) -> None:
    assert len(ground.shots()) * len(STATES) == CASES > 300
