"""Which peering connections a VPC has, and how a change gets into both copies."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.db import Db
from cloudjar.services.ec2.vpc_peering.records import Peering, Side
from cloudjar.services.ec2.vpcs.records import Vpc


def peerings_of(db: Db, vpc_id: str, states: tuple[str, ...] = ("active",)) -> list[Peering]:
    """The connections of a VPC of this account and region that are in these states."""
    return [
        one
        for one in db[Peering].all()
        if one.state in states and vpc_id in (one.requester.vpc_id, one.accepter.vpc_id)
    ]


def active_peering(ctx: Ctx, vpc_id: str, other: str, key: str | None = None) -> Peering | None:
    """The active connection between two VPCs of one region (the one named, if any), or None."""
    for one in peerings_of(ctx.db, vpc_id):
        same = one.requester.region == one.accepter.region
        if same and one.other(vpc_id).vpc_id == other and key in (None, "", one.id):
            return one
    return None


def places(item: Peering) -> list[tuple[str, str]]:
    """The (account, region) of each copy; one place when both VPCs are there."""
    return list(dict.fromkeys((side.account, side.region) for side in item.sides))


def change(ctx: Ctx, item: Peering, **changes: Any) -> Peering:
    """Store a change in every copy, and have both VPCs laid out again; the caller's copy comes back."""
    mine = replace(item, **changes)
    for account, region in places(item):
        table = ctx.db.at(account, region)[Peering]
        copy = table.get(item.id)
        if copy is not None:
            stored = table.put(replace(copy, **changes))
            mine = stored if (account, region) == (item.account, item.region) else mine
    for side in item.sides:
        ctx.world.state.wakes.wake("ec2/vpc", side.account, side.region, side.vpc_id)
    return mine


def looked_at(db: Db, side: Side) -> Side:
    """A side with its VPC's blocks as they are now; without any when nobody has the VPC."""
    vpc = db.at(side.account, side.region)[Vpc].get(side.vpc_id)
    if vpc is None:
        return replace(side, cidrs=(), ipv6_cidrs=())
    return replace(
        side,
        cidrs=tuple(block.cidr for block in vpc.cidrs),
        ipv6_cidrs=tuple(block.cidr for block in vpc.ipv6_cidrs),
    )
