"""Delivery streams: made, described, changed, ended; what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.answers import document, statement
from tests.services.firehose.streams import ROLE, bucket, files, made, put, ready, refused, role, to

ARN = f"arn:aws:firehose:eu-west-3:{ACCOUNT}:deliverystream/d"


def described(firehose: Any) -> dict[str, Any]:
    told = firehose.describe_delivery_stream(DeliveryStreamName="d")["DeliveryStreamDescription"]
    return dict(told)


def test_a_delivery_stream_is_made_described_and_ended(jar: TestJar) -> None:
    role(jar)
    firehose = jar.client("firehose")
    asked = {"DeliveryStreamName": "d", "ExtendedS3DestinationConfiguration": to(Prefix="p/")}
    assert firehose.create_delivery_stream(**asked, Tags=[{"Key": "a", "Value": "b"}])["DeliveryStreamARN"] == ARN
    assert described(firehose)["DeliveryStreamStatus"] == "CREATING"
    message = refused("ResourceNotFoundException", firehose.put_record, DeliveryStreamName="d", Record={"Data": b"x"})
    assert message == f"Firehose d under account {ACCOUNT} not found."
    message = refused("ResourceInUseException", firehose.create_delivery_stream, **asked)
    assert message == f"Firehose d under accountId {ACCOUNT} already exists"
    ready(jar)
    told = described(firehose)
    assert (told["DeliveryStreamStatus"], told["VersionId"], told["DeliveryStreamType"]) == ("ACTIVE", "1", "DirectPut")
    [there] = told["Destinations"]
    assert there["DestinationId"] == "destinationId-000000000001"
    assert there["ExtendedS3DestinationDescription"]["BufferingHints"] == {"SizeInMBs": 5, "IntervalInSeconds": 300}
    assert there["S3DestinationDescription"]["Prefix"] == "p/"
    assert firehose.list_delivery_streams()["DeliveryStreamNames"] == ["d"]
    assert firehose.list_delivery_streams(DeliveryStreamType="KinesisStreamAsSource")["DeliveryStreamNames"] == []
    firehose.delete_delivery_stream(DeliveryStreamName="d")
    assert described(firehose)["DeliveryStreamStatus"] == "DELETING"
    ready(jar)
    refused("ResourceNotFoundException", firehose.describe_delivery_stream, DeliveryStreamName="d")


def test_the_destination_is_changed_by_its_version(jar: TestJar) -> None:
    role(jar)
    s3, firehose = bucket(jar), made(jar, ExtendedS3DestinationConfiguration=to(Prefix="old/"))
    asked = {"DeliveryStreamName": "d", "DestinationId": "destinationId-000000000001"}
    update = {"ExtendedS3DestinationUpdate": {"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60}}}
    message = refused(
        "ConcurrentModificationException", firehose.update_destination, **asked, **update,
        CurrentDeliveryStreamVersionId="2",
    )  # fmt: skip
    assert "current version id: 1 and specified version id: 2 do not match" in message
    firehose.update_destination(**asked, **update, CurrentDeliveryStreamVersionId="1")
    told = described(firehose)
    assert told["VersionId"] == "2"
    assert told["LastUpdateTimestamp"] == jar.clock.now()
    there = told["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert (there["Prefix"], there["BufferingHints"]["IntervalInSeconds"]) == ("old/", 60)
    put(firehose, b"x")
    jar.advance(seconds=60)
    [key] = files(s3)
    assert key.startswith("old/2026/01/15/12/d-2-")


@pytest.mark.parametrize(
    "more",
    [
        {"CompressionFormat": "Snappy"},
        {"DataFormatConversionConfiguration": {"Enabled": True}},
        {"DynamicPartitioningConfiguration": {"Enabled": True}},
        {"Prefix": "!{partitionKeyFromQuery:a}/", "ErrorOutputPrefix": "e/"},
        {"ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "Lambda"}]}},
    ],
)
def test_what_is_not_built_says_so(steady_jar: TestJar, more: dict[str, Any]) -> None:
    role(steady_jar)
    firehose = steady_jar.client("firehose")
    message = refused(
        "NotImplemented", firehose.create_delivery_stream, DeliveryStreamName="d",
        ExtendedS3DestinationConfiguration=to(**more),
    )  # fmt: skip
    assert "is not built in Cloudjar yet" in message
    assert firehose.list_delivery_streams()["DeliveryStreamNames"] == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"Prefix": "!{timestamp:yyyy}/"}, "ErrorOutputPrefix cannot be null or empty"),
        ({"Prefix": "!{timestamp:yyyy}/", "ErrorOutputPrefix": "!{timestamp:yyyy}/"}, "firehose:error-output-type"),
        ({"Prefix": "!{timestamp:yyyyQ}/", "ErrorOutputPrefix": "e/"}, "not supported: Q"),
        ({"Prefix": "!{firehose:error-output-type}/", "ErrorOutputPrefix": "e/"}, "is not supported here"),
        ({"S3BackupMode": "Enabled"}, "S3BackupConfiguration is required"),
        ({"CustomTimeZone": "Mars/Olympus"}, "is not a time zone"),
    ],
)
def test_destinations_that_may_not_be(steady_jar: TestJar, more: dict[str, Any], said: str) -> None:
    role(steady_jar)
    message = refused(
        "InvalidArgumentException", steady_jar.client("firehose").create_delivery_stream, DeliveryStreamName="d",
        ExtendedS3DestinationConfiguration=to(**more),
    )  # fmt: skip
    assert said in message


def test_a_batch_is_four_megabytes_at_most(steady_jar: TestJar) -> None:
    role(steady_jar)
    firehose = made(steady_jar)
    records = [{"Data": b"x" * 1_000_000}] * 5
    message = refused("InvalidArgumentException", firehose.put_record_batch, DeliveryStreamName="d", Records=records)
    assert message == "Records size exceeds 4 MB limit"


def test_tags(jar: TestJar) -> None:
    role(jar)
    firehose = made(jar)
    firehose.tag_delivery_stream(DeliveryStreamName="d", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    page = firehose.list_tags_for_delivery_stream(DeliveryStreamName="d", Limit=1)
    assert (page["Tags"], page["HasMoreTags"]) == ([{"Key": "a", "Value": "1"}], True)
    firehose.untag_delivery_stream(DeliveryStreamName="d", TagKeys=["a"])
    told = firehose.list_tags_for_delivery_stream(DeliveryStreamName="d")
    assert (told["Tags"], told["HasMoreTags"]) == ([{"Key": "b", "Value": "2"}], False)


def test_who_makes_one_must_be_allowed_to_pass_the_role(jar: TestJar) -> None:
    role(jar)
    iam = jar.client("iam")
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    user = jar.client("firehose", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    asked = {"DeliveryStreamName": "d", "S3DestinationConfiguration": to()}
    for grants in ([statement("firehose:*")], [statement("firehose:*"), statement("iam:PassRole", f"{ROLE}x")]):
        iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=document(*grants))
        message = refused("AccessDeniedException", user.create_delivery_stream, **asked)
        assert "iam:PassRole" in message
    passing = statement("iam:PassRole", ROLE,
                        Condition={"StringEquals": {"iam:PassedToService": "firehose.amazonaws.com"}})  # fmt: skip
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=document(statement("firehose:*", ARN), passing))
    assert user.create_delivery_stream(**asked)["DeliveryStreamARN"] == ARN
