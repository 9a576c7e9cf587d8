"""The Reserved Instance Marketplace, as far as it goes for an account that is no registered seller: nobody here can
register, which takes a bank account in the United States and AWS itself.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ri-market-general.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import by_path, narrow
from cloudjar.services.ec2.reserved_instances.records import ReservedInstances

_FILTERS = by_path(
    {
        "reserved-instances-id": "ReservedInstancesId",
        "reserved-instances-listing-id": "ReservedInstancesListingId",
        "status": "Status",
        "status-message": "StatusMessage",
    }
)
_HELD = timedelta(days=30)
"""For how long one must have had what one sells."""


def _missing(key: str) -> AwsError:
    return AwsError("InvalidReservedInstancesListingId", f"The Reserved Instances listing ID '{key}' does not exist")


@op("CreateReservedInstancesListing")
def create_reserved_instances_listing(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused: first for what cannot be sold, then because the account is no seller."""
    held = ctx.db[ReservedInstances].need(req["ReservedInstancesId"])
    if held.state != "active" or held.cls != "standard" or ctx.now - held.start < _HELD:
        raise AwsError(
            "InvalidState",
            f"The Reserved Instances '{held.id}' cannot be listed: they must be standard, active and held for 30 days.",
        )
    if not 1 <= req["InstanceCount"] <= held.count:
        raise errors.invalid_parameter(req["InstanceCount"], "instanceCount", f"It must be between 1 and {held.count}.")
    raise AwsError(
        "OptInRequired",
        "The account is not registered as a seller in the Reserved Instance Marketplace.",
    )


@op("DescribeReservedInstancesListings")
def describe_reserved_instances_listings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None: who is no seller lists nothing."""
    if req.get("ReservedInstancesListingId"):
        raise _missing(req["ReservedInstancesListingId"])
    if req.get("ReservedInstancesId"):
        ctx.db[ReservedInstances].need(req["ReservedInstancesId"])
    return {"ReservedInstancesListings": narrow(req, _FILTERS, ())}


@op("CancelReservedInstancesListing")
def cancel_reserved_instances_listing(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No listing has this id."""
    raise _missing(req["ReservedInstancesListingId"])
