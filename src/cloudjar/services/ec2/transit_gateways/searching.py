"""SearchTransitGatewayRoutes: the routes of a table in the end, by their blocks, states and attachments.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SearchTransitGatewayRoutes.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_network
from typing import Any

from cloudjar.kit import pages
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Paths, by_path, narrow
from cloudjar.services.ec2.lookup import Row as Found
from cloudjar.services.ec2.transit_gateways.finding import Block, need_table
from cloudjar.services.ec2.transit_gateways.records import TransitRouteTable
from cloudjar.services.ec2.transit_gateways.routing import Row, rows
from cloudjar.services.ec2.transit_gateways.views import show_route
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.spec.models import Paginator

_MOST = 1000
_PAGES = Paginator(("NextToken",), ("NextToken",), "MaxResults", ("Routes",), "")
_FILTERS = by_path(
    {
        "attachment.resource-id": "TransitGatewayAttachments[].ResourceId",
        "attachment.resource-type": "TransitGatewayAttachments[].ResourceType",
        "attachment.transit-gateway-attachment-id": "TransitGatewayAttachments[].TransitGatewayAttachmentId",
        "prefix-list-id": "PrefixListId",
        "state": "State",
        "type": "Type",
    }
)


def _within(inner: Block, outer: Block) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # of one version


def _longest(found: list[Row], wanted: Block) -> list[Row]:
    holding = [row for row in found if _within(wanted, row.block)]
    return [max(holding, key=lambda row: row.block.prefixlen)] if holding else []


_SEARCHES: dict[str, Callable[[list[Row], Block], list[Row]]] = {
    "route-search.exact-match": lambda found, wanted: [row for row in found if row.block == wanted],
    "route-search.longest-prefix-match": _longest,
    "route-search.subnet-of-match": lambda found, wanted: [row for row in found if _within(row.block, wanted)],
    "route-search.supernet-of-match": lambda found, wanted: [row for row in found if _within(wanted, row.block)],
}


@op("SearchTransitGatewayRoutes", pages=False)
def search_transit_gateway_routes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Routes that every filter admits, 1,000 at most in a page."""
    shown = searched(ctx, need_table(ctx, req["TransitGatewayRouteTableId"]), req["Filters"], _FILTERS)
    asked = {**req, "MaxResults": req.get("MaxResults") or _MOST}
    page = pages.cut(_PAGES, "ec2", "SearchTransitGatewayRoutes", asked, {"Routes": shown})
    return {**page, "AdditionalRoutesAvailable": "NextToken" in page}


def searched(
    ctx: Ctx, table: TransitRouteTable, asked: Iterable[Mapping[str, Any]], filters: Paths
) -> list[dict[str, Any]]:
    """The routes of a table that the searches among the filters find, and that the others (`filters`) admit."""
    found = rows(ctx.db, table)
    others = []
    for entry in asked:
        search = _SEARCHES.get(str(entry.get("Name")))
        if search is None:
            others.append(entry)
            continue
        kept: dict[Block, Row] = {}
        for value in entry.get("Values") or ():
            kept |= {row.block: row for row in search(found, _block(value))}
        found = [row for row in found if row.block in kept]
    return narrow({"Filters": others}, filters, [Found({}, show_route(row)) for row in found])


def _block(value: str) -> Block:
    try:
        return ip_network(value)
    except ValueError as error:
        raise errors.invalid_parameter(value, "route-search", "This is not a valid CIDR block.") from error
