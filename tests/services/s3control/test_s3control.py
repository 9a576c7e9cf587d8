"""Accounts' public access, access points and tags, as S3 heeds them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.s3.buckets.test_buckets import code
from tests.services.s3.conftest import REGION, Bucket, create
from tests.services.s3.raw import ask

OTHER = "111111111111"
BLOCK = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}


@pytest.fixture
def bucket(jar: TestJar) -> Bucket:
    """An empty bucket."""
    return create(jar, "jam")


@pytest.fixture
def control(jar: TestJar) -> Any:
    """S3 Control in Paris as root."""
    return jar.client("s3control", REGION)


def test_an_account_blocks_for_all_its_buckets(bucket: Bucket, control: Any) -> None:
    get = control.get_public_access_block
    assert code(get, AccountId=ACCOUNT) == "NoSuchPublicAccessBlockConfiguration"
    bucket.s3.delete_public_access_block(Bucket="jam")
    bucket.put("k", b"x")
    public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::jam/*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [public]})
    bucket.s3.put_bucket_policy(Bucket="jam", Policy=text)
    nobody = bucket.jar.client("s3", REGION, signature_version=UNSIGNED, s3={"addressing_style": "path"})
    assert nobody.get_object(Bucket="jam", Key="k")["Body"].read() == b"x"
    control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=BLOCK)
    assert get(AccountId=ACCOUNT)["PublicAccessBlockConfiguration"] == BLOCK
    assert code(nobody.get_object, Bucket="jam", Key="k") == "AccessDenied"
    assert code(bucket.s3.put_bucket_policy, Bucket="jam", Policy=text) == "AccessDenied"
    control.delete_public_access_block(AccountId=ACCOUNT)
    assert nobody.get_object(Bucket="jam", Key="k")["Body"].read() == b"x"
    assert code(get, AccountId=OTHER) == "AccessDenied"


def test_an_access_point_is_a_way_in(bucket: Bucket, control: Any) -> None:
    bucket.put("k", b"x")
    made = control.create_access_point(AccountId=ACCOUNT, Name="door", Bucket="jam")
    arn, alias = made["AccessPointArn"], made["Alias"]
    assert arn == f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/door"
    assert (len(alias), alias[:5], alias[-8:]) == (63, "door-", "-s3alias")
    assert bucket.s3.get_object(Bucket=alias, Key="k")["Body"].read() == b"x"
    bucket.s3.put_object(Bucket=alias, Key="new", Body=b"y")
    assert bucket.read("new") == b"y"
    url = bucket.s3.generate_presigned_url("get_object", Params={"Bucket": alias, "Key": "k"})
    path = url.partition(str(bucket.jar.port))[2]
    assert ask(bucket.jar, "GET", path, host=f"127.0.0.1:{bucket.jar.port}").body == b"x"
    got = control.get_access_point(AccountId=ACCOUNT, Name="door")
    assert (got["NetworkOrigin"], got["Bucket"], got["PublicAccessBlockConfiguration"]) == ("Internet", "jam", BLOCK)
    listed = control.list_access_points(AccountId=ACCOUNT, Bucket="jam")["AccessPointList"]
    assert [(one["Name"], one["Alias"]) for one in listed] == [("door", alias)]
    assert code(bucket.s3.delete_bucket, Bucket="jam") == "BucketNotEmpty"
    bucket.s3.delete_objects(Bucket="jam", Delete={"Objects": [{"Key": "k"}, {"Key": "new"}]})
    assert code(bucket.s3.delete_bucket, Bucket="jam") == "BucketHasAccessPointsAttached"
    control.delete_access_point(AccountId=ACCOUNT, Name="door")
    assert code(control.get_access_point, AccountId=ACCOUNT, Name="door") == "NoSuchAccessPoint"
    assert code(bucket.s3.get_object, Bucket=alias, Key="k") == "NoSuchBucket"
    bucket.s3.delete_bucket(Bucket="jam")


def test_an_arn_is_a_bucket(bucket: Bucket, control: Any) -> None:
    bucket.put("k", b"x")
    arn = control.create_access_point(AccountId=ACCOUNT, Name="door", Bucket="jam")["AccessPointArn"]
    copied = bucket.s3.copy_object(Bucket="jam", Key="copy", CopySource={"Bucket": arn, "Key": "k"})
    assert copied["CopyObjectResult"]["ETag"]
    answer = ask(bucket.jar, "GET", f"/{quote(arn, safe='')}/k")
    assert (answer.status, answer.tag("Code")) == (403, "AccessDenied")  # found, and not for everybody
    named = ask(bucket.jar, "GET", "/k", host=f"door-{ACCOUNT}.s3-accesspoint.{REGION}.localhost")
    assert (named.status, named.tag("Code")) == (403, "AccessDenied")


def test_its_policy_and_the_buckets_both_decide(bucket: Bucket, control: Any) -> None:
    bucket.put("k", b"x")
    made = control.create_access_point(AccountId=ACCOUNT, Name="door", Bucket="jam")
    arn, alias = made["AccessPointArn"], made["Alias"]
    iam = bucket.jar.client("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = bucket.jar.client("s3", REGION, key=key["AccessKeyId"], secret=key["SecretAccessKey"],
                            s3={"addressing_style": "path"})  # fmt: skip
    assert code(ann.get_object, Bucket=alias, Key="k") == "AccessDenied"
    who = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}
    door = {"Effect": "Allow", "Principal": who, "Action": "s3:GetObject", "Resource": f"{arn}/object/*"}
    control.put_access_point_policy(AccountId=ACCOUNT, Name="door", Policy=json.dumps({"Statement": [door]}))
    which = {"AccountId": ACCOUNT, "Name": "door"}
    assert json.loads(control.get_access_point_policy(**which)["Policy"]) == {"Statement": [door]}
    assert control.get_access_point_policy_status(**which)["PolicyStatus"] == {"IsPublic": False}
    assert code(ann.get_object, Bucket=alias, Key="k") == "AccessDenied"
    delegate = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:*",
                "Resource": ["arn:aws:s3:::jam", "arn:aws:s3:::jam/*"],
                "Condition": {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}}  # fmt: skip
    bucket.s3.put_bucket_policy(Bucket="jam", Policy=json.dumps({"Statement": [delegate]}))
    assert ann.get_object(Bucket=alias, Key="k")["Body"].read() == b"x"
    assert code(ann.get_object, Bucket="jam", Key="k") == "AccessDenied"  # only through the door
    public = {**door, "Principal": "*"}
    put = control.put_access_point_policy
    assert code(put, AccountId=ACCOUNT, Name="door", Policy=json.dumps({"Statement": [public]})) == "AccessDenied"
    elsewhere = {**door, "Resource": "arn:aws:s3:::jam/*"}
    assert code(put, AccountId=ACCOUNT, Name="door", Policy=json.dumps({"Statement": [elsewhere]})) == "MalformedPolicy"
    control.delete_access_point_policy(AccountId=ACCOUNT, Name="door")
    assert code(control.get_access_point_policy, AccountId=ACCOUNT, Name="door") == "NoSuchAccessPointPolicy"
    assert code(ann.get_object, Bucket=alias, Key="k") == "AccessDenied"


def test_a_door_into_a_vpc_is_none_for_others(bucket: Bucket, control: Any) -> None:
    bucket.put("k", b"x")
    made = control.create_access_point(
        AccountId=ACCOUNT, Name="inside", Bucket="jam", VpcConfiguration={"VpcId": "vpc-1a2b3c4d"}
    )
    assert code(bucket.s3.get_object, Bucket=made["Alias"], Key="k") == "AccessDenied"
    assert control.get_access_point(AccountId=ACCOUNT, Name="inside")["VpcConfiguration"] == {"VpcId": "vpc-1a2b3c4d"}


def test_tags(bucket: Bucket, control: Any) -> None:
    point = control.create_access_point(AccountId=ACCOUNT, Name="door", Bucket="jam")["AccessPointArn"]
    for arn in ("arn:aws:s3:::jam", point):
        control.tag_resource(AccountId=ACCOUNT, ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
        control.tag_resource(AccountId=ACCOUNT, ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
        control.untag_resource(AccountId=ACCOUNT, ResourceArn=arn, TagKeys=["a"])
        listed = control.list_tags_for_resource(AccountId=ACCOUNT, ResourceArn=arn)
        assert listed["Tags"] == [{"Key": "c", "Value": "d"}]
    assert bucket.s3.get_bucket_tagging(Bucket="jam")["TagSet"] == [{"Key": "c", "Value": "d"}]


def test_what_is_not_built_says_so(control: Any) -> None:
    assert code(control.list_multi_region_access_points, AccountId=ACCOUNT) == "NotImplemented"
    assert code(control.list_storage_lens_groups, AccountId=ACCOUNT) == "NotImplemented"
    with pytest.raises(ClientError) as caught:
        control.create_access_point(AccountId=ACCOUNT, Name="door", Bucket="nobody")
    assert caught.value.response["Error"]["Code"] == "InvalidRequest"
