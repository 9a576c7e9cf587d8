"""The bucket of an export: written to in the name of the role that was passed, and what it means when that fails.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ExportSnapshot.Troubleshooting.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery
from cloudjar.kit.context import Ctx
from cloudjar.services.rds.exports import told
from cloudjar.services.rds.exports.records import ExportTask

PRINCIPAL = "export.rds.amazonaws.com"


class Failure(Exception):
    """An export cannot go on; the message is for its owner."""


class Bucket:
    """Where an export goes, and who writes there. Raises `Failure` when there is no such bucket or role."""

    def __init__(self, ctx: Ctx, task: ExportTask) -> None:
        self._task = task
        where = bucket_delivery.place(ctx, task.bucket)
        if where is None:
            raise Failure(
                f"The S3 bucket {task.bucket} isn't valid. Either it isn't located in the current AWS Region or it "
                "doesn't exist. Review your S3 bucket name and retry the export."
            )
        if where.region != ctx.region:
            raise Failure(
                f"The S3 bucket {task.bucket} isn't located in the current AWS Region. Review your S3 bucket name and "
                "retry the export."
            )
        self._ctx = ctx
        try:
            self._who: Caller = ctx.as_role(
                task.role, service=PRINCIPAL, source_arn=task.source_arn, session_name=f"rds-export-{task.id}"[:64]
            )
        except AwsError as refused:
            _raise_faults(refused)
            raise Failure(
                "The RDS export failed to write the export task's metadata because it can't assume the IAM role "
                f"{task.role}."
            ) from refused

    def check(self) -> None:
        """Whether the role may do what an export does, by doing it; the first file is written."""
        self._call("GetBucketLocation", {"Bucket": self._task.bucket}, "s3:GetBucketLocation")
        self._call("ListObjectsV2", {"Bucket": self._task.bucket, "MaxKeys": 1}, "s3:ListBucket")
        name, text = told.whole(self._task)
        try:
            self._put(name, text)
        except AwsError as refused:
            _raise_faults(refused)
            raise Failure(
                f"The RDS export failed to write the export task's metadata to the S3 bucket {self._task.bucket} using "
                f"the IAM role {self._task.role} with the KMS key {self._task.key}. Error code: {refused.code}"
            ) from refused

    def put(self, name: str, body: Any) -> None:
        """Write a file of the export, encrypted with its key."""
        try:
            self._put(name, body)
        except AwsError as refused:
            _raise_faults(refused)
            if refused.code.startswith("KMS."):
                raise Failure("KMS key check failed. Check the credentials on your KMS key and try again.") from refused
            raise self._refused("s3:PutObject") from refused

    def _put(self, name: str, body: Any) -> None:
        self._ctx.call("s3", "PutObject", {
            "Bucket": self._task.bucket, "Key": f"{self._task.folder}/{name}", "Body": body,
            "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._task.key,
        }, caller=self._who)  # fmt: skip

    def _call(self, operation: str, params: dict[str, Any], action: str) -> None:
        try:
            self._ctx.call("s3", operation, params, caller=self._who)
        except AwsError as refused:
            _raise_faults(refused)
            raise self._refused(action) from refused

    def _refused(self, action: str) -> Failure:
        return Failure(
            f"The IAM role {self._task.role} isn't authorized to call {action} on the S3 bucket {self._task.bucket}. "
            "Review your permissions and retry the export."
        )


def _raise_faults(refused: AwsError) -> None:
    """What is the server's fault, and not what was asked for, is tried again."""
    if refused.is_server_fault:
        raise refused
