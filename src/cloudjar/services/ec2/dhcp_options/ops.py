"""DHCP options sets: AWS's own, which every VPC begins with, and others.

https://docs.aws.amazon.com/vpc/latest/userguide/VPC_DHCP_Options.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.dhcp_options import rules
from cloudjar.services.ec2.dhcp_options.records import DhcpOptions
from cloudjar.services.ec2.instances.leases import renew_leases
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


@op("CreateDhcpOptions")
def create_dhcp_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A set that VPCs may use from now on."""
    options = rules.checked(req["DhcpConfigurations"])
    made = ctx.db[DhcpOptions].add(
        DhcpOptions(id=ctx.new_id("dopt"), options=options, tags=tags.specified(req, "dhcp-options"))
    )
    return {"DhcpOptions": show_dhcp_options(made)}


@op("DeleteDhcpOptions")
def delete_dhcp_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a set that no VPC uses."""
    options = need(ctx, DhcpOptions, req["DhcpOptionsId"])
    if any(vpc.dhcp_options_id == options.id for vpc in ctx.db[Vpc].all()):
        raise errors.dependency("dhcpOptions", options.id)
    ctx.db[DhcpOptions].drop(options)
    return {}


@op("DescribeDhcpOptions")
def describe_dhcp_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Sets by id or filter."""
    return {"DhcpOptions": describe(ctx, req, DhcpOptions, "DhcpOptionsIds", show_dhcp_options, FILTERS)}


@op("AssociateDhcpOptions")
def associate_dhcp_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a VPC use a set; ``default`` means none at all. Its guests hear of it when they renew their leases."""
    vpc = need(ctx, Vpc, req["VpcId"])
    wanted = req["DhcpOptionsId"]
    key = wanted if wanted == "default" else need(ctx, DhcpOptions, wanted).id
    ctx.db[Vpc].put(replace(vpc, dhcp_options_id=key))
    renew_leases(ctx, vpc.id)
    return {}
