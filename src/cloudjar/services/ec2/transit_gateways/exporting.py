"""The routes of a table as a JSON file in a bucket.

https://docs.aws.amazon.com/vpc/latest/tgw/tgw-export-route-tables.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import by_path
from cloudjar.services.ec2.transit_gateways.finding import need_table
from cloudjar.services.ec2.transit_gateways.records import TransitRouteTable
from cloudjar.services.ec2.transit_gateways.searching import searched
from cloudjar.services.ec2.vpcs.making import op

_VIA = "ec2.amazonaws.com"
_FOLDER = "VPCTransitGateway/TransitGatewayRouteTables"
_FILTERS = by_path(
    {
        "attachment.resource-id": "TransitGatewayAttachments[].ResourceId",
        "attachment.transit-gateway-attachment-id": "TransitGatewayAttachments[].TransitGatewayAttachmentId",
        "state": "State",
        "transit-gateway-route-destination-cidr-block": "DestinationCidrBlock",
        "type": "Type",
    }
)


@op("ExportTransitGatewayRoutes")
def export_transit_gateway_routes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Put them into a bucket, as who asks; its address is the answer."""
    table = need_table(ctx, req["TransitGatewayRouteTableId"])
    asked, bucket = req.get("Filters") or [], req["S3Bucket"]
    body = document(asked, searched(ctx, table, asked, _FILTERS))
    where, key = bucket_delivery.place(ctx, bucket), _key(ctx, table)
    if where is None:
        raise errors.invalid_parameter(bucket, "s3Bucket", "There is no such bucket.")
    params = {"Bucket": bucket, "Key": key, "Body": body, "ContentType": "application/json"}
    try:
        ctx.at(ctx.account, where.region).call("s3", "PutObject", params, via=_VIA)
    except AwsError as refused:
        if refused.is_server_fault:
            raise
        why = f"The routes cannot be written to it: {refused.message}"
        raise errors.invalid_parameter(bucket, "s3Bucket", why) from refused
    return {"S3Location": f"s3://{bucket}/{key}"}


def _key(ctx: Ctx, table: TransitRouteTable) -> str:
    return f"{_FOLDER}/{ctx.account}_{ctx.region}_{table.id}_{ctx.now:%Y%m%dT%H%M%SZ}.json"


def document(asked: Iterable[Mapping[str, Any]], routes: Iterable[Mapping[str, Any]]) -> bytes:
    """The file: what was asked for, and the routes, in AWS's names with small initials; pure."""
    filters = [{"name": one.get("Name"), "values": list(one.get("Values") or ())} for one in asked]
    said = {"filter": filters, "routes": [_small(route) for route in routes]}
    return json.dumps(said, indent=2).encode()


def _small(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name[0].lower() + name[1:]: _small(one) for name, one in value.items() if one is not None}
    return [_small(one) for one in value] if isinstance(value, list) else value
