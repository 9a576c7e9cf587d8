"""Answers that AWS words precisely."""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def validation(message: str) -> AwsError:
    """What the service refuses in a value."""
    return AwsError("ValidationError", message)


def not_built(what: str) -> AwsError:
    """Asked for something that Cloudjar does not do yet: refused, never ignored."""
    return AwsError("UnsupportedOperation", f"elasticloadbalancing: {what} is not built in Cloudjar yet.", 501)


def port_taken(balancer_arn: str) -> AwsError:
    """A load balancer listens there already."""
    return AwsError(
        "DuplicateListener", f"A listener already exists on this port for this load balancer '{balancer_arn}'"
    )


def same_name(kind: str, code: str, name: str) -> AwsError:
    """A name is taken by something else."""
    return AwsError(code, f"A {kind} with the same name '{name}' exists, but with different settings")
