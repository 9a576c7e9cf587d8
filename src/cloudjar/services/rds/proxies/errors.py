"""Answers about proxies that AWS words precisely, or that its model names."""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def state(message: str) -> AwsError:
    """A proxy is in a state in which this cannot be done."""
    return AwsError("InvalidDBProxyStateFault", message)


def subnet(message: str) -> AwsError:
    """Subnets that cannot be those of a proxy."""
    return AwsError("InvalidSubnet", message)


def no_group(name: str) -> AwsError:
    """A target group that there is not."""
    return AwsError("DBProxyTargetGroupNotFoundFault", f"DB proxy target group {name} doesn't exist.", 404)
