"""Up to ten at once: each fails or succeeds by itself.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sqs import finding, holding, minutes, rates, receiving, sending
from cloudjar.services.sqs.access import on_queue
from cloudjar.services.sqs.ops.messages import millis
from cloudjar.spec import models

_MOST = 10
_LIMIT = 1 << 20
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


def _entries(req: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """A batch's entries; raises what is wrong with the batch as a whole."""
    entries: list[dict[str, Any]] = req["Entries"]
    if not entries:
        raise AwsError("EmptyBatchRequest", f"There should be at least one {kind} in the request.", 400)
    if len(entries) > _MOST:
        said = f"Maximum number of entries per request are {_MOST}. You have sent {len(entries)}."
        raise AwsError("TooManyEntriesInBatchRequest", said, 400)
    seen: set[str] = set()
    for entry in entries:
        if not _ID.fullmatch(entry["Id"]):
            raise AwsError(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most "
                "80 letters long.",
                400,
            )
        if entry["Id"] in seen:
            raise AwsError("BatchEntryIdsNotDistinct", f"Id {entry['Id']} repeated.", 400)
        seen.add(entry["Id"])
    return entries


def _failed(entry: dict[str, Any], error: AwsError) -> dict[str, Any]:
    shape = models.service("sqs").error_shapes.get(error.code)
    code = shape.error_code if shape is not None else error.code
    return {"Id": entry["Id"], "SenderFault": not error.is_server_fault, "Code": code, "Message": error.message}


def _each(
    entries: list[dict[str, Any]], work: Callable[[dict[str, Any]], dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(successful, failed) of a batch."""
    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    for entry in entries:
        try:
            good.append({"Id": entry["Id"], **work(entry)})
        except AwsError as error:
            bad.append(_failed(entry, error))
    return good, bad


def _told(good: list[dict[str, Any]], bad: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if good:
        found["Successful"] = good
    if bad:
        found["Failed"] = bad
    return found


@op("SendMessageBatch", data=True, joins=True, access=on_queue("sqs:SendMessage"))
def send_message_batch(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep several messages, in order."""
    queue, now = finding.queue(ctx, req), millis(ctx)
    entries = _entries(req, "SendMessageBatchRequestEntry")
    letters: dict[str, sending.Letter] = {}

    def check(entry: dict[str, Any]) -> dict[str, Any]:
        letters[entry["Id"]] = sending.read(queue, entry)
        return {}

    _, bad = _each(entries, check)
    size = sum(letter.size for letter in letters.values())
    if size > _LIMIT:
        said = f"Batch requests cannot be longer than {_LIMIT} bytes. You have sent {size} bytes."
        raise AwsError("BatchRequestTooLong", said, 400)
    if queue.fifo:
        rates.draw(ctx, queue, "SendMessage", now, [letter.group for letter in letters.values()])
    minutes.turn(ctx, queue, now)
    kept = [entry for entry in entries if entry["Id"] in letters]
    good = [{"Id": e["Id"], **sending.send(ctx, queue, letters[e["Id"]], now)} for e in kept]
    if letters:
        sizes = [letter.size for letter in letters.values()]
        minutes.count(ctx, queue, now, sent=len(sizes), size=size, low=min(sizes), high=max(sizes))
        receiving.notify(ctx, queue, len(good))
    return _told(good, bad)


@op("DeleteMessageBatch", data=True, joins=True, access=on_queue("sqs:DeleteMessage"))
def delete_message_batch(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete several received messages."""
    queue, now = finding.queue(ctx, req), millis(ctx)
    entries = _entries(req, "DeleteMessageBatchRequestEntry")
    if queue.fifo:
        rates.draw(ctx, queue, "DeleteMessage", now)
    minutes.turn(ctx, queue, now)

    def work(entry: dict[str, Any]) -> dict[str, Any]:
        holding.delete(ctx, queue, entry["ReceiptHandle"], now)
        return {}

    good, bad = _each(entries, work)
    minutes.count(ctx, queue, now, deleted=len(good))
    return _told(good, bad)


@op("ChangeMessageVisibilityBatch", data=True, joins=True, access=on_queue("sqs:ChangeMessageVisibility"))
def change_message_visibility_batch(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Hold several received messages for so long from now on."""
    queue, now = finding.queue(ctx, req), millis(ctx)
    entries = _entries(req, "ChangeMessageVisibilityBatchRequestEntry")
    if queue.fifo:
        rates.draw(ctx, queue, "ChangeMessageVisibility", now)
    minutes.turn(ctx, queue, now)

    def work(entry: dict[str, Any]) -> dict[str, Any]:
        seconds = entry.get("VisibilityTimeout")
        holding.hold(ctx, queue, entry["ReceiptHandle"], queue.visibility if seconds is None else seconds, now)
        return {}

    good, bad = _each(entries, work)
    minutes.count(ctx, queue, now)
    return _told(good, bad)
