"""Parameter Store's refusals, in AWS's words.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html#API_GetParameter_Errors
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def not_found() -> AwsError:
    """No such parameter. AWS says no more than the code."""
    return AwsError("ParameterNotFound", "")


def version_not_found(name: str, selector: str) -> AwsError:
    """The parameter is there, the version or label is not."""
    kind = "version" if selector.isdigit() else "version label"
    return AwsError(
        "ParameterVersionNotFound",
        f"Systems Manager could not find {kind} {selector} of {name}. Verify the version and try again.",
    )


def bad_path() -> AwsError:
    """A path that does not begin with a slash."""
    return AwsError(
        "ValidationException",
        "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward "
        'slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, '
        "or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All "
        'sub-paths, if specified, must use the forward slash symbol "/". Valid example: '
        "/get/parameters2-/by1./path0_.",
    )


def bad_filter_key(key: str, valid: tuple[str, ...]) -> AwsError:
    """A filter that the operation does not know."""
    return AwsError(
        "InvalidFilterKey",
        f"The following filter key is not valid: {key}. Valid filter keys include: [{', '.join(valid)}].",
    )


def bad_filter_option(option: str, valid: tuple[str, ...]) -> AwsError:
    """A comparison that the filter does not know."""
    return AwsError(
        "InvalidFilterOption",
        f"The following filter option is not valid: {option}. Valid options include: [{', '.join(valid)}].",
    )


def missing_filter_values(key: str) -> AwsError:
    """A filter without values."""
    return AwsError("InvalidFilterValue", f"The following filter values are missing : null for filter key {key}")


def two_filters() -> AwsError:
    """Old and new filters in one request."""
    return AwsError("ValidationException", "You can use either Filters or ParameterFilters in a single request.")
