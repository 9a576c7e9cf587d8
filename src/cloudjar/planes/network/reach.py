"""Whether a packet and its answer get through, by the laid-out VPCs alone; pure.

This says in Python what `plan` and `filtering` say to the kernel. Security groups are stateful (the
answer needs no rule), network ACLs are not (the answer's port, by default an ephemeral one, must pass).
Whether anything listens at the end is the guest's own business and no part of the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import barring
from cloudjar.planes.network.filtering import (
    METADATA,
    own_addresses,
    published,
    resolver_addresses,
    translators,
    unchecked,
)
from cloudjar.planes.network.match import ANY, GRE, NUMBERS, Packet, protocol_number
from cloudjar.planes.network.port import Endpoint, Interface, Peering, Subnet, TransitAttachment, TransitGateway, Vpc
from cloudjar.planes.network.privatelinks import admitted, endpoint_at, link_at
from cloudjar.planes.network.routing import nat_interface, networks, route_for
from cloudjar.planes.network.site import MAIL_PORTS, WEB_PORTS, Address, Site, address, any_address, either, network
from cloudjar.planes.network.sixfour import beyond
from cloudjar.planes.network.steps import Answer, Dropped, Kind, Step
from cloudjar.planes.network.transit import across, tunnel
from cloudjar.planes.network.verdicts import (
    Direction,
    acl_of,
    acl_verdict,
    group_verdict,
    owner,
    subnet_of,
)

EPHEMERAL = 49152
_ECHO = {4: (8, 0), 6: (128, 129)}
"""ICMP types of an echo request and of its answer, by IP version."""
_FABRIC = (network("169.254.0.0/16"), either("fd00:ec2::/64"))


class World(msgspec.Struct, frozen=True):
    """Every VPC and transit gateway of an installation, and the Internet around them."""

    site: Site
    vpcs: tuple[Vpc, ...]
    api_port: int = 0
    transits: tuple[TransitGateway, ...] = ()
    endpoint_ports: tuple[int, ...] = (80, 443)

    def interface(self, interface_id: str) -> tuple[Vpc, Interface] | None:
        """An attached ENI and its VPC."""
        found = ((v, i) for v in self.vpcs for i in v.interfaces if i.id == interface_id and i.guest)
        return next(found, None)

    def published(self, public: str) -> tuple[Vpc, Interface, str] | None:
        """Who answers for a public address: VPC, ENI and private address; IPv6 ones are both."""
        for v in self.vpcs:
            if ":" in public:
                eni = owner(v, any_address(public)) if v.internet_gateway else None
                if eni is not None:
                    return v, eni, public
            private = dict(published(v)).get(public)
            if private is not None:
                return v, next(i for i in v.interfaces if i.guest and private in dict(i.private)), private
        return None

    def vpc(self, vpc_id: str) -> Vpc | None:
        """A VPC by id."""
        return next((v for v in self.vpcs if v.id == vpc_id), None)


def reach(
    world: World, source: str, target: str, protocol: str, port: int, *, source_port: int = EPHEMERAL, code: int = 0
) -> Answer:
    """Follow a packet from an ENI id (or ``internet``) to an address, and its answer back.

    `protocol` is ``tcp``, ``udp``, ``icmp``, ``icmpv6`` or a number; `port` is the destination port, or the ICMP type
    (-1 means an echo request). Raises `PlaneError` for what is no protocol or address.
    """
    number = protocol_number(protocol)
    if number is None:
        raise PlaneError("A packet has one protocol: -1 is for rules.")
    where = any_address(target)
    if number in (NUMBERS["icmp"], NUMBERS["icmpv6"]) and port == ANY:
        port = _ECHO[where.version][0]
    walk = _Walk(world, number, port, source_port, code)
    try:
        if source == "internet":
            site = world.site
            walk.from_internet(any_address(site.gateway if where.version == 4 else site.gateway6), where)
        else:
            walk.from_interface(source, where)
        walk.return_()
    except Dropped as end:
        return Answer("dropped", (*walk.steps, end.step))
    return Answer("open", tuple(walk.steps))


class _Walk:
    """One packet's way there and its answer's way back."""

    def __init__(self, world: World, protocol: int, port: int, source_port: int, code: int) -> None:
        self.world = world
        self.protocol = protocol
        self.port = port
        self.source_port = source_port
        self.code = code
        self.steps: list[Step] = []
        self._returning = False
        self._backs: list[Callable[[], None]] = []
        """What the answer must pass, nearest to the asker first."""
        self._translated: set[str] = set()

    def return_(self) -> None:
        """The answer's way, farthest first."""
        self._returning = True
        for back in reversed(self._backs):
            back()

    def _pass(self, kind: Kind, text: str, **more: Any) -> None:
        self.steps.append(Step(kind=kind, text=text, back=self._returning, **more))

    def _stop(self, kind: Kind, text: str, **more: Any) -> Dropped:
        return Dropped(Step(kind=kind, text=text, passed=False, back=self._returning, **more))

    def from_interface(self, source: str, target: Address) -> None:
        found = self.world.interface(source)
        if found is None:
            raise self._stop("sender", f"{source} is not attached to anything", what=source)
        vpc, eni = found
        me = next((a for a in own_addresses(eni) if a.version == target.version), None)
        if me is None:
            raise self._stop("sender", f"{source} has no IPv{target.version} address", what=source)
        if target == me or target.is_loopback:
            self._pass("sender", f"{target} is {source} itself", what=source)
            return
        self._send(vpc, eni, me, target)

    def _send(self, vpc: Vpc, eni: Interface, me: Address, target: Address) -> None:
        if target.is_link_local or any(target in n for n in (*_FABRIC, *networks(vpc))):
            self._inside(vpc, eni, me, target)
        else:
            self._outside(vpc, eni, me, target)

    def _inside(self, vpc: Vpc, eni: Interface, me: Address, target: Address) -> None:
        if self._fabric(vpc, target):
            return
        peer = owner(vpc, target)
        if peer is None:
            raise self._nobody(vpc, target)
        if peer.id == eni.id:
            text = f"{target} is an address of {eni.id} that its guest was not given"
            raise self._stop("nobody", text, what=vpc.id, target=str(target))
        near, far = subnet_of(vpc, eni.subnet), subnet_of(vpc, peer.subnet)
        there, apart = self._packet(me, target), near.id != far.id
        if apart:
            self._acl(vpc, near, "egress", there)
            self._later(vpc, near, "ingress", self._answer(target, me))
            self._acl(vpc, far, "ingress", there)
            self._later(vpc, far, "egress", self._answer(target, me))
        self._groups(vpc, eni, "egress", there)
        self._deliver(vpc, peer, there)

    def _deliver(self, vpc: Vpc, peer: Interface, there: Packet) -> None:
        self._groups(vpc, peer, "ingress", there)
        if peer.id in translators(vpc):
            raise self._stop("nat", f"{peer.id} is a NAT gateway's: it answers nobody", what=peer.id)
        endpoint = endpoint_at(vpc, peer)
        if endpoint is not None:
            self._link(endpoint, peer, there)

    def _link(self, endpoint: Endpoint, eni: Interface, there: Packet) -> None:
        """From an endpoint to somebody's own service: as far as the load balancer's node."""
        link = link_at(endpoint, eni)
        far = next((i for v in self.world.vpcs for i in v.interfaces if link and i.guest == link.node), None)
        if link is None or far is None:
            raise self._stop("endpoint", f"{endpoint.id} leads nowhere at {eni.id}", what=endpoint.id, at=eni.id)
        if there.protocol != NUMBERS["tcp"]:
            raise self._stop("endpoint", f"{endpoint.id} carries TCP alone", what=endpoint.id, at=eni.id)
        if not admitted(link, there):
            text = f"no security group of {far.id}, where {endpoint.id} leads, allows {there.source}"
            raise self._stop("endpoint", text, what=endpoint.id, at=eni.id)
        self._pass("endpoint", f"{endpoint.id} leads to {far.id}", what=endpoint.id, target=str(there.target))

    def _fabric(self, vpc: Vpc, target: Address) -> bool:
        """The VPC's own services: metadata and resolver, which no group or ACL concerns."""
        names = resolver_addresses(vpc) if vpc.dns_support else ()
        asked = (self.protocol, self.port)
        if str(target) == METADATA and asked == (NUMBERS["tcp"], 80):
            self._pass("fabric", f"{target} is the instance metadata service", what=vpc.id)
            return True
        if str(target) in names and asked in ((NUMBERS["udp"], 53), (NUMBERS["tcp"], 53)):
            self._pass("fabric", f"{target} is the resolver of {vpc.id}", what=vpc.id)
            return True
        routers = {str(network(s.cidr)[1]) for s in vpc.subnets}
        if target.is_link_local or str(target) in {*routers, *resolver_addresses(vpc)}:
            raise self._stop("fabric", f"the fabric of {vpc.id} does not answer this at {target}", what=vpc.id)
        return False

    def _outside(self, vpc: Vpc, eni: Interface, me: Address, target: Address) -> None:
        subnet = subnet_of(vpc, eni.subnet)
        there = self._packet(me, target)
        route = route_for(vpc, subnet, target)
        if route is None:
            raise self._no_route(subnet, target)
        if route.kind in ("interface", "nat-gateway"):
            hop = route.target if route.kind == "interface" else nat_interface(vpc, route.target)
            self._hop(vpc, eni, hop, there)
            return
        if route.kind == "internet-gateway" and target.version == 4:
            me = self._public(vpc, me)
        self._acl(vpc, subnet, "egress", there)
        self._groups(vpc, eni, "egress", there)
        self._later(vpc, subnet, "ingress", self._answer(target, there.source))
        match route.kind:
            case "peering":
                self._peer(vpc, route.target, me, target)
            case "transit-gateway":
                self._transit(vpc, route.target, me, target)
            case "endpoint":
                self._endpoint(route.target, target)
            case _:
                self._leave(vpc, eni, outward=route.kind == "egress-only-gateway")
                self._beyond(me, target)

    def _hop(self, vpc: Vpc, eni: Interface, hop_id: str, there: Packet) -> None:
        """By way of another ENI of this VPC: a NAT gateway, or an instance that forwards."""
        near = subnet_of(vpc, eni.subnet)
        hop = next(i for i in vpc.interfaces if i.id == hop_id)
        if near.id != hop.subnet:
            self._acl(vpc, near, "egress", there)
            self._later(vpc, near, "ingress", self._answer(there.target, there.source))
        self._groups(vpc, eni, "egress", there)
        self._into(vpc, hop, there, across=near.id != hop.subnet, back=hop.id != eni.id)

    def _into(self, vpc: Vpc, hop: Interface, there: Packet, *, across: bool, back: bool = True) -> None:
        if hop not in unchecked(vpc):
            text = f"{hop.id} drops what is not addressed to it: its source/destination check is on"
            raise self._stop("check", text, what=hop.id)
        far = subnet_of(vpc, hop.subnet)
        if across:
            self._acl(vpc, far, "ingress", there)
            self._later(vpc, far, "egress", self._answer(there.target, there.source))
        if back:
            self._groups(vpc, hop, "ingress", there)
        if hop.id not in translators(vpc):
            self._pass("forwarder", f"{hop.id} receives it; what it forwards is its own decision", what=hop.id)
            self._backs.clear()
            return
        if hop.id in self._translated:
            raise self._stop("nat", f"{hop.id} is a NAT gateway's, and gets it back again", what=hop.id)
        self._translated.add(hop.id)
        own = address(hop.private[0][0])
        self._pass("nat", f"the NAT gateway at {hop.id} translates {there.source} to {own}", what=hop.id,
                   source=str(there.source), target=str(own))
        target, self.protocol, self.port, self.code = beyond(there)
        self._send(vpc, hop, own, target)

    def _public(self, vpc: Vpc, me: Address) -> Address:
        public = {private: p for p, private in published(vpc)}.get(str(me))
        if public is None:
            text = f"{me} has no public address, so {vpc.internet_gateway} drops it"
            raise self._stop("public-address", text, what=vpc.internet_gateway, direction="egress", source=str(me))
        self._pass("gateway", f"{vpc.internet_gateway} translates {me} to {public}", what=vpc.internet_gateway,
                   direction="egress", source=str(me), target=public)
        return address(public)

    def _endpoint(self, endpoint_id: str, target: Address) -> None:
        if self.protocol != NUMBERS["tcp"] or self.port not in self.world.endpoint_ports:
            raise self._stop("endpoint", f"{endpoint_id} answers for the API only", what=endpoint_id)
        self._pass("endpoint", f"{endpoint_id} answers for {target}", what=endpoint_id, target=str(target))

    def _peer(self, vpc: Vpc, peering_id: str, me: Address, target: Address) -> None:
        other = self._across_peering(vpc, peering_id, me, target)
        self._pass("peering", f"{peering_id} leads to {other.id}", what=peering_id, target=other.id)
        self._arrive(vpc, other, me, target)

    def _across_peering(self, vpc: Vpc, peering_id: str, source: Address, target: Address) -> Vpc:
        mine = _peering(vpc, peering_id)
        other = self.world.vpc(mine.vpc) if mine else None
        theirs = _peering(other, peering_id) if other else None
        if mine is None or other is None or theirs is None:
            raise self._stop("peering", f"{peering_id} has no other side", what=peering_id)
        if not any(target in n for n in networks(other)):
            text = f"{target} is no address of {other.id}: {peering_id} leads no further"
            raise self._stop("peering", text, what=peering_id, target=str(target))
        if not _in(source, theirs.cidrs):
            text = f"{peering_id} carries addresses of its two VPCs only"
            raise self._stop("peering", text, what=peering_id, target=str(source))
        return other

    def _transit(self, vpc: Vpc, gateway_id: str, me: Address, target: Address) -> None:
        if self._tunnelled(vpc, gateway_id, target):
            return
        other, theirs = self._across_transit(vpc, gateway_id, me, target)
        self._pass("transit", f"{gateway_id} leads to {other.id}", what=gateway_id, target=other.id)
        if any(target in n for n in networks(other)):
            self._arrive(vpc, other, me, target)
            return
        subnet = subnet_of(other, theirs.subnet)
        route = route_for(other, subnet, target)
        if route is None or route.kind not in ("nat-gateway", "interface"):
            table = subnet.route_table or subnet.id
            text = f"{table} leads nothing from {gateway_id} to {target}"
            raise self._stop("route", text, what=table, target=str(target), at=subnet.id)
        hop_id = route.target if route.kind == "interface" else nat_interface(other, route.target)
        hop = next(i for i in other.interfaces if i.id == hop_id)
        self._backs.append(lambda: self._home(vpc, other, subnet_of(other, hop.subnet), target, me))
        self._into(other, hop, self._packet(me, target), across=True)

    def _tunnelled(self, vpc: Vpc, gateway_id: str, target: Address) -> bool:
        """Whether it goes into a tunnel, whose own packets an appliance gets: what that does with them is its own."""
        mine = next(a for a in vpc.transit_attachments if a.gateway == gateway_id)
        last, peer, carrier = tunnel(self.world.transits, gateway_id, mine.id, target)
        other = self.world.vpc(carrier)
        if peer is None or other is None:
            return False
        outer = Packet(address(peer.own), address(peer.peer), GRE, -1)
        self._pass("transit", f"{last} leads into {peer.id}, to {peer.peer}", what=last, target=other.id)
        if (eni := owner(other, outer.target)) is None:
            raise self._nobody(other, outer.target)
        self._acl(other, subnet_of(other, eni.subnet), "ingress", outer)
        self._groups(other, eni, "ingress", outer)
        self._pass("forwarder", f"{eni.id} receives it; what it forwards is its own decision", what=eni.id)
        self._backs.clear()
        return True

    def _across_transit(
        self, vpc: Vpc, gateway_id: str, source: Address, target: Address
    ) -> tuple[Vpc, TransitAttachment]:
        """Where a transit gateway leads what leaves a VPC by it."""
        mine = next(a for a in vpc.transit_attachments if a.gateway == gateway_id)
        last, onto, came = across(self.world.transits, gateway_id, mine.id, target)
        other = self.world.vpc(onto.vpc) if onto else None
        theirs = next((a for a in other.transit_attachments if onto and a.id == onto.attachment), None) \
            if other else None
        if other is None or theirs is None:
            text = f"{last} has no route to {target} for {came}"
            raise self._stop("transit", text, what=last, target=str(target), at=came)
        if other.id == vpc.id or any(source in n for n in networks(other)):
            text = f"{other.id} takes nothing from {gateway_id} that claims to come from itself"
            raise self._stop("spoofed", text, what=other.id)
        return other, theirs

    def _home(self, home: Vpc, vpc: Vpc, far: Subnet, source: Address, target: Address) -> None:
        """An answer's way back into the VPC of who asked: any way will do, for no state is kept between VPCs."""
        route = route_for(vpc, far, target)
        came: Vpc | None = None
        if route is not None and route.kind == "peering":
            came = self._across_peering(vpc, route.target, source, target)
        elif route is not None and route.kind == "transit-gateway":
            came, _ = self._across_transit(vpc, route.target, source, target)
        elif route is not None and route.kind == "internet-gateway" and target.version == 6:
            came = home if home.internet_gateway or home.egress_only_gateway else None
            self._over_the_internet(vpc, home, source, target)
        if came is None or came.id != home.id:
            raise self._no_route(far, target)

    def _arrive(self, home: Vpc, vpc: Vpc, me: Address, target: Address) -> None:
        """At an ENI of another VPC."""
        peer = owner(vpc, target)
        if peer is None:
            raise self._nobody(vpc, target)
        far, there = subnet_of(vpc, peer.subnet), self._packet(me, target)
        self._acl(vpc, far, "ingress", there)
        self._later(vpc, far, "egress", self._answer(target, me))
        self._backs.append(lambda: self._home(home, vpc, far, target, me))
        self._deliver(vpc, peer, there)

    def _beyond(self, me: Address, target: Address) -> None:
        """On the Internet, as whom the world sees."""
        site = self.world.site
        if target.version == 6:
            if target not in either(site.pool6) or str(target) == site.gateway6:
                text = f"{target} is beyond this host, which IPv6 does not leave"
                raise self._stop("outside", text, target=str(target))
            self.from_internet(me, target)
        elif str(target) in site.api_addresses:
            if self.protocol != NUMBERS["tcp"] or self.port not in (self.world.api_port, *WEB_PORTS, *MAIL_PORTS):
                raise self._stop("api", f"{target} answers for the API only", target=str(target))
            self._pass("api", f"{target} is the API", target=str(target))
        elif target in network(site.pool):
            self.from_internet(me, target)
        else:
            self._pass("outside", f"{target} is on the Internet, outside of this installation", target=str(target))

    def from_internet(self, source: Address, target: Address) -> None:
        """A packet that arrives at an internet gateway, and the answer's way out again."""
        found = self.world.published(str(target))
        if found is None:
            text = f"{target} is no public address of an attached interface"
            raise self._stop("public-address", text, direction="ingress", target=str(target))
        vpc, eni, private = found
        if any(source in n for n in networks(vpc)):
            raise self._stop("spoofed", f"{source} cannot come from outside of {vpc.id}", what=vpc.id)
        if target.version == 4:
            text = f"{vpc.internet_gateway} translates {target} to {private} of {eni.id}"
            self._pass("gateway", text, what=vpc.internet_gateway, direction="ingress", source=str(target),
                       target=private, at=eni.id)
        else:
            text = f"{vpc.internet_gateway} leads to {eni.id}"
            self._pass("gateway", text, what=vpc.internet_gateway, direction="ingress", at=eni.id)
        if not barring.enters(vpc, eni, answer=False, version=target.version):
            raise self._barred(vpc, eni, "ingress", vpc.internet_gateway)
        me, subnet = any_address(private), subnet_of(vpc, eni.subnet)
        there = self._packet(source, me)
        self._acl(vpc, subnet, "ingress", there)
        self._later(vpc, subnet, "egress", self._answer(me, source))
        self._backs.append(lambda: self._out_again(vpc, subnet, me, source))
        self._deliver(vpc, eni, there)

    def _out_again(self, vpc: Vpc, subnet: Subnet, me: Address, source: Address) -> None:
        """An answer's way back to the Internet; over IPv6 other ways may lead home too, for addresses stay the same."""
        route = route_for(vpc, subnet, source)
        if route is not None and route.kind == "internet-gateway":
            return
        home = next((v for v in self.world.vpcs if any(source in n for n in networks(v))), None)
        if source.version == 4 or home is None:
            raise self._no_route(subnet, source)
        self._home(home, vpc, subnet, me, source)

    def _leave(self, vpc: Vpc, eni: Interface, *, outward: bool) -> None:
        """Past Block Public Access to a gateway."""
        if not barring.leaves(vpc, eni, answer=False, outward=outward):
            raise self._barred(vpc, eni, "egress", vpc.egress_only_gateway if outward else vpc.internet_gateway)

    def _over_the_internet(self, vpc: Vpc, home: Vpc, source: Address, target: Address) -> None:
        """An IPv6 answer that leaves by a gateway to what was not asked by one, past what both VPCs bar."""
        sender, asker = owner(vpc, source), owner(home, target)
        if sender is not None and not barring.leaves(vpc, sender, answer=True, outward=False):
            raise self._barred(vpc, sender, "egress", vpc.internet_gateway)
        if asker is not None and not barring.enters(home, asker, answer=True, version=6):
            raise self._barred(home, asker, "ingress", home.internet_gateway or home.egress_only_gateway)

    def _barred(self, vpc: Vpc, eni: Interface, direction: Direction, gateway: str) -> Dropped:
        return Dropped(barring.refusal(vpc, eni, direction, gateway, back=self._returning))

    def _packet(self, source: Address, target: Address) -> Packet:
        return Packet(source, target, self.protocol, self.port, self.code)

    def _answer(self, source: Address, target: Address) -> Packet:
        if self.protocol in (NUMBERS["icmp"], NUMBERS["icmpv6"]):
            return Packet(source, target, self.protocol, _ECHO[source.version][1], 0)
        return Packet(source, target, self.protocol, self.source_port)

    def _later(self, vpc: Vpc, subnet: Subnet, direction: Direction, packet: Packet) -> None:
        self._backs.append(lambda: self._acl(vpc, subnet, direction, packet))

    def _acl(self, vpc: Vpc, subnet: Subnet, direction: Direction, packet: Packet) -> None:
        acl = acl_of(vpc, subnet)
        if acl is None:
            return
        number, allowed = acl_verdict(acl, direction, packet)
        rule = f"rule {number}" if number else "the default rule"
        word = "allows" if allowed else "denies"
        line = f"{acl.id} {rule} {word} {direction} {packet.source} to {packet.target} at {subnet.id}"
        more = {**_ends(packet), "direction": direction, "what": acl.id, "at": subnet.id, "number": number}
        if not allowed:
            raise self._stop("acl", line, **more)
        self._pass("acl", line, **more)

    def _groups(self, vpc: Vpc, eni: Interface, direction: Direction, packet: Packet) -> None:
        if eni.id in translators(vpc):
            return  # a NAT gateway has no groups
        what, more = f"{direction} {packet.source} to {packet.target}", {**_ends(packet), "direction": direction}
        if eni.unguarded:
            self._pass("group", f"no security group decides about {what} at {eni.id}", at=eni.id, **more)
            return
        group = group_verdict(vpc, eni, direction, packet)
        if not group:
            raise self._stop("group", f"no security group of {eni.id} allows {what}", at=eni.id, **more)
        self._pass("group", f"{group} allows {what} at {eni.id}", what=group, at=eni.id, **more)

    def _nobody(self, vpc: Vpc, target: Address) -> Dropped:
        return self._stop("nobody", f"nothing in {vpc.id} has the address {target}", what=vpc.id, target=str(target))

    def _no_route(self, subnet: Subnet, target: Address) -> Dropped:
        table, back = subnet.route_table or subnet.id, "back " if self._returning else ""
        text = f"{table} has no route {back}to {target}"
        return self._stop("route", text, what=table, target=str(target), at=subnet.id)


def _ends(packet: Packet) -> dict[str, str]:
    return {"source": str(packet.source), "target": str(packet.target)}


def _peering(vpc: Vpc, peering_id: str) -> Peering | None:
    return next((p for p in vpc.peerings if p.id == peering_id), None)


def _in(target: Address, cidrs: tuple[str, ...]) -> bool:
    return any(target in either(c) for c in cidrs)
