"""EC2-Classic and its links to VPCs are gone; AWS answers so wherever they never were, and tools expect it.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcClassicLink.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op


def _no_classic() -> AwsError:
    return AwsError("UnsupportedOperation", "The functionality you requested is not available in this region.")


@op("DescribeVpcClassicLink")
def describe_vpc_classic_link(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No VPC can be linked."""
    raise _no_classic()


@op("DescribeVpcClassicLinkDnsSupport")
def describe_vpc_classic_link_dns(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Nor resolve names for linked instances."""
    raise _no_classic()


@op("DescribeClassicLinkInstances")
def describe_classic_link_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No instance is linked."""
    raise _no_classic()


@op("EnableVpcClassicLink")
def enable_vpc_classic_link(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused."""
    raise _no_classic()


@op("DisableVpcClassicLink")
def disable_vpc_classic_link(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused."""
    raise _no_classic()


@op("EnableVpcClassicLinkDnsSupport")
def enable_vpc_classic_link_dns_support(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused."""
    raise _no_classic()


@op("DisableVpcClassicLinkDnsSupport")
def disable_vpc_classic_link_dns_support(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused."""
    raise _no_classic()


@op("AttachClassicLinkVpc")
def attach_classic_link_vpc(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused."""
    raise _no_classic()


@op("DetachClassicLinkVpc")
def detach_classic_link_vpc(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused."""
    raise _no_classic()
