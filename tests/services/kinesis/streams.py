"""What tests of streams say again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar

REGION = "eu-west-3"


def arn(name: str) -> str:
    return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"


def made(jar: TestJar, name: str = "s", **asked: Any) -> Any:
    """A stream that is ACTIVE; the client that made it."""
    kinesis = jar.client("kinesis")
    kinesis.create_stream(StreamName=name, **(asked or {"ShardCount": 1}))
    ready(jar)
    return kinesis


def ready(jar: TestJar) -> None:
    """What was begun is done."""
    jar.settle()
    jar.advance(seconds=2)
    jar.settle()


def shard(number: int) -> str:
    return f"shardId-{number:012d}"


def listed(kinesis: Any, name: str = "s") -> list[dict[str, Any]]:
    return list(kinesis.list_shards(StreamName=name)["Shards"])


def iterator(kinesis: Any, number: int = 0, kind: str = "TRIM_HORIZON", name: str = "s", **asked: Any) -> str:
    told = kinesis.get_shard_iterator(StreamName=name, ShardId=shard(number), ShardIteratorType=kind, **asked)
    return str(told["ShardIterator"])


def everything(kinesis: Any, number: int = 0, name: str = "s", kind: str = "TRIM_HORIZON") -> list[bytes]:
    """The data of all records of a shard, in order."""
    found: list[bytes] = []
    at: str | None = iterator(kinesis, number, kind, name)
    while at:
        told = kinesis.get_records(ShardIterator=at)
        found += [record["Data"] for record in told["Records"]]
        if not told["Records"] and not told["MillisBehindLatest"]:
            break
        at = told.get("NextShardIterator")
    return found


def refused(code: str, call: Callable[..., Any], **asked: Any) -> str:
    """The call is refused with a code; the message."""
    with pytest.raises(ClientError) as error:
        call(**asked)
    told = error.value.response["Error"]
    assert told["Code"] == code, told
    return str(told["Message"])
