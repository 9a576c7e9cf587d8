"""What a transit gateway's tables say in the end: static routes before propagated ones; and the gateway as the plane
wants it.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import NamedTuple

from cloudjar.kit.db import Db
from cloudjar.planes.network import connect as plane
from cloudjar.planes.network import port
from cloudjar.services.ec2.flow_logs.records import FlowLog
from cloudjar.services.ec2.multicast.casting import transit_casts
from cloudjar.services.ec2.prefix_lists.records import PrefixList
from cloudjar.services.ec2.transit_connects import attached as connects
from cloudjar.services.ec2.transit_connects.attached import Told
from cloudjar.services.ec2.transit_connects.records import TransitConnect
from cloudjar.services.ec2.transit_connects.views import as_planned
from cloudjar.services.ec2.transit_gateways.finding import Block, attachments_of, blocks_of
from cloudjar.services.ec2.transit_gateways.records import TransitAttachment, TransitGateway, TransitRouteTable


class Row(NamedTuple):
    """A route as it is searched; a black hole may still name the attachment that is gone."""

    block: Block
    kind: str
    """static or propagated."""
    attachment: TransitAttachment | None
    prefix_list: str = ""
    """The list that brings it, if one does."""
    told: tuple[Told, ...] = ()
    """The Connect peers that tell it, which share its connections."""

    @property
    def state(self) -> str:
        """active or blackhole."""
        return "active" if self.attachment is not None else "blackhole"


def rows(db: Db, table: TransitRouteTable) -> list[Row]:
    """The routes of a table, one for each block, in their order."""
    attached = {item.id: item for item in attachments_of(db, table.gateway_id) if item.live}
    found: dict[Block, Row] = {}
    for reference in table.references:
        listed = db[PrefixList].get(reference.prefix_list)
        for entry in listed.entries if listed is not None else ():
            block = ip_network(entry.cidr)
            found[block] = Row(block, "static", attached.get(reference.attachment), reference.prefix_list)
    for route in table.routes:
        block = ip_network(route.destination)
        found[block] = Row(block, "static", attached.get(route.attachment))
    for item in attached.values():
        if table.id in item.propagates:
            for block in blocks_of(db, item):
                found.setdefault(block, Row(block, "propagated", item))
    tunnelled = [item for item in attached.values() if item.kind == "connect" and table.id in item.propagates]
    for block, ways in connects.ways(db, tunnelled):
        found.setdefault(block, Row(block, "propagated", ways[0].attachment, told=tuple(ways)))
    return sorted(found.values(), key=lambda row: (row.block.version, row.block))


def laid(db: Db, gateway: TransitGateway) -> port.TransitGateway:
    """A gateway as the network plane wants it; `db` is its own account's."""
    tables = [table for table in db[TransitRouteTable].all(gateway_id=gateway.id) if table.state == "available"]
    routes = {table.id: rows(db, table) for table in tables}
    return port.TransitGateway(
        id=gateway.id,
        logged=bool(db[FlowLog].count(gateway_id=gateway.id)),
        associations=tuple(
            port.TransitAssociation(
                attachment=item.id,
                vpc=item.vpc_id if item.kind == "vpc" else "",
                peer=item.vpc_id if item.kind == "peering" else "",
                route_table=item.table if item.association == "associated" else "",
            )
            for item in attachments_of(db, gateway.id)
            if item.live
        ),
        route_tables=tuple(
            port.TransitRouteTable(
                id=table.id,
                routes=tuple(
                    port.TransitRoute(
                        destination=str(row.block),
                        attachment=row.attachment.id if row.attachment else "",
                        peers=tuple(one.peer for one in row.told),
                    )
                    for row in routes[table.id]
                ),
            )
            for table in tables
        ),
        casts=transit_casts(db, gateway.id),
        connects=tuple(_connect(db, item, routes) for item in db[TransitConnect].all(gateway_id=gateway.id)
                       if item.state == "available"),
        asn=gateway.asn,
    )


def _connect(db: Db, item: TransitConnect, routes: Mapping[str, list[Row]]) -> plane.Connect:
    """A Connect attachment with its tunnels; its peers are told what the table says that it obeys, but for what leads
    back to them."""
    told = routes.get(item.table, ()) if item.association == "associated" else ()
    return plane.Connect(
        attachment=item.id,
        transport=item.transport_id,
        peers=tuple(as_planned(peer) for peer in connects.peers_of(db, item.id)),
        announced=tuple(
            plane.Announcement(block=str(row.block), path=row.told[0].route.path if row.told else ())
            for row in told
            if row.attachment is not None and row.attachment.id != item.id
        ),
    )


def everywhere(db: Db) -> tuple[port.TransitGateway, ...]:
    """Every gateway of the jar."""
    found = (one for one in db.everywhere(TransitGateway) if one.state in ("available", "modifying"))
    return tuple(laid(db.at(one.account, one.region), one) for one in found)


def attached(db: Db, vpc_id: str) -> tuple[port.TransitAttachment, ...]:
    """A VPC's attachments as the network plane wants them: what arrives obeys the table of the first subnet."""
    return tuple(
        port.TransitAttachment(id=item.id, gateway=item.gateway_id, subnet=item.subnets[0])
        for item in db[TransitAttachment].all(vpc_id=vpc_id)
        if item.live and item.mine
    )
