"""Blocks of a transit gateway's own that tunnels have their ends in."""

from __future__ import annotations

from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.transit_connects import rules
from cloudjar.services.ec2.transit_connects.records import TransitConnectPeer
from cloudjar.services.ec2.transit_gateways.records import TransitGateway


def refuse_use(ctx: Ctx, gateway: TransitGateway, removed: tuple[str, ...]) -> None:
    """Raise when a tunnel has its end in a block that is to go."""
    kept = [text for text in gateway.cidr_blocks if text not in removed and ":" not in text]
    for one in ctx.db[TransitConnectPeer].all(gateway_id=gateway.id):
        if one.state != "deleted" and not rules.holds(kept, one.own):
            raise errors.invalid_value(f"The CIDR block of {one.own} is in use by {one.id}.")
