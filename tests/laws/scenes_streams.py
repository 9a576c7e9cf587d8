"""What the laws ask Kinesis and Firehose about."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from tests.jar import ACCOUNT, TestJar

_NUMBERS = itertools.count()
_ARN = f"arn:aws:kinesis:eu-west-3:{ACCOUNT}:stream"
_BY_NAME = (
    "AddTagsToStream", "DecreaseStreamRetentionPeriod", "DeleteStream", "DescribeStream", "DescribeStreamSummary",
    "DisableEnhancedMonitoring", "EnableEnhancedMonitoring", "GetShardIterator", "IncreaseStreamRetentionPeriod",
    "ListShards", "ListTagsForStream", "MergeShards", "PutRecord", "PutRecords", "RemoveTagsFromStream", "SplitShard",
    "StartStreamEncryption", "StopStreamEncryption", "UpdateShardCount",
)  # fmt: skip
_BY_ARN = ("ListStreamConsumers", "RegisterStreamConsumer", "UpdateMaxRecordSize", "UpdateStreamMode")
_BY_RESOURCE = ("DeleteResourcePolicy", "GetResourcePolicy", "ListTagsForResource", "PutResourcePolicy",
                "TagResource", "UntagResource")  # fmt: skip
_BY_CONSUMER = ("DeregisterStreamConsumer", "DescribeStreamConsumer")


def _ready(jar: TestJar) -> None:
    jar.settle()
    jar.advance(seconds=2)
    jar.settle()


def _stream(jar: TestJar) -> str:
    name = f"law{next(_NUMBERS)}"
    jar.client("kinesis").create_stream(StreamName=name, ShardCount=1)
    _ready(jar)
    return name


def _iterator(things: Any) -> dict[str, Any]:
    asked = {"StreamName": _stream(things.jar), "ShardId": f"shardId-{0:012d}", "ShardIteratorType": "LATEST"}
    return {"ShardIterator": things.jar.client("kinesis").get_shard_iterator(**asked)["ShardIterator"]}


def _consumer(things: Any) -> dict[str, Any]:
    name = _stream(things.jar)
    made = things.jar.client("kinesis").register_stream_consumer(StreamARN=f"{_ARN}/{name}", ConsumerName="law")
    _ready(things.jar)
    return {"ConsumerARN": made["Consumer"]["ConsumerARN"]}


SCENES: dict[str, Any] = {
    **{f"kinesis:{name}": lambda things: {"StreamName": _stream(things.jar)} for name in _BY_NAME},
    **{f"kinesis:{name}": lambda things: {"StreamARN": f"{_ARN}/{_stream(things.jar)}"} for name in _BY_ARN},
    **{f"kinesis:{name}": lambda things: {"ResourceARN": f"{_ARN}/{_stream(things.jar)}"} for name in _BY_RESOURCE},
    **{f"kinesis:{name}": _consumer for name in _BY_CONSUMER},
    "kinesis:GetRecords": _iterator,
    "kinesis:SubscribeToShard": lambda things: {**_consumer(things), "ShardId": "shardId-999999999999"},
}


def many(jar: TestJar) -> dict[str, Any]:
    """Several streams, one with several shards and consumers; how operations are asked about them."""
    kinesis = jar.client("kinesis")
    for n in range(7):
        kinesis.create_stream(StreamName=f"many{n}", ShardCount=7)
        _ready(jar)
    for n in range(7):
        kinesis.register_stream_consumer(StreamARN=f"{_ARN}/many0", ConsumerName=f"c{n}")
        _ready(jar)
    named = {"StreamName": "many0"}
    return {"ListShards": named, "DescribeStream": named, "ListStreamConsumers": {"StreamARN": f"{_ARN}/many0"}}


def _ended(jar: TestJar) -> dict[str, Any]:
    name = _stream(jar)
    jar.client("kinesis").delete_stream(StreamName=name)
    _ready(jar)
    return {"StreamName": name}


WAITERS: dict[str, Callable[[TestJar], dict[str, Any]]] = {
    "StreamExists": lambda jar: {"StreamName": _stream(jar)},
    "StreamNotExists": _ended,
}
