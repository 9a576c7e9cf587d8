"""An endpoint as it is stored.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/connect-with-ec2-instance-connect-endpoint.html
"""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record


@record(
    "ec2",
    "instance-connect-endpoint",
    index=("vpc_id",),
    everywhere=True,
    missing=(
        "InvalidInstanceConnectEndpointId.NotFound",
        "The instance connect endpoint ID '{key}' does not exist",
    ),
    parent=("ec2/vpc", "vpc_id"),
)
class ConnectEndpoint(Record, frozen=True, kw_only=True):
    """An interface in a subnet from which tunnels lead to instances."""

    id: str
    vpc_id: str
    subnet_id: str
    zone: str
    zone_id: str
    groups: tuple[str, ...]
    interface_id: str
    created: datetime
    state: str = "create-in-progress"
    tags: dict[str, str] = {}
