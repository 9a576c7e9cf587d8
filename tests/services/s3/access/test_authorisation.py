"""Who may: policies on both sides, ACLs that decide, public access blocked, anybody without a signature."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from cloudjar.base.caller import canonical_id
from tests.jar import TestJar
from tests.services.s3.buckets.test_buckets import code
from tests.services.s3.conftest import REGION, Bucket
from tests.services.s3.raw import ask

OTHER = "111111111111"
Statement = dict[str, Any]


def client(jar: TestJar, key: str = "test", secret: str = "test", **more: Any) -> Any:
    return jar.client("s3", REGION, key=key, secret=secret, s3={"addressing_style": "path"}, **more)


def anybody(jar: TestJar) -> Any:
    return client(jar, signature_version=UNSIGNED)


def policy(bucket: Bucket, *statements: Statement) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    bucket.s3.put_bucket_policy(Bucket=bucket.name, Policy=text)


def allow(action: str | list[str], resource: str, principal: Any = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": f"arn:aws:s3:::{resource}", **more}


@pytest.fixture
def user(jar: TestJar) -> Callable[..., Any]:
    """``user(statement, ...)``: an S3 client of a new user of the bucket's account with these permissions."""

    def make(*statements: Statement, account: str = "test", name: str = "ann") -> Any:
        iam = jar.client("iam", key=account)
        iam.create_user(UserName=name)
        if statements:
            text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=text)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return client(jar, key["AccessKeyId"], key["SecretAccessKey"])

    return make


def mine(action: str | list[str], resource: str, **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": f"arn:aws:s3:::{resource}", **more}


def test_a_user_may_what_it_is_allowed(bucket: Bucket, user: Callable[..., Any]) -> None:
    bucket.put("a/1", b"one")
    prefix = {"StringLike": {"s3:prefix": "a/*"}}
    ann = user(mine("s3:GetObject", "jam/a/*"), mine("s3:ListBucket", "jam", Condition=prefix))
    assert ann.get_object(Bucket="jam", Key="a/1")["Body"].read() == b"one"
    with pytest.raises(ClientError) as caught:
        ann.get_object(Bucket="jam", Key="b/1")
    assert caught.value.response["Error"] == {
        "Code": "AccessDenied",
        "Message": "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: s3:GetObject on resource: "
        '"arn:aws:s3:::jam/b/1" because no identity-based policy allows the s3:GetObject action',
    }
    assert ann.list_objects_v2(Bucket="jam", Prefix="a/")["KeyCount"] == 1
    assert code(ann.list_objects_v2, Bucket="jam") == "AccessDenied"
    assert code(ann.put_object, Bucket="jam", Key="a/1", Body=b"") == "AccessDenied"


def test_who_may_not_list_does_not_learn_what_is_missing(bucket: Bucket, user: Callable[..., Any]) -> None:
    blind = user(mine("s3:GetObject", "jam/*"), name="blind")
    seeing = user(mine("s3:GetObject", "jam/*"), mine("s3:ListBucket", "jam"), name="seeing")
    assert code(blind.get_object, Bucket="jam", Key="no") == "AccessDenied"
    assert code(blind.head_object, Bucket="jam", Key="no") == "403"
    assert code(seeing.get_object, Bucket="jam", Key="no") == "NoSuchKey"
    assert code(seeing.head_object, Bucket="jam", Key="no") == "404"


def test_other_accounts_need_both_sides(bucket: Bucket, user: Callable[..., Any]) -> None:
    bucket.put("k", b"x")
    stranger = user(mine("s3:GetObject", "jam/*"), account=OTHER)
    with pytest.raises(ClientError) as caught:
        stranger.get_object(Bucket="jam", Key="k")
    assert caught.value.response["Error"]["Message"] == "Access Denied"
    policy(bucket, allow("s3:GetObject", "jam/*", {"AWS": OTHER}))
    assert stranger.get_object(Bucket="jam", Key="k")["Body"].read() == b"x"
    without = user(account=OTHER, name="bob")
    assert code(without.get_object, Bucket="jam", Key="k") == "AccessDenied"


def test_a_bucket_policy_names_a_user_of_its_account(bucket: Bucket, user: Callable[..., Any]) -> None:
    bucket.put("k", b"x")
    ann = user()
    assert code(ann.get_object, Bucket="jam", Key="k") == "AccessDenied"
    policy(bucket, allow("s3:GetObject", "jam/*", {"AWS": "arn:aws:iam::000000000000:user/ann"}))
    assert ann.get_object(Bucket="jam", Key="k")["Body"].read() == b"x"
    deny = {**allow("s3:*", "jam/*"), "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    policy(bucket, deny)
    assert code(bucket.s3.get_object, Bucket="jam", Key="k") == "AccessDenied"  # root is denied too
    policy(bucket, {**deny, "Resource": "arn:aws:s3:::jam"})
    assert code(bucket.s3.list_objects_v2, Bucket="jam") == "AccessDenied"
    bucket.s3.delete_bucket_policy(Bucket="jam")  # from which nothing locks root out
    assert bucket.keys() == ["k"]


def test_anybody_may_read_what_is_public(bucket: Bucket) -> None:
    bucket.put("k", b"x")
    nobody = anybody(bucket.jar)
    with pytest.raises(ClientError) as caught:
        nobody.get_object(Bucket="jam", Key="k")
    assert caught.value.response["Error"]["Message"] == "Access Denied"
    bucket.s3.delete_public_access_block(Bucket="jam")
    policy(bucket, allow("s3:GetObject", "jam/*"))
    assert nobody.get_object(Bucket="jam", Key="k")["Body"].read() == b"x"
    assert ask(bucket.jar, "GET", "/k", host="jam.s3.localhost").body == b"x"
    assert code(nobody.put_object, Bucket="jam", Key="k", Body=b"y") == "AccessDenied"
    assert code(nobody.list_buckets) == "AccessDenied"
    assert code(nobody.list_objects_v2, Bucket="jam") == "AccessDenied"


def test_restricted_public_buckets_are_their_accounts(bucket: Bucket, user: Callable[..., Any]) -> None:
    bucket.put("k", b"x")
    bucket.s3.delete_public_access_block(Bucket="jam")
    policy(bucket, allow("s3:GetObject", "jam/*"))
    ann = user()
    block = {"RestrictPublicBuckets": True}
    bucket.s3.put_public_access_block(Bucket="jam", PublicAccessBlockConfiguration=block)
    assert code(anybody(bucket.jar).get_object, Bucket="jam", Key="k") == "AccessDenied"
    assert code(client(bucket.jar, OTHER).get_object, Bucket="jam", Key="k") == "AccessDenied"
    assert ann.get_object(Bucket="jam", Key="k")["Body"].read() == b"x"


# -- ACLs ------------------------------------------------------------------------------------------------


@pytest.fixture
def with_acls(make_bucket: Callable[..., Bucket]) -> Bucket:
    """A bucket in which ACLs count, and nothing is blocked."""
    made = make_bucket("acls", ObjectOwnership="ObjectWriter")
    made.s3.delete_public_access_block(Bucket="acls")
    return made


def test_acls_decide(with_acls: Bucket) -> None:
    nobody, jar = anybody(with_acls.jar), with_acls.jar
    with_acls.put("open", b"x", ACL="public-read")
    with_acls.put("closed", b"x")
    with_acls.put("customers", b"x", ACL="authenticated-read")
    with_acls.put("theirs", b"x", GrantRead=f'id="{canonical_id(OTHER)}"')
    other = client(jar, OTHER)
    assert nobody.get_object(Bucket="acls", Key="open")["Body"].read() == b"x"
    assert code(nobody.get_object, Bucket="acls", Key="closed") == "AccessDenied"
    assert code(nobody.get_object, Bucket="acls", Key="customers") == "AccessDenied"
    assert other.get_object(Bucket="acls", Key="customers")["Body"].read() == b"x"
    assert other.get_object(Bucket="acls", Key="theirs")["Body"].read() == b"x"
    assert code(other.get_object, Bucket="acls", Key="closed") == "AccessDenied"
    with_acls.s3.put_public_access_block(Bucket="acls", PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert code(nobody.get_object, Bucket="acls", Key="open") == "AccessDenied"
    with_acls.s3.put_public_access_block(Bucket="acls", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    assert code(with_acls.put, "more", b"x", ACL="public-read") == "AccessDenied"
    with_acls.s3.put_bucket_ownership_controls(
        Bucket="acls", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    with_acls.s3.delete_public_access_block(Bucket="acls")
    assert code(nobody.get_object, Bucket="acls", Key="open") == "AccessDenied"  # ACLs are off: they say nothing


def test_bucket_acls_let_others_write_and_own(with_acls: Bucket) -> None:
    other = client(with_acls.jar, OTHER)
    assert code(other.put_object, Bucket="acls", Key="k", Body=b"x") == "AccessDenied"
    with_acls.s3.put_bucket_acl(
        Bucket="acls", GrantWrite=f'id="{canonical_id(OTHER)}"',
        GrantFullControl=f'id="{canonical_id("000000000000")}"',
    )  # fmt: skip
    other.put_object(Bucket="acls", Key="k", Body=b"x")
    assert other.get_object_acl(Bucket="acls", Key="k")["Owner"]["ID"] == canonical_id(OTHER)
    assert code(with_acls.read, "k") == "AccessDenied"  # the bucket's owner does not own what others wrote
    policy(with_acls, allow("s3:GetObject", "acls/*"))
    assert code(with_acls.read, "k") == "AccessDenied"
    other.put_object_acl(Bucket="acls", Key="k", ACL="bucket-owner-full-control")
    assert with_acls.read("k") == b"x"
    with_acls.s3.delete_object(Bucket="acls", Key="k")  # and may always remove it


def test_acls_are_read_and_written(with_acls: Bucket) -> None:
    s3 = with_acls.s3
    owner = canonical_id("000000000000")
    s3.put_bucket_acl(Bucket="acls", ACL="log-delivery-write")
    found = s3.get_bucket_acl(Bucket="acls")
    assert found["Owner"] == {"ID": owner}
    assert [(g["Grantee"].get("URI", "")[-11:], g["Permission"]) for g in found["Grants"]] == [
        ("", "FULL_CONTROL"), ("LogDelivery", "WRITE"), ("LogDelivery", "READ_ACP"),
    ]  # fmt: skip
    found.pop("ResponseMetadata")
    s3.put_bucket_acl(Bucket="acls", AccessControlPolicy=found)
    assert s3.get_bucket_acl(Bucket="acls")["Grants"] == found["Grants"]
    both = {"ACL": "private", "GrantRead": f'id="{owner}"'}
    assert code(s3.put_bucket_acl, Bucket="acls", **both) == "InvalidRequest"
    assert code(s3.put_bucket_acl, Bucket="acls", GrantRead='id="nobody"') == "InvalidArgument"
    assert code(s3.put_bucket_acl, Bucket="acls", GrantRead='emailAddress="no@example.com"') == (
        "UnresolvableGrantByEmailAddress"
    )
    stranger = {**found, "Owner": {"ID": canonical_id(OTHER)}}
    assert code(s3.put_bucket_acl, Bucket="acls", AccessControlPolicy=stranger) == "AccessDenied"


def test_acls_are_off_by_default(bucket: Bucket) -> None:
    assert code(bucket.s3.put_bucket_acl, Bucket="jam", ACL="private") == "AccessControlListNotSupported"
    made = {"Bucket": "more", "CreateBucketConfiguration": {"LocationConstraint": REGION}}
    assert code(bucket.s3.create_bucket, **made, ACL="public-read") == "InvalidBucketAclWithObjectOwnership"
    assert code(bucket.s3.create_bucket, **made, ACL="public-read", ObjectOwnership="ObjectWriter") == (
        "InvalidBucketAclWithBlockPublicAccessError"
    )


# -- who pays, and condition keys ------------------------------------------------------------------------


def test_requesters_pay_when_they_say_so(bucket: Bucket) -> None:
    bucket.put("k", b"x")
    bucket.s3.delete_public_access_block(Bucket="jam")
    policy(bucket, allow("s3:GetObject", "jam/*"))
    bucket.s3.put_bucket_request_payment(Bucket="jam", RequestPaymentConfiguration={"Payer": "Requester"})
    other = client(bucket.jar, OTHER)
    assert code(other.get_object, Bucket="jam", Key="k") == "AccessDenied"
    assert other.get_object(Bucket="jam", Key="k", RequestPayer="requester")["Body"].read() == b"x"
    assert code(anybody(bucket.jar).get_object, Bucket="jam", Key="k") == "AccessDenied"
    assert bucket.read("k") == b"x"


def test_tags_decide(bucket: Bucket, user: Callable[..., Any]) -> None:
    bucket.put("red", b"x", Tagging="colour=red")
    bucket.put("blue", b"x", Tagging="colour=blue")
    ann = user(
        mine("s3:GetObject", "jam/*", Condition={"StringEquals": {"s3:ExistingObjectTag/colour": "red"}}),
        mine(["s3:PutObject", "s3:PutObjectTagging"], "jam/*",
             Condition={"StringEquals": {"s3:RequestObjectTag/colour": "green"}}),
    )  # fmt: skip
    assert ann.get_object(Bucket="jam", Key="red")["Body"].read() == b"x"
    assert code(ann.get_object, Bucket="jam", Key="blue") == "AccessDenied"
    assert ann.put_object(Bucket="jam", Key="new", Body=b"", Tagging="colour=green")
    assert code(ann.put_object, Bucket="jam", Key="new", Body=b"", Tagging="colour=red") == "AccessDenied"
    assert code(ann.put_object, Bucket="jam", Key="new", Body=b"") == "AccessDenied"


@pytest.mark.parametrize(
    ("condition", "params", "allowed"),
    [
        ({"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}}, {"ServerSideEncryption": "AES256"}, True),
        ({"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}}, {}, False),
        ({"StringEquals": {"s3:x-amz-storage-class": "STANDARD_IA"}}, {"StorageClass": "STANDARD_IA"}, True),
        ({"StringEquals": {"s3:x-amz-storage-class": "STANDARD_IA"}}, {}, False),
        ({"StringEquals": {"s3:authType": "REST-HEADER", "s3:signatureversion": "AWS4-HMAC-SHA256"}}, {}, True),
        ({"NumericLessThan": {"s3:signatureAge": "600000"}}, {}, True),
        ({"Bool": {"s3:ObjectCreationOperation": "true"}}, {}, True),
        ({"StringEquals": {"s3:ResourceAccount": "000000000000"}}, {}, True),
        ({"StringEquals": {"s3:ResourceAccount": OTHER}}, {}, False),
        ({"Null": {"s3:if-none-match": "false"}}, {"IfNoneMatch": "*"}, True),
        ({"Null": {"s3:if-none-match": "false"}}, {}, False),
        ({"StringEquals": {"aws:ResourceAccount": "000000000000"}}, {}, True),
        ({"Null": {"s3:TlsVersion": "true"}}, {}, True),
    ],
)
def test_condition_keys(
    bucket: Bucket, user: Callable[..., Any], condition: Statement, params: dict[str, str], allowed: bool
) -> None:
    ann = user(mine("s3:PutObject", "jam/*", Condition=condition))
    if allowed:
        assert ann.put_object(Bucket="jam", Key="k", Body=b"x", **params)["ETag"]
    else:
        assert code(ann.put_object, Bucket="jam", Key="k", Body=b"x", **params) == "AccessDenied"


def test_versions_need_their_own_permission(versioned: Bucket, user: Callable[..., Any]) -> None:
    made = versioned.put("k", b"x")["VersionId"]
    ann = user(mine(["s3:GetObject", "s3:DeleteObject"], "jam/*"))
    assert ann.get_object(Bucket="jam", Key="k")["Body"].read() == b"x"
    assert code(ann.get_object, Bucket="jam", Key="k", VersionId=made) == "AccessDenied"
    assert code(ann.delete_object, Bucket="jam", Key="k", VersionId=made) == "AccessDenied"


def test_a_batch_is_asked_key_by_key(bucket: Bucket, user: Callable[..., Any]) -> None:
    bucket.put("mine/1", b"x")
    bucket.put("yours/1", b"x")
    ann = user(mine("s3:DeleteObject", "jam/mine/*"))
    wanted = {"Objects": [{"Key": "mine/1"}, {"Key": "yours/1"}]}
    answer = ann.delete_objects(Bucket="jam", Delete=wanted)
    assert [one["Key"] for one in answer["Deleted"]] == ["mine/1"]
    assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [("yours/1", "AccessDenied")]
    assert bucket.keys() == ["yours/1"]


def test_a_copy_is_read_and_written(bucket: Bucket, user: Callable[..., Any]) -> None:
    bucket.put("from/1", b"x")
    writer = user(mine("s3:PutObject", "jam/to/*"), name="writer")
    both = user(mine("s3:PutObject", "jam/to/*"), mine("s3:GetObject", "jam/from/*"), name="both")
    asked = {"Bucket": "jam", "Key": "to/1", "CopySource": "jam/from/1"}
    assert code(writer.copy_object, **asked) == "AccessDenied"
    assert both.copy_object(**asked)["CopyObjectResult"]["ETag"]
