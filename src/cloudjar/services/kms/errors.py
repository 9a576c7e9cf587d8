"""KMS's refusals, in AWS's words.

https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html (which state refuses with which words)
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def validation(message: str) -> AwsError:
    """A value that the model admits and KMS does not."""
    return AwsError("ValidationException", message, 400)


def not_found(message: str) -> AwsError:
    """What was named is not there."""
    return AwsError("NotFoundException", message, 400)


def no_such_key(arn: str) -> AwsError:
    """A well-formed key id without a key."""
    return not_found(f"Key '{arn}' does not exist")


def no_such_alias(arn: str) -> AwsError:
    """An alias that nobody made."""
    return not_found(f"Alias {arn} is not found.")


def invalid_key_id(text: str) -> AwsError:
    """Neither a key id nor, where aliases are taken, an alias."""
    return not_found(f"Invalid keyId '{text}'")


def invalid_arn(text: str) -> AwsError:
    """An ARN that is none, or of something else."""
    return AwsError("InvalidArnException", f"Invalid arn {text}", 400)


def foreign(principal: str, action: str, arn: str) -> AwsError:
    """A key of another account, in an operation that knows none: no policy can allow it."""
    return AwsError(
        "AccessDeniedException",
        f"User: {principal} is not authorized to perform: {action} on resource: {arn}",
        400,
    )


def unknown_ciphertext() -> AwsError:
    """A ciphertext whose key is gone or elsewhere; AWS does not say which."""
    return AwsError(
        "AccessDeniedException",
        "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you "
        "are not allowed to access.",
        400,
    )


def disabled(arn: str) -> AwsError:
    """The key is disabled."""
    return AwsError("DisabledException", f"{arn} is disabled.", 400)


def state(arn: str, words: str) -> AwsError:
    """``<arn> is pending deletion.`` and its like."""
    return AwsError("KMSInvalidStateException", f"{arn} is {words}.", 400)


def unsupported(message: str) -> AwsError:
    """The key is of a kind that cannot do this."""
    return AwsError("UnsupportedOperationException", message, 400)


def wrong_origin(arn: str, origin: str) -> AwsError:
    """Material is imported where KMS makes it, or the other way round."""
    return unsupported(f"{arn} origin is {origin} which is not valid for this operation.")


def not_built(what: str) -> AwsError:
    """501: AWS has it, Cloudjar does not."""
    return AwsError("NotImplemented", f"kms: {what} is not built in Cloudjar. See the README of the service.", 501)


def wrong_usage(arn: str, usage: str, operation: str) -> AwsError:
    """A signing key cannot encrypt."""
    return AwsError(
        "InvalidKeyUsageException", f"{arn} key usage is {usage} which is not valid for {operation}.", 400
    )


def wrong_algorithm(algorithm: str, spec: str) -> AwsError:
    """An algorithm that keys of this spec do not have."""
    return AwsError("InvalidKeyUsageException", f"Algorithm {algorithm} and key spec {spec} are incompatible.", 400)


def incorrect_key() -> AwsError:
    """The key named is not the one that made the ciphertext."""
    return AwsError(
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
        400,
    )


def invalid_ciphertext() -> AwsError:
    """Ciphertext or encryption context is not what was encrypted. AWS says no more than the code."""
    return AwsError("InvalidCiphertextException", "", 400)


def invalid_signature() -> AwsError:
    """The signature is not of this message by this key. AWS says no more than the code."""
    return AwsError("KMSInvalidSignatureException", "", 400)


def invalid_mac() -> AwsError:
    """The MAC is not of this message by this key. AWS says no more than the code."""
    return AwsError("KMSInvalidMacException", "", 400)


def dry_run() -> AwsError:
    """All checks passed, nothing was done."""
    return AwsError(
        "DryRunOperationException", "The request would have succeeded, but the DryRun option is set.", 400
    )


def limit(message: str) -> AwsError:
    """A quota."""
    return AwsError("LimitExceededException", message, 400)


def malformed_policy(message: str) -> AwsError:
    """A key policy that the policy language, or KMS, refuses."""
    return AwsError("MalformedPolicyDocumentException", message, 400)


def invalid_principals() -> AwsError:
    """A key policy names somebody who is not there."""
    return malformed_policy("Policy contains a statement with one or more invalid principals.")


def lockout() -> AwsError:
    """The caller could not change the new policy again."""
    return malformed_policy("The new key policy will not allow you to update the key policy in the future.")


def tag(message: str) -> AwsError:
    """A tag that is not one."""
    return AwsError("TagException", message, 400)


def invalid_grant_token() -> AwsError:
    """A grant token that was not made here."""
    return AwsError("InvalidGrantTokenException", "The grant token is not valid.", 400)


def invalid_grant_id(grant_id: str) -> AwsError:
    """A grant id without a grant."""
    return not_found(f"Grant ID {grant_id} not found")


def reserved_alias() -> AwsError:
    """``alias/aws/`` is AWS's own. AWS says no more than the code."""
    return AwsError("NotAuthorizedException", "", 400)


def alias_exists(arn: str) -> AwsError:
    """The name is taken."""
    return AwsError("AlreadyExistsException", f"An alias with the name {arn} already exists", 400)
