"""Secrets Manager's refusals, in AWS's words where they are known (README.md names the others).

https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
"""

from __future__ import annotations

from collections.abc import Iterable

from cloudjar.base.errors import AwsError


def no_secret() -> AwsError:
    """There is no such secret here."""
    return AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


def no_value(*, version_id: str = "", stage: str = "") -> AwsError:
    """The secret is there; the version is not, or has no value yet."""
    which = f"VersionId: {version_id}" if version_id else f"staging label: {stage}"
    return AwsError("ResourceNotFoundException", f"Secrets Manager can't find the specified secret value for {which}")


def stage_of_another() -> AwsError:
    """VersionId and VersionStage name two versions."""
    return invalid_request("You provided a VersionStage that is not associated to the provided VersionId.")


def exists(name: str) -> AwsError:
    """The name is taken."""
    return AwsError("ResourceExistsException", f"The operation failed because the secret {name} already exists.")


def token_used(token: str, arn: str) -> AwsError:
    """A version's id is reused for another value."""
    return AwsError(
        "ResourceExistsException",
        f"You can't use ClientRequestToken {token} because that value is already in use for a version of secret {arn}.",
    )


def invalid(message: str) -> AwsError:
    """A parameter that cannot be."""
    return AwsError("InvalidParameterException", message)


def invalid_request(message: str) -> AwsError:
    """A request that does not fit the secret's state."""
    return AwsError("InvalidRequestException", message)


def limit(message: str) -> AwsError:
    """A quota."""
    return AwsError("LimitExceededException", message)


def bad_name() -> AwsError:
    """A name with other characters."""
    return AwsError(
        "ValidationException",
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
    )


def deleted() -> AwsError:
    """The secret is in its recovery window."""
    return invalid_request("You can't perform this operation on the secret because it was marked for deletion.")


def name_being_deleted() -> AwsError:
    """The name is that of a secret in its recovery window."""
    return invalid_request(
        "You can't create this secret because a secret with this name is already scheduled for deletion."
    )


def on_replica() -> AwsError:
    """A replica is changed through its primary."""
    return invalid("Operation not permitted on a replica secret. Call must be made in primary secret's region.")


def has_replicas(arn: str, regions: Iterable[str]) -> AwsError:
    """A primary goes last."""
    return invalid(f"You can't delete secret {arn} that still has replica regions [{', '.join(sorted(regions))}].")


def two_values() -> AwsError:
    """Text and bytes at once."""
    return invalid("You can't specify both a binary secret value and a string secret value in the same secret.")


def no_value_given() -> AwsError:
    """Neither text nor bytes."""
    return invalid_request("You must provide either SecretString or SecretBinary.")


def no_kms_access() -> AwsError:
    """The caller may not use the key."""
    return AwsError("AccessDeniedException", "Access to KMS is not allowed")


def cannot_encrypt() -> AwsError:
    """The key is disabled, being deleted or not there."""
    return AwsError(
        "EncryptionFailure",
        "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key "
        "is available, enabled, and not in an invalid state.",
    )


def cannot_decrypt() -> AwsError:
    """The same for reading."""
    return AwsError(
        "DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key."
    )


def malformed_policy(message: str) -> AwsError:
    """A resource policy that is none."""
    return AwsError("MalformedPolicyDocumentException", message)


def public_policy() -> AwsError:
    """BlockPublicPolicy, and the policy is public."""
    return AwsError(
        "PublicPolicyException",
        "The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent broad access to "
        "the secret.",
    )


def rotation_pending() -> AwsError:
    """AWSPENDING is on a version that is not the current one."""
    return invalid_request("A previous rotation isn't complete. That rotation will be reattempted.")


def no_rotation_function() -> AwsError:
    """Rotation without a function."""
    return invalid_request("No Lambda rotation function ARN is associated with this secret.")


def cannot_invoke() -> AwsError:
    """The function does not let Secrets Manager (or the caller) invoke it."""
    return AwsError(
        "AccessDeniedException",
        "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access "
        "to the principal secretsmanager.amazonaws.com.",
    )


def no_function(arn: str) -> AwsError:
    """There is no such function."""
    return AwsError("ResourceNotFoundException", f"Function not found: {arn}")


def not_built(operation: str, member: str) -> AwsError:
    """A part of an operation that is not built: it says so, and nothing happens."""
    return AwsError("NotImplemented", f"{member} of secretsmanager:{operation} is not built in Cloudjar yet.", 501)


def no_policy() -> AwsError:
    """A policy of another name than the only one there can be."""
    return AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified resource policy.")
