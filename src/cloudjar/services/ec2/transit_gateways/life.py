"""The lives of transit gateways, their tables and attachments: pending until they have been seen, deleted when nothing
of them is left; a gateway is laid out whenever something about it changes.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Machine, Step, on_boot, reconciler
from cloudjar.kit.record import Record
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.ec2 import readings, traffic_bill
from cloudjar.services.ec2.multicast import casting as multicast
from cloudjar.services.ec2.network_interfaces import making
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.transit_connects.hearing import listen
from cloudjar.services.ec2.transit_gateways import counting
from cloudjar.services.ec2.transit_gateways.finding import change
from cloudjar.services.ec2.transit_gateways.records import (
    OVER,
    TransitAttachment,
    TransitGateway,
    TransitRouteTable,
)
from cloudjar.services.ec2.transit_gateways.routing import laid

GATEWAY = Machine(
    TransitGateway,
    start="pending",
    moves="""
    pending   -> available | deleting
    available -> modifying | deleting
    modifying -> available | deleting
    deleting  -> deleted
""",
)
REMEMBERED = timedelta(hours=1)
"""How long what is gone can still be described."""
_PURGE = "purge"


@reconciler(TransitGateway)
def converge(step: Step, gateway: TransitGateway | None) -> None:
    """Lay the gateway out as it is now; bring its state on."""
    network: NetworkPort = step.port("network")
    if gateway is None or gateway.state in ("deleting", "deleted"):
        if gateway is None and step.db.find(TransitGateway, step.key) is not None:
            return  # woken by another account's copy of an attachment
        network.remove_transit(step.key)
        if gateway is not None:
            _end(step, gateway)
        return
    if step.wake.purpose == readings.SAMPLE:
        counting.count(step.world, gateway)
        return
    listen(step, gateway)
    with step.world.state.database.lock:
        wanted = laid(step.db, gateway)
    network.apply_transit(wanted)
    for state in ("pending", "modifying"):
        step.move(GATEWAY, state, "available")


def _end(step: Step, gateway: TransitGateway) -> None:
    if gateway.state == "deleting":
        with step.world.state.database.transaction():
            for table in step.db[TransitRouteTable].all(gateway_id=gateway.id):
                step.db[TransitRouteTable].drop(table)
            counting.forget(step.ctx, gateway.id)
        step.move(GATEWAY, "deleting", "deleted")
        return
    forget_later(step, gateway)


def forget_later(step: Step, item: Record) -> None:
    """What is gone can be described for another hour."""
    if step.wake.purpose != _PURGE:
        step.again(_PURGE, step.world.clock.now() + REMEMBERED)
        return
    with step.world.state.database.transaction():
        fresh = step.db[type(item)].get(step.key)
        if fresh is not None:
            step.db[type(item)].drop(fresh)


@reconciler(TransitRouteTable)
def converge_table(step: Step, table: TransitRouteTable | None) -> None:
    """A table is available once it has been seen, and deleted likewise."""
    if table is None:
        return
    if table.state == "pending":
        step.change(TransitRouteTable, lambda now: replace(now, state="available") if now.state == "pending" else None)
    elif table.state == "deleting":
        step.change(TransitRouteTable, lambda now: replace(now, state="deleted", routes=(), references=()))
    elif table.state == "deleted":
        forget_later(step, table)


@reconciler(TransitAttachment)
def converge_attachment(step: Step, item: TransitAttachment | None) -> None:
    """The VPC owner's copy leads: interfaces come and go with it."""
    if item is None:
        return
    if item.state in OVER:
        forget_later(step, item)
    elif item.mine:
        if item.state == "deleting":
            traffic_bill.read_attachment(step.world, item)
            _count_last(step, item)
        with step.world.state.database.transaction():
            fresh = step.db[TransitAttachment].get(item.id)
            if fresh is not None:
                _advance(step.ctx, fresh)


def _count_last(step: Step, item: TransitAttachment) -> None:
    """Counters are told no more once their attachment has gone: they are read before."""
    gateway = step.db.at(item.gateway_owner, item.region)[TransitGateway].get(item.gateway_id)
    if gateway is not None:
        counting.count(step.world, gateway)


def _advance(ctx: Ctx, item: TransitAttachment) -> None:
    if item.state in ("pending", "modifying"):
        _provide(ctx, item)
    elif item.state == "rejecting":
        change(ctx, item, state="rejected")
    elif item.state == "deleting":
        for key in item.interfaces:
            eni = ctx.db[NetworkInterface].get(key)
            if eni is not None:
                making.remove(ctx, eni)
        multicast.detach(ctx, item.id)
        change(ctx, item, state="deleted", interfaces=(), table="", association="", propagates=())
    elif item.association == "associating":
        change(ctx, item, association="associated")
    elif item.association == "disassociating":
        change(ctx, item, association="", table="")


def _provide(ctx: Ctx, item: TransitAttachment) -> None:
    """An interface in every subnet; then the tables that the gateway has for newcomers."""
    try:
        interfaces = _interfaces(ctx, item)
    except AwsError:  # a subnet has gone, or has no free address any more
        change(ctx, item, state="failed")
        return
    more: dict[str, object] = {}
    gateway = ctx.db.at(item.gateway_owner, item.region)[TransitGateway].get(item.gateway_id)
    if gateway is None or gateway.state in ("deleting", "deleted"):
        change(ctx, item, state="failed")
        return
    if item.state == "pending" and gateway.default_association:
        more |= {"table": gateway.association_table, "association": "associated"}
    if item.state == "pending" and gateway.default_propagation:
        more["propagates"] = (gateway.propagation_table,)
    change(ctx, item, state="available", interfaces=interfaces, **more)


def _interfaces(ctx: Ctx, item: TransitAttachment) -> tuple[str, ...]:
    held = {eni.subnet_id: eni for key in item.interfaces if (eni := ctx.db[NetworkInterface].get(key)) is not None}
    for subnet_id, eni in held.items():
        if subnet_id not in item.subnets:
            making.remove(ctx, eni)
    found = []
    for subnet_id in item.subnets:
        present = held.get(subnet_id)
        if present is None:
            present = making.make_interface(
                ctx,
                ctx.db[Subnet].need(subnet_id),
                description=f"Network Interface for Transit Gateway Attachment {item.id}",
                interface_type="transit_gateway",
                requester_id="amazon-aws",
                groupless=True,
            )
            present = making.attach(ctx, present, item.id, 1, powered=False, instance_owner="amazon-aws")
        found.append(present.id)
    return tuple(found)


@on_boot("ec2")
def at_start(world: World) -> None:
    """Lay every gateway out again: the host may have lost it."""
    db = Ctx(world, "", "", service_caller("cloudjar.internal", "")).db
    for gateway in db.everywhere(TransitGateway):
        world.state.wakes.wake("ec2/transit-gateway", gateway.account, gateway.region, gateway.id)
