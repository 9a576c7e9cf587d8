"""CloudWatch's refusals. Where its reference gives no words they are ours (README.md).

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def value(message: str) -> AwsError:
    """A value that cannot be."""
    return AwsError("InvalidParameterValue", message, 400)


def combination(message: str) -> AwsError:
    """Values that cannot be together."""
    return AwsError("InvalidParameterCombination", message, 400)


def missing(message: str) -> AwsError:
    """Something was left out."""
    return AwsError("MissingParameter", message, 400)


def invalid(message: str) -> AwsError:
    """What `PutMetricAlarm`, `GetMetricData` and their like refuse."""
    return AwsError("ValidationError", message, 400)


def not_built(what: str) -> AwsError:
    """A part of an operation that is not built: an honest 501."""
    said = f"{what} (cloudwatch) is not built in Cloudjar yet. See the coverage page for what is."
    return AwsError("NotImplemented", said, 501)


def no_alarm(name: str) -> AwsError:
    """There is no such alarm."""
    return AwsError("ResourceNotFound", f"Unknown alarm: {name}", 404)


def no_resource(arn: str) -> AwsError:
    """A tag operation's ARN names nothing."""
    return AwsError(
        "ResourceNotFoundException", f"Unknown resource: {arn}", 404, members={"ResourceType": "", "ResourceId": arn}
    )
