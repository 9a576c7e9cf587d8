"""From a Kinesis stream: order, positions, failures and dead letters."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.services.pipes.conftest import Pipes
from tests.services.sqs.conftest import Box


class Stream:
    """A stream of one shard."""

    def __init__(self, pipes: Pipes) -> None:
        self.pipes, self.client = pipes, pipes.jar.client("kinesis")
        self.client.create_stream(StreamName="s", ShardCount=1)
        pipes.jar.advance(minutes=1)
        told = self.client.describe_stream_summary(StreamName="s")
        self.arn = str(told["StreamDescriptionSummary"]["StreamARN"])

    def put(self, *bodies: str) -> None:
        """Put records, in order."""
        for body in bodies:
            self.client.put_record(StreamARN=self.arn, Data=body.encode(), PartitionKey="k")

    def piped(self, start: str = "TRIM_HORIZON", **more: Any) -> None:
        """A pipe from here to a queue."""
        own = {"StartingPosition": start, **more.pop("own", {})}
        params = {"KinesisStreamParameters": own, **more.pop("params", {})}
        self.pipes.make(Source=self.arn, SourceParameters=params, **more)


@pytest.fixture
def stream(pipes: Pipes) -> Stream:
    """An empty stream."""
    return Stream(pipes)


_BODY = {"InputTemplate": "<$.data>"}


def test_records_go_through_in_order(pipes: Pipes, stream: Stream) -> None:
    stream.put(*(json.dumps({"n": n}) for n in range(3)))
    stream.piped()
    first, *_ = events = pipes.told()
    assert [json.loads(base64.b64decode(event["data"]))["n"] for event in events] == [0, 1, 2]
    assert (first["partitionKey"], first["eventSource"], first["eventSourceARN"]) == ("k", "aws:kinesis", stream.arn)
    assert first["eventID"] == f"shardId-000000000000:{first['sequenceNumber']}"
    assert (first["eventName"], first["invokeIdentityArn"]) == ("aws:kinesis:record", pipes.role)
    stream.put(*(json.dumps({"n": n}) for n in range(25)))
    assert len(pipes.told()) == 25
    assert pipes.told() == []


def test_the_latest_only_and_filtered(pipes: Pipes, stream: Stream) -> None:
    stream.put('{"kind": "a", "old": true}')
    pipes.jar.advance(seconds=5)
    given = {"FilterCriteria": {"Filters": [{"Pattern": '{"data": {"kind": ["a"]}}'}]}}
    stream.piped("LATEST", params=given, TargetParameters=_BODY)
    stream.put('{"kind": "b"}', '{"kind": "a"}', "no json")
    assert pipes.told() == [{"kind": "a"}]


def test_what_the_target_does_not_take_is_tried_again_in_order(pipes: Pipes, stream: Stream) -> None:
    sqs = pipes.jar.client("sqs")
    stream.piped(TargetParameters=_BODY)
    sqs.delete_queue(QueueUrl=pipes.target.url)
    stream.put('{"n": 1}')
    pipes.jar.advance(minutes=2)
    stream.put('{"n": 2}')
    pipes.jar.settle()
    pipes.target = Box(pipes.jar, sqs, "target")
    pipes.jar.advance(minutes=10)
    assert pipes.told() == [{"n": 1}, {"n": 2}]


def test_one_bad_record_is_found_and_told_to_the_dead_letters(pipes: Pipes, stream: Stream) -> None:
    """Only what is text goes into a queue: of each record its own field is the message."""
    dead = Box(pipes.jar, pipes.jar.client("sqs"), "dead")
    fifo = Box(pipes.jar, pipes.jar.client("sqs"), "out.fifo", ContentBasedDeduplication="true")
    own = {
        "MaximumRetryAttempts": 1,
        "OnPartialBatchItemFailure": "AUTOMATIC_BISECT",
        "DeadLetterConfig": {"Arn": dead.arn},
    }
    target = {**_BODY, "SqsQueueParameters": {"MessageGroupId": "$.data.group"}}
    stream.put('{"n": 0, "group": "g"}', '{"n": 1, "group": "g"}', '{"n": 2}', '{"n": 3, "group": "g"}')
    stream.piped(own=own, Target=fifo.arn, TargetParameters=target)
    pipes.jar.advance(minutes=5)
    assert [event["n"] for event in pipes.told(fifo)] == [0, 1, 3]
    (letter,) = pipes.told(dead)
    batch = letter["KinesisBatchInfo"]
    assert (batch["batchSize"], batch["shardId"], batch["streamArn"]) == (1, "shardId-000000000000", stream.arn)
    assert batch["startSequenceNumber"] == batch["endSequenceNumber"]
    assert letter["context"]["condition"] == "RetryAttemptsExhausted"


def test_a_window_gathers_records(pipes: Pipes, stream: Stream) -> None:
    stream.piped(own={"BatchSize": 3, "MaximumBatchingWindowInSeconds": 60}, TargetParameters=_BODY)
    stream.put('{"n": 1}')
    pipes.jar.advance(seconds=50)
    assert pipes.told() == []
    pipes.jar.advance(seconds=20)
    assert pipes.told() == [{"n": 1}]
    stream.put('{"n": 2}', '{"n": 3}', '{"n": 4}')
    assert len(pipes.told()) == 3


def test_records_that_are_too_old_are_passed_over(pipes: Pipes, stream: Stream) -> None:
    sqs = pipes.jar.client("sqs")
    stream.piped(own={"MaximumRecordAgeInSeconds": 60}, TargetParameters=_BODY)
    sqs.delete_queue(QueueUrl=pipes.target.url)
    stream.put('{"n": 1}')
    pipes.jar.advance(minutes=5)
    pipes.target = Box(pipes.jar, sqs, "target")
    stream.put('{"n": 2}')
    assert pipes.told() == [{"n": 2}]
