"""What the sources cannot say about private links: a connection notification is asked about by what it is told of.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import Any

Ops = dict[str, list[dict[str, Any]]]

_SERVICES = "arn:${Partition}:ec2:${Region}:${Account}:vpc-endpoint-service/*"


def correct(ops: Ops) -> None:
    """Change the table of EC2 in place."""
    for operation, path in (
        ("ModifyVpcEndpointConnectionNotification", "ConnectionNotificationId"),
        ("DeleteVpcEndpointConnectionNotifications", "ConnectionNotificationIds[]"),
    ):
        ops[operation][0]["r"] = [["*", ["by", "ec2:notified", path, _SERVICES], 1]]
