"""A flow log as it is stored.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html
"""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record


@record(
    "ec2",
    "vpc-flow-log",
    index=("vpc_id", "gateway_id", "resource_id"),
    missing=("InvalidFlowLogId.NotFound", "The flow log ID '{key}' does not exist"),
    parent=("ec2/vpc", "vpc_id"),
)
class FlowLog(Record, frozen=True, kw_only=True):
    """Who is logged, what of it, and where it goes; `vpc_id` is the VPC that it all lies in, `gateway_id` the transit
    gateway when that, or an attachment, is logged."""

    id: str
    vpc_id: str = ""
    gateway_id: str = ""
    resource_id: str
    traffic: str
    """ACCEPT, REJECT or ALL; ALL for transit gateways."""
    group: str
    role: str
    fields: tuple[str, ...]
    interval: int
    """Seconds: 60 or 600."""
    created: datetime
    error: str = ""
    """Why delivery fails now; empty while it does not."""
    bucket: str = ""
    """ARN of the bucket, with a prefix, that files go to; `group` and `role` are then empty."""
    hive: bool = False
    hourly: bool = False
    tags: dict[str, str] = {}
