"""Policies name users and roles; whoever takes the name of one that is gone is somebody else."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.s3.buckets.test_buckets import code
from tests.services.s3.conftest import REGION, Bucket

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"


def user(jar: TestJar) -> tuple[str, Any]:
    """Ann's unique id, and S3 as she."""
    iam = jar.client("iam")
    made = iam.create_user(UserName="ann")["User"]["UserId"]
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    keys = {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
    return made, jar.client("s3", REGION, s3={"addressing_style": "path"}, **keys)


def gone(jar: TestJar) -> None:
    iam = jar.client("iam")
    for key in iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="ann")


def statement(resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": ANN}, "Action": "s3:GetObject", "Resource": resource}


def principal(text: str) -> str:
    found: str = json.loads(text)["Statement"][0]["Principal"]["AWS"]
    return found


def test_of_a_bucket(bucket: Bucket) -> None:
    jar, s3 = bucket.jar, bucket.s3
    bucket.put("k", b"x")
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement("arn:aws:s3:::jam/*")]})
    assert code(s3.put_bucket_policy, Bucket="jam", Policy=text) == "MalformedPolicy"
    unique, ann = user(jar)
    s3.put_bucket_policy(Bucket="jam", Policy=text)
    assert s3.get_bucket_policy(Bucket="jam")["Policy"] == text
    assert ann.get_object(Bucket="jam", Key="k")["Body"].read() == b"x"
    gone(jar)
    shown = s3.get_bucket_policy(Bucket="jam")["Policy"]
    assert principal(shown) == unique
    assert code(s3.put_bucket_policy, Bucket="jam", Policy=shown) == "MalformedPolicy"
    _, other = user(jar)
    assert code(other.get_object, Bucket="jam", Key="k") == "AccessDenied"
    assert principal(s3.get_bucket_policy(Bucket="jam")["Policy"]) == unique
    s3.put_bucket_policy(Bucket="jam", Policy=text)
    assert other.get_object(Bucket="jam", Key="k")["Body"].read() == b"x"


def test_of_an_access_point(bucket: Bucket) -> None:
    jar = bucket.jar
    control = jar.client("s3control", REGION)
    arn = control.create_access_point(AccountId=ACCOUNT, Name="door", Bucket="jam")["AccessPointArn"]
    unique, _ = user(jar)
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement(f"{arn}/object/*")]})
    which = {"AccountId": ACCOUNT, "Name": "door"}
    control.put_access_point_policy(**which, Policy=text)
    gone(jar)
    assert principal(control.get_access_point_policy(**which)["Policy"]) == unique
