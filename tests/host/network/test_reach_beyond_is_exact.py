"""Random worlds of three VPCs with everything between them: what real packets do is what `reach` says."""

from __future__ import annotations

from ipaddress import IPv6Network
from random import Random

import msgspec
import pytest

from cloudjar.planes.network.port import (
    AclEntry,
    Endpoint,
    Interface,
    NatGateway,
    NetworkAcl,
    Openness,
    PeerGroup,
    Peering,
    PrefixList,
    Route,
    RouteTable,
    Rule,
    SecurityGroup,
    Subnet,
    TargetKind,
    TransitAssociation,
    TransitAttachment,
    TransitGateway,
    TransitRoute,
    TransitRouteTable,
    Vpc,
)
from cloudjar.planes.network.reach import World
from tests.host.network.conftest import Host
from tests.host.network.volley import Shot, compare
from tests.planes.network.topology import ANYWHERE, eni
from tests.ports import OF_CLIENTS

pytestmark = pytest.mark.host
replace = msgspec.structs.replace
PORTS = (80, 443)
CLOSED = 79
"""Where nobody listens: a packet that gets there is refused."""
KINDS = (*(("tcp", p) for p in PORTS), *(("udp", p) for p in PORTS), ("tcp", CLOSED), ("icmp", -1))
TOPOLOGIES = 15
SERVICE = "198.51.100.7"
"""An address of the gateway endpoint's prefix list."""
VPCS = (1, 2, 3)
OPENNESS: tuple[Openness, ...] = ("open",) * 7 + ("outward", "gateways", "closed")
PEERINGS = {(1, 2): "pcx-12", (2, 3): "pcx-23", (1, 3): "pcx-13"}


class Draw:
    """One random world, drawn once per turn."""

    def __init__(self, dice: Random, host: Host) -> None:
        self.dice = dice
        self.host = host
        pool = IPv6Network(host.net.ipv6_pool).subnets(new_prefix=56)
        self.blocks = {n: list(next(pool).subnets(new_prefix=64)) for n in VPCS}
        self.peered = {pair for pair in PEERINGS if dice.random() < 0.7}
        self.attached = {n for n in VPCS if dice.random() < 0.7}
        self.gateways = {n for n in VPCS if dice.random() < 0.85}
        self.vpcs = tuple(self._vpc(n) for n in VPCS)
        self.transit = self._transit()

    def _cidrs(self, n: int) -> tuple[str, ...]:
        return (f"10.{n}.0.0/16", str(self.blocks[n][0].supernet(new_prefix=56)))

    def _vpc(self, n: int) -> Vpc:
        dice = self.dice
        blocks = self.blocks[n]
        subnets = tuple(
            Subnet(id=f"subnet-{n}{s}", cidr=f"10.{n}.{s}.0/24", zone="us-east-1a", route_table=f"rtb-{n}{s}",
                   network_acl=dice.choice(["", "", "", "acl-a"]), ipv6_cidr=str(blocks[s]),
                   openness=dice.choice(OPENNESS)) for s in (1, 2))
        enis = [self._eni(n, s) for s in (1, 2)]
        nat = replace(eni(n * 10 + 9, f"subnet-{n}1", f"10.{n}.1.9", guest=f"nat-{n}",
                          public=self.host.public(n * 10 + 9) if dice.random() < 0.8 else ""), groups=())
        groups = tuple(SecurityGroup(id=g, rules=self._rules()) for g in ("sg-a", "sg-b"))
        others = tuple(o for o in VPCS if tuple(sorted((n, o))) in self.peered and o != n)
        return Vpc(
            id=f"vpc-{n}", region="us-east-1", cidrs=self._cidrs(n)[:1], ipv6_cidrs=self._cidrs(n)[1:],
            subnets=subnets, groups=groups, acls=(self._acl(),), interfaces=(*enis, nat),
            route_tables=tuple(RouteTable(id=f"rtb-{n}{s}", routes=self._routes(n, s)) for s in (1, 2)),
            internet_gateway="igw-1" if n in self.gateways else "",
            egress_only_gateway="eigw-1" if dice.random() < 0.5 else "",
            nat_gateways=(NatGateway(id=f"nat-{n}", interface=nat.id),),
            peerings=tuple(Peering(id=self._between(n, o), vpc=f"vpc-{o}", cidrs=self._cidrs(o)) for o in others),
            peer_groups=(PeerGroup(id="sg-far", members=tuple(f"10.{o}.1.5" for o in others)),),
            prefix_lists=(PrefixList(id="pl-s3", cidrs=("198.51.100.0/28",)),
                          PrefixList(id="pl-all", cidrs=("10.1.0.0/16", "10.2.0.0/15", self.host.net.ipv6_pool))),
            endpoints=(Endpoint(id=f"vpce-{n}", kind="gateway"),) if dice.random() < 0.6 else (),
            transit_attachments=(TransitAttachment(
                id=f"tgw-attach-{n}", gateway="tgw-1", subnet=f"subnet-{n}2"),) if n in self.attached else (),
        )

    @staticmethod
    def _between(n: int, other: int) -> str:
        return PEERINGS[min(n, other), max(n, other)]

    def _eni(self, n: int, s: int) -> Interface:
        public = self.host.public(n * 10 + s) if self.dice.random() < 0.6 else ""
        mine = tuple(g for g in ("sg-a", "sg-b") if self.dice.random() < 0.7) or ("sg-a",)
        return replace(eni(n * 10 + s, f"subnet-{n}{s}", f"10.{n}.{s}.5", *mine, public=public),
                       ipv6=(str(self.blocks[n][s][5]),))

    def _routes(self, n: int, s: int) -> tuple[Route, ...]:
        """Mostly what a sensible person would write, now and then something else."""
        dice, out = self.dice, []

        def to(destination: str, kind: TargetKind, target: str) -> None:
            if dice.random() < 0.85:
                out.append(Route(destination=destination, kind=kind, target=target))

        if s == 1 or dice.random() < 0.2:
            to(ANYWHERE, "internet-gateway", "igw-1")
            to("::/0", "internet-gateway", "igw-1")
        else:
            to(ANYWHERE, *dice.choice([("nat-gateway", f"nat-{n}"), ("transit-gateway", "tgw-1")]))  # type: ignore[arg-type] # kinds
            to("::/0", "egress-only-gateway", "eigw-1")
        for o in VPCS:
            if o != n:
                kind, target = dice.choice([("peering", self._between(n, o)), ("transit-gateway", "tgw-1"),
                                            ("peering", dice.choice(list(PEERINGS.values())))])
                for cidr in self._cidrs(o):
                    to(cidr, kind, target)  # type: ignore[arg-type] # kinds
        to("pl-s3", "endpoint", f"vpce-{n}")
        return tuple(out)

    def _rules(self) -> tuple[Rule, ...]:
        dice = self.dice

        def rule(egress: bool) -> Rule:
            protocol = dice.choice(["tcp", "udp", "-1", "-1"])
            low, high = (-1, -1) if protocol == "-1" else dice.choice([(80, 80), (80, 443), (0, 65535)])
            peer = dice.choice([ANYWHERE, ANYWHERE, "::/0", "::/0", "sg-a", "sg-far", "pl-all", "pl-s3",
                                f"10.{dice.choice(VPCS)}.0.0/16", str(self.blocks[dice.choice(VPCS)][1])])
            return Rule(direction="egress" if egress else "ingress", protocol=protocol, from_port=low, to_port=high,
                        peer=peer)

        out = [rule(False) for _ in range(dice.randrange(1, 4))] + [rule(True) for _ in range(dice.randrange(2))]
        for peer in (ANYWHERE, "::/0"):
            if dice.random() < 0.3:
                out.append(Rule(direction="ingress", protocol="-1", peer=peer))
            if dice.random() < 0.8:
                out.append(Rule(direction="egress", protocol="-1", peer=peer))
        return tuple(out)

    def _acl(self) -> NetworkAcl:
        dice = self.dice

        def entry(number: int) -> AclEntry:
            low, high = dice.choice([(80, 80), (1, 1000), (1024, 65535)])
            return AclEntry(number=number, direction=dice.choice(["ingress", "egress"]), allow=dice.random() < 0.5,
                            protocol=dice.choice(["tcp", "udp"]), from_port=low, to_port=high,
                            cidr=dice.choice([ANYWHERE, "::/0", "10.1.0.0/16", "10.2.2.0/24"]))

        last = tuple(AclEntry(number=900 + k, direction=d, allow=True, protocol="-1", cidr=c)
                     for k, c in enumerate((ANYWHERE, "::/0")) for d in ("ingress", "egress") if dice.random() < 0.85)
        return NetworkAcl(id="acl-a", entries=(*(entry(n * 10) for n in range(1, dice.randrange(1, 4))), *last))

    def _transit(self) -> TransitGateway:
        dice = self.dice
        ways = [(c, n) for n in VPCS for c in self._cidrs(n)]

        def table(name: str) -> TransitRouteTable:
            rows = [TransitRoute(destination=c, attachment=f"tgw-attach-{n}" if dice.random() < 0.9 else "")
                    for c, n in ways if dice.random() < 0.85]
            if dice.random() < 0.7:
                rows.append(TransitRoute(destination=ANYWHERE, attachment=f"tgw-attach-{dice.choice(VPCS)}"))
            return TransitRouteTable(id=name, routes=tuple(rows))

        return TransitGateway(
            id="tgw-1", route_tables=(table("tgw-rtb-a"), table("tgw-rtb-b")),
            associations=tuple(TransitAssociation(
                attachment=f"tgw-attach-{n}", vpc=f"vpc-{n}",
                route_table=dice.choice(["tgw-rtb-a", "tgw-rtb-a", "tgw-rtb-b", ""])) for n in VPCS))


def probes(draw: Draw) -> list[tuple[str, str, str]]:
    """(guest, ENI, target address) of every pair worth trying; an empty guest is the host."""
    every = [i for v in draw.vpcs for i in v.interfaces]
    asking = [i for i in every if not i.guest.startswith("nat-")]
    public = [p for i in every for _, p in i.private if p]
    six = [a for i in every for a in i.ipv6]
    out = [("", "internet", p) for p in (*public, *six)]
    for i in asking:
        out += [(i.guest, i.id, o.private[0][0]) for o in every if o.id != i.id]
        out += [(i.guest, i.id, a) for a in six if a not in i.ipv6]
        out += [(i.guest, i.id, p) for p in public] + [(i.guest, i.id, SERVICE)]
    return out


@pytest.mark.parametrize("seed", range(10))
def test_packets_do_what_reach_says(host: Host, seed: int) -> None:
    dice = Random(1000 + seed)
    answered = 0
    fresh = iter(dice.sample(OF_CLIENTS, 6000))  # no flow is ever a continuation of another
    for turn in range(TOPOLOGIES):  # each as a change of the one before
        draw = Draw(dice, host)
        parts: list[Vpc | TransitGateway] = [*draw.vpcs, draw.transit]
        dice.shuffle(parts)
        for part in parts:
            host.net.apply(part) if isinstance(part, Vpc) else host.net.apply_transit(part)
        if turn == 0:
            for guest in {i.guest for v in draw.vpcs for i in v.interfaces if not i.guest.startswith("nat-")}:
                host.listen(guest, *PORTS)
                host.listen6(guest, *PORTS)
        world = World(site=host.net.site, vpcs=draw.vpcs, transits=(draw.transit,))
        shots = [Shot(*end, *dice.choice(KINDS), next(fresh))
                 for end in probes(draw)]  # fmt: skip
        answered += compare(host, world, shots, PORTS, (seed, turn))
    assert answered
