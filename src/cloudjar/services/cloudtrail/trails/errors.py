"""CloudTrail's words.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def invalid_name(message: str) -> AwsError:
    """A trail's name breaks a rule."""
    return AwsError("InvalidTrailNameException", message, 400)


def unknown(arn: str, account: str) -> AwsError:
    """There is no such trail."""
    return AwsError("TrailNotFoundException", f"Unknown trail: {arn} for the user: {account}", 400)


def invalid_arn(text: str) -> AwsError:
    """What should be a trail's ARN is none."""
    return AwsError("CloudTrailARNInvalidException", f"{text} is not a valid trail ARN.", 400)


def exists(name: str, account: str) -> AwsError:
    """The name is taken."""
    return AwsError("TrailAlreadyExistsException", f"Trail {name} already exists for customer: {account}", 400)


def too_many(account: str, limit: int, region: str) -> AwsError:
    """A Region has no room for another trail."""
    return AwsError(
        "MaximumNumberOfTrailsExceededException", f"User: {account} already has {limit} trails in {region}.", 400
    )


def not_home(arn: str, home: str) -> AwsError:
    """Trails are changed where they were created."""
    return AwsError(
        "InvalidHomeRegionException", f"Trail {arn} can be changed only in its home Region {home}.", 400
    )


def no_bucket(name: str) -> AwsError:
    """The bucket is nowhere."""
    return AwsError("S3BucketDoesNotExistException", f"S3 bucket {name} does not exist!", 400)


def bucket_policy(name: str) -> AwsError:
    """The bucket does not let CloudTrail in."""
    return AwsError(
        "InsufficientS3BucketPolicyException", f"Incorrect S3 bucket policy is detected for bucket: {name}", 400
    )


def encryption_policy(bucket: str, key: str) -> AwsError:
    """The key (or the bucket) does not let CloudTrail encrypt."""
    return AwsError(
        "InsufficientEncryptionPolicyException",
        f"Insufficient permissions to access S3 bucket {bucket} or KMS key {key}.",
        400,
    )


def topic_policy() -> AwsError:
    """The topic is not there, or does not let CloudTrail publish."""
    return AwsError(
        "InsufficientSnsTopicPolicyException", "SNS Topic does not exist or the topic policy is incorrect!", 400
    )


def log_group(message: str) -> AwsError:
    """The log group cannot be written to."""
    return AwsError("InvalidCloudWatchLogsLogGroupArnException", message, 400)


def log_role(message: str) -> AwsError:
    """The role cannot be used."""
    return AwsError("InvalidCloudWatchLogsRoleArnException", message, 400)


def combination(message: str) -> AwsError:
    """What cannot be had together."""
    return AwsError("InvalidParameterCombinationException", message, 400)


def selectors(message: str) -> AwsError:
    """Selectors that select nothing AWS knows."""
    return AwsError("InvalidEventSelectorsException", message, 400)
