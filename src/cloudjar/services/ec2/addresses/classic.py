"""Addresses between EC2-Classic and VPCs, as AWS answers since there is no EC2-Classic: none is on the move.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_MoveAddressToVpc.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import blocks
from cloudjar.services.ec2.addresses.records import ElasticIp
from cloudjar.services.ec2.lookup import by_path, narrow


def _own(ctx: Ctx, ip: str) -> ElasticIp:
    if blocks.address(ip) is None:
        raise AwsError("InvalidAddress.Malformed", f"Invalid IPv4 address: {ip}")
    found = ctx.db[ElasticIp].all(ip=ip)
    if not found:
        raise AwsError("InvalidAddress.NotFound", f"Address '{ip}' not found.")
    return found[0]


@op("MoveAddressToVpc")
def move_address_to_vpc(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every address is of VPCs already."""
    elastic = _own(ctx, req["PublicIp"])
    raise AwsError("InvalidAddress.InVpc", f"The address '{elastic.ip}' is already allocated for use in a VPC.")


@op("RestoreAddressToClassic")
def restore_address_to_classic(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """There is nowhere to go back to."""
    elastic = _own(ctx, req["PublicIp"])
    raise AwsError("UnsupportedOperation", f"The address '{elastic.ip}' was not moved from EC2-Classic.")


_FILTERS = by_path({"moving-status": "MoveStatus"})


@op("DescribeMovingAddresses")
def describe_moving_addresses(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None is on the move."""
    for ip in req.get("PublicIps") or ():
        _own(ctx, ip)
    return {"MovingAddressStatuses": narrow(req, _FILTERS, ())}
