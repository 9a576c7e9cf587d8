"""Buckets that others reach: by policy, by ACL, by access points, and what Block Public Access keeps in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.accessanalyzer.test_findings import OTHER, active, analyzer, arn, document, look

__all__ = ["analyzer", "arn"]
NAME = "shared"
OPEN = {"BlockPublicAcls": False, "IgnorePublicAcls": False, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
PLACE = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-3"}}


def allow(principal: Any, *actions: str, **more: Any) -> dict[str, Any]:
    both = [f"arn:aws:s3:::{NAME}", f"arn:aws:s3:::{NAME}/*"]
    return {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": both, **more}


@pytest.fixture
def s3(jar: TestJar) -> Any:
    """A bucket whose own block is lifted, and one next door that nobody shares."""
    client = jar.client("s3")
    for name in (NAME, "private"):
        client.create_bucket(Bucket=name, **PLACE)
    client.put_public_access_block(Bucket=NAME, PublicAccessBlockConfiguration=OPEN)
    return client


def test_a_policy_that_names_another_account(jar: TestJar, s3: Any, analyzer: Any, arn: str) -> None:
    s3.put_bucket_policy(Bucket=NAME, Policy=document(allow({"AWS": OTHER}, "s3:GetObject", "s3:ListBucket")))
    look(jar)
    [found] = active(analyzer, arn)
    assert (found["resource"], found["resourceType"]) == (f"arn:aws:s3:::{NAME}", "AWS::S3::Bucket")
    assert (found["principal"], found["isPublic"]) == ({"AWS": OTHER}, False)
    assert found["action"] == ["s3:GetObject", "s3:ListBucket"]
    assert found["sources"] == [{"type": "POLICY"}]
    elsewhere = jar.client("accessanalyzer", region="us-east-1")
    other = elsewhere.create_analyzer(analyzerName="a", type="ACCOUNT")["arn"]
    look(jar)
    assert active(elsewhere, other) == []


def test_a_public_policy_until_it_is_blocked(jar: TestJar, s3: Any, analyzer: Any, arn: str) -> None:
    s3.put_bucket_policy(Bucket=NAME, Policy=document(allow("*", "s3:GetObject*")))
    look(jar)
    [found] = active(analyzer, arn)
    assert (found["principal"], found["isPublic"]) == ({"AWS": "*"}, True)
    assert "s3:GetObject" in found["action"]
    control = jar.client("s3control")
    control.put_public_access_block(
        AccountId=ACCOUNT, PublicAccessBlockConfiguration={**OPEN, "RestrictPublicBuckets": True}
    )
    look(jar)
    assert active(analyzer, arn) == []
    control.delete_public_access_block(AccountId=ACCOUNT)
    look(jar)
    assert [f["id"] for f in active(analyzer, arn)] == [found["id"]]
    s3.put_public_access_block(Bucket=NAME, PublicAccessBlockConfiguration={**OPEN, "RestrictPublicBuckets": True})
    look(jar)
    assert active(analyzer, arn) == []


def test_acls_count_while_they_do(jar: TestJar, s3: Any, analyzer: Any, arn: str) -> None:
    s3.put_bucket_ownership_controls(
        Bucket=NAME, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    s3.put_bucket_acl(Bucket=NAME, ACL="public-read")
    look(jar)
    [found] = active(analyzer, arn)
    assert (found["principal"], found["isPublic"]) == ({"AWS": "*"}, True)
    assert found["action"] == ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"]
    assert found["sources"] == [{"type": "BUCKET_ACL"}]
    shown = analyzer.get_analyzed_resource(analyzerArn=arn, resourceArn=f"arn:aws:s3:::{NAME}")["resource"]
    assert (shown["isPublic"], shown["sharedVia"]) == (True, ["BUCKET_ACL"])
    s3.put_public_access_block(Bucket=NAME, PublicAccessBlockConfiguration={**OPEN, "IgnorePublicAcls": True})
    look(jar)
    assert active(analyzer, arn) == []
    theirs = jar.client("s3", key=OTHER).list_buckets()["Owner"]["ID"]
    s3.put_bucket_acl(Bucket=NAME, GrantRead=f"id={theirs}")
    look(jar)
    [named] = active(analyzer, arn)
    assert (named["principal"], named["isPublic"]) == ({"CanonicalUser": theirs}, False)
    s3.put_bucket_ownership_controls(
        Bucket="private", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )
    s3.put_bucket_acl(Bucket="private", ACL="log-delivery-write")
    s3.put_bucket_acl(Bucket=NAME, ACL="private")
    look(jar)
    assert active(analyzer, arn) == []


def test_an_access_point_lets_in_what_the_bucket_lets_in(jar: TestJar, s3: Any, analyzer: Any, arn: str) -> None:
    control = jar.client("s3control")
    control.create_access_point(
        AccountId=ACCOUNT, Name="door", Bucket=NAME, PublicAccessBlockConfiguration=OPEN
    )
    point = f"arn:aws:s3:eu-west-3:{ACCOUNT}:accesspoint/door"
    statement = {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "s3:GetObject",
                 "Resource": f"{point}/object/*"}  # fmt: skip
    control.put_access_point_policy(AccountId=ACCOUNT, Name="door", Policy=document(statement))
    look(jar)
    assert active(analyzer, arn) == [], "the bucket lets nobody in"
    through = {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}
    s3.put_bucket_policy(Bucket=NAME, Policy=document(allow({"AWS": "*"}, "s3:*", Condition=through)))
    look(jar)
    found = {json.dumps(f["sources"]): f for f in active(analyzer, arn)}
    by_point = json.dumps(
        [{"type": "S3_ACCESS_POINT", "detail": {"accessPointArn": point, "accessPointAccount": ACCOUNT}}]
    )
    assert set(found) == {json.dumps([{"type": "POLICY"}]), by_point}
    assert found[by_point]["principal"] == {"AWS": OTHER}
    assert not any(f["isPublic"] for f in found.values())
