"""What a record of a transit gateway's flow log says, field by field; pure.

https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html
"""

from __future__ import annotations

from collections.abc import Mapping

from cloudjar.services.ec2.flow_logs.lines import UNKNOWN, Seen

VERSION = "6"
DEFAULT = (
    "version", "resource-type", "account-id", "tgw-id", "tgw-attachment-id", "tgw-src-vpc-account-id",
    "tgw-dst-vpc-account-id", "tgw-src-vpc-id", "tgw-dst-vpc-id", "tgw-src-subnet-id", "tgw-dst-subnet-id",
    "tgw-src-eni", "tgw-dst-eni", "tgw-src-az-id", "tgw-dst-az-id", "tgw-pair-attachment-id", "srcaddr", "dstaddr",
    "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "log-status", "type",
    "packets-lost-no-route", "packets-lost-blackhole", "packets-lost-mtu-exceeded", "packets-lost-ttl-expired",
    "tcp-flags", "region", "flow-direction", "pkt-src-aws-service", "pkt-dst-aws-service",
)  # fmt: skip
KNOWN = dict.fromkeys(DEFAULT, 6)
PASSED, NO_ROUTE, BLACKHOLE = "passed", "no-route", "blackhole"
"""What became of a flow, in place of an action."""


def flow_line(fields: tuple[str, ...], place: Mapping[str, str], ends: Mapping[str, str], seen: Seen) -> str:
    """One record: `place` holds what is known of the gateway, `ends` what of the attachments at both ends."""
    lost = str(seen.packets)
    known = {
        **place,
        **ends,
        "srcaddr": seen.source,
        "dstaddr": seen.target,
        "srcport": str(seen.source_port),
        "dstport": str(seen.target_port),
        "protocol": str(seen.protocol),
        "packets": str(seen.packets),
        "bytes": str(seen.bytes),
        "start": str(seen.start),
        "end": str(seen.end),
        "log-status": "OK",
        "type": "IPv6" if ":" in seen.source else "IPv4",
        "packets-lost-no-route": lost if seen.action == NO_ROUTE else "0",
        "packets-lost-blackhole": lost if seen.action == BLACKHOLE else "0",
        "packets-lost-mtu-exceeded": "0",
        "packets-lost-ttl-expired": "0",
        "flow-direction": seen.direction,
    }
    return " ".join(known.get(name) or UNKNOWN for name in fields)
