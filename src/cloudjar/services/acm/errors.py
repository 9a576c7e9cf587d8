"""Certificate Manager's refusals; wordings that are not known for sure are named in README.md."""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def validation(message: str) -> AwsError:
    """What cannot be in a certificate or a request for one."""
    return AwsError("ValidationException", message)


def parameter(message: str) -> AwsError:
    """A parameter that contradicts the others."""
    return AwsError("InvalidParameterException", message)


def not_built(what: str) -> AwsError:
    """Asked for something that Cloudjar does not do yet: refused, never ignored."""
    return AwsError("NotImplemented", f"acm: {what} is not built in Cloudjar yet.", 501)
