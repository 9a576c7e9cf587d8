"""Publish: one message, ten at once, a text to a telephone.

https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
"""

from __future__ import annotations

import re
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sns import bill, checks, errors, finding, publishing, texting

_PHONE = re.compile(r"\+[1-9]\d{1,14}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MOST = 10


@op("Publish", data=True)
def publish(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep a message for a topic's subscribers, or send a text to a telephone."""
    targets = [name for name in ("TopicArn", "TargetArn", "PhoneNumber") if req.get(name)]
    if len(targets) != 1:
        raise errors.invalid("TopicArn or TargetArn Reason: no value for required parameter" if not targets else
                             "Only one of TopicArn, TargetArn, PhoneNumber may be given")  # fmt: skip
    if targets == ["PhoneNumber"]:
        return _text(ctx, req)
    arn = req[targets[0]]
    if ":endpoint/" in arn:
        raise errors.not_built("Publishing to platform endpoints")
    topic = finding.topic(ctx, arn, targets[0])
    message, size = publishing.read(topic, req)
    bill.published(ctx, topic, size)
    return dict(publishing.publish(ctx, topic, message))


def _text(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A text message lands in the mailbox."""
    if not _PHONE.fullmatch(req["PhoneNumber"]):
        raise errors.invalid(f"PhoneNumber Reason: {req['PhoneNumber']} is not valid to publish to")
    body = checks.bodies(req.get("Message") or "", req.get("MessageStructure"))
    told = checks.attributes(req.get("MessageAttributes") or {})
    _, sender = told.get("AWS.SNS.SMS.SenderID", ("", ""))
    return {"MessageId": texting.send(ctx, req["PhoneNumber"], body.get("sms", body["default"]), str(sender))}


@op("PublishBatch", data=True)
def publish_batch(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep several messages; each fails or succeeds by itself."""
    topic, entries = finding.topic(ctx, req["TopicArn"]), req["PublishBatchRequestEntries"]
    _check(entries)
    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    read = []
    for entry in entries:
        try:
            read.append((entry["Id"], *publishing.read(topic, entry)))
        except AwsError as error:
            bad.append({"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True})
    size = sum(one[2] for one in read)
    if size > checks.LIMIT:
        raise AwsError(
            "BatchRequestTooLong", "The length of all the messages put together is more than the limit.", 400
        )
    for name, message, _ in read:
        good.append({"Id": name, **publishing.publish(ctx, topic, message)})
    bill.published(ctx, topic, size)
    return {"Successful": good, "Failed": bad}


def _check(entries: list[dict[str, Any]]) -> None:
    if not entries:
        raise AwsError("EmptyBatchRequest", "The batch request doesn't contain any entries.", 400)
    if len(entries) > _MOST:
        said = "The batch request contains more entries than permissible."
        raise AwsError("TooManyEntriesInBatchRequest", said, 400)
    seen = {entry["Id"] for entry in entries}
    if any(not _ID.fullmatch(name) for name in seen):
        said = "The Id of a batch entry in a batch request doesn't abide by the specification."
        raise AwsError("InvalidBatchEntryId", said, 400)
    if len(seen) != len(entries):
        said = "Two or more batch entries in the request have the same Id."
        raise AwsError("BatchEntryIdsNotDistinct", said, 400)
