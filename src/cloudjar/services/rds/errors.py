"""Answers that AWS words precisely."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from cloudjar.base.errors import AwsError


def invalid(message: str) -> AwsError:
    """A value that cannot be."""
    return AwsError("InvalidParameterValue", message)


def combination(message: str) -> AwsError:
    """Values that cannot be together."""
    return AwsError("InvalidParameterCombination", message)


def missing(member: str) -> AwsError:
    """Something that must be said and was not."""
    return invalid(f"The parameter {member} must be provided and must not be blank.")


def state(message: str) -> AwsError:
    """An instance is in a state in which this cannot be done."""
    return AwsError("InvalidDBInstanceState", message)


def network(message: str) -> AwsError:
    """The VPC is not as it would have to be."""
    return AwsError("InvalidVPCNetworkStateFault", message)


def not_built(what: str) -> AwsError:
    """Asked for something that Cloudjar does not do yet: refused, never ignored."""
    return AwsError("UnsupportedOperation", f"rds: {what} is not built in Cloudjar yet.", 501)


_HARMLESS: dict[str, Any] = {"EnablePerformanceInsights": False, "MonitoringInterval": 0, "NetworkType": "IPV4"}


def only(req: dict[str, Any], built: Collection[str]) -> None:
    """Refuse a request that asks for what no member of `built` is for; what asks for nothing may be said."""
    for member, value in req.items():
        if member in built or not value or _HARMLESS.get(member) == value:
            continue
        raise not_built(f"The parameter {member}")
