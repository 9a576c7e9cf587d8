"""DHCP options: AWS's own set, which every VPC has here.

https://docs.aws.amazon.com/vpc/latest/userguide/VPC_DHCP_Options.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.dhcp_options.records import DhcpOptions
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.services.ec2.vpcs.records import Vpc

FILTERS = by_path(
    {
        "dhcp-options-id": "DhcpOptionsId",
        "key": "DhcpConfigurations[].Key",
        "owner-id": "OwnerId",
        "value": "DhcpConfigurations[].Values[].Value",
    }
)


def show_dhcp_options(options: DhcpOptions) -> dict[str, Any]:
    """AWS's DhcpOptions."""
    return {
        "DhcpConfigurations": [
            {"Key": key, "Values": [{"Value": value} for value in values]} for key, values in options.options.items()
        ],
        "DhcpOptionsId": options.id,
        "OwnerId": options.account,
        "Tags": tags.as_list(options.tags),
    }


@op("DescribeDhcpOptions")
def describe_dhcp_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Sets by id or filter."""
    return {"DhcpOptions": describe(ctx, req, DhcpOptions, "DhcpOptionsIds", show_dhcp_options, FILTERS)}


@op("AssociateDhcpOptions")
def associate_dhcp_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a VPC use a set; ``default`` means none at all."""
    vpc = need(ctx, Vpc, req["VpcId"])
    wanted = req["DhcpOptionsId"]
    key = wanted if wanted == "default" else need(ctx, DhcpOptions, wanted).id
    ctx.db[Vpc].put(replace(vpc, dhcp_options_id=key))
    return {}
