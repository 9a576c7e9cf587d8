"""What the product asks of the network plane: a VPC laid out as data, converged to at once.

A `Vpc` value is the whole truth about one VPC: applying it again changes nothing, applying another
changes just the difference, and after a crash the kernel is compared with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Literal, Protocol

import msgspec

from cloudjar.planes.compute.inside import Ears, Line
from cloudjar.planes.network.connect import Connect, PeerSeen

TargetKind = Literal[
    "local", "internet-gateway", "interface", "blackhole",
    "nat-gateway", "peering", "egress-only-gateway", "transit-gateway", "endpoint",
]
Openness = Literal["open", "outward", "gateways", "closed"]

HostDoor = tuple[str, int]
"""An address of the host's among guests, and a TCP port there."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a route table. `destination` is a CIDR of either family, or the id of a prefix list of this VPC.

    `target` is the id of what `kind` names: ENI, NAT gateway, peering connection, transit gateway (not the
    attachment), gateway endpoint. A target that the VPC does not hold is a black hole.
    """

    destination: str
    kind: TargetKind
    target: str = ""


class RouteTable(msgspec.Struct, frozen=True, kw_only=True):
    """Where packets go that leave a subnet; the most specific destination wins."""

    id: str
    routes: tuple[Route, ...] = ()


class Subnet(msgspec.Struct, frozen=True, kw_only=True):
    """A block of addresses in a zone, with the table and the ACL that it uses."""

    id: str
    cidr: str
    zone: str
    route_table: str
    network_acl: str = ""
    ipv6_cidr: str = ""
    dns64: bool = False
    openness: Openness = "open"
    """What may pass internet gateways: everything, connections that are opened from here, those of NAT gateways and
    by the egress-only gateway, or nothing (see `barring.py`)."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A security group rule. `protocol` is ``tcp``, ``udp``, ``icmp``, ``icmpv6``, a number, or ``-1`` for all.

    For ICMP `from_port` is the type and `to_port` the code, -1 meaning any. `peer` is a CIDR of either family, or
    the id of a security group of this VPC, of one of its `peer_groups`, or of one of its `prefix_lists`.
    """

    direction: Literal["ingress", "egress"]
    protocol: str
    from_port: int = -1
    to_port: int = -1
    peer: str


class SecurityGroup(msgspec.Struct, frozen=True, kw_only=True):
    """What its members let in and out; everything else is dropped."""

    id: str
    rules: tuple[Rule, ...] = ()


class AclEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A network ACL entry; evaluated in `number` order, first match decides."""

    number: int
    direction: Literal["ingress", "egress"]
    allow: bool
    protocol: str
    from_port: int = -1
    to_port: int = -1
    cidr: str


class NetworkAcl(msgspec.Struct, frozen=True, kw_only=True):
    """What may cross a subnet's border, either way; stateless."""

    id: str
    entries: tuple[AclEntry, ...] = ()


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """An ENI. `private` is (address, public address or "") pairs, primary first; `ipv6` are addresses of the subnet's.

    `guest` names the network namespace of whatever it is attached to ("" = detached); `index` is the
    device index inside it (0 is ``eth0``).
    """

    id: str
    mac: str
    subnet: str
    private: tuple[tuple[str, str], ...]
    groups: tuple[str, ...]
    guest: str = ""
    index: int = 0
    source_dest_check: bool = True
    rate_mbit: int = 0
    """Network shaping in Mbit/s; 0 means unshaped."""
    hostname: str = ""
    """The private DNS name that the VPC resolver answers for the primary address."""
    ipv6: tuple[str, ...] = ()
    relays: bool = False
    """Passes flows of others on in their own names, and is the one whom they are answered to (a load balancer's node);
    groups that admit one of its own groups admit those flows."""
    unguarded: bool = False
    """No security groups decide about it."""
    logged: bool = False
    """Whether a flow log (of the interface, its subnet or its VPC) wants to know what passes."""
    pays_zones: bool = True
    """Whether bytes between it and another zone are counted."""


class NatGateway(msgspec.Struct, frozen=True, kw_only=True):
    """Translates to addresses of its ENI, whose `guest` is a name of its own (the gateway's id will do).

    The ENI has no groups and an open source/destination check; its subnet's table and ACL hold for what it sends.
    `addresses` are those of the ENI that new connections get, in turn (none: its primary one); what goes by another
    address that the ENI still has goes on.
    """

    id: str
    interface: str
    addresses: tuple[str, ...] = ()


class Peering(msgspec.Struct, frozen=True, kw_only=True):
    """An active peering connection, as one side has it: `vpc` and `cidrs` (both families) are the other's."""

    id: str
    vpc: str
    cidrs: tuple[str, ...]
    zones: tuple[tuple[str, str], ...] = ()
    """(CIDR, zone) of the other's subnets, for counting what passes between zones."""
    abroad: bool = False
    """The other is in another Region: what is sent there is counted, whatever the zones."""


class PeerGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A security group of a peered VPC that rules here refer to: its members' private and IPv6 addresses."""

    id: str
    members: tuple[str, ...] = ()


class PrefixList(msgspec.Struct, frozen=True, kw_only=True):
    """A managed prefix list that rules or routes refer to; CIDRs of either family."""

    id: str
    cidrs: tuple[str, ...] = ()


class PrivateLink(msgspec.Struct, frozen=True, kw_only=True):
    """Where an endpoint's ENI leads: to the guest `node` (a load balancer's) of whatever VPC, which sees the clients'
    own addresses. `admits` are the rules of the node's groups that decide about those (peers are CIDRs); None: none
    decide."""

    interface: str
    node: str
    admits: tuple[Rule, ...] | None = None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A VPC endpoint.

    ``interface``: every one of `interfaces` is an ENI of this VPC whose `guest` is a name of its own (the ENI's id will
    do). ``gateway``: routes of kind ``endpoint`` lead to it. Either way the API learns the endpoint's id and the
    caller's private address. ``service``: interfaces that lead to somebody's own service by `links`, over TCP; one
    without a link, or whose node is not there, answers nobody.
    """

    id: str
    kind: Literal["interface", "gateway", "service"]
    interfaces: tuple[str, ...] = ()
    links: tuple[PrivateLink, ...] = ()


class TransitAttachment(msgspec.Struct, frozen=True, kw_only=True):
    """A VPC's attachment to a transit gateway; what arrives by it obeys the route table of `subnet`."""

    id: str
    gateway: str
    subnet: str


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """A multicast group (an address of either family) of a transit gateway's `domain`, as far as a VPC has part in it:
    which of its ENIs may send to it, and which get a copy. It comes and goes by `attachment`."""

    domain: str
    attachment: str
    group: str
    senders: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


class Vpc(msgspec.Struct, frozen=True, kw_only=True):
    """One VPC, whole."""

    id: str
    region: str
    cidrs: tuple[str, ...]
    subnets: tuple[Subnet, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()
    groups: tuple[SecurityGroup, ...] = ()
    acls: tuple[NetworkAcl, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    internet_gateway: str = ""
    dns_support: bool = True
    ipv6_cidrs: tuple[str, ...] = ()
    """Blocks of `NetworkPort.ipv6_pool`, /56 each."""
    egress_only_gateway: str = ""
    nat_gateways: tuple[NatGateway, ...] = ()
    peerings: tuple[Peering, ...] = ()
    peer_groups: tuple[PeerGroup, ...] = ()
    prefix_lists: tuple[PrefixList, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    transit_attachments: tuple[TransitAttachment, ...] = ()
    casts: tuple[Cast, ...] = ()
    names: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(lower-case DNS name, addresses) that hold in this VPC whatever they mean elsewhere; or all below ``*.NAME``."""


class TransitRoute(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a transit gateway's table; no `attachment` is a black hole. By a Connect attachment it goes
    through the tunnels of `peers` (ids), which share the connections."""

    destination: str
    attachment: str = ""
    peers: tuple[str, ...] = ()


class TransitRouteTable(msgspec.Struct, frozen=True, kw_only=True):
    """Static and propagated rows alike: who prefers which is the service's business."""

    id: str
    routes: tuple[TransitRoute, ...] = ()


class TransitAssociation(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment, the VPC that it leads to (or the peer, another gateway's id; of a Connect attachment neither), and
    the table that what arrives by it obeys ("" = none: dropped)."""

    attachment: str
    vpc: str
    route_table: str = ""
    peer: str = ""


class TransitCast(msgspec.Struct, frozen=True, kw_only=True):
    """A multicast group of a domain: the attachments (of VPCs) that members are behind. What comes for it out of a VPC
    that may send is copied to each of them."""

    domain: str
    group: str
    attachments: tuple[str, ...]


class TransitGateway(msgspec.Struct, frozen=True, kw_only=True):
    """One transit gateway, whole. A VPC is attached when it says so itself as well (`Vpc.transit_attachments`); a peer
    when it has the same attachment."""

    id: str
    associations: tuple[TransitAssociation, ...] = ()
    route_tables: tuple[TransitRouteTable, ...] = ()
    logged: bool = False
    """Whether a flow log wants to know what comes by its attachments."""
    casts: tuple[TransitCast, ...] = ()
    connects: tuple[Connect, ...] = ()
    asn: int = 64512
    """Its autonomous system, where it speaks BGP."""


class NatTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """What a NAT gateway has carried since it was made: from the sources behind it, and back to them."""

    packets_out: int = 0
    bytes_out: int = 0
    packets_in: int = 0
    bytes_in: int = 0
    connections: int = 0
    """Open now."""


class TransitTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """What a transit gateway has seen at one attachment since its counters were made (`born` differs when they were
    made anew): what came by it, what left by it, and what came by it and was lost, to a black hole or for want of a
    route."""

    born: str
    packets_in: int = 0
    bytes_in: int = 0
    packets_out: int = 0
    bytes_out: int = 0
    blackhole_packets: int = 0
    blackhole_bytes: int = 0
    no_route_packets: int = 0
    no_route_bytes: int = 0


class DoorTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """What has passed an interface endpoint's ENI since its counters were made (`born` differs when they were made
    anew): bytes both ways, and connections that were accepted. `open` are those that there are now; None: unknown."""

    born: str
    bytes: int = 0
    accepted: int = 0
    open: int | None = None


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that were counted at one place since its counters were made; `born` differs when they were made anew."""

    born: str
    amounts: dict[str, int]
    """A NAT gateway's ``out`` and ``back``, an interface endpoint's ``processed``; of a VPC ``internet`` (sent there)
    and ``regional`` (sent to public addresses of this installation, or got from them); of a VPC's zones ``sent`` (from
    one zone to another) and ``got`` (in one zone from another)."""


def between_zones(vpc_id: str) -> str:
    """Where bytes between the zones of a VPC are counted."""
    return f"{vpc_id}/zones"


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Packets of one flow and direction at one logged ENI; addresses are private ones, ports 0 where there are none."""

    interface: str
    direction: Literal["ingress", "egress"]
    action: Literal["ACCEPT", "REJECT"]
    source: str
    target: str
    source_port: int
    target_port: int
    protocol: int
    packets: int
    bytes: int
    reason: str = ""
    """Why it was rejected, where AWS has a word for it."""


class MetadataSource(Protocol):
    """Who answers 169.254.169.254 inside a VPC: the gateway hands one to the plane at start."""

    def attach(self, vpc_id: str, listener: int) -> None:
        """Serve IMDS on a bound, listening TCP socket (its file descriptor; ownership moves)."""
        ...

    def detach(self, vpc_id: str) -> None:
        """Stop serving; close the descriptor."""
        ...


class EndpointSource(Protocol):
    """Who serves the API inside VPCs, at their endpoints: the gateway hands one to the plane at start."""

    def attach(self, vpc_id: str, endpoint_id: str, listener: int) -> None:
        """Serve the API on a bound, listening TCP socket; called once for every socket of an endpoint.

        The file descriptor's ownership moves. Callers are known by their private addresses.
        """
        ...

    def detach(self, endpoint_id: str) -> None:
        """Stop serving an endpoint; close all its descriptors."""
        ...


class NetworkPort(Protocol):
    """VPCs by id. Calls are idempotent and blocking; failures raise `PlaneError`."""

    name: str
    """``sim`` or ``linux``."""

    @property
    def host_address(self) -> str:
        """The host's address on its Internet: where guests find the API, and what security groups see of the host."""
        ...

    @property
    def service_addresses(self) -> dict[str, str]:
        """The host's further addresses there, of the services that gateway endpoints lead to: ``s3``, ``dynamodb``."""
        ...

    @property
    def ipv6_pool(self) -> str:
        """The /40 of which VPCs get their /56 blocks, all but the last: unique local addresses of this installation."""
        ...

    def prepare(self) -> None:
        """Put up what all VPCs share, so that `host_address` can be bound; `apply` does it otherwise."""
        ...

    def hear(self, doors: Collection[HostDoor]) -> None:
        """Let guests reach these TCP ports of `host_address` and `service_addresses` beside the API's, and no others
        that they could before: who calls this listens there."""
        ...

    def guest_path(self, guest: str) -> str:
        """The path of a guest's namespace, for a process tree to join; it exists once an interface is attached."""
        ...

    def apply(self, vpc: Vpc) -> None:
        """Make the host hold exactly this VPC."""
        ...

    def remove(self, vpc_id: str) -> None:
        """Remove every trace of the VPC: namespace, links, rules, sockets."""
        ...

    def apply_transit(self, gateway: TransitGateway) -> None:
        """Make the host hold exactly this transit gateway; VPCs and gateways may come in any order."""
        ...

    def remove_transit(self, gateway_id: str) -> None:
        """Remove every trace of the transit gateway."""
        ...

    def watch_tunnels(self, changed: Callable[[str], None]) -> None:
        """Have `changed` called with a transit gateway's id whenever its peers' sessions or what they tell may have
        changed; in a thread of the plane's own."""
        ...

    def tunnels(self, gateway_id: str) -> dict[str, PeerSeen] | None:
        """What a transit gateway's Connect peers say, by id; None where nobody has asked them yet."""
        ...

    def nat_traffic(self, gateway_id: str) -> NatTraffic:
        """Counted since the gateway was laid out; zeros when it is not."""
        ...

    def transit_traffic(self, gateway_id: str) -> dict[str, TransitTraffic]:
        """By attachment, of a transit gateway; empty where nothing counts."""
        ...

    def door_traffic(self, interface: str) -> DoorTraffic | None:
        """Of an interface endpoint's ENI; None where nothing counts."""
        ...

    def carried(self, where: str) -> Carried | None:
        """What was counted at a NAT gateway, an endpoint's ENI, a VPC or a transit attachment, by id, or among a VPC's
        zones (`between_zones`); None where nothing counts now."""
        ...

    def flows(self, vpc_id: str) -> tuple[Flow, ...]:
        """What has passed, or tried to pass, the logged interfaces of a VPC since this was last asked.

        Of a logged transit gateway, by its id: what came by its attachments (``interface``), wherever it went.
        """
        ...

    def vpcs(self) -> list[str]:
        """Every VPC of this installation that has any trace on the host."""
        ...

    def guests(self) -> list[str]:
        """Every guest namespace of this installation."""
        ...

    def reachable(self, source: str, address: str, protocol: str, port: int) -> str:
        """``open`` or ``dropped`` for a packet from an ENI id (or ``internet``) and its answer, by the plan alone.

        Whether a port that is reached refuses is the guest's own: no plan knows its listeners.
        """
        ...

    def dial(self, guest: str, address: str, port: int, ears: Ears, seconds: float) -> Line:
        """A TCP connection from inside a guest, which its interfaces' groups, ACLs and routes decide about.

        Blocks until it is accepted; ends after so many seconds at the latest. Raises `PlaneError` when nobody accepts.
        """
        ...

    def release(self) -> None:
        """Let go of sockets and threads and leave the host as it is: a server that ends while guests go on."""
        ...

    def close(self) -> None:
        """Restore the host: every VPC and guest namespace, and the plane's own bridge, routes, rules and settings."""
        ...
