"""STS's refusals, in AWS's words."""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def access_denied(message: str) -> AwsError:
    """403."""
    return AwsError("AccessDenied", message, 403)


MFA = "MultiFactorAuthentication failed"


def mfa_unknown() -> AwsError:
    """403: not a device of the caller."""
    return access_denied(
        f"{MFA}, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this "
        "user."
    )


def mfa_wrong() -> AwsError:
    """403: not the device's code now, or one that was used."""
    return access_denied(f"{MFA} with invalid MFA one time pass code. ")


def mfa_halved() -> AwsError:
    """403: a serial number without a code, or the other way round."""
    return access_denied(f"{MFA}, must provide both MFA serial number and one time pass code.")


def validation(message: str) -> AwsError:
    """400: a value that cannot be."""
    return AwsError("ValidationError", message, 400)


def invalid_parameter(message: str) -> AwsError:
    """400: values that do not go together."""
    return AwsError("InvalidParameterValue", message, 400)


def malformed_policy(message: str) -> AwsError:
    """400: a session policy that the policy language refuses."""
    return AwsError("MalformedPolicyDocument", message, 400)


def invalid_token(message: str) -> AwsError:
    """400: a token or assertion that does not hold."""
    return AwsError("InvalidIdentityToken", message, 400)


def expired_token(message: str) -> AwsError:
    """400: a token or assertion that held once."""
    return AwsError("ExpiredTokenException", message, 400)


def not_vouched(action: str) -> AwsError:
    """403: a role that is not there, or does not trust the provider, or not with these claims."""
    return access_denied(f"Not authorized to perform {action}")


def invalid_message() -> AwsError:
    """400: no encoded refusal, or one that is too old, or of somebody else's account."""
    return AwsError("InvalidAuthorizationMessageException", "Message is not valid", 400)


def packed_policy_too_large(percent: int) -> AwsError:
    """400: session policies and tags together do not fit into a token."""
    return AwsError("PackedPolicyTooLarge", f"Packed size of session token is {percent}% of the allowed size.", 400)


def not_authorized(caller: str, action: str, resource: str) -> AwsError:
    """What AWS says of a role that is not there: the same as of one that does not trust the caller."""
    return access_denied(f"User: {caller} is not authorized to perform: {action} on resource: {resource}")
