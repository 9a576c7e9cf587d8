"""Endpoint services and their notifications as they are stored; who is connected is written on the endpoints.

https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-share-your-services.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Record, record

NAMES = "com.amazonaws.vpce."
"""What the names of endpoint services of one's own begin with."""


class Balancer(msgspec.Struct, frozen=True, kw_only=True):
    """A network load balancer of the service; `tail` is the end of its ARN (``net/NAME/SUFFIX``)."""

    arn: str
    vpc_id: str

    @property
    def tail(self) -> str:
        """By which its interfaces are known."""
        return self.arn.partition(":loadbalancer/")[2]


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """A principal who may connect: an ARN of IAM, or ``*``."""

    id: str
    principal: str


@record(
    "ec2",
    "vpc-endpoint-service",
    everywhere=True,
    missing=("InvalidVpcEndpointServiceId.NotFound", "The VpcEndpointService Id '{key}' does not exist"),
)
class EndpointService(Record, frozen=True, kw_only=True):
    """A service that others' interface endpoints may lead to."""

    id: str
    created: datetime
    acceptance: bool
    balancers: tuple[Balancer, ...]
    permissions: tuple[Permission, ...] = ()
    private_name: str = ""
    private_state: str = ""
    """pendingVerification, verified or failed; empty without a private name."""
    private_value: str = ""
    """What a TXT record must say so that the domain counts as the owner's."""
    private_record: str = ""
    """The label below the domain at which it must be said."""
    owner_pays: bool = False
    """Whether the service's owner pays for the endpoints."""
    tags: dict[str, str] = {}

    @property
    def name(self) -> str:
        """``com.amazonaws.vpce.eu-west-3.vpce-svc-…``"""
        return f"{NAMES}{self.region}.{self.id}"


@record(
    "ec2",
    "vpc-endpoint-connection-notification",
    missing=(
        "InvalidConnectionNotificationId.NotFound",
        "The VpcEndpointConnectionNotification Id '{key}' does not exist",
    ),
)
class Notification(Record, frozen=True, kw_only=True):
    """A topic that is told of connections: of a service, or of an endpoint."""

    id: str
    topic: str
    events: tuple[str, ...]
    service_id: str = ""
    endpoint_id: str = ""
