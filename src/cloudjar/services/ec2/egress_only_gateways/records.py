"""An egress-only internet gateway as it is stored."""

from __future__ import annotations

from cloudjar.kit.record import Quota, Record, record


@record(
    "ec2",
    "egress-only-internet-gateway",
    index=("vpc_id",),
    missing=("InvalidGatewayID.NotFound", "The gateway ID '{key}' does not exist"),
    quotas=(
        Quota(
            ("vpc", "L-45FE3B85"),
            (
                "EgressOnlyInternetGatewayLimitExceeded",
                "The maximum number of egress-only internet gateways has been reached.",
            ),
        ),
    ),
    parent=("ec2/vpc", "vpc_id"),
)
class EgressOnlyGateway(Record, frozen=True, kw_only=True):
    """Lets a VPC's IPv6 packets out, and in only what answers them."""

    id: str
    vpc_id: str
    tags: dict[str, str] = {}
