"""A VPC endpoint as it is stored.

https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from cloudjar.kit.record import Quota, Record, record

_REACHED = ("VpcEndpointLimitExceeded", "The maximum number of VPC endpoints has been reached.")


@record(
    "ec2",
    "vpc-endpoint",
    index=("vpc_id", "type"),
    missing=("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '{key}' does not exist"),
    parent=("ec2/vpc", "vpc_id"),
)
class VpcEndpoint(Record, frozen=True, kw_only=True):
    """A way to a service of AWS that does not leave the VPC.

    A gateway endpoint has a route in `route_tables`; an interface endpoint has an interface in each of `subnets`.
    """

    id: str
    vpc_id: str
    type: Literal["Gateway", "Interface"]
    service: str
    """``com.amazonaws.eu-west-3.s3``"""
    created: datetime
    state: str
    document: str
    """The endpoint policy: what requests through this endpoint may be."""
    route_tables: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    """In the order of `subnets`."""
    groups: tuple[str, ...] = ()
    private_dns: bool = False
    private_name: str = ""
    """The private name of somebody's own service, as it was when private DNS was switched on."""
    service_owner: str = "amazon"
    """Whose the service is: Amazon's, or an account's."""
    connection: str = ""
    """The id of its connection to somebody's own service."""
    tags: dict[str, str] = {}


GATEWAYS_PER_REGION = Quota(("vpc", "L-1B52E74A"), _REACHED)
INTERFACES_PER_VPC = Quota(("vpc", "L-29B6F2EB"), _REACHED, per="vpc_id")
