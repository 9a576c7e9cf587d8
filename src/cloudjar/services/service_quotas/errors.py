"""Service Quotas' refusals, in AWS's words.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_RequestServiceQuotaIncrease.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def no_service() -> AwsError:
    """A service without quotas here; a global one asked for outside us-east-1 too."""
    return AwsError("NoSuchResourceException", "The request failed because the specified service does not exist.")


def no_quota() -> AwsError:
    """A quota that the service does not have."""
    return AwsError("NoSuchResourceException", "The request failed because the specified service quota does not exist.")


def no_request() -> AwsError:
    """A request that was never made, or by somebody else."""
    return AwsError("NoSuchResourceException", "The request failed because the specified request does not exist.")


def already_open() -> AwsError:
    """One at a time."""
    return AwsError(
        "ResourceAlreadyExistsException", "Only one open service quota increase request is allowed per quota."
    )


def not_greater() -> AwsError:
    """A value that is no increase."""
    return AwsError("IllegalArgumentException", "You must provide a quota value greater than the current quota value")


def not_adjustable() -> AwsError:
    """A quota that is the same for everybody for ever."""
    return AwsError("IllegalArgumentException", "The specified service quota is not adjustable.")


def no_contexts() -> AwsError:
    """A quota of a single resource, of which there are none."""
    return AwsError("IllegalArgumentException", "The specified service quota does not apply at the resource level.")
