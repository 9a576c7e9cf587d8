"""Refusals as Access Analyzer words them."""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def validation(message: str) -> AwsError:
    """A request that contradicts itself."""
    return AwsError("ValidationException", message, 400)


def missing(kind: str, name: str) -> AwsError:
    """Something that is not there."""
    return AwsError("ResourceNotFoundException", f"{kind} {name} not found", 404)


def conflict(message: str) -> AwsError:
    """Something that is there already."""
    return AwsError("ConflictException", message, 409)


def unprocessable(message: str) -> AwsError:
    """A policy that cannot be worked with."""
    return AwsError("UnprocessableEntityException", message, 422)


def invalid_parameter(message: str) -> AwsError:
    """A document that the checks cannot read."""
    return AwsError("InvalidParameterException", message, 400)


def too_many(message: str) -> AwsError:
    """A quota."""
    return AwsError("ServiceQuotaExceededException", message, 402)
