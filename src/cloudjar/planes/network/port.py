"""What the product asks of the network plane: a VPC laid out as data, converged to at once.

A `Vpc` value is the whole truth about one VPC: applying it again changes nothing, applying another
changes just the difference, and after a crash the kernel is compared with it.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

TargetKind = Literal["local", "internet-gateway", "interface", "blackhole"]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a route table. `target` is the ENI id when `kind` is ``interface``."""

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


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A security group rule. `protocol` is ``tcp``, ``udp``, ``icmp``, ``icmpv6``, a number, or ``-1`` for all.

    For ICMP `from_port` is the type and `to_port` the code, -1 meaning any. `peer` is a CIDR, or the id of a
    security group of this VPC.
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
    """An ENI. `private` is (address, public address or "") pairs, primary first.

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


class MetadataSource(Protocol):
    """Who answers 169.254.169.254 inside a VPC: the gateway hands one to the plane at start."""

    def attach(self, vpc_id: str, listener: int) -> None:
        """Serve IMDS on a bound, listening TCP socket (its file descriptor; ownership moves)."""
        ...

    def detach(self, vpc_id: str) -> None:
        """Stop serving; close the descriptor."""
        ...


class NetworkPort(Protocol):
    """VPCs by id. Calls are idempotent and blocking; failures raise `PlaneError`."""

    name: str
    """``sim`` or ``linux``."""

    @property
    def host_address(self) -> str:
        """The host's address on its Internet: where guests find the API, and what security groups see of the host."""
        ...

    def prepare(self) -> None:
        """Put up what all VPCs share, so that `host_address` can be bound; `apply` does it otherwise."""
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

    def release(self) -> None:
        """Let go of sockets and threads and leave the host as it is: a server that ends while guests go on."""
        ...

    def close(self) -> None:
        """Restore the host: every VPC and guest namespace, and the plane's own bridge, routes, rules and settings."""
        ...
