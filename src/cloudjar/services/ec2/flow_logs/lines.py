"""What a flow log record says, field by field; pure.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

DEFAULT = (
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes",
    "start", "end", "action", "log-status",
)  # fmt: skip
# Field -> the version of the format that brought it.
KNOWN = {
    **dict.fromkeys(DEFAULT, 2),
    **dict.fromkeys(
        ("vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr"), 3
    ),
    **dict.fromkeys(("region", "az-id", "sublocation-type", "sublocation-id"), 4),
    **dict.fromkeys(("pkt-src-aws-service", "pkt-dst-aws-service", "flow-direction", "traffic-path"), 5),
    **dict.fromkeys(
        (
            "ecs-cluster-arn", "ecs-cluster-name", "ecs-container-instance-arn", "ecs-container-instance-id",
            "ecs-container-id", "ecs-second-container-id", "ecs-service-name", "ecs-task-definition-arn",
            "ecs-task-arn", "ecs-task-id",
        ),
        7,
    ),
    "reject-reason": 8,
}  # fmt: skip
UNKNOWN = "-"


class Seen(NamedTuple):
    """Packets of one flow at one interface in one interval; `start` and `end` are Unix seconds."""

    interface: str
    direction: str
    action: str
    source: str
    target: str
    source_port: int
    target_port: int
    protocol: int
    packets: int
    bytes: int
    start: int
    end: int
    reason: str = ""
    """AWS's word for why it was rejected, where it has one."""


def version(fields: tuple[str, ...]) -> int:
    """The version of records with these fields."""
    return max(KNOWN[name] for name in fields)


def flow_line(fields: tuple[str, ...], place: Mapping[str, str], seen: Seen) -> str:
    """One record. `place` holds what is known of the interface, by field."""
    known = {
        **place,
        "version": str(version(fields)),
        "interface-id": seen.interface,
        "srcaddr": seen.source,
        "dstaddr": seen.target,
        "srcport": str(seen.source_port),
        "dstport": str(seen.target_port),
        "protocol": str(seen.protocol),
        "packets": str(seen.packets),
        "bytes": str(seen.bytes),
        "start": str(seen.start),
        "end": str(seen.end),
        "action": seen.action,
        "log-status": "OK",
        "type": "IPv6" if ":" in seen.source else "IPv4",
        "pkt-srcaddr": seen.source,
        "pkt-dstaddr": seen.target,
        "flow-direction": seen.direction,
        "reject-reason": seen.reason,
    }
    return " ".join(known.get(name) or UNKNOWN for name in fields)


def status_line(fields: tuple[str, ...], named: Mapping[str, str], start: int, end: int, status: str) -> str:
    """A record without a flow: NODATA or SKIPDATA. `named` says what it is about, by field."""
    known = {
        **named,
        "start": str(start),
        "end": str(end),
        "log-status": status,
    }
    return " ".join(known.get(name) or UNKNOWN for name in fields)
