"""Prefix lists in the route tables of transit gateways: static routes for every block that a list holds.

https://docs.aws.amazon.com/vpc/latest/tgw/tgw-prefix-lists.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row as Found
from cloudjar.services.ec2.lookup import narrow
from cloudjar.services.ec2.prefix_lists.references import own_list
from cloudjar.services.ec2.transit_gateways.finding import attachments_of, both, need_table
from cloudjar.services.ec2.transit_gateways.records import ListReference, TransitRouteTable
from cloudjar.services.ec2.transit_gateways.views import REFERENCES, show_reference
from cloudjar.services.ec2.vpcs.making import op


@op("CreateTransitGatewayPrefixListReference")
def create_transit_gateway_prefix_list_reference(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Routes to an attachment, or into nothing, for all that a list holds."""
    table, made = _wanted(ctx, req)
    if any(one.prefix_list == made.prefix_list for one in table.references):
        raise AwsError(
            "TransitGatewayPrefixListReference.Duplicate",
            f"Prefix list {made.prefix_list} is already referenced in Transit Gateway Route Table {table.id}.",
        )
    return _store(ctx, table, (*table.references, made), made)


@op("ModifyTransitGatewayPrefixListReference")
def modify_transit_gateway_prefix_list_reference(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another target."""
    table, made = _wanted(ctx, req)
    held = _need(table, made.prefix_list)
    return _store(ctx, table, tuple(made if one is held else one for one in table.references), made)


@op("DeleteTransitGatewayPrefixListReference")
def delete_transit_gateway_prefix_list_reference(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The routes go."""
    table = need_table(ctx, req["TransitGatewayRouteTableId"])
    held = _need(table, req["PrefixListId"])
    return _store(ctx, table, tuple(one for one in table.references if one is not held), held, state="deleting")


@op("GetTransitGatewayPrefixListReferences")
def get_transit_gateway_prefix_list_references(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The lists that a table refers to."""
    table = need_table(ctx, req["TransitGatewayRouteTableId"])
    views = [Found({}, _show(ctx, table, one)) for one in table.references]
    return {"TransitGatewayPrefixListReferences": narrow(req, REFERENCES, views)}


def _wanted(ctx: Ctx, req: dict[str, Any]) -> tuple[TransitRouteTable, ListReference]:
    key = req.get("TransitGatewayAttachmentId")
    if bool(key) == bool(req.get("Blackhole")):
        raise errors.combination("Exactly one of TransitGatewayAttachmentId and Blackhole must be specified.")
    listed = own_list(ctx, req["PrefixListId"])
    reference = ListReference(prefix_list=listed.id, owner=listed.account)
    if not key:
        return need_table(ctx, req["TransitGatewayRouteTableId"]), reference
    table, item = both(ctx, req["TransitGatewayRouteTableId"], key)
    if item.kind == "connect":
        raise AwsError("OperationNotPermitted", f"Static routes are not supported by the Connect attachment {item.id}.")
    return table, replace(reference, attachment=item.id)


def _need(table: TransitRouteTable, key: str) -> ListReference:
    found = next((one for one in table.references if one.prefix_list == key), None)
    if found is None:
        raise AwsError(
            "InvalidPrefixListID.NotFound",
            f"Prefix list {key} is not referenced in Transit Gateway Route Table {table.id}.",
        )
    return found


def _store(
    ctx: Ctx,
    table: TransitRouteTable,
    references: tuple[ListReference, ...],
    one: ListReference,
    state: str = "pending",
) -> dict[str, Any]:
    stored = ctx.db[TransitRouteTable].put(replace(table, references=references))
    return {"TransitGatewayPrefixListReference": {**_show(ctx, stored, one), "State": state}}


def _show(ctx: Ctx, table: TransitRouteTable, one: ListReference) -> dict[str, Any]:
    held = attachments_of(ctx.db, table.gateway_id) if one.attachment else ()
    return show_reference(table, one, next((item for item in held if item.id == one.attachment), None))
