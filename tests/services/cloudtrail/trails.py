"""A bucket that lets CloudTrail in, trails into it, and what arrives there."""

from __future__ import annotations

import gzip
import json
from typing import Any

from tests.jar import ACCOUNT, TestJar

BUCKET = "audited"


def bucket_policy(bucket: str = BUCKET, *folders: str) -> dict[str, Any]:
    """What AWS's guide has one write."""
    principal = {"Service": "cloudtrail.amazonaws.com"}
    written = [f"arn:aws:s3:::{bucket}/{folder}/*" for folder in folders or (f"AWSLogs/{ACCOUNT}",)]
    acl = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": principal, "Action": "s3:GetBucketAcl",
             "Resource": f"arn:aws:s3:::{bucket}"},
            {"Effect": "Allow", "Principal": principal, "Action": "s3:PutObject", "Resource": written,
             "Condition": acl},
        ],
    }  # fmt: skip


class Scene:
    """A jar with a bucket for trails."""

    def __init__(self, jar: TestJar, *folders: str) -> None:
        self.jar = jar
        self.s3 = jar.client("s3", region="us-east-1")
        self.trail = jar.client("cloudtrail")
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(bucket_policy(BUCKET, *folders)))

    def logging(self, name: str = "main", **settings: Any) -> str:
        """A trail that logs; gives its ARN."""
        arn: str = self.trail.create_trail(Name=name, S3BucketName=BUCKET, **settings)["TrailARN"]
        self.trail.start_logging(Name=name)
        return arn

    def keys(self, part: str = "/CloudTrail/", bucket: str = BUCKET) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        return [item["Key"] for item in found if part in item["Key"]]

    def read(self, key: str, bucket: str = BUCKET) -> Any:
        with self.s3.get_object(Bucket=bucket, Key=key)["Body"] as body:
            return json.loads(gzip.decompress(body.read()))

    def records(self, part: str = "/CloudTrail/", bucket: str = BUCKET) -> list[dict[str, Any]]:
        return [record for key in self.keys(part, bucket) for record in self.read(key, bucket)["Records"]]

    def names(self, part: str = "/CloudTrail/", bucket: str = BUCKET) -> list[str]:
        return [record["eventName"] for record in self.records(part, bucket)]
