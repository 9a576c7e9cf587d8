"""Records into buckets: when, under which name, packed how, and as whom."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar, running
from tests.services.firehose.streams import BUCKET, ROLE, bucket, files, made, put, ready, refused, role, to


def test_a_buffer_is_delivered_when_its_time_has_come(jar: TestJar) -> None:
    role(jar)
    s3, firehose = bucket(jar), made(jar)
    put(firehose, b"a\n", b"b\n")
    jar.advance(seconds=100)
    told = firehose.put_record(DeliveryStreamName="d", Record={"Data": b"c\n"})
    assert len(told["RecordId"]) > 200
    assert not told["Encrypted"]
    jar.advance(seconds=199)
    assert files(s3) == {}
    jar.advance(seconds=1)
    [(key, body)] = files(s3).items()
    assert body == b"a\nb\nc\n"
    assert re.fullmatch(r"2026/01/15/12/d-1-2026-01-15-12-00-02-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", key)
    put(firehose, b"d")
    jar.advance(seconds=300)
    assert sorted(files(s3).values()) == [b"a\nb\nc\n", b"d"]


def test_a_buffer_is_delivered_when_it_is_full(jar: TestJar) -> None:
    role(jar)
    hints = {"SizeInMBs": 1, "IntervalInSeconds": 900}
    s3, firehose = bucket(jar), made(jar, ExtendedS3DestinationConfiguration=to(BufferingHints=hints))
    for n in range(3):
        put(firehose, bytes([n]) * 600_000)
    jar.settle()
    [whole] = files(s3).values()
    assert whole == bytes([0]) * 600_000 + bytes([1]) * 600_000
    jar.advance(seconds=900)
    assert sorted(files(s3).values()) == [whole, bytes([2]) * 600_000]


@pytest.mark.parametrize("form", ["GZIP", "ZIP"])
def test_files_are_compressed_and_their_names_say_so(jar: TestJar, form: str) -> None:
    role(jar)
    s3, firehose = bucket(jar), made(jar, ExtendedS3DestinationConfiguration=to(CompressionFormat=form))
    put(firehose, b"hello ", b"world")
    jar.advance(seconds=300)
    [(key, body)] = files(s3).items()
    if form == "GZIP":
        assert key.endswith(".gz")
        assert gzip.decompress(body) == b"hello world"
    else:
        archive = zipfile.ZipFile(io.BytesIO(body))
        assert archive.read(archive.namelist()[0]) == b"hello world"


def test_prefixes_time_zones_extensions_and_delimiters(jar: TestJar) -> None:
    role(jar)
    processors = [{"Type": "AppendDelimiterToRecord",
                   "Parameters": [{"ParameterName": "Delimiter", "ParameterValue": "\\n"}]}]  # fmt: skip
    there = to(
        Prefix="logs/year=!{timestamp:yyyy}/!{timestamp:'d'DDD-HH}/!{firehose:random-string}/",
        ErrorOutputPrefix="bad/!{firehose:error-output-type}/",
        CustomTimeZone="Asia/Tokyo",
        FileExtension=".log",
        ProcessingConfiguration={"Enabled": True, "Processors": processors},
    )
    s3, firehose = bucket(jar), made(jar, ExtendedS3DestinationConfiguration=there)
    put(firehose, b"a", b"b")
    jar.advance(seconds=300)
    [(key, body)] = files(s3).items()
    assert re.fullmatch(r"logs/year=2026/d015-21/[a-zA-Z0-9]{11}/d-1-2026-01-15-21-00-02-[0-9a-f-]{36}\.log", key)
    assert body == b"a\nb\n"


def test_what_came_is_backed_up(jar: TestJar) -> None:
    role(jar)
    there = to(Prefix="made/", S3BackupMode="Enabled", S3BackupConfiguration=to("backup", Prefix="raw/"))
    bucket(jar, "backup")
    s3, firehose = bucket(jar), made(jar, ExtendedS3DestinationConfiguration=there)
    put(firehose, b"x")
    jar.advance(seconds=300)
    assert list(files(s3, "backup").values()) == list(files(s3).values()) == [b"x"]
    [key] = files(s3, "backup")
    assert key.startswith("raw/2026/01/15/12/d-1-")


def test_what_cannot_be_delivered_is_tried_again_and_told_to_the_log(jar: TestJar) -> None:
    role(jar, "s3:*", "logs:*")
    logs = jar.client("logs")
    logs.create_log_group(logGroupName="/aws/kinesisfirehose/d")
    logs.create_log_stream(logGroupName="/aws/kinesisfirehose/d", logStreamName="S3Delivery")
    options = {"Enabled": True, "LogGroupName": "/aws/kinesisfirehose/d", "LogStreamName": "S3Delivery"}
    firehose = made(jar, ExtendedS3DestinationConfiguration=to(CloudWatchLoggingOptions=options))
    put(firehose, b"x")
    jar.advance(seconds=301)
    told = logs.get_log_events(logGroupName="/aws/kinesisfirehose/d", logStreamName="S3Delivery")["events"]
    line = json.loads(told[0]["message"])
    assert line["errorCode"] == "S3.NoSuchBucket"
    assert line["destination"] == f"arn:aws:s3:::{BUCKET}"
    assert line["deliveryStreamARN"] == f"arn:aws:firehose:eu-west-3:{ACCOUNT}:deliverystream/d"
    s3 = bucket(jar)
    jar.advance(minutes=15)
    assert list(files(s3).values()) == [b"x"]


def test_delivery_is_given_up_after_a_day(jar: TestJar) -> None:
    role(jar)
    firehose = made(jar)
    put(firehose, b"x")
    jar.advance(hours=26)
    s3 = bucket(jar)
    put(firehose, b"y")
    jar.advance(hours=1)
    assert list(files(s3).values()) == [b"y"]


def test_the_role_decides(jar: TestJar) -> None:
    firehose, asked = jar.client("firehose"), {"DeliveryStreamName": "d", "S3DestinationConfiguration": to()}
    message = refused("InvalidArgumentException", firehose.create_delivery_stream, **asked)
    assert message == f"Firehose is unable to assume role {ROLE}. Please check the role provided."
    role(jar, "s3:PutObject")
    s3, iam = bucket(jar), jar.client("iam")
    iam.delete_role_policy(RoleName="delivery", PolicyName="may")
    firehose.create_delivery_stream(**asked)
    ready(jar)
    put(firehose, b"x")
    jar.advance(seconds=310)
    assert files(s3) == {}


def test_files_are_under_the_key_of_the_destination(jar: TestJar) -> None:
    role(jar, "s3:*", "kms:*")
    key = jar.client("kms").create_key()["KeyMetadata"]["Arn"]
    encryption = {"KMSEncryptionConfig": {"AWSKMSKeyARN": key}}
    s3, firehose = bucket(jar), made(jar, ExtendedS3DestinationConfiguration=to(EncryptionConfiguration=encryption))
    put(firehose, b"x")
    jar.advance(seconds=300)
    [one] = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    head = s3.head_object(Bucket=BUCKET, Key=one["Key"])
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_a_kinesis_stream_is_read_in_order_over_a_split(jar: TestJar) -> None:
    role(jar, "s3:*", "kinesis:*")
    kinesis, s3 = jar.client("kinesis"), bucket(jar)
    kinesis.create_stream(StreamName="s", ShardCount=1)
    ready(jar)
    kinesis.put_record(StreamName="s", Data=b"before;", PartitionKey="k")
    jar.advance(seconds=5)
    source = {"KinesisStreamARN": f"arn:aws:kinesis:eu-west-3:{ACCOUNT}:stream/s", "RoleARN": ROLE}
    firehose = made(jar, DeliveryStreamType="KinesisStreamAsSource", KinesisStreamSourceConfiguration=source)
    message = refused("InvalidArgumentException", firehose.put_record, DeliveryStreamName="d", Record={"Data": b"x"})
    assert message == "This operation is not permitted on KinesisStreamAsSource delivery stream type."
    for n in range(3):
        kinesis.put_record(StreamName="s", Data=b"%d;" % n, PartitionKey="k")
        jar.settle()
    kinesis.split_shard(StreamName="s", ShardToSplit=f"shardId-{0:012d}", NewStartingHashKey=str(1 << 127))
    ready(jar)
    for n in range(3, 6):
        kinesis.put_record(StreamName="s", Data=b"%d;" % n, PartitionKey="k")
        jar.settle()
    jar.advance(seconds=300)
    assert b"".join(files(s3)[key] for key in sorted(files(s3))) == b"0;1;2;3;4;5;"
    told = firehose.describe_delivery_stream(DeliveryStreamName="d")["DeliveryStreamDescription"]["Source"]
    assert told["KinesisStreamSourceDescription"]["KinesisStreamARN"] == source["KinesisStreamARN"]


def test_what_waits_is_sealed_when_it_is_wanted(jar: TestJar) -> None:
    role(jar)
    s3, firehose = bucket(jar), made(jar)
    put(firehose, b"plain;")
    firehose.start_delivery_stream_encryption(DeliveryStreamName="d")
    assert firehose.put_record(DeliveryStreamName="d", Record={"Data": b"secret;"})["Encrypted"]
    stored = [row[0] for row in jar.jar.database.query("SELECT data FROM firehose_record ORDER BY id")]
    assert stored[0] == b"plain;"
    assert b"secret" not in stored[1]
    firehose.stop_delivery_stream_encryption(DeliveryStreamName="d")
    put(firehose, b"again;")
    jar.advance(seconds=300)
    assert list(files(s3).values()) == [b"plain;secret;again;"]


def test_a_delivery_stream_takes_so_much_a_second(tmp_path: Path) -> None:
    with running(tmp_path, throttle=True) as jar:
        role(jar)
        bucket(jar)
        firehose = made(jar)
        put(firehose, b"x" * 1_000_000)
        message = refused(
            "ServiceUnavailableException", firehose.put_record, DeliveryStreamName="d", Record={"Data": b"x" * 100_000}
        )
        assert message == "Slow down."
        jar.advance(seconds=1)
        put(firehose, b"x" * 100_000)


def measured(jar: TestJar, name: str, statistic: str = "Sum") -> list[float]:
    now = jar.clock.now()
    told = jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Firehose", MetricName=name, Dimensions=[{"Name": "DeliveryStreamName", "Value": "d"}],
        StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1), Period=60, Statistics=[statistic],
    )  # fmt: skip
    return [point[statistic] for point in sorted(told["Datapoints"], key=lambda one: one["Timestamp"])]


def test_what_came_and_went_is_measured_and_billed(steady_jar: TestJar) -> None:
    jar = steady_jar
    role(jar)
    bucket(jar)
    firehose = made(jar)
    put(firehose, b"x" * 100, b"x" * 6000)
    jar.advance(seconds=300)
    jar.advance(minutes=2)
    assert measured(jar, "IncomingRecords") == [2.0]
    assert measured(jar, "IncomingBytes") == [6100.0]
    assert measured(jar, "DeliveryToS3.Records") == [2.0]
    assert measured(jar, "DeliveryToS3.Success", "Average") == [1.0]
    assert measured(jar, "DeliveryToS3.DataFreshness", "Maximum") == [300.0]
    now = jar.clock.now()
    found: Any = jar.jar.world.ports["quantities"].rows(now - timedelta(hours=2), now + timedelta(hours=1))
    assert [one.amount for one in found if one.tally.usage_type == "BilledBytes"] == [3 * 5120]
