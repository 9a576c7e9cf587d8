"""What the sources cannot say about private links (a connection notification is asked about by what it is told of) and
imports (a task's kind is in its id).

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import Any

Ops = dict[str, list[dict[str, Any]]]

_REGIONAL = "arn:${Partition}:ec2:${Region}:${Account}:"
_SERVICES = f"{_REGIONAL}vpc-endpoint-service/*"


def correct(ops: Ops) -> None:
    """Change the table of EC2 in place."""
    for operation, path in (
        ("ModifyVpcEndpointConnectionNotification", "ConnectionNotificationId"),
        ("DeleteVpcEndpointConnectionNotifications", "ConnectionNotificationIds[]"),
    ):
        ops[operation][0]["r"] = [["*", ["by", "ec2:notified", path, _SERVICES], 1]]
    disk, image = (f"{_REGIONAL}import-{kind}-task/${{value}}" for kind in ("snapshot", "image"))
    ops["CancelImportTask"][0]["r"] = [
        ["import-snapshot-task", ["starts", "ImportTaskId", "import-snap-", disk, ["all"]], 0],
        ["import-image-task", ["starts", "ImportTaskId", "import-snap-", ["all"], image], 0],
    ]
