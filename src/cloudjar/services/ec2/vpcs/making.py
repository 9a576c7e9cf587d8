"""Making VPCs with what AWS makes along: main route table, default security group, default network ACL.

The first call of an account in a region finds a default VPC there; `open_region` makes it.
https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from ipaddress import IPv4Network
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Handler
from cloudjar.kit.operation import op as kit_op
from cloudjar.services.ec2 import errors, naming
from cloudjar.services.ec2.dhcp_options.records import DhcpOptions
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.network_acls.records import AclEntry, NetworkAcl
from cloudjar.services.ec2.route_tables.records import Route, RouteTable
from cloudjar.services.ec2.security_groups.records import SecurityGroup, SecurityGroupRule
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.records import CidrBlock, RegionHome, Vpc
from cloudjar.spec import regions

DEFAULT_CIDR = "172.31.0.0/16"
DEFAULT_SUBNET_PREFIX = 20
ANYWHERE = "0.0.0.0/0"
ANYWHERE6 = "::/0"


def open_region(ctx: Ctx) -> RegionHome:
    """What the account finds in this region; made at the first call there that needs it, in one transaction."""
    table = ctx.db[RegionHome]
    home = table.get("home")
    if home is not None:
        return home
    with ctx.world.state.database.transaction():
        home = table.get("home")
        if home is not None:
            return home
        home = table.add(RegionHome(name="home", dhcp_options_id=_default_dhcp_options(ctx).id))
        make_default_vpc(ctx, home)
    return home


def op(name: str, **options: Any) -> Callable[[Handler], Handler]:
    """The kit's `op` for operations that see the default VPC: the region is open before the handler runs."""

    def declare(handler: Handler) -> Handler:
        @wraps(handler)
        def opened(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
            open_region(ctx)
            return handler(ctx, req)

        return kit_op(name, **options)(opened)

    return declare


def _default_dhcp_options(ctx: Ctx) -> DhcpOptions:
    options: dict[str, tuple[str, ...]] = {
        "domain-name": (naming.private_domain(ctx.region),),
        "domain-name-servers": ("AmazonProvidedDNS",),
    }
    return ctx.db[DhcpOptions].add(DhcpOptions(id=ctx.new_id("dopt"), options=options))


def default_vpc(ctx: Ctx) -> Vpc | None:
    """The default VPC, or None when it was deleted."""
    open_region(ctx)
    found = ctx.db[Vpc].all(is_default=True)
    return found[0] if found else None


def need_default_vpc(ctx: Ctx) -> Vpc:
    """The default VPC; raises VPCIdNotSpecified when it was deleted."""
    vpc = default_vpc(ctx)
    if vpc is None:
        raise errors.no_default_vpc()
    return vpc


def make_vpc(
    ctx: Ctx,
    home: RegionHome,
    cidr: str,
    *,
    is_default: bool = False,
    tenancy: str = "default",
    tags: dict[str, str] | None = None,
) -> Vpc:
    """A VPC with its main route table, default security group and default network ACL. Enforces the VPC quota."""
    vpc = ctx.db[Vpc].add(
        Vpc(
            id=ctx.new_id("vpc"),
            cidrs=(CidrBlock(id=ctx.new_id("vpc-cidr-assoc"), cidr=cidr),),
            is_default=is_default,
            tenancy=tenancy,
            dhcp_options_id=home.dhcp_options_id,
            main_route_table_id=ctx.new_id("rtb"),
            main_association_id=ctx.new_id("rtbassoc"),
            dns_hostnames=is_default,
            tags=tags or {},
        )
    )
    ctx.db[RouteTable].add(RouteTable(id=vpc.main_route_table_id, vpc_id=vpc.id))
    _make_default_group(ctx, vpc)
    _make_default_acl(ctx, vpc)
    return vpc


def _make_default_group(ctx: Ctx, vpc: Vpc) -> None:
    group = ctx.db[SecurityGroup].add(
        SecurityGroup(id=ctx.new_id("sg"), name="default", description="default VPC security group", vpc_id=vpc.id)
    )
    allow_out(ctx, group)
    ctx.db[SecurityGroupRule].add(
        SecurityGroupRule(
            id=ctx.new_id("sgr"),
            group_id=group.id,
            vpc_id=vpc.id,
            order=1,
            egress=False,
            protocol="-1",
            peer_group=group.id,
        )
    )


def allow_out(ctx: Ctx, group: SecurityGroup) -> None:
    """The rule that every new group has: everything may leave."""
    ctx.db[SecurityGroupRule].add(
        SecurityGroupRule(
            id=ctx.new_id("sgr"),
            group_id=group.id,
            vpc_id=group.vpc_id,
            order=0,
            egress=True,
            protocol="-1",
            cidr=ANYWHERE,
        )
    )


def allow_out6(ctx: Ctx, group: SecurityGroup) -> None:
    """The same for IPv6, where the VPC has it."""
    ctx.db[SecurityGroupRule].add(
        SecurityGroupRule(
            id=ctx.new_id("sgr"),
            group_id=group.id,
            vpc_id=group.vpc_id,
            order=1 + max((rule.order for rule in ctx.db[SecurityGroupRule].all(group_id=group.id)), default=0),
            egress=True,
            protocol="-1",
            cidr6=ANYWHERE6,
        )
    )


def _make_default_acl(ctx: Ctx, vpc: Vpc) -> NetworkAcl:
    entries = tuple(
        AclEntry(number=100, egress=egress, allow=True, protocol="-1", cidr=ANYWHERE) for egress in (True, False)
    )
    return ctx.db[NetworkAcl].add(NetworkAcl(id=ctx.new_id("acl"), vpc_id=vpc.id, is_default=True, entries=entries))


def make_default_vpc(ctx: Ctx, home: RegionHome) -> Vpc:
    """172.31.0.0/16 with a public subnet in every zone, ready for instances with public addresses."""
    vpc = make_vpc(ctx, home, DEFAULT_CIDR, is_default=True)
    gateway = ctx.db[InternetGateway].add(InternetGateway(id=ctx.new_id("igw"), vpc_id=vpc.id))
    main = ctx.db[RouteTable].need(vpc.main_route_table_id)
    ctx.db[RouteTable].put(replace(main, routes=(Route(destination=ANYWHERE, gateway_id=gateway.id),)))
    blocks = IPv4Network(DEFAULT_CIDR).subnets(new_prefix=DEFAULT_SUBNET_PREFIX)
    for zone, block in zip(regions.zones(ctx.region, ctx.account), blocks, strict=False):
        make_subnet(ctx, vpc, str(block), zone, is_default=True)
    return vpc


def make_subnet(
    ctx: Ctx,
    vpc: Vpc,
    cidr: str,
    zone: regions.Zone,
    *,
    is_default: bool = False,
    tags: dict[str, str] | None = None,
) -> Subnet:
    """A subnet that obeys the VPC's main route table and default network ACL. Enforces the subnet quota."""
    acl = next(a for a in ctx.db[NetworkAcl].all(vpc_id=vpc.id) if a.is_default)
    return ctx.db[Subnet].add(
        Subnet(
            id=ctx.new_id("subnet"),
            vpc_id=vpc.id,
            cidr=cidr,
            zone=zone.name,
            zone_id=zone.id,
            network_acl_id=acl.id,
            network_acl_association_id=ctx.new_id("aclassoc"),
            is_default=is_default,
            map_public_ip=is_default,
            tags=tags or {},
        )
    )


def default_subnet(ctx: Ctx, zone: str = "") -> Subnet | None:
    """The default subnet of a zone, or the first one there is; None when there is none."""
    vpc = default_vpc(ctx)
    if vpc is None:
        return None
    found = [s for s in ctx.db[Subnet].all(vpc_id=vpc.id) if s.is_default and zone in ("", s.zone, s.zone_id)]
    return min(found, key=lambda subnet: subnet.zone) if found else None
