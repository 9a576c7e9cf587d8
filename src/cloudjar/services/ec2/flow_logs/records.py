"""A flow log as it is stored.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html
"""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record


@record(
    "ec2",
    "vpc-flow-log",
    index=("vpc_id", "resource_id"),
    missing=("InvalidFlowLogId.NotFound", "The flow log ID '{key}' does not exist"),
    parent=("ec2/vpc", "vpc_id"),
)
class FlowLog(Record, frozen=True, kw_only=True):
    """Who is logged, what of it, and where it goes; `vpc_id` is the VPC that it all lies in."""

    id: str
    vpc_id: str
    resource_id: str
    traffic: str
    """ACCEPT, REJECT or ALL."""
    group: str
    role: str
    fields: tuple[str, ...]
    interval: int
    """Seconds: 60 or 600."""
    created: datetime
    error: str = ""
    """Why delivery fails now; empty while it does not."""
    tags: dict[str, str] = {}
