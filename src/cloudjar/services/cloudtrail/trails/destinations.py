"""Where a trail delivers: each place is tried before a trail is made for it.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
"""

from __future__ import annotations

import base64
import json
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base import caller as callers
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery
from cloudjar.kit.bucket_delivery import Place
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import finder
from cloudjar.services.cloudtrail.trails import errors
from cloudjar.services.cloudtrail.trails.records import Trail

PRINCIPAL = "cloudtrail.amazonaws.com"
SESSION = "CLOUDTRAIL_LOG_DELIVERY"


class _Undone(Exception):
    """A write that was only a question."""


def arn_of(account: str, region: str, name: str) -> str:
    """A trail's ARN, also of one that is not stored yet."""
    return arns.make("cloudtrail", region, account, f"trail/{name}")


def trail_arn(trail: Trail) -> str:
    """The ARN of a stored trail."""
    return arn_of(trail.account, trail.region, trail.name)


def as_cloudtrail(trail: Trail) -> Caller:
    """CloudTrail itself, for a trail."""
    return callers.service(PRINCIPAL, trail.account, trail_arn(trail))


def encrypted(trail: Trail) -> dict[str, Any]:
    """Members of PutObject by which a trail's files are encrypted with its key."""
    if not trail.key:
        return {}
    context = json.dumps({"aws:cloudtrail:arn": trail_arn(trail)}).encode()
    return {
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": trail.key,
        "SSEKMSEncryptionContext": base64.b64encode(context).decode(),
    }


def folder(trail: Trail, account: str) -> str:
    """Below the prefix: ``AWSLogs/ACCOUNT``, with the organization's id between when it is its trail."""
    return f"AWSLogs/{trail.organization}/{account}" if trail.organization else f"AWSLogs/{account}"


def place_of(ctx: Ctx, trail: Trail) -> Place | None:
    """Where a trail's bucket is; None when there is none."""
    return bucket_delivery.place(ctx, trail.bucket, trail.prefix)


def check_bucket(ctx: Ctx, trail: Trail) -> None:
    """Raises S3BucketDoesNotExistException, InsufficientS3BucketPolicyException or, when the trail's key does not let
    CloudTrail encrypt, InsufficientEncryptionPolicyException."""
    where = place_of(ctx, trail)
    if where is None:
        raise errors.no_bucket(trail.bucket)
    there = ctx.at(trail.account, where.region)
    try:
        there.call("s3", "GetBucketAcl", {"Bucket": trail.bucket}, caller=as_cloudtrail(trail))
        _try(ctx, trail, where, {})
    except AwsError as error:
        raise errors.bucket_policy(trail.bucket) from error
    if trail.key:
        key = arns.parse(trail.key)
        if key is None or key.region != where.region:
            raise AwsError(
                "KmsKeyNotFoundException", f"KMS key {trail.key} is not in the Region of bucket {trail.bucket}.", 400
            )
        try:
            _try(ctx, trail, where, encrypted(trail))
        except AwsError as error:
            raise errors.encryption_policy(trail.bucket, trail.key) from error


def _try(ctx: Ctx, trail: Trail, where: Place, also: dict[str, Any]) -> None:
    """Write files as they will be written, and take them back: an organization's trail also writes its own account's
    where it would lie were the trail its own."""
    folders = {folder(trail, trail.account), f"AWSLogs/{trail.account}"}
    try:
        with ctx.world.state.database.transaction():
            for name in sorted(folders):
                bucket_delivery.put(ctx, as_cloudtrail(trail), where, f"{name}/CloudTrail", b"", also)
            raise _Undone
    except _Undone:
        return


def key_arn(ctx: Ctx, trail: Trail, text: str) -> str:
    """The ARN of a key by any of its names. Raises KmsKeyNotFoundException, KmsException or
    InsufficientEncryptionPolicyException."""
    arn = arns.parse(text) if text.startswith("arn:") else None
    there = ctx if arn is None else ctx.at(ctx.account, arn.region)
    ctx.world.load("kms")
    find = finder("kms:key")
    if find is None or find(there, text) is None:
        raise AwsError("KmsKeyNotFoundException", f"KMS key {text} is not found.", 400)
    try:
        found = there.call("kms", "DescribeKey", {"KeyId": text}, caller=as_cloudtrail(trail))["KeyMetadata"]
    except AwsError as error:
        raise errors.encryption_policy(trail.bucket, text) from error
    if found["KeyState"] != "Enabled":
        raise AwsError("KmsException", f"KMS key {found['Arn']} is not enabled.", 400)
    return str(found["Arn"])


def topic_arn(ctx: Ctx, text: str) -> str:
    """The ARN of a topic by its name here or by its ARN. Raises InvalidSnsTopicNameException."""
    if not text.startswith("arn:"):
        text = arns.make("sns", ctx.region, ctx.account, text)
    arn = arns.parse(text)
    if arn is None or arn.service != "sns" or not 1 <= len(arn.resource) <= 256 or ":" in arn.resource:
        raise AwsError("InvalidSnsTopicNameException", f"SNS topic name {text} is not valid.", 400)
    return text


def check_topic(ctx: Ctx, trail: Trail) -> None:
    """Tell the topic that it was chosen, as AWS does. Raises InsufficientSnsTopicPolicyException."""
    try:
        publish(ctx, trail, "CloudTrail validation message.")
    except AwsError as error:
        raise errors.topic_policy() from error


def publish(ctx: Ctx, trail: Trail, message: str) -> None:
    """Publish to a trail's topic. Raises what SNS answers."""
    arn = arns.parse(trail.topic_arn)
    assert arn is not None
    params = {"TopicArn": trail.topic_arn, "Message": message}
    ctx.at(ctx.account, arn.region).call("sns", "Publish", params, caller=as_cloudtrail(trail))


def log_group(trail: Trail) -> str:
    """The name of a trail's log group. Raises InvalidCloudWatchLogsLogGroupArnException."""
    arn = arns.parse(trail.group)
    kind, _, rest = (arn.resource if arn is not None else "").partition(":")
    name = rest.removesuffix(":*")
    if arn is None or arn.service != "logs" or kind != "log-group" or not name or not rest.endswith(":*"):
        raise errors.log_group("Check the log group ARN: CloudTrail can't validate it.")
    if (arn.region, arn.account) != (trail.region, trail.account):
        raise errors.log_group("Check the log group ARN: CloudTrail can't validate it.")
    return name


def log_stream(trail: Trail, account: str, region: str) -> str:
    """The stream of an account and Region in a trail's log group."""
    name = f"{account}_CloudTrail_{region}"
    return f"{trail.organization}_{name}" if trail.organization else name


def check_logs(ctx: Ctx, trail: Trail) -> None:
    """Make the trail's stream as its role. Raises InvalidCloudWatchLogsRoleArnException or
    InvalidCloudWatchLogsLogGroupArnException."""
    if not trail.role:
        raise errors.log_role("You must specify a role ARN as well as a log group.")
    if not trail.group:
        raise errors.log_group("You must specify a log group ARN as well as a role.")
    name = log_group(trail)
    try:
        role = as_role(ctx, trail)
    except AwsError as error:
        raise errors.log_role("Access denied. Check the trust relationships for your role.") from error
    stream = {"logGroupName": name, "logStreamName": log_stream(trail, trail.account, trail.region)}
    try:
        ctx.call("logs", "CreateLogStream", stream, caller=role, via=PRINCIPAL)
    except AwsError as error:
        if error.code == "ResourceAlreadyExistsException":
            return
        if error.code == "ResourceNotFoundException":
            raise errors.log_group("Check the log group ARN: CloudTrail can't validate it.") from error
        raise errors.log_group("Access denied. Check the permissions for your role.") from error


def as_role(ctx: Ctx, trail: Trail) -> Caller:
    """The session of the role that a trail writes log events with. Raises what STS answers."""
    return ctx.as_role(trail.role, service=PRINCIPAL, source_arn=trail_arn(trail), session_name=SESSION)
