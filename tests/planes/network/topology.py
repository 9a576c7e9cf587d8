"""Small VPCs to test with, said in few words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from cloudjar.planes.network.port import (
    AclEntry,
    Interface,
    NetworkAcl,
    Route,
    RouteTable,
    Rule,
    SecurityGroup,
    Subnet,
    Vpc,
)

ANYWHERE = "0.0.0.0/0"
TO_INTERNET = Route(destination=ANYWHERE, kind="internet-gateway", target="igw-1")


def allow(
    protocol: str, port: int, peer: str = ANYWHERE, *, to: int | None = None,
    direction: Literal["ingress", "egress"] = "ingress",
) -> Rule:
    """A security group rule for one port, or for `port` to `to`."""
    return Rule(direction=direction, protocol=protocol, from_port=port, to_port=port if to is None else to, peer=peer)


ALL_OUT = Rule(direction="egress", protocol="-1", peer=ANYWHERE)


def group(name: str, *rules: Rule, out: Iterable[Rule] = (ALL_OUT,)) -> SecurityGroup:
    """A security group; like a new one of AWS's, it lets everything out."""
    return SecurityGroup(id=name, rules=(*rules, *out))


def acl(name: str, *entries: tuple[int, str, bool, str, int, int, str]) -> NetworkAcl:
    """A network ACL of (number, "in" or "out", allow, protocol, from, to, CIDR)."""
    return NetworkAcl(id=name, entries=tuple(
        AclEntry(number=n, direction="ingress" if d == "in" else "egress", allow=a, protocol=p,
                 from_port=low, to_port=high, cidr=c)
        for n, d, a, p, low, high, c in entries))


def eni(
    number: int, subnet: str, address: str, *groups: str, public: str = "", guest: str | None = None,
    checked: bool = True, index: int = 0, secondary: tuple[tuple[str, str], ...] = (), rate: int = 0,
) -> Interface:
    """An ENI, attached to the guest ``i-<number>`` unless said otherwise."""
    return Interface(
        id=f"eni-{number:017x}", mac=f"06:00:00:00:00:{number:02x}", subnet=subnet,
        private=((address, public), *secondary), groups=groups or ("sg-open",),
        guest=f"i-{number}" if guest is None else guest, index=index, source_dest_check=checked, rate_mbit=rate,
    )


OPEN = group("sg-open", Rule(direction="ingress", protocol="-1", peer=ANYWHERE))
PUBLIC = Subnet(id="subnet-public", cidr="10.0.1.0/24", zone="us-east-1a", route_table="rtb-public")
PRIVATE = Subnet(id="subnet-private", cidr="10.0.2.0/24", zone="us-east-1b", route_table="rtb-private")


def vpc(
    *interfaces: Interface, groups: tuple[SecurityGroup, ...] = (OPEN,),
    subnets: tuple[Subnet, ...] = (PUBLIC, PRIVATE), acls: tuple[NetworkAcl, ...] = (),
    tables: tuple[RouteTable, ...] | None = None, gateway: str = "igw-1",
    name: str = "vpc-1", cidr: str = "10.0.0.0/16", region: str = "us-east-1",
) -> Vpc:
    """A VPC with a public and a private subnet."""
    if tables is None:
        tables = (RouteTable(id="rtb-public", routes=(TO_INTERNET,)), RouteTable(id="rtb-private"))
    return Vpc(id=name, region=region, cidrs=(cidr,), subnets=subnets, route_tables=tables, groups=groups, acls=acls,
               interfaces=interfaces, internet_gateway=gateway)
