"""The lives of Connect attachments and peers: pending until they have been seen, and gone likewise."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ec2.transit_connects.records import TransitConnect, TransitConnectPeer
from cloudjar.services.ec2.transit_gateways.life import forget_later
from cloudjar.services.ec2.transit_gateways.records import OVER, TransitGateway


@reconciler(TransitConnect)
def converge(step: Step, item: TransitConnect | None) -> None:
    """Bring an attachment's state on."""
    if item is None:
        return
    if item.state in OVER:
        forget_later(step, item)
        return
    with step.world.state.database.transaction():
        fresh = step.db[TransitConnect].get(item.id)
        moved = _moved(step, fresh) if fresh is not None else None
        if moved is not None:
            step.db[TransitConnect].put(moved)


def _moved(step: Step, item: TransitConnect) -> TransitConnect | None:
    """One step on; None where it is where it should be."""
    if item.state == "deleting":
        return replace(item, state="deleted", table="", association="", propagates=())
    if item.state == "pending":
        return _joined(step, item)
    if item.association == "associating":
        return replace(item, association="associated")
    if item.association == "disassociating":
        return replace(item, association="", table="")
    return None


def _joined(step: Step, item: TransitConnect) -> TransitConnect:
    """With the tables that its gateway has for newcomers."""
    gateway = step.db[TransitGateway].get(item.gateway_id)
    if gateway is None or gateway.state in ("deleting", "deleted"):
        return replace(item, state="failed")
    if gateway.default_association:
        item = replace(item, table=gateway.association_table, association="associated")
    if gateway.default_propagation:
        item = replace(item, propagates=(gateway.propagation_table,))
    return replace(item, state="available")


@reconciler(TransitConnectPeer)
def converge_peer(step: Step, peer: TransitConnectPeer | None) -> None:
    """A tunnel is available once it has been seen, and deleted likewise."""
    if peer is None:
        return
    if peer.state == "pending":
        step.change(TransitConnectPeer, lambda now: replace(now, state="available") if now.state == "pending" else None)
    elif peer.state == "deleting":
        step.change(TransitConnectPeer, lambda now: replace(now, state="deleted"))
    elif peer.state == "deleted":
        forget_later(step, peer)
