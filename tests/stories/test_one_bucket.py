"""A function that reads one bucket: its role begins too wide, what it does is on record, and what it did is all that it
may do in the end.
"""

from __future__ import annotations

import gzip
import json
from typing import Any

from botocore.exceptions import ClientError

from cloudjar.base.caller import service
from cloudjar.gateway import why
from cloudjar.kit.context import Ctx
from tests.jar import ACCOUNT, TestJar
from tests.services.cloudtrail.trails import bucket_policy
from tests.services.iam.people import Person, allow, policy, refused, role, trust_service

REGION = "eu-west-3"
IN, OUT = "arn:aws:s3:::reports/in/*", "arn:aws:s3:::reports/out/*"


def function(jar: TestJar, arn: str) -> Person:
    """The function as it runs: with the session that its service opened for its role."""
    ctx = Ctx(jar.jar.world, ACCOUNT, REGION, service("lambda.amazonaws.com", ACCOUNT))
    with jar.jar.database.transaction():
        made = ctx.assume(arn, service="lambda.amazonaws.com", session_name="reporter")
    return Person(jar, made.caller.arn, made.access_key_id, made.secret, made.token)


def buckets(jar: TestJar) -> Any:
    """Two buckets with files under two prefixes each, and one for the trail."""
    s3 = jar.client("s3")
    for name in ("reports", "payroll", "audited"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    for name in ("reports", "payroll"):
        for key in ("in/01.csv", "in/02.csv", "out/01.csv"):
            s3.put_object(Bucket=name, Key=key, Body=f"{name} {key}".encode())
    s3.put_bucket_policy(Bucket="audited", Policy=json.dumps(bucket_policy("audited")))
    return s3


def work(s3: Any) -> None:
    """What the function is for."""
    listed = s3.list_objects_v2(Bucket="reports", Prefix="in/")["Contents"]
    assert [item["Key"] for item in listed] == ["in/01.csv", "in/02.csv"]
    for item in listed:
        with s3.get_object(Bucket="reports", Key=item["Key"])["Body"] as body:
            assert body.read() == f"reports {item['Key']}".encode()


def misuse(s3: Any) -> None:
    """What somebody who got hold of its credentials would like to do."""
    denied = "AccessDenied"
    for bucket, key in (("reports", "out/01.csv"), ("payroll", "in/01.csv"), ("payroll", "out/01.csv")):
        with refused(denied, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", "no identity-based policy allows"):
            s3.get_object(Bucket=bucket, Key=key)
    with refused(denied, "s3:PutObject"):
        s3.put_object(Bucket="reports", Key="in/01.csv", Body=b"forged")
    with refused(denied, "s3:DeleteObject"):
        s3.delete_object(Bucket="reports", Key="in/01.csv")
    with refused(denied, "s3:ListBucket"):
        s3.list_objects_v2(Bucket="payroll")
    with refused(denied, "s3:ListAllMyBuckets"):
        s3.list_buckets()
    with refused(denied, "s3:PutBucketPolicy"):
        s3.put_bucket_policy(Bucket="reports", Policy=policy(allow("s3:*")))
    with refused(denied, "s3:PutObject"):
        s3.copy_object(Bucket="reports", Key="in/03.csv", CopySource="reports/in/01.csv")


def explained(jar: TestJar, call: Any, **params: Any) -> dict[str, Any]:
    """What `cloudjar why` tells of a call that is refused."""
    try:
        call(**params)
    except ClientError as error:
        request = error.response["ResponseMetadata"]["RequestId"]
    event = jar.jar.audit.by_request(request)
    assert event is not None
    [account] = why.explained(event)["authorization"]["accounts"]
    assert isinstance(account, dict)
    return account


def test_least_privilege_for_a_function_that_reads_one_prefix(jar: TestJar, iam: Any) -> None:
    buckets(jar)
    listing = allow("s3:ListBucket", on="arn:aws:s3:::reports", Condition={"StringLike": {"s3:prefix": "in/*"}})
    arn = role(jar, "reporter", trust_service("lambda.amazonaws.com"), allow("s3:GetObject", on=IN), listing)
    s3 = function(jar, arn).client("s3")
    work(s3)
    misuse(s3)
    with refused("AccessDenied", "s3:ListBucket"):
        s3.list_objects_v2(Bucket="reports", Prefix="out/")
    # The explanation names the smallest statement that would help, and it does; no more than that.
    told = explained(jar, s3.get_object, Bucket="reports", Key="out/01.csv")
    assert (told["action"], told["resource"]) == ("s3:GetObject", "arn:aws:s3:::reports/out/01.csv")
    [addition] = told["remedy"]["additions"]
    assert addition["statement"] == {
        "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/out/01.csv",
    }  # fmt: skip
    iam.put_role_policy(RoleName="reporter", PolicyName="more", PolicyDocument=policy(addition["statement"]))
    s3.get_object(Bucket="reports", Key="out/01.csv")["Body"].read()
    with refused("AccessDenied"):
        s3.get_object(Bucket="payroll", Key="out/01.csv")
    # A bucket that forbids has the last word, and is named.
    forbids = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": OUT}
    jar.client("s3").put_bucket_policy(Bucket="reports", Policy=policy(forbids))
    told = explained(jar, s3.get_object, Bucket="reports", Key="out/01.csv")
    assert told["verdict"] == "explicitDeny"


def test_what_it_did_becomes_what_it_may(jar: TestJar, iam: Any) -> None:
    """Too wide at first; a trail has it on record; the policy that is made of the record is the least that works."""
    root = buckets(jar)
    trail = jar.client("cloudtrail")
    trail.create_trail(Name="main", S3BucketName="audited")
    watched = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::reports/", "arn:aws:s3:::payroll/"]}]
    trail.put_event_selectors(TrailName="main", EventSelectors=[{"DataResources": watched}])
    trail.start_logging(Name="main")
    arn = role(jar, "reporter", trust_service("lambda.amazonaws.com"), allow("s3:*"))
    s3 = function(jar, arn).client("s3")
    work(s3)
    jar.advance(minutes=5)
    analyzer = jar.client("accessanalyzer")
    job = analyzer.start_policy_generation(policyGenerationDetails={"principalArn": arn})["jobId"]
    jar.settle()
    [made] = analyzer.get_generated_policy(jobId=job)["generatedPolicyResult"]["generatedPolicies"]
    assert json.loads(made["policy"])["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::reports"},
        {"Effect": "Allow", "Action": ["s3:GetObject"],
         "Resource": ["arn:aws:s3:::reports/in/01.csv", "arn:aws:s3:::reports/in/02.csv"]},
    ]  # fmt: skip
    found = analyzer.validate_policy(policyDocument=made["policy"], policyType="IDENTITY_POLICY")["findings"]
    assert found == []
    iam.put_role_policy(RoleName="reporter", PolicyName="own", PolicyDocument=made["policy"])
    s3 = function(jar, arn).client("s3")
    work(s3)
    misuse(s3)
    jar.advance(minutes=5)
    records = []
    for item in root.list_objects_v2(Bucket="audited")["Contents"]:
        with root.get_object(Bucket="audited", Key=item["Key"])["Body"] as body:
            records += json.loads(gzip.decompress(body.read()))["Records"]
    his = [r for r in records if r["userIdentity"].get("arn", "").endswith("assumed-role/reporter/reporter")]
    read = [r["requestParameters"]["key"] for r in his if r["eventName"] == "GetObject" and "errorCode" not in r]
    assert sorted(read) == ["in/01.csv", "in/01.csv", "in/02.csv", "in/02.csv"]
    stopped = {(r["eventName"], (r["requestParameters"] or {}).get("bucketName")) for r in his if "errorCode" in r}
    assert stopped >= {("GetObject", "payroll"), ("PutObject", "reports"), ("DeleteObject", "reports")}
    assert {r["errorCode"] for r in his if "errorCode" in r} == {"AccessDenied"}
