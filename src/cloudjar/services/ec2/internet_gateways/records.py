"""An internet gateway as it is stored."""

from __future__ import annotations

from cloudjar.kit.record import Quota, Record, record


@record(
    "ec2",
    "internet-gateway",
    index=("vpc_id",),
    missing=("InvalidInternetGatewayID.NotFound", "The internetGateway ID '{key}' does not exist"),
    quotas=(
        Quota(
            ("vpc", "L-A4707A72"),
            ("InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached."),
        ),
    ),
    parent=("ec2/vpc", "vpc_id"),
)
class InternetGateway(Record, frozen=True, kw_only=True):
    """The way to the Internet of the VPC that it is attached to, if any."""

    id: str
    vpc_id: str = ""
    tags: dict[str, str] = {}
