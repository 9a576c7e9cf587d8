"""A batch of events to the pipe's target, as the pipe's role.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import event_inputs, event_paths, log_delivery, queues, target_calls
from cloudjar.kit.context import Ctx
from cloudjar.kit.event_paths import ABSENT
from cloudjar.kit.log_delivery import LogEvent
from cloudjar.services.pipes import settings, shaping
from cloudjar.services.pipes.records import Pipe
from cloudjar.services.pipes.shaping import Item

TOGETHER = frozenset(("events", "sns", "sqs"))
"""Services that are called in the transaction that forgets what was read."""


class Sent(NamedTuple):
    """One event for the target: `body` is what it gets, `seen` the event as paths see it."""

    item: Item
    seen: dict[str, Any]
    body: str


class Outcome(NamedTuple):
    """What became of a batch: the marks of what the target did not take, and why."""

    failed: frozenset[str] = frozenset()
    error: AwsError | None = None


def acting(ctx: Ctx, pipe: Pipe) -> Caller:
    """A session of the pipe's role."""
    return target_calls.acting(ctx, pipe.role, service=settings.PRINCIPAL, item=pipe.arn)


def prepared(ctx: Ctx, pipe: Pipe, items: Sequence[Item]) -> list[Sent]:
    """What the target is to get of each event."""
    template = pipe.target_params.get("InputTemplate")
    made = []
    for item in items:
        seen = shaping.decoded(item.event)
        body = _filled(ctx, pipe, template, item, seen) if template else event_inputs.dumped(item.event)
        made.append(Sent(item, seen, body))
    return made


def _filled(ctx: Ctx, pipe: Pipe, template: str, item: Item, seen: dict[str, Any]) -> str:
    own = {
        "aws.pipes.pipe-arn": pipe.arn,
        "aws.pipes.pipe-name": pipe.name,
        "aws.pipes.target-arn": pipe.target,
        "aws.pipes.source-arn": pipe.source,
        "aws.pipes.event.ingestion-time": ctx.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws.pipes.event": item.event,
        "aws.pipes.event.json": seen,
    }
    return event_inputs.filled(template, lambda name: own[name] if name in own else event_paths.at(seen, name))


def send(ctx: Ctx, pipe: Pipe, who: Caller, events: Sequence[Sent]) -> Outcome:
    """Call the target with a batch. Raises the `AwsError` of why it took nothing."""
    arn = pipe.target_arn
    there = ctx.at(pipe.account, arn.region or pipe.region)
    return _TARGETS[arn.service](there, pipe, who, events)


def _resolved(text: str, seen: dict[str, Any]) -> str:
    """A parameter: as it is, or what is at its path in the event."""
    if not text.startswith("$"):
        return text
    found = event_paths.at(seen, text)
    if found is ABSENT or found is None:
        raise AwsError("ValidationException", f"The path {text} is not in the event.", 400)
    return found if isinstance(found, str) else event_inputs.dumped(found)


def _by_id(events: Sequence[Sent], failures: Sequence[dict[str, Any]]) -> Outcome:
    """The outcome of a call whose entries were numbered."""
    if not failures:
        return Outcome()
    first = failures[0]
    error = AwsError(first.get("Code") or "InternalFailure", first.get("Message") or "", 400)
    return Outcome(frozenset(events[int(one["Id"])].item.mark for one in failures), error)


def _by_place(events: Sequence[Sent], answers: Sequence[dict[str, Any]]) -> Outcome:
    """The outcome of a call whose answers are in the order of what was asked."""
    bad = [(one, answer) for one, answer in zip(events, answers, strict=True) if answer.get("ErrorCode")]
    if not bad:
        return Outcome()
    error = AwsError(bad[0][1]["ErrorCode"], bad[0][1].get("ErrorMessage") or "", 400)
    return Outcome(frozenset(one.item.mark for one, _ in bad), error)


def _queue(ctx: Ctx, pipe: Pipe, who: Caller, events: Sequence[Sent]) -> Outcome:
    own = pipe.target_params.get("SqsQueueParameters") or {}
    entries = []
    for place, one in enumerate(events):
        entry: dict[str, Any] = {"Id": str(place), "MessageBody": one.body}
        for name in ("MessageGroupId", "MessageDeduplicationId"):
            if own.get(name):
                entry[name] = _resolved(own[name], one.seen)
        entries.append(entry)
    asked = {"QueueUrl": queues.url_of(pipe.target_arn), "Entries": entries}
    answer = ctx.call("sqs", "SendMessageBatch", asked, caller=who)
    return _by_id(events, answer.get("Failed") or ())


def _topic(ctx: Ctx, pipe: Pipe, who: Caller, events: Sequence[Sent]) -> Outcome:
    entries: list[dict[str, Any]] = [{"Id": str(place), "Message": one.body} for place, one in enumerate(events)]
    if pipe.target.endswith(".fifo"):
        for entry, one in zip(entries, events, strict=True):
            entry["MessageGroupId"] = (one.item.event.get("attributes") or {}).get("MessageGroupId") or pipe.name
            entry["MessageDeduplicationId"] = sha256(one.item.mark.encode()).hexdigest()
    asked = {"TopicArn": pipe.target, "PublishBatchRequestEntries": entries}
    answer = ctx.call("sns", "PublishBatch", asked, caller=who)
    return _by_id(events, answer.get("Failed") or ())


def _bus(ctx: Ctx, pipe: Pipe, who: Caller, events: Sequence[Sent]) -> Outcome:
    own = pipe.target_params.get("EventBridgeEventBusParameters") or {}
    entries = []
    for one in events:
        entry: dict[str, Any] = {
            "EventBusName": pipe.target,
            "Source": _resolved(own.get("Source") or f"Pipe {pipe.name}", one.seen),
            "DetailType": _resolved(own.get("DetailType") or f"Event from aws:{pipe.source_arn.service}", one.seen),
            "Detail": one.body,
            "Resources": [_resolved(text, one.seen) for text in own.get("Resources") or ()],
        }
        if own.get("Time"):
            entry["Time"] = _instant(_resolved(own["Time"], one.seen))
        entries.append(entry)
    answer = ctx.call("events", "PutEvents", {"Entries": entries}, caller=who)
    return _by_place(events, answer["Entries"])


def _stream(ctx: Ctx, pipe: Pipe, who: Caller, events: Sequence[Sent]) -> Outcome:
    key = pipe.target_params["KinesisStreamParameters"]["PartitionKey"]
    records = [{"Data": one.body.encode(), "PartitionKey": _resolved(key, one.seen)} for one in events]
    asked = {"StreamARN": pipe.target, "Records": records}
    answer = ctx.call("kinesis", "PutRecords", asked, caller=who)
    return _by_place(events, answer["Records"])


def _delivery_stream(ctx: Ctx, pipe: Pipe, who: Caller, events: Sequence[Sent]) -> Outcome:
    records = [{"Data": one.body.encode()} for one in events]
    asked = {"DeliveryStreamName": pipe.target_arn.name, "Records": records}
    answer = ctx.call("firehose", "PutRecordBatch", asked, caller=who)
    return _by_place(events, answer["RequestResponses"])


def _log_group(ctx: Ctx, pipe: Pipe, who: Caller, events: Sequence[Sent]) -> Outcome:
    own = pipe.target_params.get("CloudWatchLogsParameters") or {}
    group = pipe.target_arn.name.removesuffix(":*")
    now = ctx.now
    lines = []
    for one in events:
        at = _instant(_resolved(own["Timestamp"], one.seen)) if own.get("Timestamp") else now
        lines.append(LogEvent(int(at.timestamp() * 1000), one.body))
    log_delivery.deliver(ctx, who, group, own.get("LogStreamName") or pipe.name, lines, via=settings.PRINCIPAL)
    return Outcome()


def _instant(text: str) -> datetime:
    """A time in an event: ISO 8601, or a number of seconds or milliseconds."""
    try:
        number = float(text)
        return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise AwsError("ValidationException", f"{text} is not a time.", 400) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_TARGETS: dict[str, Callable[[Ctx, Pipe, Caller, Sequence[Sent]], Outcome]] = {
    "events": _bus,
    "firehose": _delivery_stream,
    "kinesis": _stream,
    "logs": _log_group,
    "sns": _topic,
    "sqs": _queue,
}
