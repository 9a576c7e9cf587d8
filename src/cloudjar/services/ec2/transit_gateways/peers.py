"""Peering attachments seen from one gateway, as attachments like any other; and how a change gets into both copies."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.db import Db
from cloudjar.services.ec2.transit_gateways.peering_records import PeerSide, TransitPeering
from cloudjar.services.ec2.transit_gateways.records import TransitAttachment

_OF_SIDE = ("table", "association")


def seen_from(item: TransitPeering, side: PeerSide) -> TransitAttachment:
    """The peering as the attachment of one gateway; what it leads to is the other one. Never stored itself."""
    other = item.accepter if side is item.requester else item.requester
    return TransitAttachment(
        id=item.id, account=item.account, region=item.region, kind="peering", gateway_id=side.gateway_id,
        gateway_owner=side.account, vpc_id=other.gateway_id, vpc_owner=other.account, subnets=(),
        created=item.created, state=item.state, table=side.table, association=side.association, tags=item.tags,
    )  # fmt: skip


def of_gateway(db: Db, gateway_id: str) -> list[TransitAttachment]:
    """What a gateway of this account and Region is peered by."""
    return [
        seen_from(item, side)
        for item in db[TransitPeering].all()
        for side in item.sides
        if side.gateway_id == gateway_id
    ]


def here(db: Db, account: str, region: str) -> list[TransitAttachment]:
    """All of an account's gateways of a Region."""
    return [
        seen_from(item, side)
        for item in db.at(account, region)[TransitPeering].all()
        for side in item.sides
        if (side.account, side.region) == (account, region)
    ]


def of_account(ctx: Ctx, key: str, gateway_id: str = "") -> TransitAttachment | None:
    """A peering by its id, seen from a gateway of the caller's (the one named, if any)."""
    found = [item for item in here(ctx.db, ctx.account, ctx.region) if item.id == key]
    return next((item for item in found if not gateway_id or item.gateway_id == gateway_id), None)


def change(ctx: Ctx, item: TransitPeering, **changes: Any) -> TransitPeering:
    """Store a change in both copies, and have both gateways laid out again; the copy that was given comes back."""
    mine = replace(item, **changes)
    for account, region in dict.fromkeys((side.account, side.region) for side in item.sides):
        table = ctx.db.at(account, region)[TransitPeering]
        copy = table.get(item.id)
        if copy is not None:
            stored = table.put(replace(copy, **changes))
            mine = stored if (account, region) == (item.account, item.region) else mine
    for side in item.sides:
        ctx.world.state.wakes.wake("ec2/transit-gateway", side.account, side.region, side.gateway_id)
    return mine


def change_side(ctx: Ctx, seen: TransitAttachment, **changes: Any) -> TransitAttachment:
    """The same for what one gateway says of it (its table)."""
    item = ctx.db.at(seen.account, seen.region)[TransitPeering].need(seen.id)
    name = "requester" if item.requester.gateway_id == seen.gateway_id else "accepter"
    side = replace(getattr(item, name), **{key: changes[key] for key in _OF_SIDE if key in changes})
    changed = change(ctx, item, **{name: side})
    return seen_from(changed, getattr(changed, name))
