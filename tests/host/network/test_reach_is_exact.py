"""Random small VPCs: what real packets do is what `reach` says."""

from __future__ import annotations

from random import Random
from typing import Literal

import msgspec
import pytest

from cloudjar.planes.network.port import AclEntry, Interface, NetworkAcl, Route, RouteTable, Rule, SecurityGroup, Vpc
from cloudjar.planes.network.reach import World
from tests.host.network.conftest import Host
from tests.host.network.volley import Shot, compare
from tests.planes.network.topology import ANYWHERE, PRIVATE, PUBLIC, TO_INTERNET, eni, vpc

pytestmark = pytest.mark.host
replace = msgspec.structs.replace
PORTS = (80, 443, 5000)
CLOSED = 4999
"""Where nobody listens: a packet that gets there is refused."""
KINDS = (*(("tcp", p) for p in PORTS), *(("udp", p) for p in PORTS), ("tcp", CLOSED), ("icmp", -1))
TOPOLOGIES = 10
SOURCE_PORT = 20001
"""Below those that the kernel hands out by itself, one of which another connection of the host may have."""


def peers(dice: Random, host: Host, groups: tuple[str, ...]) -> str:
    return dice.choice([ANYWHERE, ANYWHERE, "10.0.1.0/24", "10.0.2.5/32", f"{host.net.host_address}/32", host.pool,
                        *groups])


def random_rules(dice: Random, host: Host, groups: tuple[str, ...]) -> tuple[Rule, ...]:
    def rule(direction: Literal["ingress", "egress"]) -> Rule:
        protocol = dice.choice(["tcp", "udp", "-1", "6", "17"])
        low, high = dice.choice([(80, 80), (80, 443), (443, 5000), (0, 65535)])
        if protocol == "-1":
            low = high = -1
        return Rule(direction=direction, protocol=protocol, from_port=low, to_port=high,
                    peer=peers(dice, host, groups))

    rules = [rule("ingress") for _ in range(dice.randrange(3))] + [rule("egress") for _ in range(dice.randrange(2))]
    return (*rules, *([Rule(direction="egress", protocol="-1", peer=ANYWHERE)] if dice.random() < 0.7 else []))


def random_acl(dice: Random, host: Host, name: str) -> NetworkAcl:
    def entry(number: int) -> AclEntry:
        low, high = dice.choice([(80, 80), (1, 1000), (1024, 65535), (0, 65535), (SOURCE_PORT, SOURCE_PORT)])
        return AclEntry(number=number, direction=dice.choice(["ingress", "egress"]), allow=dice.random() < 0.6,
                        protocol=dice.choice(["tcp", "udp", "-1"]), from_port=low, to_port=high,
                        cidr=dice.choice([ANYWHERE, "10.0.1.0/24", "10.0.2.0/24", host.pool]))

    last = tuple(AclEntry(number=900, direction=d, allow=True, protocol="-1", cidr=ANYWHERE)
                 for d in ("ingress", "egress") if dice.random() < 0.8)
    return NetworkAcl(id=name, entries=(*(entry(n * 10) for n in range(1, dice.randrange(1, 4))), *last))


def random_vpc(dice: Random, host: Host, name: str, first: int) -> Vpc:
    names = ("sg-a", "sg-b")
    groups = tuple(SecurityGroup(id=n, rules=random_rules(dice, host, names)) for n in names)
    acls = (random_acl(dice, host, "acl-a"),)
    modes = ["open"] * 5 + ["outward", "gateways", "closed"]
    subnets = tuple(replace(s, network_acl=dice.choice(["", "", "acl-a"]), openness=dice.choice(modes))
                    for s in (PUBLIC, PRIVATE))

    def one(n: int, subnet: str, address: str) -> Interface:
        public = host.public(first + n) if dice.random() < 0.7 else ""
        mine = tuple(g for g in names if dice.random() < 0.7) or ("sg-a",)
        return eni(first + n, subnet, address, *mine, public=public)

    enis = (one(0, "subnet-public", "10.0.1.5"), one(1, "subnet-public", "10.0.1.6"),
            one(2, "subnet-private", "10.0.2.5"))
    more = dice.choice([(), (), (Route(destination=ANYWHERE, kind="blackhole"),), (TO_INTERNET,),
                        (Route(destination=host.pool, kind="internet-gateway"),)])
    tables = (RouteTable(id="rtb-public", routes=(TO_INTERNET,)), RouteTable(id="rtb-private", routes=more))
    return vpc(*enis, groups=groups, subnets=subnets, acls=acls, tables=tables, name=name,
               gateway="" if dice.random() < 0.1 else "igw-1")


def probes(vpcs: list[Vpc]) -> list[tuple[str, str, str]]:
    """(guest, ENI, target address) of every pair worth trying; an empty guest is the host."""
    every = [(v, i) for v in vpcs for i in v.interfaces]
    public = [p for _, i in every for _, p in i.private if p]
    out = [("", "internet", p) for p in public]
    for v, i in every:
        out += [(i.guest, i.id, other.private[0][0]) for other in v.interfaces]
        out += [(i.guest, i.id, p) for p in public]
    return out


@pytest.mark.parametrize("seed", range(6))
def test_packets_do_what_reach_says(host: Host, seed: int) -> None:
    dice = Random(seed)
    answered = 0
    fresh = iter(dice.sample(range(SOURCE_PORT, 32000), 2000))  # no flow is ever a continuation of another
    for turn in range(TOPOLOGIES):  # each as a change of the one before
        vpcs = [random_vpc(dice, host, f"vpc-{n}", 10 + 10 * n) for n in (1, 2)]
        for v in vpcs:
            host.net.apply(v)
        if turn == 0:
            for v in vpcs:
                for i in v.interfaces:
                    host.listen(i.guest, *PORTS)
        world = World(site=host.net.site, vpcs=tuple(vpcs))
        shots = [Shot(*end, *dice.choice(KINDS), next(fresh))
                 for end in probes(vpcs)]  # fmt: skip
        answered += compare(host, world, shots, PORTS, (seed, turn))
    assert answered
