"""Shards: split, merged, scaled; parents readable to their end, children after."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudjar.services.kinesis import reshaping, sequence
from cloudjar.services.kinesis.reshaping import Range
from tests.jar import ACCOUNT, TestJar, running
from tests.services.kinesis.streams import everything, iterator, listed, made, ready, refused, shard

HASHES = 1 << 128
HALF = HASHES // 2


def put(kinesis: Any, data: bytes, where: int = 0) -> str:
    told = kinesis.put_record(StreamName="s", Data=data, PartitionKey="k", ExplicitHashKey=str(where))
    return str(told["ShardId"])


def test_a_shard_is_split_and_read_to_its_end(jar: TestJar) -> None:
    kinesis = made(jar)
    put(kinesis, b"before")
    kinesis.split_shard(StreamName="s", ShardToSplit=shard(0), NewStartingHashKey=str(HALF))
    assert kinesis.describe_stream(StreamName="s")["StreamDescription"]["StreamStatus"] == "UPDATING"
    assert put(kinesis, b"while") == shard(0)
    message = refused("ResourceInUseException", kinesis.split_shard, StreamName="s", ShardToSplit=shard(0),
                      NewStartingHashKey="9")  # fmt: skip
    assert message == f"Stream s under account {ACCOUNT} not ACTIVE, instead in state UPDATING"
    ready(jar)
    assert put(kinesis, b"low") == shard(1)
    assert put(kinesis, b"high", HALF) == shard(2)
    parent, low, high = listed(kinesis)
    assert "EndingSequenceNumber" in parent["SequenceNumberRange"]
    assert [one["ParentShardId"] for one in (low, high)] == [shard(0)] * 2
    assert "AdjacentParentShardId" not in low
    assert low["HashKeyRange"] == {"StartingHashKey": "0", "EndingHashKey": str(HALF - 1)}
    assert int(parent["SequenceNumberRange"]["EndingSequenceNumber"]) < int(
        low["SequenceNumberRange"]["StartingSequenceNumber"]
    )
    told = kinesis.get_records(ShardIterator=iterator(kinesis, 0), Limit=1)
    assert "NextShardIterator" in told
    told = kinesis.get_records(ShardIterator=told["NextShardIterator"])
    assert [one["Data"] for one in told["Records"]] == [b"while"]
    assert "NextShardIterator" not in told
    assert told["ChildShards"] == [
        {"ShardId": shard(1), "ParentShards": [shard(0)], "HashKeyRange": low["HashKeyRange"]},
        {"ShardId": shard(2), "ParentShards": [shard(0)], "HashKeyRange": high["HashKeyRange"]},
    ]
    assert everything(kinesis, 1) == [b"low"]
    assert everything(kinesis, 2) == [b"high"]


def test_two_shards_are_merged(jar: TestJar) -> None:
    kinesis = made(jar, ShardCount=3)
    message = refused("InvalidArgumentException", kinesis.merge_shards, StreamName="s", ShardToMerge=shard(0),
                      AdjacentShardToMerge=shard(2))  # fmt: skip
    assert message == (
        f"Shards {shard(0)} and {shard(2)} in stream s under account {ACCOUNT} are not an adjacent pair of shards "
        "eligible for merging"
    )
    kinesis.merge_shards(StreamName="s", ShardToMerge=shard(1), AdjacentShardToMerge=shard(0))
    ready(jar)
    made_ = listed(kinesis)[-1]
    assert (made_["ParentShardId"], made_["AdjacentParentShardId"]) == (shard(1), shard(0))
    assert made_["HashKeyRange"]["StartingHashKey"] == "0"
    told = kinesis.get_records(ShardIterator=iterator(kinesis, 0))
    assert told["ChildShards"][0]["ParentShards"] == [shard(1), shard(0)]
    message = refused("InvalidArgumentException", kinesis.split_shard, StreamName="s", ShardToSplit=shard(0),
                      NewStartingHashKey="5")  # fmt: skip
    assert "has already been merged or split" in message


def test_a_split_must_leave_something_on_both_sides(jar: TestJar) -> None:
    kinesis = made(jar)
    for cut in ("0", "1", str(HASHES - 1)):
        message = refused("InvalidArgumentException", kinesis.split_shard, StreamName="s", ShardToSplit=shard(0),
                          NewStartingHashKey=cut)  # fmt: skip
        assert message.startswith(f"NewStartingHashKey {cut} used in SplitShard() on shard {shard(0)} in stream s")


def test_a_stream_is_scaled_by_splits_and_merges(jar: TestJar) -> None:
    kinesis = made(jar, ShardCount=5)
    told = kinesis.update_shard_count(StreamName="s", TargetShardCount=3, ScalingType="UNIFORM_SCALING")
    assert (told["CurrentShardCount"], told["TargetShardCount"]) == (5, 3)
    ready(jar)
    there = [one for one in listed(kinesis) if "EndingSequenceNumber" not in one["SequenceNumberRange"]]
    ranges = sorted((int(o["HashKeyRange"]["StartingHashKey"]), int(o["HashKeyRange"]["EndingHashKey"])) for o in there)
    assert ranges == sequence.uniform(3)
    assert kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["OpenShardCount"] == 3
    scale = kinesis.update_shard_count
    message = refused("InvalidArgumentException", scale, StreamName="s", TargetShardCount=7,
                      ScalingType="UNIFORM_SCALING")  # fmt: skip
    assert message == (
        "UpdateShardCount cannot scale up over double your current open shard count. Current open shard count: 3 "
        "Target shard count: 7"
    )
    message = refused("InvalidArgumentException", scale, StreamName="s", TargetShardCount=1,
                      ScalingType="UNIFORM_SCALING")  # fmt: skip
    assert message.startswith("UpdateShardCount cannot scale down below half your current open shard count.")


def test_a_stream_is_scaled_ten_times_a_day(steady_jar: TestJar) -> None:
    kinesis = made(steady_jar)
    for n in range(10):
        kinesis.update_shard_count(StreamName="s", TargetShardCount=2 - n % 2, ScalingType="UNIFORM_SCALING")
        ready(steady_jar)
    asked = {"StreamName": "s", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"}
    refused("LimitExceededException", kinesis.update_shard_count, **asked)
    steady_jar.advance(hours=24)
    kinesis.update_shard_count(**asked)


@pytest.mark.parametrize("before", range(1, 13))
@pytest.mark.parametrize("factor", [0.5, 0.75, 1.0, 1.5, 2.0])
def test_scaling_reaches_equal_shards_without_a_gap(before: int, factor: float) -> None:
    after = max(round(before * factor), 1)
    there = {n: Range(n, lo, hi) for n, (lo, hi) in enumerate(sequence.uniform(before))}
    number = before
    for step in reshaping.scale(list(there.values()), after, before):
        assert len(step.closed) in (1, 2)
        closed = [there.pop(ordinal) for ordinal in step.closed]
        assert sum(one.hi - one.lo + 1 for one in closed) == sum(hi - lo + 1 for lo, hi in step.opened)
        for lo, hi in step.opened:
            there[number] = Range(number, lo, hi)
            number += 1
    assert sorted((one.lo, one.hi) for one in there.values()) == sequence.uniform(after)


def test_shards_are_listed_by_what_they_hold(jar: TestJar) -> None:
    kinesis = made(jar)
    jar.advance(hours=1)
    begun = jar.clock.now()
    kinesis.split_shard(StreamName="s", ShardToSplit=shard(0), NewStartingHashKey=str(HALF))
    ready(jar)
    jar.advance(hours=1)

    def those(**given: Any) -> list[str]:
        return [one["ShardId"] for one in kinesis.list_shards(StreamName="s", ShardFilter=given)["Shards"]]

    assert those(Type="AT_LATEST") == [shard(1), shard(2)]
    assert those(Type="AT_TRIM_HORIZON") == [shard(0)]
    assert those(Type="FROM_TRIM_HORIZON") == [shard(0), shard(1), shard(2)]
    assert those(Type="AFTER_SHARD_ID", ShardId=shard(1)) == [shard(2)]
    assert those(Type="AT_TIMESTAMP", Timestamp=begun) == [shard(0)]
    assert those(Type="FROM_TIMESTAMP", Timestamp=begun + timedelta(minutes=5)) == [shard(1), shard(2)]
    page = kinesis.list_shards(StreamName="s", ShardFilter={"Type": "FROM_TRIM_HORIZON"}, MaxResults=2)
    assert len(page["Shards"]) == 2
    rest = kinesis.list_shards(NextToken=page["NextToken"])
    assert [one["ShardId"] for one in rest["Shards"]] == [shard(2)]
    jar.advance(minutes=6)
    refused("ExpiredNextTokenException", kinesis.list_shards, NextToken=page["NextToken"])
    jar.advance(hours=24)
    assert those(Type="FROM_TRIM_HORIZON") == [shard(1), shard(2)]
    refused("ResourceNotFoundException", kinesis.get_shard_iterator, StreamName="s", ShardId=shard(0),
            ShardIteratorType="TRIM_HORIZON")  # fmt: skip


def test_an_on_demand_stream_gets_more_shards_when_it_has_much_to_do(tmp_path: Path) -> None:
    with running(tmp_path, throttle=True) as jar:
        kinesis = made(jar, StreamModeDetails={"StreamMode": "ON_DEMAND"})
        assert len(listed(kinesis)) == 4
        message = refused("ValidationException", kinesis.split_shard, StreamName="s", ShardToSplit=shard(0),
                          NewStartingHashKey="5")  # fmt: skip
        assert message == f"Request is invalid. Stream s under account {ACCOUNT} is in On-Demand mode."
        records = [{"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": "0"}]
        for _ in range(2):
            kinesis.put_records(StreamName="s", Records=records * 300)
        jar.settle()
        assert kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["OpenShardCount"] == 8
        assert put(kinesis, b"x") == shard(4)


def test_the_mode_is_changed_twice_a_day(jar: TestJar) -> None:
    kinesis = made(jar)
    arn = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamARN"]
    for mode in ("ON_DEMAND", "PROVISIONED"):
        kinesis.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": mode})
        ready(jar)
        told = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]
        assert told["StreamModeDetails"] == {"StreamMode": mode}
    refused("LimitExceededException", kinesis.update_stream_mode, StreamARN=arn,
            StreamModeDetails={"StreamMode": "ON_DEMAND"})  # fmt: skip
