"""Compute Optimizer's refusals.

https://docs.aws.amazon.com/compute-optimizer/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def not_opted_in(account: str) -> AwsError:
    """403: the account has not opted in."""
    return AwsError("OptInRequiredException", f"Aws account {account} is not registered for recommendation.", 403)


def invalid(message: str) -> AwsError:
    """400, for what a request gets wrong."""
    return AwsError("InvalidParameterValueException", message, 400)


def missing(message: str) -> AwsError:
    """404."""
    return AwsError("ResourceNotFoundException", message, 404)


def not_yours(account: str) -> AwsError:
    """403: recommendations of somebody else."""
    return AwsError("AccessDeniedException", f"You may not see the recommendations of account {account}.", 403)


def refused(why: str) -> AwsError:
    """403: the service-linked role was not let in."""
    return AwsError("AccessDeniedException", f"Compute Optimizer cannot analyze the account: {why}", 403)
