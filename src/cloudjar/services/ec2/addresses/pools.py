"""Pools of addresses that accounts bring along: nobody brings any here, so none is told of.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-byoip.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2.lookup import by_path, narrow

_FILTERS = by_path({})


@op("DescribePublicIpv4Pools")
def describe_public_ipv4_pools(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None; one that is named is not there."""
    for key in req.get("PoolIds") or ():
        raise AwsError("InvalidPublicIpv4PoolID.NotFound", f"The publicIpv4Pool ID '{key}' does not exist")
    return {"PublicIpv4Pools": narrow(req, _FILTERS, ())}


@op("DescribeIpv6Pools")
def describe_ipv6_pools(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None; one that is named is not there."""
    for key in req.get("PoolIds") or ():
        raise AwsError("InvalidPoolID.NotFound", f"The ipv6Pool ID '{key}' does not exist")
    return {"Ipv6Pools": narrow(req, _FILTERS, ())}


@op("GetAssociatedIpv6PoolCidrs")
def get_associated_ipv6_pool_cidrs(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Of a pool that is not there."""
    raise AwsError("InvalidPoolID.NotFound", f"The ipv6Pool ID '{req['PoolId']}' does not exist")


@op("DescribeByoipCidrs")
def describe_byoip_cidrs(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None: nobody has brought any."""
    return {"ByoipCidrs": []}
