"""Application Auto Scaling's refusals, in AWS's words where they are known (README.md names the others).

https://docs.aws.amazon.com/autoscaling/application/APIReference/CommonErrors.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def invalid(message: str) -> AwsError:
    """A parameter that cannot be."""
    return AwsError("ValidationException", message)


def unsupported() -> AwsError:
    """Nothing here can be scaled so."""
    return invalid("Unsupported service namespace, resource type or scalable dimension")


def no_target(namespace: str, resource: str, dimension: str) -> AwsError:
    """Nothing is registered there."""
    return AwsError(
        "ObjectNotFoundException",
        f"No scalable target registered for service namespace: {namespace}, resource ID: {resource}, scalable "
        f"dimension: {dimension}.",
    )


def not_found(what: str, name: str, namespace: str, resource: str, dimension: str) -> AwsError:
    """A policy or a scheduled action that is not there."""
    return AwsError(
        "ObjectNotFoundException",
        f"No {what} named {name} found for service namespace: {namespace}, resource ID: {resource}, scalable "
        f"dimension: {dimension}.",
    )


def limit(message: str) -> AwsError:
    """A quota."""
    return AwsError("LimitExceededException", message)


def not_built(what: str) -> AwsError:
    """A part of an operation that is not built: it says so, and nothing happens."""
    return AwsError("NotImplemented", f"application-autoscaling: {what} is not built in Cloudjar yet.", 501)
