"""Network Address Usage: what a VPC's interfaces count for, and how much there may be of it.

https://docs.aws.amazon.com/vpc/latest/userguide/network-address-usage.html
"""

from __future__ import annotations

from collections.abc import Iterable

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.db import Db
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.vpc_peering.finding import peerings_of

_DEAR = frozenset(("nat_gateway", "vpc_endpoint", "transit_gateway", "network_load_balancer"))
_OF_A_GATEWAY = 6
_MOST_ADDRESSES = 100
"""Of one interface, of both families: few interfaces need not be read one by one."""


def units(kind: str, addresses: int) -> int:
    """What an interface of a kind counts for."""
    return _OF_A_GATEWAY if kind in _DEAR else addresses


def used(db: Db, vpc_id: str) -> int:
    """What a VPC of this account and Region uses."""
    return sum(units(eni.interface_type, len(eni.addresses) + len(eni.ipv6))
               for eni in db[NetworkInterface].all(vpc_id=vpc_id))  # fmt: skip


def check(ctx: Ctx, vpc_id: str, more: int) -> None:
    """Raise when a VPC, or it and the peers that it is connected with in its Region, would use too much."""
    own, peered = ctx.limit("vpc", "L-BB24F6E5"), ctx.limit("vpc", "L-CD17FD4B")
    _within(ctx, own, [(ctx.db, vpc_id)], more)
    sides = (one.other(vpc_id) for one in peerings_of(ctx.db, vpc_id))
    near = [(ctx.db.at(side.account, side.region), side.vpc_id) for side in sides if side.region == ctx.region]
    if near:
        _within(ctx, peered, [(ctx.db, vpc_id), *near], more)


def _within(ctx: Ctx, limit: float | None, vpcs: Iterable[tuple[Db, str]], more: int) -> None:
    held = list(vpcs)
    if limit is None or sum(db[NetworkInterface].count(vpc_id=key) + 1 for db, key in held) * _MOST_ADDRESSES < limit:
        return
    if sum(used(db, key) for db, key in held) + more > limit:
        raise AwsError(
            "NetworkAddressUsageLimitExceeded", "The maximum Network Address Usage of the VPC has been reached."
        )
