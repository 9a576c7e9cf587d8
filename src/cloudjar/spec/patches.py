"""Where the published models leave something out that AWS still does, or say what must not be taken at its word.

SQS moved from the query protocol to JSON, and its model lost the query names; AWS keeps answering both.
The names here are those of the SQS API reference's query examples and of the query-compatible error codes in
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/. They are kept apart from
`locationName`, which names members in JSON: `queryName` is read by the query and ec2 protocols only.
"""

from __future__ import annotations

from typing import Any

_SQS_LIST_ITEMS = {
    "AWSAccountIdList": "AWSAccountId",
    "ActionNameList": "ActionName",
    "AttributeNameList": "AttributeName",
    "BatchResultErrorEntryList": "BatchResultErrorEntry",
    "BinaryList": "BinaryListValue",
    "ChangeMessageVisibilityBatchRequestEntryList": "ChangeMessageVisibilityBatchRequestEntry",
    "ChangeMessageVisibilityBatchResultEntryList": "ChangeMessageVisibilityBatchResultEntry",
    "DeleteMessageBatchRequestEntryList": "DeleteMessageBatchRequestEntry",
    "DeleteMessageBatchResultEntryList": "DeleteMessageBatchResultEntry",
    "ListMessageMoveTasksResultEntryList": "ListMessageMoveTasksResultEntry",
    "MessageAttributeNameList": "MessageAttributeName",
    "MessageList": "Message",
    "MessageSystemAttributeList": "MessageSystemAttributeName",
    "QueueUrlList": "QueueUrl",
    "SendMessageBatchRequestEntryList": "SendMessageBatchRequestEntry",
    "SendMessageBatchResultEntryList": "SendMessageBatchResultEntry",
    "StringList": "StringListValue",
    "TagKeyList": "TagKey",
}
_SQS_MAPS = {
    "QueueAttributeMap": ("Attribute", "Name", "Value"),
    "MessageSystemAttributeMap": ("Attribute", "Name", "Value"),
    "MessageBodyAttributeMap": ("MessageAttribute", "Name", "Value"),
    "MessageBodySystemAttributeMap": ("MessageSystemAttribute", "Name", "Value"),
    "TagMap": ("Tag", "Key", "Value"),
}
_SQS_CODES = {
    "BatchEntryIdsNotDistinct": ("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400),
    "BatchRequestTooLong": ("AWS.SimpleQueueService.BatchRequestTooLong", 400),
    "EmptyBatchRequest": ("AWS.SimpleQueueService.EmptyBatchRequest", 400),
    "InvalidBatchEntryId": ("AWS.SimpleQueueService.InvalidBatchEntryId", 400),
    "MessageNotInflight": ("AWS.SimpleQueueService.MessageNotInflight", 400),
    "OverLimit": ("OverLimit", 403),
    "PurgeQueueInProgress": ("AWS.SimpleQueueService.PurgeQueueInProgress", 403),
    "QueueDeletedRecently": ("AWS.SimpleQueueService.QueueDeletedRecently", 400),
    "QueueDoesNotExist": ("AWS.SimpleQueueService.NonExistentQueue", 400),
    "QueueNameExists": ("QueueAlreadyExists", 400),
    "TooManyEntriesInBatchRequest": ("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400),
    "UnsupportedOperation": ("AWS.SimpleQueueService.UnsupportedOperation", 400),
}

_SQS_OPEN = ("QueueAttributeName", "MessageSystemAttributeName", "MessageSystemAttributeNameForSends")
"""Names for which the service has words of its own when they are none; ReceiveMessage takes one kind for the other."""


def _sqs(meta: dict[str, Any], operations: dict[str, Any], shapes: dict[str, Any]) -> None:
    meta["protocols"] = ["json", "query"]
    meta["xmlNamespace"] = "http://queue.amazonaws.com/doc/2012-11-05/"
    for name, operation in operations.items():
        if "output" in operation:
            operation["output"]["resultWrapper"] = f"{name}Result"
    for name, item in _SQS_LIST_ITEMS.items():
        if name in shapes:
            shapes[name]["flattened"] = True
            shapes[name]["member"]["queryName"] = item
    for name, (entry, key, value) in _SQS_MAPS.items():
        if name in shapes:
            shapes[name].update(flattened=True, queryName=entry)
            shapes[name]["key"]["queryName"] = key
            shapes[name]["value"]["queryName"] = value
    for name in _SQS_OPEN:
        shapes.get(name, {}).pop("enum", None)
    for name, (code, status) in _SQS_CODES.items():
        if name in shapes:
            shapes[name]["error"] = {"code": code, "httpStatusCode": status, "senderFault": True}


def _secretsmanager(shapes: dict[str, Any]) -> None:
    """Its ClientRequestToken is a version's id: what the same one twice means is the service's own business."""
    for shape in shapes.values():
        for member in shape.get("members", {}).values():
            member.pop("idempotencyToken", None)


def _logs(shapes: dict[str, Any]) -> None:
    """What is logged is nobody's business but the log's: the audit does not keep it a second time."""
    if "InputLogEvents" in shapes:
        shapes["InputLogEvents"]["sensitive"] = True


def _s3(shapes: dict[str, Any]) -> None:
    """A region that is none is refused in words of its own (InvalidLocationConstraint), not as malformed XML; and the
    list of canned ACLs of buckets lacks log-delivery-write."""
    for name in ("BucketLocationConstraint", "BucketCannedACL"):
        shapes.get(name, {}).pop("enum", None)


def _s3control(shapes: dict[str, Any]) -> None:
    """The pattern of ARNs to be tagged does not fit those of buckets, which its own documentation names."""
    shapes.get("S3ResourceArn", {}).pop("pattern", None)


def patch(name: str, meta: dict[str, Any], operations: dict[str, Any], shapes: dict[str, Any]) -> None:
    """Mend one model in place; `operations` and `shapes` may be empty when only metadata matters."""
    if name == "sqs":
        _sqs(meta, operations, shapes)
    elif name == "secretsmanager":
        _secretsmanager(shapes)
    elif name == "logs":
        _logs(shapes)
    elif name == "s3":
        _s3(shapes)
    elif name == "s3control":
        _s3control(shapes)
