"""Refusals as AWS FIS words them."""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def validation(message: str) -> AwsError:
    """A request that cannot be."""
    return AwsError("ValidationException", message, 400)


def missing(kind: str, name: str) -> AwsError:
    """Something that is not there."""
    return AwsError("ResourceNotFoundException", f"{kind} {name} not found.", 404)


def conflict(message: str) -> AwsError:
    """Something that stands in the way."""
    return AwsError("ConflictException", message, 409)


def quota(message: str) -> AwsError:
    """Too many of something."""
    return AwsError("ServiceQuotaExceededException", message, 402)


def unbuilt(what: str) -> AwsError:
    """Something of AWS's that Cloudjar does not have."""
    return AwsError("UnsupportedOperation", f"{what} is not implemented by Cloudjar.", 501)
