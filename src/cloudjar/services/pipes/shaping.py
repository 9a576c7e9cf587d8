"""What comes out of a source as the event that a pipe carries; pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-filtering.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from cloudjar.kit import event_patterns
from cloudjar.services.pipes.records import Pipe

Event = dict[str, Any]


class Item(NamedTuple):
    """One thing that was read: `mark` is how the source knows it, `event` what the pipe carries."""

    mark: str
    event: Event


def of_message(pipe: Pipe, message: dict[str, Any]) -> Item:
    """A message of a queue."""
    event = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes") or {},
        "messageAttributes": {
            name: _attribute(value) for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": pipe.source,
        "awsRegion": pipe.region,
    }
    if message.get("MD5OfMessageAttributes"):
        event["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return Item(message["ReceiptHandle"], event)


def _attribute(given: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if given.get("StringValue") is not None:
        told["stringValue"] = given["StringValue"]
    if given.get("BinaryValue") is not None:
        told["binaryValue"] = base64.b64encode(given["BinaryValue"]).decode()
    return {**told, "stringListValues": [], "binaryListValues": [], "dataType": given["DataType"]}


def of_record(pipe: Pipe, shard: str, record: dict[str, Any]) -> Item:
    """A record of a stream."""
    number = record["SequenceNumber"]
    event = {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": record["PartitionKey"],
        "sequenceNumber": number,
        "data": base64.b64encode(record["Data"]).decode(),
        "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard}:{number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": pipe.role,
        "awsRegion": pipe.region,
        "eventSourceARN": pipe.source,
    }
    return Item(number, event)


def decoded(event: Event) -> Event:
    """An event as patterns and paths see it: of a body or data that is JSON, what it says; else its text."""
    if "body" in event:
        return {**event, "body": _json(event["body"])}
    try:
        text = base64.b64decode(event["data"]).decode()
    except (binascii.Error, UnicodeDecodeError):
        return event
    return {**event, "data": _json(text)}


def _json(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def wanted(pipe: Pipe, items: Iterable[Item]) -> tuple[list[Item], list[Item]]:
    """(those that a filter of the pipe means, those that none does); without filters all are meant."""
    filters = (pipe.source_params.get("FilterCriteria") or {}).get("Filters") or ()
    if not filters:
        return list(items), []
    patterns = [event_patterns.read(one.get("Pattern") or "") for one in filters]
    meant: list[Item] = []
    others: list[Item] = []
    for item in items:
        seen = decoded(item.event)
        (meant if any(pattern.matches(seen) for pattern in patterns) else others).append(item)
    return meant, others
