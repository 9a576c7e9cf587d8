"""Why a copy failed, in AWS's codes.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError

ASSUME = "AssumeRole"
"""How the message of a refusal begins whose role could not be assumed."""


def reason(why: AwsError) -> str:
    """``failureReason`` of a failed replication."""
    if why.message.startswith(ASSUME):
        return "AssumeRoleNotPermitted"
    if why.code.startswith("KMS"):
        return "DstKmsKeyInvalidState"
    if why.code == "NoSuchBucket":
        return "DstBucketNotFound"
    if "GetObject" in why.message:
        return "SrcGetObjectNotPermitted"
    return "DstPutObjectNotPermitted"
