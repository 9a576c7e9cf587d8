"""How fast an account may call: the token buckets that AWS publishes, by operation.

A bucket is (capacity in tokens, tokens added each second), for each account, region and operation. Only EC2 publishes
such figures for every operation; of other services a few are known.

https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Bucket(NamedTuple):
    """`capacity` tokens at most, `refill` tokens a second."""

    capacity: float
    refill: float


class Limit(NamedTuple):
    """What one call takes: a token of `requests`, and of `resources` one for each thing that it touches."""

    requests: Bucket
    resources: Bucket | None = None


_READ = Bucket(100, 20)
_READ_ALL = Bucket(50, 10)
_WRITE = Bucket(50, 5)
_FREQUENT = Bucket(100, 5)

# Describe calls that may be large: without filters, ids or paging they draw on a smaller bucket.
_LARGE = frozenset(
    (
        "DescribeInstances",
        "DescribeInstanceStatus",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeSnapshots",
        "DescribeSpotInstanceRequests",
        "DescribeVolumes",
    )
)

_OWN = {
    "AssignPrivateIpAddresses": Limit(_FREQUENT),
    "CreateNetworkInterface": Limit(_FREQUENT),
    "DeleteNetworkInterface": Limit(_FREQUENT),
    "ModifyInstanceMetadataOptions": Limit(_FREQUENT),
    "MonitorInstances": Limit(_FREQUENT),
    "RunInstances": Limit(Bucket(5, 2), Bucket(1000, 2)),
    "StartInstances": Limit(Bucket(5, 2), Bucket(1000, 2)),
    "StopInstances": Limit(_WRITE, Bucket(1000, 20)),
    "TerminateInstances": Limit(_FREQUENT, Bucket(1000, 20)),
    "UnassignPrivateIpAddresses": Limit(_FREQUENT),
    "UnmonitorInstances": Limit(_FREQUENT),
}

_OTHERS = {
    # https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
    ("cloudtrail", "LookupEvents"): Limit(Bucket(2, 2)),
}
_WHOLE = {
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html (the default; some Regions have less)
    "events": Limit(Bucket(50, 50)),
}
"""Buckets that each operation of a service has."""
_OTHERS["events", "PutEvents"] = Limit(Bucket(10_000, 10_000))


def limit(service: str, operation: str, req: Mapping[str, Any]) -> Limit | None:
    """The buckets that a request draws on; None where AWS publishes none."""
    if service != "ec2":
        return _OTHERS.get((service, operation)) or _WHOLE.get(service)
    own = _OWN.get(operation)
    if own is not None:
        return own
    if operation.startswith(("Describe", "List", "Search", "Get")):
        return Limit(_READ_ALL if operation in _LARGE and not _narrowed(req) else _READ)
    return Limit(_WRITE)


def _narrowed(req: Mapping[str, Any]) -> bool:
    return any(value for name, value in req.items() if name != "DryRun")


def things(req: Mapping[str, Any]) -> int:
    """How many resources a request is about: the launch count, or the ids that it names."""
    if "MaxCount" in req:
        return int(req["MaxCount"])
    return len(req.get("InstanceIds") or (None,))
