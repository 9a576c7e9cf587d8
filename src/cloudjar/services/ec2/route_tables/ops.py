"""Route tables, their routes, and which subnets obey them.

https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import describe, need
from cloudjar.services.ec2.prefix_lists.references import weight
from cloudjar.services.ec2.route_tables import rules
from cloudjar.services.ec2.route_tables.records import Route, RouteTable
from cloudjar.services.ec2.route_tables.views import FILTERS, near, show_route_table
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.services.ec2.vpcs.records import Vpc

_ASSOCIATED = {"State": "associated"}


@op("CreateRouteTable")
def create_route_table(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A table with the VPC's local routes alone."""
    vpc = need(ctx, Vpc, req["VpcId"])
    table = ctx.db[RouteTable].add(
        RouteTable(id=ctx.new_id("rtb"), vpc_id=vpc.id, tags=tags.specified(req, "route-table"))
    )
    return {"RouteTable": show_route_table(table, near(ctx.db)), "ClientToken": req.get("ClientToken")}


@op("DescribeRouteTables")
def describe_route_tables(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tables by id or filter; the main one is found by ``association.main``."""
    around = near(ctx.db)
    found = describe(ctx, req, RouteTable, "RouteTableIds", lambda t: show_route_table(t, around), FILTERS)
    return {"RouteTables": found}


@op("DeleteRouteTable")
def delete_route_table(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a table that nothing obeys."""
    table = need(ctx, RouteTable, req["RouteTableId"])
    main = ctx.db[Vpc].need(table.vpc_id).main_route_table_id == table.id
    if main or ctx.db[Subnet].count(route_table_id=table.id):
        raise errors.dependency("routeTable", table.id)
    ctx.db[RouteTable].drop(table)
    return {}


@op("CreateRoute")
def create_route(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One more route; refused where the table has one for that destination."""
    table = need(ctx, RouteTable, req["RouteTableId"])
    route = rules.route(ctx, table, req)
    if _find(table, route.destination) is not None:
        raise rules.already_exists(route.destination)
    routes = (*table.routes, route)
    _within_limit(ctx, routes)
    ctx.db[RouteTable].put(replace(table, routes=routes))
    return {"Return": True}


def _within_limit(ctx: Ctx, routes: tuple[Route, ...]) -> None:
    """The quota holds for IPv4 and IPv6 apart; a prefix list counts as many times as it may have entries."""
    limit = ctx.limit("vpc", "L-93826ACB")
    used = {False: 0, True: 0}
    for route in routes:
        where = route.destination
        used[rules.is_ipv6(ctx, where)] += weight(ctx, where) if where.startswith("pl-") else 1
    if limit is not None and max(used.values()) > limit:
        raise AwsError("RouteLimitExceeded", "The maximum number of routes has been reached.")


@op("ReplaceRoute")
def replace_route(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another target for a destination that has one."""
    errors.refuse(req, "LocalTarget")
    table = need(ctx, RouteTable, req["RouteTableId"])
    route = rules.route(ctx, table, req)
    if _find(table, route.destination) is None:
        raise errors.invalid_value(
            f"There is no route defined for '{route.destination}' in the route table. Use CreateRoute instead."
        )
    routes = tuple(route if r.destination == route.destination else r for r in table.routes)
    ctx.db[RouteTable].put(replace(table, routes=routes))
    return {}


@op("DeleteRoute")
def delete_route(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a route; local ones stay."""
    table = need(ctx, RouteTable, req["RouteTableId"])
    where = rules.destination(ctx, req)
    vpc = ctx.db[Vpc].need(table.vpc_id)
    if any(block.cidr == where for block in (*vpc.cidrs, *vpc.ipv6_cidrs)):
        raise errors.invalid_value(f"cannot remove local route {where} in route table {table.id}")
    route = _find(table, where)
    if route is None:
        raise AwsError(
            "InvalidRoute.NotFound", f"no route with {_kind(where)} {where} in route table {table.id}"
        )
    ctx.db[RouteTable].put(replace(table, routes=tuple(r for r in table.routes if r is not route)))
    return {}


def _kind(where: str) -> str:
    if where.startswith("pl-"):
        return "destination-prefix-list-id"
    return "destination-ipv6-cidr-block" if ":" in where else "destination-cidr-block"


def _find(table: RouteTable, where: str) -> Route | None:
    return next((route for route in table.routes if route.destination == where), None)


@op("AssociateRouteTable")
def associate_route_table(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a subnet obey a table instead of the main one."""
    errors.refuse(req, "GatewayId", "PublicIpv4Pool")
    table = need(ctx, RouteTable, req["RouteTableId"])
    if not req.get("SubnetId"):
        raise errors.missing("The request must contain exactly one of gatewayId, publicIpv4Pool, subnetId")
    subnet = need(ctx, Subnet, req["SubnetId"])
    _same_network(table, subnet)
    if subnet.route_table_id == table.id:
        return {"AssociationId": subnet.route_table_association_id, "AssociationState": _ASSOCIATED}
    if subnet.route_table_id:
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"the specified association for route table {table.id} conflicts with an existing association",
        )
    return _obey(ctx, subnet, table)


def _same_network(table: RouteTable, subnet: Subnet) -> None:
    if table.vpc_id != subnet.vpc_id:
        raise errors.invalid_value(f"Route table {table.id} and subnet {subnet.id} belong to different networks")


def _obey(ctx: Ctx, subnet: Subnet, table: RouteTable) -> dict[str, Any]:
    key = ctx.new_id("rtbassoc")
    ctx.db[Subnet].put(replace(subnet, route_table_id=table.id, route_table_association_id=key))
    return {"AssociationId": key, "AssociationState": _ASSOCIATED}


@op("ReplaceRouteTableAssociation")
def replace_route_table_association(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another table for a subnet, or another main table for a VPC."""
    table = need(ctx, RouteTable, req["RouteTableId"])
    holder = _holder(ctx, req["AssociationId"])
    if isinstance(holder, Vpc):
        if holder.id != table.vpc_id:
            raise errors.different_networks(f"Route table {table.id}", f"association {req['AssociationId']}")
        key = ctx.new_id("rtbassoc")
        ctx.db[Vpc].put(replace(holder, main_route_table_id=table.id, main_association_id=key))
        return {"NewAssociationId": key, "AssociationState": _ASSOCIATED}
    _same_network(table, holder)
    made = _obey(ctx, holder, table)
    return {"NewAssociationId": made["AssociationId"], "AssociationState": _ASSOCIATED}


@op("DisassociateRouteTable")
def disassociate_route_table(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a subnet obey the main table again."""
    holder = _holder(ctx, req["AssociationId"])
    if isinstance(holder, Vpc):
        raise errors.invalid_value(f"cannot disassociate the main route table association {req['AssociationId']}")
    ctx.db[Subnet].put(replace(holder, route_table_id="", route_table_association_id=""))
    return {}


def _holder(ctx: Ctx, key: str) -> Subnet | Vpc:
    """The subnet, or for a main association the VPC, that an association is stored with."""
    subnets = ctx.db[Subnet].all(route_table_association_id=key) if key else []
    if subnets:
        return subnets[0]
    vpcs = ctx.db[Vpc].all(main_association_id=key) if key else []
    if vpcs:
        return vpcs[0]
    raise errors.no_association(key)
