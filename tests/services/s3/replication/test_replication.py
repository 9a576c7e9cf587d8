"""Copies in other buckets, through clients."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.s3.conftest import Bucket

OTHER = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/copier"
SOURCE_ACTIONS = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
TARGET_ACTIONS = ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"]


def role(jar: TestJar, *statements: dict[str, Any]) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = jar.client("iam")
    iam.create_role(
        RoleName="copier",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    iam.put_role_policy(
        RoleName="copier",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}),
    )


def allow(actions: list[str], *names: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": [f"arn:aws:s3:::{name}/*" for name in names]}


def target(jar: TestJar, name: str = "copies", region: str = "us-east-2", account: str = "test") -> Bucket:
    s3 = jar.client("s3", region, key=account, s3={"addressing_style": "path"})
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    made = Bucket(jar, s3, name)
    made.versioning("Enabled")
    return made


def rule(name: str, **more: Any) -> dict[str, Any]:
    destination = {"Bucket": f"arn:aws:s3:::{name}", **more.pop("Destination", {})}
    plain = {"ID": name, "Status": "Enabled", "Priority": 1, "Filter": {}, "DeleteMarkerReplication": {}}
    plain["DeleteMarkerReplication"] = {"Status": "Enabled"}
    return {**plain, **more, "Destination": destination}


def copy_by(bucket: Bucket, *rules: dict[str, Any]) -> None:
    bucket.s3.put_bucket_replication(
        Bucket=bucket.name, ReplicationConfiguration={"Role": ROLE, "Rules": list(rules)}
    )


@pytest.fixture
def copies(versioned: Bucket) -> Bucket:
    """A bucket in Ohio that the bucket in Paris copies to."""
    made = target(versioned.jar)
    role(versioned.jar, allow(SOURCE_ACTIONS, "jam"), allow(TARGET_ACTIONS, "copies"))
    copy_by(versioned, rule("copies"))
    return made


def test_objects_markers_and_tags_are_copied_with_their_ids(versioned: Bucket, copies: Bucket) -> None:
    put = versioned.put("k", b"hello", Metadata={"a": "b"}, Tagging="t=1")
    assert versioned.head("k")["ReplicationStatus"] == "PENDING"
    versioned.jar.settle()
    assert versioned.head("k")["ReplicationStatus"] == "COMPLETED"
    found = copies.head("k")
    assert found["ReplicationStatus"] == "REPLICA"
    assert found["VersionId"] == put["VersionId"]
    assert found["ETag"] == put["ETag"]
    assert found["Metadata"] == {"a": "b"}
    assert copies.read("k") == b"hello"
    versioned.s3.put_object_tagging(Bucket="jam", Key="k", Tagging={"TagSet": [{"Key": "t", "Value": "2"}]})
    versioned.jar.settle()
    assert copies.s3.get_object_tagging(Bucket="copies", Key="k")["TagSet"] == [{"Key": "t", "Value": "2"}]
    marker = versioned.s3.delete_object(Bucket="jam", Key="k")["VersionId"]
    versioned.jar.settle()
    listed = copies.s3.list_object_versions(Bucket="copies")
    assert [one["VersionId"] for one in listed["DeleteMarkers"]] == [marker]
    # A version that is deleted for good stays in the copy.
    versioned.s3.delete_object(Bucket="jam", Key="k", VersionId=put["VersionId"])
    versioned.jar.settle()
    assert copies.read("k", VersionId=put["VersionId"]) == b"hello"


def test_only_what_a_rule_is_about(versioned: Bucket, copies: Bucket) -> None:
    copy_by(
        versioned,
        rule(
            "copies",
            Filter={"Prefix": "in/"},
            DeleteMarkerReplication={"Status": "Disabled"},
            Destination={"StorageClass": "STANDARD_IA"},
        ),
    )
    versioned.put("in/a")
    versioned.put("out/b")
    versioned.jar.settle()
    assert copies.keys() == ["in/a"]
    assert copies.head("in/a")["StorageClass"] == "STANDARD_IA"
    assert "ReplicationStatus" not in versioned.head("out/b")
    versioned.s3.delete_object(Bucket="jam", Key="in/a")
    versioned.jar.settle()
    assert copies.keys() == ["in/a"]


def test_a_role_that_may_not_fails_and_it_is_told(versioned: Bucket) -> None:
    target(versioned.jar)
    role(versioned.jar, allow(SOURCE_ACTIONS, "jam"))
    copy_by(versioned, rule("copies"))
    versioned.put("k")
    versioned.jar.settle()
    assert versioned.head("k")["ReplicationStatus"] == "FAILED"


def test_another_account_must_let_the_role_in_and_may_own_the_copies(versioned: Bucket) -> None:
    jar = versioned.jar
    copies = target(jar, account=OTHER)
    everything = [*TARGET_ACTIONS, "s3:ObjectOwnerOverrideToBucketOwner"]
    role(jar, allow(SOURCE_ACTIONS, "jam"), allow(everything, "copies"))
    translated = {"Account": OTHER, "AccessControlTranslation": {"Owner": "Destination"}}
    copy_by(versioned, rule("copies", Destination=translated))
    versioned.put("k", b"1")
    jar.settle()
    assert versioned.head("k")["ReplicationStatus"] == "FAILED"
    let_in = {**allow(everything, "copies"), "Principal": {"AWS": ROLE}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [let_in]})
    copies.s3.put_bucket_policy(Bucket="copies", Policy=policy)
    versioned.put("k", b"2")
    jar.settle()
    assert versioned.head("k")["ReplicationStatus"] == "COMPLETED"
    assert copies.read("k") == b"2"


def test_what_kms_encrypts_is_encrypted_again_under_the_rules_key(versioned: Bucket) -> None:
    jar = versioned.jar
    copies = target(jar)
    here = jar.client("kms").create_key()["KeyMetadata"]["Arn"]
    there = jar.client("kms", "us-east-2").create_key()["KeyMetadata"]["Arn"]
    keys = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": [here, there]}
    role(jar, allow(SOURCE_ACTIONS, "jam"), allow(TARGET_ACTIONS, "copies"), keys)
    copy_by(versioned, rule("copies"))
    versioned.put("k", b"1", ServerSideEncryption="aws:kms", SSEKMSKeyId=here)
    jar.settle()
    assert "ReplicationStatus" not in versioned.head("k")
    copy_by(
        versioned,
        rule(
            "copies",
            SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Enabled"}},
            Destination={"EncryptionConfiguration": {"ReplicaKmsKeyID": there}},
        ),
    )
    versioned.put("k", b"2", ServerSideEncryption="aws:kms", SSEKMSKeyId=here)
    jar.settle()
    assert versioned.head("k")["ReplicationStatus"] == "COMPLETED"
    assert copies.head("k")["SSEKMSKeyId"] == there
    assert copies.read("k") == b"2"


def test_two_buckets_that_copy_to_each_other_come_to_rest(versioned: Bucket) -> None:
    copies = target(versioned.jar)
    both = ("jam", "copies")
    role(versioned.jar, allow(SOURCE_ACTIONS, *both), allow(TARGET_ACTIONS, *both))
    edits = {"SourceSelectionCriteria": {"ReplicaModifications": {"Status": "Enabled"}}}
    copy_by(versioned, rule("copies", **edits))
    copy_by(copies, rule("jam", **edits))
    versioned.put("k", b"1")
    copies.put("k", b"2")
    versioned.jar.settle()
    assert versioned.read("k") == copies.read("k") == b"2"
    for one in (versioned, copies):
        listed = one.s3.list_object_versions(Bucket=one.name)["Versions"]
        assert len(listed) == 2
    assert copies.head("k")["ReplicationStatus"] == "COMPLETED"
    assert versioned.head("k")["ReplicationStatus"] == "REPLICA"
    # A replica's tags come back to where it is from.
    versioned.s3.put_object_tagging(Bucket="jam", Key="k", Tagging={"TagSet": [{"Key": "t", "Value": "1"}]})
    versioned.jar.settle()
    assert copies.s3.get_object_tagging(Bucket="copies", Key="k")["TagSet"] == [{"Key": "t", "Value": "1"}]


REFUSED = [
    ({"Bucket": "arn:aws:s3:::nowhere"}, {}, "Destination bucket must exist."),
    ({"Bucket": "arn:aws:s3:::jam"}, {}, "Destination bucket cannot be the same as the source bucket."),
    ({"Bucket": "arn:aws:s3:::plain"}, {}, "Destination bucket must have versioning enabled."),
    (
        {},
        {"Filter": {"Tag": {"Key": "a", "Value": "b"}}},
        "Delete marker replication is not supported if any Tag filter is specified.",
    ),
    (
        {},
        {"SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}}},
        "EncryptionConfiguration must be specified if SseKmsEncryptedObjects tag is present",
    ),
]


def test_refused(versioned: Bucket) -> None:
    s3 = versioned.s3
    s3.create_bucket(Bucket="plain", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    target(versioned.jar)
    with pytest.raises(ClientError, match="ReplicationConfigurationNotFoundError"):
        s3.get_bucket_replication(Bucket="jam")
    for destination, more, words in REFUSED:
        with pytest.raises(ClientError) as caught:
            copy_by(versioned, rule("copies", Destination=destination, **more))
        assert words in caught.value.response["Error"]["Message"]
    with pytest.raises(ClientError, match="Versioning must be 'Enabled' on the bucket"):
        s3.put_bucket_replication(Bucket="plain", ReplicationConfiguration={"Role": ROLE, "Rules": [rule("copies")]})
    copy_by(versioned, rule("copies"))
    found = s3.get_bucket_replication(Bucket="jam")["ReplicationConfiguration"]
    assert found == {"Role": ROLE, "Rules": [rule("copies")]}
    s3.delete_bucket_replication(Bucket="jam")


def test_what_was_there_before_is_copied_by_a_job(versioned: Bucket) -> None:
    jar = versioned.jar
    before = versioned.put("old", b"1")["VersionId"]
    versioned.put("old", b"2")
    copies = target(jar)
    role(jar, allow(SOURCE_ACTIONS, "jam"), allow(TARGET_ACTIONS, "copies"))
    copy_by(versioned, rule("copies"))
    jar.settle()
    assert copies.keys() == []
    batch = {"Effect": "Allow", "Principal": {"Service": "batchoperations.s3.amazonaws.com"},
             "Action": "sts:AssumeRole"}  # fmt: skip
    iam = jar.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [batch]})
    iam.create_role(RoleName="jobs", AssumeRolePolicyDocument=trust)
    lists = {"Effect": "Allow", "Action": "s3:PutInventoryConfiguration", "Resource": "arn:aws:s3:::jam"}
    may = [lists, allow(["s3:InitiateReplication"], "jam")]
    iam.put_role_policy(RoleName="jobs", PolicyName="p",
                        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": may}))  # fmt: skip
    control = jar.client("s3control", "eu-west-3")
    generator = {"SourceBucket": "arn:aws:s3:::jam", "EnableManifestOutput": False,
                 "Filter": {"EligibleForReplication": True, "ObjectReplicationStatuses": ["NONE"]}}  # fmt: skip
    made = control.create_job(
        AccountId=ACCOUNT, Operation={"S3ReplicateObject": {}}, Report={"Enabled": False}, Priority=1,
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/jobs", ConfirmationRequired=False,
        ManifestGenerator={"S3JobManifestGenerator": generator},
    )  # fmt: skip
    jar.advance(minutes=1)
    found = control.describe_job(AccountId=ACCOUNT, JobId=made["JobId"])["Job"]
    assert (found["Status"], found["ProgressSummary"]["NumberOfTasksSucceeded"]) == ("Complete", 2)
    assert copies.read("old") == b"2"
    assert copies.read("old", VersionId=before) == b"1"
    assert copies.head("old")["ReplicationStatus"] == "REPLICA"
    assert versioned.head("old", VersionId=before)["ReplicationStatus"] == "COMPLETED"
