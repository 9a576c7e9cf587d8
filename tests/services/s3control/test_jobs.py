"""S3 Batch Operations, through clients."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.s3.buckets.test_buckets import code
from tests.services.s3.conftest import REGION, Bucket, create
from tests.services.s3.test_bill import used

ROLE = f"arn:aws:iam::{ACCOUNT}:role/batch"
TRUST = {"Effect": "Allow", "Principal": {"Service": "batchoperations.s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
CSV = "S3BatchOperations_CSV_20180820"


def allowed(jar: TestJar, *actions: str, resource: str = "*") -> None:
    """What the role of jobs may."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    jar.client("iam").put_role_policy(RoleName="batch", PolicyName="p", PolicyDocument=text)


@pytest.fixture
def control(jar: TestJar) -> Any:
    """S3 Control in Paris; the role that jobs get, which may everything with S3."""
    jar.client("iam").create_role(
        RoleName="batch", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    )
    allowed(jar, "s3:*")
    return jar.client("s3control", REGION)


@pytest.fixture
def bucket(jar: TestJar) -> Bucket:
    """A bucket with some objects, and one for manifests and reports."""
    create(jar, "lists")
    made = create(jar, "jam")
    for key in ("a", "b c", "dé"):
        made.put(key, key.encode())
    return made


def manifest(bucket: Bucket, *lines: str, fields: tuple[str, ...] = ("Bucket", "Key")) -> dict[str, Any]:
    """A manifest of some lines."""
    put = bucket.s3.put_object(Bucket="lists", Key="m.csv", Body="".join(f"{line}\n" for line in lines).encode())
    location = {"ObjectArn": "arn:aws:s3:::lists/m.csv", "ETag": put["ETag"].strip('"')}
    return {"Spec": {"Format": CSV, "Fields": list(fields)}, "Location": location}


def job(control: Any, operation: dict[str, Any], **more: Any) -> str:
    """A new job's id."""
    report = {"Bucket": "arn:aws:s3:::lists", "Format": "Report_CSV_20180820", "Enabled": True, "Prefix": "out",
              "ReportScope": "AllTasks"}  # fmt: skip
    given = {"Priority": 10, "RoleArn": ROLE, "ConfirmationRequired": False, "Report": report, **more}
    made: str = control.create_job(AccountId=ACCOUNT, Operation=operation, **given)["JobId"]
    return made


def told(control: Any, name: str) -> dict[str, Any]:
    """DescribeJob."""
    found: dict[str, Any] = control.describe_job(AccountId=ACCOUNT, JobId=name)["Job"]
    return found


def report(bucket: Bucket, name: str) -> dict[str, list[list[str]]]:
    """A job's report: rows by how they came out."""
    lists = Bucket(bucket.jar, bucket.s3, "lists")
    text = lists.read(f"out/job-{name}/manifest.json")
    assert lists.read(f"out/job-{name}/manifest.json.md5").decode() == hashlib.md5(text).hexdigest()
    found = {}
    for one in json.loads(text)["Results"]:
        body = lists.read(one["Key"])
        assert one["MD5Checksum"] == hashlib.md5(body).hexdigest()
        found[one["TaskExecutionStatus"]] = list(csv.reader(io.StringIO(body.decode())))
    return found


TAGS = {"S3PutObjectTagging": {"TagSet": [{"Key": "t", "Value": "1"}]}}


def test_tags_by_a_manifest_with_a_report(bucket: Bucket, control: Any) -> None:
    name = job(control, TAGS, Manifest=manifest(bucket, "jam,a", "jam,b%20c", "jam,nothing"), Description="d")
    assert told(control, name)["Status"] in ("New", "Preparing")
    bucket.jar.settle()
    assert told(control, name)["Status"] == "Preparing"
    bucket.jar.advance(seconds=5)
    assert told(control, name)["Status"] == "Ready"
    bucket.jar.advance(minutes=1)
    found = told(control, name)
    assert found["Status"] == "Complete"
    assert found["JobArn"] == f"arn:aws:s3:{REGION}:{ACCOUNT}:job/{name}"
    progress = found["ProgressSummary"]
    assert [progress[f"NumberOfTasks{what}"] for what in ("Succeeded", "Failed")] == [2, 1]
    assert found["TerminationDate"] > found["CreationTime"]
    tagged = bucket.s3.get_object_tagging(Bucket="jam", Key="b c")["TagSet"]
    assert tagged == [{"Key": "t", "Value": "1"}]
    rows = report(bucket, name)
    assert rows["succeeded"] == [["jam", "a", "", "succeeded", "200", "", "Successful"],
                                 ["jam", "b%20c", "", "succeeded", "200", "", "Successful"]]  # fmt: skip
    assert [row[:6] for row in rows["failed"]] == [["jam", "nothing", "", "failed", "404", "NoSuchKey"]]
    assert [int(used(bucket, f"BatchOperations-{what}")) for what in ("Jobs", "Objects")] == [1, 3]
    bucket.jar.advance(days=90)
    assert code(control.describe_job, AccountId=ACCOUNT, JobId=name) == "NoSuchJobException"


def test_a_job_waits_to_be_confirmed_and_may_be_given_up(bucket: Bucket, control: Any) -> None:
    lines = manifest(bucket, "jam,a")
    first = job(control, TAGS, Manifest=lines, ConfirmationRequired=True)
    second = job(control, TAGS, Manifest=lines, ConfirmationRequired=True, Tags=[{"Key": "k", "Value": "v"}])
    third = job(control, TAGS, Manifest=lines, ConfirmationRequired=True)
    bucket.jar.advance(minutes=1)
    found = told(control, first)
    assert (found["Status"], found["SuspendedCause"]) == ("Suspended", "AwaitingConfirmation")
    change = control.update_job_status
    ready = change(AccountId=ACCOUNT, JobId=first, RequestedJobStatus="Ready", StatusUpdateReason="yes")
    assert ready["Status"] == "Ready"
    given_up = change(AccountId=ACCOUNT, JobId=second, RequestedJobStatus="Cancelled")
    assert given_up["Status"] == "Cancelling"
    assert control.update_job_priority(AccountId=ACCOUNT, JobId=first, Priority=3)["Priority"] == 3
    bucket.jar.advance(minutes=1)
    assert [told(control, name)["Status"] for name in (first, second)] == ["Complete", "Cancelled"]
    assert code(change, AccountId=ACCOUNT, JobId=first, RequestedJobStatus="Ready") == "JobStatusException"
    listed = control.list_jobs(AccountId=ACCOUNT, JobStatuses=["Cancelled"])["Jobs"]
    assert [(one["JobId"], one["Operation"]) for one in listed] == [(second, "S3PutObjectTagging")]
    page = control.list_jobs(AccountId=ACCOUNT, MaxResults=2)
    rest = control.list_jobs(AccountId=ACCOUNT, NextToken=page["NextToken"])
    assert {one["JobId"] for one in page["Jobs"] + rest["Jobs"]} == {first, second, third}
    which = {"AccountId": ACCOUNT, "JobId": second}
    assert control.get_job_tagging(**which)["Tags"] == [{"Key": "k", "Value": "v"}]
    control.put_job_tagging(**which, Tags=[{"Key": "k", "Value": "w"}])
    assert control.get_job_tagging(**which)["Tags"] == [{"Key": "k", "Value": "w"}]
    control.delete_job_tagging(**which)
    assert control.get_job_tagging(**which)["Tags"] == []
    bucket.jar.advance(days=30)
    assert told(control, third)["Status"] == "Failed"


def test_copies_with_a_prefix_and_new_tags(bucket: Bucket, control: Any, jar: TestJar) -> None:
    target = create(jar, "copies")
    copy = {"S3PutObjectCopy": {"TargetResource": "arn:aws:s3:::copies", "TargetKeyPrefix": "in",
                                "StorageClass": "STANDARD_IA", "NewObjectTagging": [{"Key": "n", "Value": "a b"}],
                                "ChecksumAlgorithm": "SHA256"}}  # fmt: skip
    name = job(control, copy, Manifest=manifest(bucket, "jam,d%C3%A9", "jam,a"))
    jar.advance(minutes=1)
    assert told(control, name)["ProgressSummary"]["NumberOfTasksSucceeded"] == 2
    assert target.keys() == ["in/a", "in/dé"]
    assert target.read("in/dé") == "dé".encode()
    head = target.head("in/a", ChecksumMode="ENABLED")
    assert (head["StorageClass"], "ChecksumSHA256" in head) == ("STANDARD_IA", True)
    assert target.s3.get_object_tagging(Bucket="copies", Key="in/a")["TagSet"] == [{"Key": "n", "Value": "a b"}]


def test_restores_locks_and_acls(jar: TestJar, control: Any) -> None:
    create(jar, "lists")
    bucket = create(jar, "jam", ObjectLockEnabledForBucket=True, ObjectOwnership="ObjectWriter")
    bucket.put("cold", b"x", StorageClass="GLACIER")
    until = datetime(2027, 1, 1, tzinfo=UTC)
    kinds: list[dict[str, Any]] = [
        {"S3InitiateRestoreObject": {"ExpirationInDays": 2, "GlacierJobTier": "BULK"}},
        {"S3PutObjectLegalHold": {"LegalHold": {"Status": "ON"}}},
        {"S3PutObjectRetention": {"Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": until}}},
        {"S3PutObjectAcl": {"AccessControlPolicy": {"CannedAccessControlList": "authenticated-read"}}},
        {"S3DeleteObjectTagging": {}},
    ]
    bucket.s3.delete_public_access_block(Bucket="jam")
    bucket.s3.put_object_tagging(Bucket="jam", Key="cold", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    lines = manifest(bucket, "jam,cold")
    names = [job(control, kind, Manifest=lines) for kind in kinds]
    jar.advance(minutes=1)
    done = [told(control, name)["ProgressSummary"]["NumberOfTasksSucceeded"] for name in names]
    assert done == [1] * 5, [report(bucket, name) for name in names]
    head = bucket.head("cold")
    assert head["Restore"] == 'ongoing-request="true"'
    assert (head["ObjectLockMode"], head["ObjectLockLegalHoldStatus"]) == ("GOVERNANCE", "ON")
    assert head["ObjectLockRetainUntilDate"] == until
    grants = bucket.s3.get_object_acl(Bucket="jam", Key="cold")["Grants"]
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL", "READ"]
    assert bucket.s3.get_object_tagging(Bucket="jam", Key="cold")["TagSet"] == []


def test_the_role_decides(bucket: Bucket, control: Any, jar: TestJar) -> None:
    lines = manifest(bucket, "jam,a")
    allowed(jar, "s3:PutObjectTagging")
    blind = job(control, TAGS, Manifest=lines)
    jar.advance(minutes=1)
    found = told(control, blind)
    assert (found["Status"], found["FailureReasons"][0]["FailureCode"]) == ("Failed", "AccessDenied")
    allowed(jar, "s3:GetObject", "s3:PutObject")
    idle = job(control, TAGS, Manifest=lines)
    jar.advance(minutes=1)
    assert told(control, idle)["Status"] == "Complete"
    assert [row[:6] for row in report(bucket, idle)["failed"]] == [["jam", "a", "", "failed", "403", "AccessDenied"]]
    jar.client("iam").update_assume_role_policy(
        RoleName="batch", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {**TRUST, "Principal": {"Service": "s3.amazonaws.com"}}]}))  # fmt: skip
    alone = job(control, TAGS, Manifest=lines)
    jar.advance(minutes=1)
    assert "Failed to assume role" in told(control, alone)["FailureReasons"][0]["FailureReason"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda m: m["Location"].update(ETag="0" * 32), "ManifestETagMismatch"),
        (lambda m: m["Location"].update(ObjectArn="arn:aws:s3:::lists/none"), "ManifestNotFound"),
        (lambda m: m["Spec"].update(Fields=["Bucket", "Key", "VersionId"]), "InvalidManifestContent"),
    ],
)
def test_bad_manifests_fail_the_job(bucket: Bucket, control: Any, change: Callable[[Any], None], why: str) -> None:
    given = manifest(bucket, "jam,a")
    change(given)
    name = job(control, TAGS, Manifest=given)
    bucket.jar.advance(minutes=1)
    found = told(control, name)
    assert (found["Status"], found["FailureReasons"][0]["FailureCode"]) == ("Failed", why)
    assert used(bucket, "BatchOperations-Jobs") == 0


def test_an_inventory_is_a_manifest(bucket: Bucket, control: Any) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "s3:PutObject",
                 "Resource": "arn:aws:s3:::lists/*"}  # fmt: skip
    bucket.s3.put_bucket_policy(
        Bucket="lists", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    place = {"Bucket": "arn:aws:s3:::lists", "Format": "CSV", "Prefix": "inv"}
    wanted = {"Id": "all", "IsEnabled": True, "IncludedObjectVersions": "Current",
              "Schedule": {"Frequency": "Daily"}, "Destination": {"S3BucketDestination": place}}  # fmt: skip
    bucket.s3.put_bucket_inventory_configuration(Bucket="jam", Id="all", InventoryConfiguration=wanted)
    bucket.jar.advance(hours=14)
    keys = Bucket(bucket.jar, bucket.s3, "lists").keys()
    (key,) = [one for one in keys if one.endswith("manifest.json")]
    etag = bucket.s3.head_object(Bucket="lists", Key=key)["ETag"]
    given = {"Spec": {"Format": "S3InventoryReport_CSV_20161130"},
             "Location": {"ObjectArn": f"arn:aws:s3:::lists/{key}", "ETag": etag}}  # fmt: skip
    name = job(control, TAGS, Manifest=given)
    bucket.jar.advance(minutes=1)
    assert told(control, name)["ProgressSummary"]["NumberOfTasksSucceeded"] == 3
    assert bucket.s3.get_object_tagging(Bucket="jam", Key="dé")["TagSet"] == [{"Key": "t", "Value": "1"}]


def test_a_manifest_made_by_the_job(bucket: Bucket, control: Any) -> None:
    place = {"Bucket": "arn:aws:s3:::lists", "ManifestPrefix": "made",
             "ManifestFormat": "S3InventoryReport_CSV_20211130"}  # fmt: skip
    generator = {"S3JobManifestGenerator": {
        "SourceBucket": "arn:aws:s3:::jam", "EnableManifestOutput": True, "ManifestOutputLocation": place,
        "Filter": {"KeyNameConstraint": {"MatchAnySuffix": ["c", "é"]}, "ObjectSizeGreaterThanBytes": 1},
    }}  # fmt: skip
    name = job(control, TAGS, ManifestGenerator=generator)
    bucket.jar.advance(minutes=1)
    found = told(control, name)
    assert (found["Status"], found["ProgressSummary"]["NumberOfTasksSucceeded"]) == ("Complete", 2)
    where = found["GeneratedManifestDescriptor"]["Location"]["ObjectArn"]
    held = Bucket(bucket.jar, bucket.s3, "lists").read(where.removeprefix("arn:aws:s3:::lists/"))
    assert json.loads(held)["fileSchema"] == "Bucket, Key, VersionId"
    assert bucket.s3.get_object_tagging(Bucket="jam", Key="a")["TagSet"] == []


def test_what_create_job_refuses(bucket: Bucket, control: Any) -> None:
    lines = manifest(bucket, "jam,a")

    def refused(operation: dict[str, Any], **more: Any) -> str:
        return code(lambda **_: job(control, operation, **more))

    assert refused(TAGS) == "InvalidRequest"
    assert refused({**TAGS, "S3DeleteObjectTagging": {}}, Manifest=lines) == "InvalidRequest"
    assert refused({"S3ReplicateObject": {}}, Manifest=lines) == "InvalidRequest"
    lambda_invoke = {"LambdaInvoke": {"FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"}}
    assert refused(lambda_invoke, Manifest=lines) == "NotImplemented"
    assert refused(TAGS, Manifest=lines, Report={"Enabled": True}) == "InvalidRequest"
    assert control.list_jobs(AccountId=ACCOUNT)["Jobs"] == []
    ann = bucket.jar.client("iam")
    ann.create_user(UserName="ann")
    key = ann.create_access_key(UserName="ann")["AccessKey"]
    may = {"Effect": "Allow", "Action": "s3:CreateJob", "Resource": "*"}
    ann.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [may]}))  # fmt: skip
    hers = bucket.jar.client("s3control", REGION, key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert code(lambda **_: job(hers, TAGS, Manifest=lines)) == "AccessDenied"  # the role is not hers to pass
