"""Records: where they go, in which order they come, who is slowed down."""

from __future__ import annotations

from datetime import timedelta
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar, running
from tests.services.kinesis.streams import arn, everything, iterator, listed, made, ready, refused, shard

HASHES = 1 << 128


def test_a_record_goes_where_its_key_falls_and_comes_back(jar: TestJar) -> None:
    kinesis = made(jar, ShardCount=3)
    ranges = [one["HashKeyRange"] for one in listed(kinesis)]
    assert [int(one["StartingHashKey"]) for one in ranges] == [i * (HASHES // 3) for i in range(3)]
    assert int(ranges[2]["EndingHashKey"]) == HASHES - 1
    for key in ("a", "b", "key", "é"):
        told = kinesis.put_record(StreamName="s", Data=key.encode(), PartitionKey=key)
        where = min(int(md5(key.encode()).hexdigest(), 16) // (HASHES // 3), 2)
        assert told["ShardId"] == shard(where)
        assert told["EncryptionType"] == "NONE"
        [record] = kinesis.get_records(
            ShardIterator=iterator(
                kinesis, where, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=told["SequenceNumber"]
            )
        )["Records"]
        assert (record["Data"], record["PartitionKey"]) == (key.encode(), key)
        assert record["ApproximateArrivalTimestamp"] == jar.clock.now()
    told = kinesis.put_record(StreamName="s", Data=b"x", PartitionKey="a", ExplicitHashKey=str(HASHES - 1))
    assert told["ShardId"] == shard(2)


def test_records_are_read_in_the_order_in_which_they_were_put(jar: TestJar) -> None:
    kinesis = made(jar)
    numbers = []
    for n in range(3):
        batch = [{"Data": f"{n}-{i}".encode(), "PartitionKey": str(i)} for i in range(4)]
        told = kinesis.put_records(StreamName="s", Records=batch)
        assert told["FailedRecordCount"] == 0
        numbers += [int(one["SequenceNumber"]) for one in told["Records"]]
    assert numbers == sorted(set(numbers))
    assert {len(str(number)) for number in numbers} == {56}
    assert everything(kinesis) == [f"{n}-{i}".encode() for n in range(3) for i in range(4)]


def test_iterators_of_every_type(jar: TestJar) -> None:
    kinesis = made(jar)
    numbers = []
    for n in range(4):
        numbers.append(kinesis.put_record(StreamName="s", Data=b"%d" % n, PartitionKey="k")["SequenceNumber"])
        jar.advance(seconds=10)
    begun = jar.clock.now()

    def read(kind: str, **asked: Any) -> list[bytes]:
        told = kinesis.get_records(ShardIterator=iterator(kinesis, 0, kind, **asked))
        return [record["Data"] for record in told["Records"]]

    assert read("TRIM_HORIZON") == [b"0", b"1", b"2", b"3"]
    assert read("AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]) == [b"2", b"3"]
    assert read("AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]) == [b"3"]
    assert read("AT_TIMESTAMP", Timestamp=begun - timedelta(seconds=20)) == [b"2", b"3"]
    assert read("AT_TIMESTAMP", Timestamp=begun - timedelta(seconds=19)) == [b"3"]
    assert read("AT_TIMESTAMP", Timestamp=0) == [b"0", b"1", b"2", b"3"]
    assert read("LATEST") == []
    latest = iterator(kinesis, 0, "LATEST")
    kinesis.put_record(StreamName="s", Data=b"4", PartitionKey="k")
    assert [record["Data"] for record in kinesis.get_records(ShardIterator=latest)["Records"]] == [b"4"]
    start = listed(kinesis)[0]["SequenceNumberRange"]["StartingSequenceNumber"]
    assert len(read("AT_SEQUENCE_NUMBER", StartingSequenceNumber=start)) == 5


def test_a_reader_is_told_how_far_behind_it_is(jar: TestJar) -> None:
    kinesis = made(jar)
    for n in range(3):
        kinesis.put_record(StreamName="s", Data=b"%d" % n, PartitionKey="k")
        jar.advance(seconds=60)
    told = kinesis.get_records(ShardIterator=iterator(kinesis), Limit=1)
    assert told["MillisBehindLatest"] == 120_000
    told = kinesis.get_records(ShardIterator=told["NextShardIterator"], Limit=5)
    assert [record["Data"] for record in told["Records"]] == [b"1", b"2"]
    assert told["MillisBehindLatest"] == 0
    told = kinesis.get_records(ShardIterator=told["NextShardIterator"])
    assert (told["Records"], told["MillisBehindLatest"]) == ([], 0)


def test_iterators_expire_after_five_minutes_and_cannot_be_made_up(jar: TestJar) -> None:
    kinesis = made(jar)
    held = iterator(kinesis)
    jar.advance(minutes=5)
    assert kinesis.get_records(ShardIterator=held)["Records"] == []
    jar.advance(seconds=1)
    message = refused("ExpiredIteratorException", kinesis.get_records, ShardIterator=held)
    assert message.startswith("Iterator expired. The iterator was created at time ")
    assert message.endswith("which is further in the future than the tolerated delay of 300000 milliseconds.")
    assert refused("InvalidArgumentException", kinesis.get_records, ShardIterator="AAAA") == "Invalid ShardIterator."


def test_sequence_numbers_of_others_are_refused(jar: TestJar) -> None:
    kinesis = made(jar, ShardCount=2)
    told = kinesis.put_record(StreamName="s", Data=b"x", PartitionKey="k", ExplicitHashKey="0")
    asked = {"StreamName": "s", "ShardIteratorType": "AT_SEQUENCE_NUMBER", "ShardId": shard(1)}
    message = refused(
        "InvalidArgumentException", kinesis.get_shard_iterator, **asked,
        StartingSequenceNumber=told["SequenceNumber"],
    )  # fmt: skip
    assert message == (
        f"Invalid StartingSequenceNumber. It encodes {shard(0)}, while it was used in a call to a shard with {shard(1)}"
    )
    message = refused(
        "InvalidArgumentException", kinesis.get_shard_iterator, **asked, StartingSequenceNumber="17"
    )
    assert message == (
        f"StartingSequenceNumber 17 used in GetShardIterator on shard {shard(1)} in stream s under account {ACCOUNT} "
        "is invalid because it did not come from this stream."
    )
    message = refused("InvalidArgumentException", kinesis.get_shard_iterator, **asked)
    assert message.endswith("Request specified AT_SEQUENCE_NUMBER and no StartingSequenceNumber.")
    message = refused(
        "ResourceNotFoundException", kinesis.get_shard_iterator, StreamName="s", ShardId=shard(7),
        ShardIteratorType="LATEST",
    )  # fmt: skip
    assert message == f"Shard {shard(7)} in stream s under account {ACCOUNT} does not exist"


def test_records_that_may_not_be(jar: TestJar) -> None:
    kinesis = made(jar)
    put = kinesis.put_record
    message = refused(
        "InvalidArgumentException", put, StreamName="s", Data=b"x", PartitionKey="k", ExplicitHashKey=str(HASHES)
    )
    assert message == (
        "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
        f"Specified value was {HASHES}"
    )
    refused("ValidationException", put, StreamName="s", Data=b"x" * ((1 << 20) + 1), PartitionKey="k")
    put(StreamName="s", Data=b"x" * (1 << 20), PartitionKey="k")
    message = refused("ResourceNotFoundException", put, StreamName="none", Data=b"x", PartitionKey="k")
    assert message == f"Stream none under account {ACCOUNT} not found."
    message = refused(
        "InvalidArgumentException", put, StreamName="s", Data=b"x", PartitionKey="k", SequenceNumberForOrdering="1"
    )
    assert message.startswith("ExclusiveMinimumSequenceNumber 1 used in PutRecord on stream s under account")
    message = refused("ValidationException", put, StreamName="s", Data=b"x")
    assert "Value null at 'partitionKey' failed to satisfy constraint" in message
    refused("DryRunOperationException", put, StreamName="s", Data=b"x", PartitionKey="k", DryRun=True)
    kinesis.update_max_record_size(StreamARN=arn("s"), MaxRecordSizeInKiB=10240)
    ready(jar)
    put(StreamName="s", Data=b"x" * (10 << 20), PartitionKey="k")
    sizes = [len(one) for one in everything(kinesis)]
    assert sizes == [1 << 20, 10 << 20]


def test_a_call_gives_ten_megabytes_at_most(steady_jar: TestJar) -> None:
    kinesis = made(steady_jar)
    for _ in range(12):
        kinesis.put_record(StreamName="s", Data=b"x" * (1 << 20), PartitionKey="k")
    told = kinesis.get_records(ShardIterator=iterator(kinesis))
    assert len(told["Records"]) == 9
    assert len(kinesis.get_records(ShardIterator=told["NextShardIterator"])["Records"]) == 3


def test_a_shard_takes_a_thousand_records_and_a_megabyte_a_second(tmp_path: Path) -> None:
    with running(tmp_path, throttle=True) as jar:
        kinesis = made(jar, ShardCount=2)
        here = [{"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": "0"}]
        there = [{"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": str(HASHES - 1)}]
        for _ in range(2):
            assert kinesis.put_records(StreamName="s", Records=here * 499)["FailedRecordCount"] == 0
        told = kinesis.put_records(StreamName="s", Records=(here + there) * 5)
        assert told["FailedRecordCount"] == 3
        assert [one.get("ErrorCode") for one in told["Records"]][::2] == [
            None, None, *["ProvisionedThroughputExceededException"] * 3,
        ]  # fmt: skip
        assert all("SequenceNumber" in one for one in told["Records"][1::2])
        said = f"Rate exceeded for shard {shard(0)} in stream s under account {ACCOUNT}."
        assert told["Records"][4]["ErrorMessage"] == said
        asked = {"StreamName": "s", **here[0]}
        assert refused("ProvisionedThroughputExceededException", kinesis.put_record, **asked) == said
        jar.advance(seconds=1)
        kinesis.put_record(**asked)
        jar.advance(seconds=1)
        large = {**here[0], "Data": b"x" * 700_000}
        kinesis.put_record(StreamName="s", **large)
        refused("ProvisionedThroughputExceededException", kinesis.put_record, StreamName="s", **large)
        jar.advance(seconds=1)
        kinesis.put_record(StreamName="s", **large)


def test_a_shard_is_read_five_times_a_second_and_pays_for_large_answers(tmp_path: Path) -> None:
    with running(tmp_path, throttle=True) as jar:
        kinesis = made(jar)
        for _ in range(10):
            kinesis.put_record(StreamName="s", Data=b"x" * 1_000_000, PartitionKey="k")
            jar.advance(seconds=1)
        at = iterator(kinesis, kind="LATEST")
        for _ in range(5):
            kinesis.get_records(ShardIterator=at)
        refused("ProvisionedThroughputExceededException", kinesis.get_records, ShardIterator=at)
        jar.advance(seconds=1)
        first = iterator(kinesis)
        assert len(kinesis.get_records(ShardIterator=first)["Records"]) == 10
        for _ in range(4):
            refused("ProvisionedThroughputExceededException", kinesis.get_records, ShardIterator=at)
            jar.advance(seconds=1)
        jar.advance(seconds=1)
        kinesis.get_records(ShardIterator=at)


def test_what_is_older_than_the_retention_is_gone(jar: TestJar) -> None:
    kinesis = made(jar)
    kinesis.put_record(StreamName="s", Data=b"old", PartitionKey="k")
    jar.advance(hours=13)
    kinesis.put_record(StreamName="s", Data=b"new", PartitionKey="k")
    jar.advance(hours=10, minutes=59)
    assert everything(kinesis) == [b"old", b"new"]
    jar.advance(minutes=2)
    assert everything(kinesis) == [b"new"]
    jar.advance(hours=13)
    assert everything(kinesis) == []
    kinesis.put_record(StreamName="s", Data=b"newest", PartitionKey="k")
    assert everything(kinesis) == [b"newest"]
    [(left,)] = jar.jar.database.query("SELECT count(*) FROM kinesis_record")
    assert left == 1


def test_retention_is_made_longer_and_shorter(jar: TestJar) -> None:
    kinesis = made(jar)
    kinesis.put_record(StreamName="s", Data=b"x", PartitionKey="k")
    message = refused("InvalidArgumentException", kinesis.increase_stream_retention_period, StreamName="s",
                      RetentionPeriodHours=8761)  # fmt: skip
    assert message.startswith("Maximum allowed retention period is 8760 hours.")
    message = refused("InvalidArgumentException", kinesis.decrease_stream_retention_period, StreamName="s",
                      RetentionPeriodHours=23)  # fmt: skip
    assert message.startswith("Minimum allowed retention period is 24 hours.")
    kinesis.increase_stream_retention_period(StreamName="s", RetentionPeriodHours=48)
    assert kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamStatus"] == "UPDATING"
    ready(jar)
    message = refused("InvalidArgumentException", kinesis.increase_stream_retention_period, StreamName="s",
                      RetentionPeriodHours=30)  # fmt: skip
    assert "can not be shorter than existing retention period (48 hours)" in message
    jar.advance(hours=30)
    assert everything(kinesis) == [b"x"]
    kinesis.decrease_stream_retention_period(StreamName="s", RetentionPeriodHours=24)
    ready(jar)
    assert everything(kinesis) == []


def test_records_under_a_key_are_read_by_who_may_decrypt(jar: TestJar) -> None:
    kinesis, kms = made(jar), jar.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kinesis.put_record(StreamName="s", Data=b"plain", PartitionKey="k")
    kinesis.start_stream_encryption(StreamName="s", EncryptionType="KMS", KeyId=key)
    ready(jar)
    told = kinesis.describe_stream(StreamName="s")["StreamDescription"]
    assert (told["EncryptionType"], told["KeyId"]) == ("KMS", key)
    assert kinesis.put_record(StreamName="s", Data=b"secret", PartitionKey="k")["EncryptionType"] == "KMS"
    records = kinesis.get_records(ShardIterator=iterator(kinesis))["Records"]
    assert [(one["Data"], one.get("EncryptionType")) for one in records] == [(b"plain", None), (b"secret", "KMS")]
    assert all(b"secret" not in row[0] for row in jar.jar.database.query("SELECT data FROM kinesis_record"))
    kms.disable_key(KeyId=key)
    jar.advance(minutes=6)
    refused("KMSDisabledException", kinesis.get_records, ShardIterator=iterator(kinesis))
    refused("KMSDisabledException", kinesis.put_record, StreamName="s", Data=b"x", PartitionKey="k")
    kinesis.stop_stream_encryption(StreamName="s", EncryptionType="KMS", KeyId=key)
    ready(jar)
    kinesis.put_record(StreamName="s", Data=b"plain", PartitionKey="k")
    with pytest.raises(ClientError):
        kinesis.start_stream_encryption(StreamName="s", EncryptionType="KMS", KeyId="alias/none")
