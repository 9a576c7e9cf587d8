"""Interfaces for other services (load balancers and the like): see `kit.interfaces`."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.interfaces import Lent, lends
from cloudjar.services.ec2.addresses.public import assign_public, associate, release_public
from cloudjar.services.ec2.addresses.records import ElasticIp
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.network_interfaces import making
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpc_endpoint_services.records import EndpointService
from cloudjar.services.ec2.vpcs.making import default_vpc


class Interfaces:
    """EC2 as the lender of interfaces."""

    def lend(
        self,
        ctx: Ctx,
        guest: str,
        subnet_id: str,
        groups: Sequence[str],
        *,
        description: str,
        owner: str,
        public: bool,
        kind: str = "interface",
        relays: bool = False,
        guarded: bool = True,
        private: str = "",
        allocation: str = "",
    ) -> Lent:
        """A new interface in a subnet, attached to `guest`."""
        subnet = ctx.db[Subnet].need(subnet_id)
        eni = making.make_interface(
            ctx, subnet, groups, primary=private, description=description, requester_id=owner, interface_type=kind,
            groupless=not guarded,
        )  # fmt: skip
        eni = replace(eni, relays=relays, unguarded=not guarded)
        eni = making.attach(ctx, eni, guest, 1, powered=True, instance_owner=owner)
        if allocation:
            _put_in_front(ctx, allocation, eni)
            return _lent(ctx.db[NetworkInterface].need(eni.id))
        return _lent(assign_public(ctx, eni) if public else eni)

    def look(self, ctx: Ctx, interface_id: str) -> Lent | None:
        """What an interface has now."""
        eni = ctx.db[NetworkInterface].get(interface_id)
        return None if eni is None else _lent(eni)

    def regroup(self, ctx: Ctx, interface_id: str, groups: Sequence[str]) -> None:
        """Change its security groups."""
        eni = ctx.db[NetworkInterface].need(interface_id)
        ctx.db[NetworkInterface].put(replace(eni, groups=making.check_groups(ctx, eni.vpc_id, groups)))

    def expose(self, ctx: Ctx, interface_id: str, public: bool) -> None:
        """Lend it a public address, or take the lent one back."""
        eni = ctx.db[NetworkInterface].need(interface_id)
        if public:
            assign_public(ctx, eni)
        else:
            release_public(ctx, ctx.db[NetworkInterface].put(replace(eni, lend_public=False)))

    def guard_links(self, ctx: Ctx, interface_id: str, guarded: bool) -> None:
        """Whether its security groups decide about what comes by private links."""
        eni = ctx.db[NetworkInterface].need(interface_id)
        ctx.db[NetworkInterface].put(replace(eni, links_unguarded=not guarded))

    def offered(self, ctx: Ctx, balancer_arn: str) -> bool:
        """Whether a network load balancer is part of an endpoint service."""
        return any(b.arn == balancer_arn for service in ctx.db[EndpointService].all() for b in service.balancers)

    def take_back(self, ctx: Ctx, interface_id: str) -> None:
        """Remove it and its public address."""
        eni = ctx.db[NetworkInterface].get(interface_id)
        if eni is not None:
            making.remove(ctx, eni)

    def address_of(self, ctx: Ctx, instance_id: str) -> str:
        """The primary private address of an instance's first interface, or ""."""
        plugged = making.interfaces_of(ctx.db, instance_id)
        return plugged[0].primary.ip if plugged else ""

    def groups_of(self, ctx: Ctx, vpc_id: str, groups: Sequence[str]) -> tuple[str, ...]:
        """Security groups of a VPC, checked; its default group when there are none."""
        return making.check_groups(ctx, vpc_id, groups)

    def zone_of(self, ctx: Ctx, vpc_id: str, address: str) -> str:
        """The zone of the subnet that holds a private address, or ""."""
        subnets = ctx.db[Subnet].all(vpc_id=vpc_id)
        return next((s.zone for s in subnets if IPv4Address(address) in IPv4Network(s.cidr)), "")

    def has_internet_gateway(self, ctx: Ctx, vpc_id: str) -> bool:
        """Whether one is attached to the VPC."""
        return bool(ctx.db[InternetGateway].all(vpc_id=vpc_id))

    def default_subnets(self, ctx: Ctx) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The default VPC, made at an account's first need of it, and its subnets."""
        vpc = default_vpc(ctx)
        found = ctx.db[Subnet].all(vpc_id=vpc.id) if vpc is not None else []
        return vpc.id if vpc else "", tuple(sorted(((s.id, s.zone) for s in found), key=lambda pair: pair[1]))


def _put_in_front(ctx: Ctx, allocation: str, eni: NetworkInterface) -> None:
    elastic = need(ctx, ElasticIp, allocation)
    if elastic.association_id:
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"resource {elastic.id} is already associated with associate-id {elastic.association_id}",
        )
    associate(ctx, elastic, eni, eni.primary.ip)


def _lent(eni: NetworkInterface) -> Lent:
    return Lent(eni.id, eni.primary.ip, eni.primary.public.ip if eni.primary.public else "")


lends(Interfaces())
