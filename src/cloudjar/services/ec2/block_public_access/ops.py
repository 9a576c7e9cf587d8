"""VPC Block Public Access.

https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa-basics.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op, resource_keys
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.block_public_access.life import LIFE
from cloudjar.services.ec2.block_public_access.records import BlockExclusion, BlockOptions
from cloudjar.services.ec2.block_public_access.standing import chosen
from cloudjar.services.ec2.lookup import by_path, describe, in_pages, need
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.records import Vpc

MOST_EXCLUSIONS = 50
"""Of an account in a Region; Service Quotas does not list it.

https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
"""
_FILTERS = by_path(
    {
        "internet-gateway-exclusion-mode": "InternetGatewayExclusionMode",
        "resource-arn": "ResourceArn",
        "state": "State",
    }
)


@resource_keys("ec2", "vpc-block-public-access-exclusion")
def _exclusion(one: BlockExclusion) -> dict[str, Any]:
    return {"ec2:Region": one.region}


@op("DescribeVpcBlockPublicAccessOptions")
def describe_vpc_block_public_access_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's mode in this Region."""
    return {"VpcBlockPublicAccessOptions": _show_options(ctx, chosen(ctx.db))}


@op("ModifyVpcBlockPublicAccessOptions")
def modify_vpc_block_public_access_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another mode; every VPC is laid out anew, and then the update is complete."""
    table, before = ctx.db[BlockOptions], chosen(ctx.db)
    wanted = replace(
        before, mode=req["InternetGatewayBlockMode"], state="update-in-progress", updated=ctx.now
    )
    stored = table.add(wanted) if table.get(wanted.name) is None else table.put(wanted)
    for vpc in ctx.db[Vpc].all():
        ctx.wake(vpc)
    return {"VpcBlockPublicAccessOptions": _show_options(ctx, stored)}


def _show_options(ctx: Ctx, options: BlockOptions) -> dict[str, Any]:
    """AWS's VpcBlockPublicAccessOptions; declarative policies are absent, so the account manages it."""
    return {
        "AwsAccountId": ctx.account,
        "AwsRegion": ctx.region,
        "State": options.state,
        "InternetGatewayBlockMode": options.mode,
        "LastUpdateTimestamp": options.updated,
        "ManagedBy": "account",
        "ExclusionsAllowed": "allowed",
    }


@op("CreateVpcBlockPublicAccessExclusion")
def create_vpc_block_public_access_exclusion(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Exclude a VPC or a subnet, whether anything is blocked now or not."""
    vpc_id, subnet_id = _excluded(ctx, req)
    held = [one for one in ctx.db[BlockExclusion].all() if one.live]
    for one in held:
        if (one.vpc_id, one.subnet_id) == (vpc_id, subnet_id):
            raise errors.invalid_value(f"An exclusion for {subnet_id or vpc_id} already exists: {one.id}")
    if len(held) >= MOST_EXCLUSIONS:
        raise AwsError(
            "VpcBlockPublicAccessExclusionLimitExceeded",
            f"The maximum number of VPC Block Public Access exclusions ({MOST_EXCLUSIONS}) has been reached.",
        )
    made = BlockExclusion(
        id=ctx.new_id("vpcbpa-exclude"),
        vpc_id=vpc_id,
        subnet_id=subnet_id,
        mode=req["InternetGatewayExclusionMode"],
        created=ctx.now,
        tags=tags.specified(req, "vpc-block-public-access-exclusion"),
    )
    return _shown(ctx.db[BlockExclusion].add(made))


def _excluded(ctx: Ctx, req: dict[str, Any]) -> tuple[str, str]:
    """The ids of the VPC, and of the subnet if it is one that is excluded."""
    if req.get("VpcId") and req.get("SubnetId"):
        raise errors.combination("The parameters vpcId and subnetId cannot be used together.")
    if req.get("SubnetId"):
        subnet = need(ctx, Subnet, req["SubnetId"])
        return subnet.vpc_id, subnet.id
    if req.get("VpcId"):
        return need(ctx, Vpc, req["VpcId"]).id, ""
    raise errors.missing("Either 'vpcId' or 'subnetId' should be provided.")


@op("ModifyVpcBlockPublicAccessExclusion")
def modify_vpc_block_public_access_exclusion(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let an exclusion allow more, or less."""
    one = need(ctx, BlockExclusion, req["ExclusionId"])
    _refuse_deleted(one, "modified")
    return _shown(_move(ctx, one, "update-in-progress", mode=req["InternetGatewayExclusionMode"]))


@op("DeleteVpcBlockPublicAccessExclusion")
def delete_vpc_block_public_access_exclusion(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's mode holds again; the exclusion is remembered as deleted."""
    one = need(ctx, BlockExclusion, req["ExclusionId"])
    _refuse_deleted(one, "deleted")
    return _shown(_move(ctx, one, "delete-in-progress"))


def _move(ctx: Ctx, one: BlockExclusion, to: str, **changes: Any) -> BlockExclusion:
    if one.state == to:  # asked again before the first time is done
        return ctx.db[BlockExclusion].put(replace(one, **changes))
    return LIFE.move(ctx, one, to, **changes)


def _refuse_deleted(one: BlockExclusion, what: str) -> None:
    if not one.live:
        raise errors.invalid_value(f"The exclusion {one.id} is in {one.state} state and cannot be {what}.")


@op("DescribeVpcBlockPublicAccessExclusions")
def describe_vpc_block_public_access_exclusions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Exclusions by id or filter, also those that were deleted."""
    found = describe(ctx, req, BlockExclusion, "ExclusionIds", show, _FILTERS)
    operation = "DescribeVpcBlockPublicAccessExclusions"
    return in_pages(req, operation, "VpcBlockPublicAccessExclusions", found)


def show(one: BlockExclusion) -> dict[str, Any]:
    """AWS's VpcBlockPublicAccessExclusion."""
    what = f"subnet/{one.subnet_id}" if one.subnet_id else f"vpc/{one.vpc_id}"
    return {
        "ExclusionId": one.id,
        "InternetGatewayExclusionMode": one.mode,
        "ResourceArn": arns.make("ec2", one.region, one.account, what),
        "State": one.state,
        "Reason": one.reason or None,
        "CreationTimestamp": one.created,
        "LastUpdateTimestamp": one.updated,
        "DeletionTimestamp": one.deleted,
        "Tags": tags.as_list(one.tags),
    }


def _shown(one: BlockExclusion) -> dict[str, Any]:
    return {"VpcBlockPublicAccessExclusion": show(one)}


def resource_gone(ctx: Ctx, vpc_id: str, subnet_id: str = "") -> None:
    """A VPC or subnet was deleted: its exclusion goes as well."""
    held: Iterable[BlockExclusion] = ctx.db[BlockExclusion].all(vpc_id=vpc_id)
    for one in held:
        if one.live and subnet_id in ("", one.subnet_id):
            _move(ctx, one, "delete-in-progress", reason="The excluded resource was deleted.")
