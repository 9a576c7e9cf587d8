"""CloudWatch Logs' refusals, in AWS's words where they are known (README.md names the others).

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def invalid(message: str) -> AwsError:
    """A parameter that cannot be."""
    return AwsError("InvalidParameterException", message)


def no_group() -> AwsError:
    """No such log group."""
    return AwsError("ResourceNotFoundException", "The specified log group does not exist.")


def no_stream() -> AwsError:
    """No such log stream."""
    return AwsError("ResourceNotFoundException", "The specified log stream does not exist.")


def exists(noun: str) -> AwsError:
    """A name that is taken."""
    return AwsError("ResourceAlreadyExistsException", f"The specified {noun} already exists")


def limit() -> AwsError:
    """A quota is used up."""
    return AwsError("LimitExceededException", "Resource limit exceeded.")


def validation(message: str) -> AwsError:
    """What only the newer operations call so."""
    return AwsError("ValidationException", message)


def not_for_class(what: str, group_class: str) -> AwsError:
    """Something that a log group of this class does not have."""
    return AwsError("InvalidOperationException", f"{what} is not supported for log groups of class {group_class}.")


def not_built(what: str) -> AwsError:
    """A parameter that Cloudjar does not honour yet: refused, never ignored."""
    return invalid(f"{what} is not built in Cloudjar yet.")
