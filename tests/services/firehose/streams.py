"""What tests of delivery streams say again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.answers import document, statement

ROLE = f"arn:aws:iam::{ACCOUNT}:role/delivery"
BUCKET = "lake"


def role(jar: TestJar, *actions: str, external: str = ACCOUNT) -> str:
    """A role that Firehose may take, which may do these things everywhere."""
    iam = jar.client("iam")
    trust = statement("sts:AssumeRole", Principal={"Service": "firehose.amazonaws.com"},
                      Condition={"StringEquals": {"sts:ExternalId": external}})  # fmt: skip
    del trust["Resource"]
    iam.create_role(RoleName="delivery", AssumeRolePolicyDocument=document(trust))
    may = document(statement(list(actions) or ["s3:PutObject"]))
    iam.put_role_policy(RoleName="delivery", PolicyName="may", PolicyDocument=may)
    return ROLE


def bucket(jar: TestJar, name: str = BUCKET) -> Any:
    """A bucket; the client that made it."""
    s3 = jar.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    return s3


def ready(jar: TestJar) -> None:
    """What was begun is done."""
    jar.settle()
    jar.advance(seconds=2)
    jar.settle()


def to(name: str = BUCKET, **more: Any) -> dict[str, Any]:
    """A bucket as a destination."""
    return {"RoleARN": ROLE, "BucketARN": f"arn:aws:s3:::{name}", **more}


def made(jar: TestJar, **more: Any) -> Any:
    """A delivery stream into a bucket, ACTIVE; the client that made it."""
    firehose = jar.client("firehose")
    asked = more if "HttpEndpointDestinationConfiguration" in more else {
        "ExtendedS3DestinationConfiguration": to(), **more
    }  # fmt: skip
    firehose.create_delivery_stream(DeliveryStreamName="d", **asked)
    ready(jar)
    return firehose


def put(firehose: Any, *data: bytes) -> None:
    """Put records."""
    records = [{"Data": one} for one in data]
    assert firehose.put_record_batch(DeliveryStreamName="d", Records=records)["FailedPutCount"] == 0


def files(s3: Any, name: str = BUCKET) -> dict[str, bytes]:
    """What lies in a bucket, by key."""
    found = {}
    for one in s3.list_objects_v2(Bucket=name).get("Contents", []):
        with s3.get_object(Bucket=name, Key=one["Key"])["Body"] as body:
            found[one["Key"]] = body.read()
    return found


def refused(code: str, call: Callable[..., Any], **asked: Any) -> str:
    """The call is refused with a code; the message."""
    with pytest.raises(ClientError) as error:
        call(**asked)
    told = error.value.response["Error"]
    assert told["Code"] == code, told
    return str(told["Message"])
