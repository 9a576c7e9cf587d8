"""A route table as it is stored. Local routes are not: they follow from the VPC's blocks."""

from __future__ import annotations

import msgspec

from cloudjar.kit.record import Quota, Record, record


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A way out of the VPC: exactly one target is set. The destination is a block of either family or a prefix list."""

    destination: str
    gateway_id: str = ""
    """An internet gateway."""
    interface_id: str = ""
    nat_gateway_id: str = ""
    peering_id: str = ""
    egress_only_id: str = ""
    transit_gateway_id: str = ""


@record(
    "ec2",
    "route-table",
    index=("vpc_id",),
    missing=("InvalidRouteTableID.NotFound", "The routeTable ID '{key}' does not exist"),
    quotas=(
        Quota(
            ("vpc", "L-589F43AA"),
            ("RouteTableLimitExceeded", "The maximum number of route tables has been reached."),
            per="vpc_id",
        ),
    ),
    parent=("ec2/vpc", "vpc_id"),
)
class RouteTable(Record, frozen=True, kw_only=True):
    """Routes for the subnets that are associated with it (see `Subnet.route_table_id` and `Vpc`)."""

    id: str
    vpc_id: str
    routes: tuple[Route, ...] = ()
    tags: dict[str, str] = {}
