"""IAM's refusals, in AWS's words.

https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def no_such_entity(message: str) -> AwsError:
    """404: what was named is not there."""
    return AwsError("NoSuchEntity", message, 404)


def already_exists(message: str) -> AwsError:
    """409: the name is taken."""
    return AwsError("EntityAlreadyExists", message, 409)


def delete_conflict(message: str) -> AwsError:
    """409: something still hangs on it."""
    return AwsError("DeleteConflict", message, 409)


def limit_exceeded(message: str) -> AwsError:
    """409: a quota."""
    return AwsError("LimitExceeded", message, 409)


def quota(name: str, limit: float) -> AwsError:
    """The usual wording of a quota, e.g. ``AccessKeysPerUser: 2``."""
    return limit_exceeded(f"Cannot exceed quota for {name}: {int(limit)}")


def invalid_input(message: str) -> AwsError:
    """400: a value that the model admits and IAM does not."""
    return AwsError("InvalidInput", message, 400)


def validation(message: str) -> AwsError:
    """400: a value refused before anything is looked up."""
    return AwsError("ValidationError", message, 400)


def malformed_policy(message: str) -> AwsError:
    """400: a document that the policy language refuses."""
    return AwsError("MalformedPolicyDocument", message, 400)


def not_own_policy() -> AwsError:
    """Policies of AWS and of other accounts cannot be changed."""
    return AwsError("AccessDenied", "Policy is outside your own account.", 403)


def protected_role(name: str) -> AwsError:
    """A service-linked role belongs to its service."""
    return AwsError(
        "UnmodifiableEntity",
        f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS",
        400,
    )


def must_name_user() -> AwsError:
    """A call about the caller's own user, made by somebody who is no user."""
    return validation("Must specify userName when calling with non-User credentials")


def root_credentials() -> AwsError:
    """501: the root user's keys and password are made where the jar is started, not through this API."""
    return AwsError(
        "NotImplemented",
        "The root user's own credentials are not managed through this API in Cloudjar. Name a user (UserName).",
        501,
    )
