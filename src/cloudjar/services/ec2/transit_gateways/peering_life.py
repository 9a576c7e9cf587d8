"""The life of a peering of transit gateways: told to the other side, accepted, and forgotten an hour after its end."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ec2.transit_gateways.peering_records import PeerSide, TransitPeering
from cloudjar.services.ec2.transit_gateways.peers import change
from cloudjar.services.ec2.transit_gateways.records import OVER, TransitGateway

REMEMBERED = timedelta(hours=1)
"""How long what is gone can still be described."""
_PURGE = "purge"
_FAILED = "Failed due to incorrect TGW-ID or Account ID"


@reconciler(TransitPeering)
def converge(step: Step, item: TransitPeering | None) -> None:
    """One step on."""
    if item is None:
        return
    if item.state in OVER:
        if step.wake.purpose != _PURGE:
            step.again(_PURGE, step.world.clock.now() + REMEMBERED)
            return
        with step.world.state.database.transaction():
            fresh = step.db[TransitPeering].get(item.id)
            if fresh is not None:
                step.db[TransitPeering].drop(fresh)
        return
    with step.world.state.database.transaction():
        fresh = step.db[TransitPeering].get(item.id)
        if fresh is not None:
            _advance(step.ctx, fresh)


def _advance(ctx: Ctx, item: TransitPeering) -> None:
    match item.state:
        case "initiatingRequest":
            _tell(ctx, item)
        case "pending":
            sides = {name: _joined(ctx, getattr(item, name)) for name in ("requester", "accepter")}
            change(ctx, item, state="available", **sides)
        case "rejecting":
            change(ctx, item, state="rejected")
        case "deleting":
            bare = {name: replace(getattr(item, name), table="", association="") for name in ("requester", "accepter")}
            change(ctx, item, state="deleted", **bare)
        case "available":
            for name in ("requester", "accepter"):
                _settle(ctx, item, name)


def _tell(ctx: Ctx, item: TransitPeering) -> None:
    """The other side's owner gets a copy, when there is such a gateway."""
    side = item.accepter
    there = ctx.db.at(side.account, side.region)
    gateway = there[TransitGateway].get(side.gateway_id)
    if gateway is None or gateway.state in ("deleting", "deleted"):
        change(ctx, item, state="failed", message=_FAILED)
        return
    if there[TransitPeering].get(item.id) is None:
        there[TransitPeering].add(replace(item, tags={}))
    change(ctx, item, state="pendingAcceptance")


def _joined(ctx: Ctx, side: PeerSide) -> PeerSide:
    """A side with the table that its gateway has for newcomers."""
    gateway = ctx.db.at(side.account, side.region)[TransitGateway].get(side.gateway_id)
    if gateway is None or not gateway.default_association:
        return side
    return replace(side, table=gateway.association_table, association="associated")


def _settle(ctx: Ctx, item: TransitPeering, name: str) -> None:
    side: PeerSide = getattr(item, name)
    if side.association == "associating":
        change(ctx, item, **{name: replace(side, association="associated")})
    elif side.association == "disassociating":
        change(ctx, item, **{name: replace(side, table="", association="")})
