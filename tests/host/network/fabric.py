"""Four VPCs with one of everything between them, all of it open: what the packet matrix is made of.

``vpc-1`` is the one that is asked about: `a` and `b` in a public subnet, `c` in a private one, behind a NAT gateway, an
egress-only gateway, a gateway endpoint and an interface endpoint. ``vpc-2`` is its peer, ``vpc-3`` is beyond a transit
gateway, and ``vpc-4`` is somebody on the Internet.
"""

from __future__ import annotations

from ipaddress import IPv6Network
from typing import NamedTuple

import msgspec

from cloudjar.planes.network.port import (
    Endpoint,
    Interface,
    NatGateway,
    PeerGroup,
    Peering,
    PrefixList,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    TransitAssociation,
    TransitAttachment,
    TransitGateway,
    TransitRoute,
    TransitRouteTable,
    Vpc,
)
from cloudjar.planes.network.sixfour import spelled
from tests.host.network.conftest import Host
from tests.planes.network.topology import ALL_OUT, ANYWHERE, allow, eni, group

replace = msgspec.structs.replace
SIX = "::/0"
LISTENING, CLOSED = 80, 79
SERVICE = "198.51.100.7"
"""An address of the gateway endpoint's prefix list."""
ALL_IN = (allow("-1", -1), allow("-1", -1, SIX))
ALL_OUT6 = (ALL_OUT, allow("-1", -1, SIX, direction="egress"))
KINDS = {"open": ("tcp", LISTENING), "closed": ("tcp", CLOSED), "udp": ("udp", LISTENING), "icmp": ("icmp", -1)}


class Fabric(NamedTuple):
    """The whole of it, as data."""

    vpcs: dict[int, Vpc]
    transit: TransitGateway

    def with_vpc(self, n: int, **changed: object) -> Fabric:
        """The same, with something else in one VPC."""
        return self._replace(vpcs=self.vpcs | {n: replace(self.vpcs[n], **changed)})

    def with_group(self, group_id: str, changed: SecurityGroup) -> Fabric:
        """The same, with another security group in the first VPC."""
        groups = tuple(changed if g.id == group_id else g for g in self.vpcs[1].groups)
        return self.with_vpc(1, groups=groups)

    def with_subnet(self, subnet_id: str, **changed: object) -> Fabric:
        """The same, with something else in a subnet of the first VPC."""
        subnets = tuple(replace(s, **changed) if s.id == subnet_id else s for s in self.vpcs[1].subnets)
        return self.with_vpc(1, subnets=subnets)

    def with_interface(self, interface: str, **changed: object) -> Fabric:
        """The same, with something else about an interface of the first VPC."""
        found = tuple(replace(i, **changed) if i.id == interface else i for i in self.vpcs[1].interfaces)
        return self.with_vpc(1, interfaces=found)

    def with_routes(self, n: int, table: str, *more: Route, without: tuple[str, ...] = ()) -> Fabric:
        """The same, with further routes in a table, and without those to some destinations."""
        tables = tuple(
            replace(t, routes=(*(r for r in t.routes if r.destination not in without), *more)) if t.id == table else t
            for t in self.vpcs[n].route_tables)  # fmt: skip
        return self.with_vpc(n, route_tables=tables)


def blocks6(host: Host) -> dict[int, list[str]]:
    """The /64 blocks of each VPC's /56; what is at [0] is the /56 itself."""
    pool = IPv6Network(host.net.ipv6_pool).subnets(new_prefix=56)
    return {n: [str(whole), *(str(b) for b in list(whole.subnets(new_prefix=64))[1:3])]
            for n, whole in zip((1, 2, 3, 4), pool, strict=False)}  # fmt: skip


def dual(host: Host, n: int, subnet: int, last: int, groups: tuple[str, ...], *, public: bool = False) -> Interface:
    """An ENI of both families; the last part of its addresses tells it from its neighbours."""
    where = "public" if subnet == 1 else "private"
    number = 40 * n + 10 * subnet + last
    made = eni(number, f"subnet-{n}-{where}", f"10.{n}.{subnet}.{last}", *groups,
               public=host.public(number) if public else "")
    return replace(made, ipv6=(str(IPv6Network(blocks6(host)[n][subnet])[last]),))


def fabric(host: Host) -> Fabric:
    """Everything laid out so that everybody reaches everybody."""
    six = blocks6(host)
    return Fabric({1: _middle(host, six), 2: _far(host, 2, six), 3: _far(host, 3, six), 4: _world(host, six)},
                  _transit(six))


def _middle(host: Host, six: dict[int, list[str]]) -> Vpc:
    nat = replace(eni(45, "subnet-1-public", "10.1.1.9", public=host.public(45), guest="nat-1"), groups=())
    door = eni(46, "subnet-1-private", "10.1.2.9", "sg-a", guest="eni-door")
    enis = (dual(host, 1, 1, 5, ("sg-a",), public=True), dual(host, 1, 1, 6, ("sg-a",)), dual(host, 1, 2, 5, ("sg-a",)))
    beyond = (*_ways(six, 2, "peering", "pcx-12"), *_ways(six, 3, "transit-gateway", "tgw-1"))
    out = Route(destination=SIX, kind="egress-only-gateway", target="eigw-1")
    private = (Route(destination=ANYWHERE, kind="nat-gateway", target="nat-1"), out,
               Route(destination="64:ff9b::/96", kind="nat-gateway", target="nat-1"),
               Route(destination="pl-s3", kind="endpoint", target="vpce-1"))
    return replace(
        _vpc(1, six, enis=(*enis, nat, door), public=(*_to_internet(), *beyond), private=(*private, *beyond)),
        groups=(group("sg-a", *ALL_IN, out=ALL_OUT6), SecurityGroup(id="sg-none")),
        egress_only_gateway="eigw-1",
        nat_gateways=(NatGateway(id="nat-1", interface=nat.id),),
        peerings=(Peering(id="pcx-12", vpc="vpc-2", cidrs=("10.2.0.0/16", six[2][0])),),
        peer_groups=(PeerGroup(id="sg-far", members=("10.2.1.5", str(IPv6Network(six[2][1])[5]))),),
        prefix_lists=(PrefixList(id="pl-s3", cidrs=("198.51.100.0/28",)),
                      PrefixList(id="pl-near", cidrs=("10.1.1.0/24", six[1][1]))),
        endpoints=(Endpoint(id="vpce-1", kind="gateway"),
                   Endpoint(id="vpce-2", kind="interface", interfaces=(door.id,))),
        transit_attachments=(TransitAttachment(id="tgw-attach-1", gateway="tgw-1", subnet="subnet-1-private"),),
    )


def _far(host: Host, n: int, six: dict[int, list[str]]) -> Vpc:
    """The first VPC's peer, or the one beyond the transit gateway."""
    back = _ways(six, 1, "peering", "pcx-12") if n == 2 else _ways(six, 1, "transit-gateway", "tgw-1")
    made = _vpc(n, six, enis=(dual(host, n, 1, 5, ("sg-open",)),), public=back)
    if n == 2:
        return replace(made, peerings=(Peering(id="pcx-12", vpc="vpc-1", cidrs=("10.1.0.0/16", six[1][0])),))
    way = TransitAttachment(id="tgw-attach-3", gateway="tgw-1", subnet="subnet-3-public")
    return replace(made, transit_attachments=(way,))


def _world(host: Host, six: dict[int, list[str]]) -> Vpc:
    return _vpc(4, six, enis=(dual(host, 4, 1, 5, ("sg-open",), public=True),), public=_to_internet())


def _vpc(
    n: int, six: dict[int, list[str]], *, enis: tuple[Interface, ...], public: tuple[Route, ...],
    private: tuple[Route, ...] = (),
) -> Vpc:  # fmt: skip
    subnets = tuple(
        Subnet(id=f"subnet-{n}-{name}", cidr=f"10.{n}.{k}.0/24", zone="us-east-1a", route_table=f"rtb-{n}-{name}",
               ipv6_cidr=six[n][k])
        for k, name in ((1, "public"), (2, "private")))  # fmt: skip
    tables = (RouteTable(id=f"rtb-{n}-public", routes=public), RouteTable(id=f"rtb-{n}-private", routes=private))
    return Vpc(id=f"vpc-{n}", region="us-east-1", cidrs=(f"10.{n}.0.0/16",), ipv6_cidrs=(six[n][0],), subnets=subnets,
               route_tables=tables, groups=(group("sg-open", *ALL_IN, out=ALL_OUT6),), interfaces=enis,
               internet_gateway=f"igw-{n}" if n in (1, 4) else "")  # fmt: skip


def _to_internet() -> tuple[Route, ...]:
    return tuple(Route(destination=d, kind="internet-gateway", target="igw-1") for d in (ANYWHERE, SIX))


def _ways(six: dict[int, list[str]], n: int, kind: str, target: str) -> tuple[Route, ...]:
    """Routes to both blocks of a VPC."""
    return tuple(Route(destination=d, kind=kind, target=target)  # type: ignore[arg-type] # one of the port's kinds
                 for d in (f"10.{n}.0.0/16", six[n][0]))  # fmt: skip


def _transit(six: dict[int, list[str]]) -> TransitGateway:
    rows = tuple(TransitRoute(destination=d, attachment=f"tgw-attach-{n}")
                 for n in (1, 3) for d in (f"10.{n}.0.0/16", six[n][0]))  # fmt: skip
    return TransitGateway(
        id="tgw-1", route_tables=(TransitRouteTable(id="tgw-rtb-a", routes=rows),),
        associations=tuple(TransitAssociation(attachment=f"tgw-attach-{n}", vpc=f"vpc-{n}", route_table="tgw-rtb-a")
                           for n in (1, 3)))  # fmt: skip


class Pair(NamedTuple):
    """Who asks whom: the asker's guest (empty: the host) and ENI, and an address of whoever is asked."""

    guest: str
    source: str
    target: str


def relations(laid: Fabric, host: Host) -> dict[str, Pair]:
    """Every way from one to another, by name and IP version."""
    a, b, c, _, door = laid.vpcs[1].interfaces
    d, e, w = (laid.vpcs[n].interfaces[0] for n in (2, 3, 4))

    def four(who: Interface, whom: str) -> Pair:
        return Pair(who.guest, who.id, whom)

    out = {
        "internet-in/4": Pair("", "internet", a.private[0][1] or host.public(55)),
        "internet-in/6": Pair("", "internet", a.ipv6[0]),
        "internet-out/4": four(a, w.private[0][1]),
        "nat/4": four(c, w.private[0][1]),
        "nat/6": four(c, spelled(w.private[0][1])),
        "egress-only/6": four(c, w.ipv6[0]),
        "internet-out/6": four(a, w.ipv6[0]),
        "gateway-endpoint/4": four(c, SERVICE),
        "interface-endpoint/4": four(a, door.private[0][0]),
    }
    for name, who, whom in (("same-subnet", a, b), ("cross-subnet", a, c), ("peering", a, d), ("peering-in", d, a),
                            ("transit", a, e), ("transit-in", e, a)):  # fmt: skip
        out[f"{name}/4"] = four(who, whom.private[0][0])
        out[f"{name}/6"] = four(who, whom.ipv6[0])
    return out
