"""Route tables of transit gateways: which attachments obey them, which tell them their blocks, and static routes.

https://docs.aws.amazon.com/vpc/latest/tgw/tgw-route-tables.html
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.lookup import Row as Found
from cloudjar.services.ec2.lookup import describe, narrow
from cloudjar.services.ec2.transit_gateways.finding import (
    attachments_of,
    both,
    change,
    need_attachment,
    need_gateway,
    need_table,
    ready,
)
from cloudjar.services.ec2.transit_gateways.records import (
    StaticRoute,
    TransitAttachment,
    TransitGateway,
    TransitRouteTable,
)
from cloudjar.services.ec2.transit_gateways.routing import Row
from cloudjar.services.ec2.transit_gateways.views import RELATED, TABLES, show_association, show_route, show_table
from cloudjar.services.ec2.vpcs.making import op


@op("CreateTransitGatewayRouteTable")
def create_transit_gateway_route_table(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A table without routes."""
    gateway = need_gateway(ctx, req["TransitGatewayId"])
    ready(gateway)
    table = ctx.db[TransitRouteTable].add(
        TransitRouteTable(
            id=ctx.new_id("tgw-rtb"),
            gateway_id=gateway.id,
            created=ctx.now,
            tags=tags.specified(req, "transit-gateway-route-table"),
        )
    )
    return {"TransitGatewayRouteTable": show_table(table, gateway)}


@op("DescribeTransitGatewayRouteTables")
def describe_transit_gateway_route_tables(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tables by id or filter."""
    gateways = {gateway.id: gateway for gateway in ctx.db[TransitGateway].all()}
    found = describe(
        ctx,
        req,
        TransitRouteTable,
        "TransitGatewayRouteTableIds",
        lambda table: show_table(table, gateways.get(table.gateway_id)),
        TABLES,
    )
    return {"TransitGatewayRouteTables": found}


@op("DeleteTransitGatewayRouteTable")
def delete_transit_gateway_route_table(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a table that nothing obeys; what told it its blocks does so no more."""
    table = need_table(ctx, req["TransitGatewayRouteTableId"])
    gateway = ctx.db[TransitGateway].need(table.gateway_id)
    held = attachments_of(ctx.db, gateway.id)
    if any(item.table == table.id for item in held):
        raise AwsError("IncorrectState", f"{table.id} has non-deleted associations.")
    if table.id in (gateway.association_table, gateway.propagation_table):
        raise AwsError("IncorrectState", f"{table.id} is a default route table of {gateway.id}.")
    for item in held:
        if table.id in item.propagates:
            change(ctx, item, propagates=tuple(key for key in item.propagates if key != table.id))
    table = ctx.db[TransitRouteTable].put(replace(table, state="deleting"))
    return {"TransitGatewayRouteTable": show_table(table, gateway)}


@op("AssociateTransitGatewayRouteTable")
def associate_transit_gateway_route_table(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have what arrives by an attachment obey a table; an attachment obeys one at most."""
    table, item = both(ctx, req["TransitGatewayRouteTableId"], req["TransitGatewayAttachmentId"])
    if item.table:
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"Transit Gateway Attachment {item.id} is already associated to a route table.",
        )
    change(ctx, item, table=table.id, association="associating")
    return {"Association": show_association(item, table.id, "associating")}


@op("DisassociateTransitGatewayRouteTable")
def disassociate_transit_gateway_route_table(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What arrives by the attachment is dropped from then on."""
    table, item = both(ctx, req["TransitGatewayRouteTableId"], req["TransitGatewayAttachmentId"])
    if item.table != table.id:
        raise AwsError(
            "InvalidAssociation.NotFound",
            f"Transit Gateway Attachment {item.id} is not associated to Transit Gateway Route Table {table.id}.",
        )
    change(ctx, item, association="disassociating")
    return {"Association": show_association(item, table.id, "disassociating")}


@op("EnableTransitGatewayRouteTablePropagation")
def enable_transit_gateway_route_table_propagation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a table know the blocks of an attached VPC."""
    table, item = _propagation(ctx, req)
    if table.id in item.propagates:
        raise AwsError(
            "TransitGatewayRouteTablePropagation.Duplicate",
            f"Propagation {item.id} already exists in Transit Gateway Route Table {table.id}.",
        )
    change(ctx, item, propagates=(*item.propagates, table.id))
    return {"Propagation": show_association(item, table.id, "enabled")}


@op("DisableTransitGatewayRouteTablePropagation")
def disable_transit_gateway_route_table_propagation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have it forget them."""
    table, item = _propagation(ctx, req)
    if table.id not in item.propagates:
        raise AwsError(
            "TransitGatewayRouteTablePropagation.NotFound",
            f"Propagation {item.id} does not exist in Transit Gateway Route Table {table.id}.",
        )
    change(ctx, item, propagates=tuple(key for key in item.propagates if key != table.id))
    return {"Propagation": show_association(item, table.id, "disabled")}


def _propagation(ctx: Ctx, req: dict[str, Any]) -> tuple[TransitRouteTable, TransitAttachment]:
    errors.refuse(req, "TransitGatewayRouteTableAnnouncementId")
    if not req.get("TransitGatewayAttachmentId"):
        raise errors.missing_one("TransitGatewayAttachmentId")
    table, item = both(ctx, req["TransitGatewayRouteTableId"], req["TransitGatewayAttachmentId"])
    if item.kind == "peering":
        raise AwsError("OperationNotPermitted", f"Routes are not propagated by the peering attachment {item.id}.")
    return table, item


def _related(req: dict[str, Any], views: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return narrow(req, RELATED, [Found({}, view) for view in views])


def _without_table(view: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in view.items() if name != "TransitGatewayRouteTableId"}


@op("GetTransitGatewayRouteTableAssociations")
def get_transit_gateway_route_table_associations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The attachments that obey a table."""
    table = need_table(ctx, req["TransitGatewayRouteTableId"])
    items = [item for item in attachments_of(ctx.db, table.gateway_id) if item.table == table.id]
    return {"Associations": _related(req, (_without_table(show_association(i, "", i.association)) for i in items))}


@op("GetTransitGatewayRouteTablePropagations")
def get_transit_gateway_route_table_propagations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The attachments that tell a table their blocks."""
    table = need_table(ctx, req["TransitGatewayRouteTableId"])
    items = [item for item in attachments_of(ctx.db, table.gateway_id) if table.id in item.propagates]
    views = (_without_table(show_association(item, "", "enabled")) for item in items)
    return {"TransitGatewayRouteTablePropagations": _related(req, views)}


@op("GetTransitGatewayAttachmentPropagations")
def get_transit_gateway_attachment_propagations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tables that an attachment tells its blocks."""
    item = need_attachment(ctx, req["TransitGatewayAttachmentId"])
    views = ({"State": "enabled", "TransitGatewayRouteTableId": key} for key in item.propagates)
    return {"TransitGatewayAttachmentPropagations": _related(req, views)}


# -- static routes
@op("CreateTransitGatewayRoute")
def create_transit_gateway_route(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A static route to an attachment, or into nothing."""
    table, route = _route(ctx, req)
    if any(one.destination == route.destination for one in table.routes):
        raise AwsError(
            "RouteAlreadyExists",
            f"Route {route.destination} already exists in Transit Gateway Route Table {table.id}.",
        )
    _within_limit(ctx, table)
    ctx.db[TransitRouteTable].put(replace(table, routes=(*table.routes, route)))
    return {"Route": _shown(ctx, table, route)}


def _within_limit(ctx: Ctx, table: TransitRouteTable) -> None:
    limit = ctx.limit("ec2", "L-BCC1FB47")
    used = sum(len(one.routes) for one in ctx.db[TransitRouteTable].all(gateway_id=table.gateway_id))
    if limit is not None and used >= limit:
        raise AwsError("TransitGatewayRouteLimitExceeded", "The maximum number of routes has been reached.")


@op("ReplaceTransitGatewayRoute")
def replace_transit_gateway_route(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another target for a static route."""
    table, route = _route(ctx, req)
    _static(table, route.destination)
    kept = tuple(route if one.destination == route.destination else one for one in table.routes)
    ctx.db[TransitRouteTable].put(replace(table, routes=kept))
    return {"Route": _shown(ctx, table, route)}


@op("DeleteTransitGatewayRoute")
def delete_transit_gateway_route(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a static route; what an attachment propagates shows again."""
    table = need_table(ctx, req["TransitGatewayRouteTableId"])
    route = _static(table, _block(req))
    kept = tuple(one for one in table.routes if one is not route)
    ctx.db[TransitRouteTable].put(replace(table, routes=kept))
    return {"Route": _shown(ctx, table, route, "deleted")}


def _route(ctx: Ctx, req: dict[str, Any]) -> tuple[TransitRouteTable, StaticRoute]:
    key = req.get("TransitGatewayAttachmentId")
    if bool(key) == bool(req.get("Blackhole")):
        raise errors.combination("Exactly one of TransitGatewayAttachmentId and Blackhole must be specified.")
    where = _block(req)
    if not key:
        return need_table(ctx, req["TransitGatewayRouteTableId"]), StaticRoute(destination=where)
    table, item = both(ctx, req["TransitGatewayRouteTableId"], key)
    if item.kind == "connect":
        raise AwsError("OperationNotPermitted", f"Static routes are not supported by the Connect attachment {item.id}.")
    return table, StaticRoute(destination=where, attachment=item.id)


def _block(req: dict[str, Any]) -> str:
    value = str(req["DestinationCidrBlock"])
    if ":" not in value:
        return str(blocks.block(value, "destinationCidrBlock"))
    found = blocks.ipv6(value)
    if found is None:
        raise errors.invalid_parameter(value, "destinationCidrBlock", "This is not a valid CIDR block.")
    return str(found)


def _static(table: TransitRouteTable, where: str) -> StaticRoute:
    found = next((one for one in table.routes if one.destination == where), None)
    if found is None:
        raise AwsError(
            "InvalidRoute.NotFound", f"Route {where} was not found in Transit Gateway Route Table {table.id}."
        )
    return found


def _shown(ctx: Ctx, table: TransitRouteTable, route: StaticRoute, state: str = "") -> dict[str, Any]:
    item = next((one for one in attachments_of(ctx.db, table.gateway_id) if one.id == route.attachment), None)
    if item is not None and not item.live:
        item = None
    return show_route(Row(ip_network(route.destination), "static", item), state)
