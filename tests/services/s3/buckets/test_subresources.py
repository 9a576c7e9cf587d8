"""Sub-resources of buckets: put, echoed, taken away, and the error of each that is not there."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from tests.services.s3.buckets.test_buckets import code
from tests.services.s3.conftest import Bucket
from tests.services.s3.raw import ask


class Sub(NamedTuple):
    """One sub-resource: what is put (member, value), what is read back, the error when there is none."""

    name: str
    given: dict[str, Any]
    read: dict[str, Any]
    none: str
    """An error code; "" when there is no error, and `after` is what is told instead."""
    after: dict[str, Any] = {}
    delete: str = ""


RULE = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://example.com"], "MaxAgeSeconds": 60}
SSE = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
BLOCK = {"BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}

SUBS = [
    Sub("bucket_cors", {"CORSConfiguration": {"CORSRules": [RULE]}}, {"CORSRules": [RULE]}, "NoSuchCORSConfiguration",
        delete="bucket_cors"),
    Sub("bucket_tagging", {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}},
        {"TagSet": [{"Key": "a", "Value": "b"}]}, "NoSuchTagSet", delete="bucket_tagging"),
    Sub("bucket_website", {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "i"}}},
        {"IndexDocument": {"Suffix": "i"}}, "NoSuchWebsiteConfiguration", delete="bucket_website"),
    Sub("bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [SSE]}},
        {"ServerSideEncryptionConfiguration": {"Rules": [SSE]}}, "",
        {"ServerSideEncryptionConfiguration": {"Rules": [SSE]}}, delete="bucket_encryption"),
    Sub("bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}, {"Status": "Enabled"}, ""),
    Sub("bucket_request_payment", {"RequestPaymentConfiguration": {"Payer": "Requester"}}, {"Payer": "Requester"}, "",
        {"Payer": "BucketOwner"}),
    Sub("bucket_accelerate_configuration", {"AccelerateConfiguration": {"Status": "Enabled"}},
        {"Status": "Enabled"}, ""),
    Sub("bucket_abac", {"AbacStatus": {"Status": "Enabled"}}, {"AbacStatus": {"Status": "Enabled"}}, "",
        {"AbacStatus": {"Status": "Disabled"}}),
    Sub("public_access_block", {"PublicAccessBlockConfiguration": BLOCK}, {"PublicAccessBlockConfiguration": BLOCK},
        "NoSuchPublicAccessBlockConfiguration", delete="public_access_block"),
    Sub("bucket_ownership_controls", {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}},
        {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}}, "OwnershipControlsNotFoundError",
        delete="bucket_ownership_controls"),
    Sub("bucket_policy", {"Policy": ""}, {}, "NoSuchBucketPolicy", delete="bucket_policy"),
]  # fmt: skip


@pytest.mark.parametrize("sub", [one for one in SUBS if one.name != "bucket_policy"], ids=lambda one: one.name)
def test_put_echoed_and_gone(bucket: Bucket, sub: Sub) -> None:
    def read() -> dict[str, Any]:
        found = getattr(bucket.s3, f"get_{sub.name}")(Bucket="jam")
        found.pop("ResponseMetadata")
        return dict(found)

    if sub.delete:
        getattr(bucket.s3, f"delete_{sub.delete}")(Bucket="jam")
        if sub.none:
            assert code(getattr(bucket.s3, f"get_{sub.name}"), Bucket="jam") == sub.none
    if not sub.none:
        assert read() == sub.after
    getattr(bucket.s3, f"put_{sub.name}")(Bucket="jam", **sub.given)
    assert read() == sub.read
    if sub.delete:
        getattr(bucket.s3, f"delete_{sub.delete}")(Bucket="jam")
        if sub.none:
            assert code(getattr(bucket.s3, f"get_{sub.name}"), Bucket="jam") == sub.none
        else:
            assert read() == sub.after


def policy(bucket: str = "jam", **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "s3:GetObject",
                 "Resource": f"arn:aws:s3:::{bucket}/*", **more}  # fmt: skip
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_a_policy(bucket: Bucket) -> None:
    s3 = bucket.s3
    assert code(s3.get_bucket_policy, Bucket="jam") == "NoSuchBucketPolicy"
    assert code(s3.get_bucket_policy_status, Bucket="jam") == "NoSuchBucketPolicy"
    text = json.dumps(policy())
    s3.put_bucket_policy(Bucket="jam", Policy=text)
    assert s3.get_bucket_policy(Bucket="jam")["Policy"] == text
    assert s3.get_bucket_policy_status(Bucket="jam")["PolicyStatus"] == {"IsPublic": False}
    s3.delete_bucket_policy(Bucket="jam")
    s3.delete_bucket_policy(Bucket="jam")
    assert code(s3.get_bucket_policy, Bucket="jam") == "NoSuchBucketPolicy"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Policies must be valid JSON and the first byte must be '{'"),
        (json.dumps(policy(Resource="arn:aws:s3:::other/*")), "Policy has invalid resource"),
        (json.dumps(policy(Action="s3:GetBucketPolicy")), "Action does not apply to any resource(s) in statement"),
        (json.dumps(policy(Action="sqs:SendMessage")), "Policy has invalid action"),
        (json.dumps(policy(Action="s3:Nonsense")), "Policy has invalid action"),
        (json.dumps(policy(Principal={"AWS": "arn:aws:iam::000000000000:user/nobody"})), "Invalid principal in policy"),
    ],
)
def test_policies_that_are_none(bucket: Bucket, text: str, message: str) -> None:
    with pytest.raises(ClientError) as caught:
        bucket.s3.put_bucket_policy(Bucket="jam", Policy=text)
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("MalformedPolicy", message)


def test_public_policies_are_blocked_until_they_are_not(bucket: Bucket) -> None:
    text = json.dumps(policy(Principal="*"))
    with pytest.raises(ClientError) as caught:
        bucket.s3.put_bucket_policy(Bucket="jam", Policy=text)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert "BlockPublicPolicy" in caught.value.response["Error"]["Message"]
    bucket.s3.delete_public_access_block(Bucket="jam")
    bucket.s3.put_bucket_policy(Bucket="jam", Policy=text)
    assert bucket.s3.get_bucket_policy_status(Bucket="jam")["PolicyStatus"] == {"IsPublic": True}


def test_strangers_do_not_touch_policies(bucket: Bucket) -> None:
    everything = policy(Principal={"AWS": "111111111111"}, Action="s3:*", Resource="arn:aws:s3:::jam")
    bucket.s3.put_bucket_policy(Bucket="jam", Policy=json.dumps(everything))
    other = bucket.jar.client("s3", "eu-west-3", key="111111111111")
    assert other.get_bucket_versioning(Bucket="jam")
    assert code(other.get_bucket_policy, Bucket="jam") == "MethodNotAllowed"


def test_versioning_with_a_lock_stays(make_bucket: Any) -> None:
    locked = make_bucket("locked", ObjectLockEnabledForBucket=True)
    assert locked.s3.get_bucket_versioning(Bucket="locked")["Status"] == "Enabled"
    assert code(locked.versioning, "Suspended") == "InvalidBucketState"


def test_mfa_delete_wants_a_code(bucket: Bucket) -> None:
    wanted = {"Status": "Enabled", "MFADelete": "Enabled"}
    for given in ({}, {"MFA": "arn:aws:iam::000000000000:mfa/root 123456"}):
        answer = code(bucket.s3.put_bucket_versioning, Bucket="jam", VersioningConfiguration=wanted, **given)
        assert answer == "AccessDenied"


def test_cors_rules_that_are_refused(bucket: Bucket) -> None:
    for change, message in (
        ({"AllowedMethods": ["PATCH"]}, "Found unsupported HTTP method in CORS config. Unsupported method is PATCH"),
        ({"AllowedOrigins": ["*.*"]}, 'AllowedOrigin "*.*" can not have more than one wildcard.'),
        ({"ExposeHeaders": ["x-*"]}, 'ExposeHeader "x-*" contains wildcard. We currently do not support wildcard for '
                                     "ExposeHeader."),
    ):  # fmt: skip
        with pytest.raises(ClientError) as caught:
            bucket.s3.put_bucket_cors(Bucket="jam", CORSConfiguration={"CORSRules": [{**RULE, **change}]})
        assert caught.value.response["Error"]["Message"] == message


def test_browsers_ask_beforehand(bucket: Bucket) -> None:
    origin = {"Origin": "https://example.com", "Access-Control-Request-Method": "GET"}
    refused = ask(bucket.jar, "OPTIONS", "/jam/k", origin)
    assert (refused.status, refused.tag("Code")) == (403, "AccessForbidden")
    bucket.s3.put_bucket_cors(Bucket="jam", CORSConfiguration={"CORSRules": [RULE]})
    allowed = ask(bucket.jar, "OPTIONS", "/k", origin, host="jam.s3.localhost")
    assert allowed.status == 200
    assert allowed.headers["access-control-allow-origin"] == "https://example.com"
    assert allowed.headers["access-control-max-age"] == "60"
    assert ask(bucket.jar, "OPTIONS", "/jam/k", {**origin, "Access-Control-Request-Headers": "x-a"}).status == 403
    assert ask(bucket.jar, "OPTIONS", "/jam/k", {**origin, "Origin": "https://evil.example"}).status == 403
    url = bucket.s3.generate_presigned_url("list_objects_v2", Params={"Bucket": "jam"})
    path = url.partition(str(bucket.jar.port))[2]
    answer = ask(bucket.jar, "GET", path, {"Origin": "https://example.com"}, host=f"127.0.0.1:{bucket.jar.port}")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://example.com")
    assert answer.headers["vary"].startswith("Origin")
    # what is no bucket is the API of this machine, which any page here may ask
    assert ask(bucket.jar, "OPTIONS", "/2015-03-31/functions", origin).status == 204


def test_logs_go_where_they_may(bucket: Bucket, make_bucket: Any) -> None:
    target = make_bucket("logs")
    wanted = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "log/"}}
    put = bucket.s3.put_bucket_logging
    assert code(put, Bucket="jam", BucketLoggingStatus=wanted) == "InvalidTargetBucketForLogging"
    allow = policy("logs", Principal={"Service": "logging.s3.amazonaws.com"}, Action="s3:PutObject",
                   Condition={"StringEquals": {"aws:SourceAccount": "000000000000"}})  # fmt: skip
    target.s3.put_bucket_policy(Bucket="logs", Policy=json.dumps(allow))
    put(Bucket="jam", BucketLoggingStatus=wanted)
    assert bucket.s3.get_bucket_logging(Bucket="jam")["LoggingEnabled"] == wanted["LoggingEnabled"]
    put(Bucket="jam", BucketLoggingStatus={})
    assert "LoggingEnabled" not in bucket.s3.get_bucket_logging(Bucket="jam")
    nowhere = {"LoggingEnabled": {"TargetBucket": "nobody", "TargetPrefix": ""}}
    assert code(put, Bucket="jam", BucketLoggingStatus=nowhere) == "InvalidTargetBucketForLogging"


def test_configurations_by_id(bucket: Bucket) -> None:
    s3 = bucket.s3
    for number in range(102):
        name = f"m{number:03}"
        s3.put_bucket_metrics_configuration(Bucket="jam", Id=name, MetricsConfiguration={"Id": name})
    first = s3.list_bucket_metrics_configurations(Bucket="jam")
    assert (first["IsTruncated"], len(first["MetricsConfigurationList"])) == (True, 100)
    rest = s3.list_bucket_metrics_configurations(Bucket="jam", ContinuationToken=first["NextContinuationToken"])
    assert [one["Id"] for one in rest["MetricsConfigurationList"]] == ["m100", "m101"]
    s3.delete_bucket_metrics_configuration(Bucket="jam", Id="m100")
    assert code(s3.get_bucket_metrics_configuration, Bucket="jam", Id="m100") == "NoSuchConfiguration"
    tiering = {"Id": "t", "Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]}
    s3.put_bucket_intelligent_tiering_configuration(Bucket="jam", Id="t", IntelligentTieringConfiguration=tiering)
    got = s3.get_bucket_intelligent_tiering_configuration(Bucket="jam", Id="t")["IntelligentTieringConfiguration"]
    assert got == tiering
    soon = {**tiering, "Tierings": [{"Days": 5, "AccessTier": "ARCHIVE_ACCESS"}]}
    put = s3.put_bucket_intelligent_tiering_configuration
    assert code(put, Bucket="jam", Id="t", IntelligentTieringConfiguration=soon) == "InvalidArgument"
