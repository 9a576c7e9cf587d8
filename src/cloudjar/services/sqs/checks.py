"""What a message must be like to be sent.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.services.sqs import errors
from cloudjar.services.sqs.records import Queue

_STRANGE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_NAME = re.compile(r"[A-Za-z0-9_\-.]{1,256}")
_TYPES = ("String", "Number", "Binary")
_DELAY = 900
_MOST = 10


def body(text: str) -> None:
    """The characters of a body."""
    if not text:
        raise errors.missing("MessageBody")
    if not (text.isascii() and text.isprintable()) and _STRANGE.search(text):  # most are: then nothing is searched
        raise AwsError(
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
            "#xE000 to #xFFFD | #x10000 to #x10FFFF",
            400,
        )


def attributes(given: Mapping[str, Mapping[str, Any]]) -> None:
    """The message attributes of one message."""
    if len(given) > _MOST:
        raise errors.invalid(f"Number of message attributes [{len(given)}] exceeds the allowed maximum [{_MOST}].")
    for name, value in given.items():
        _name(name)
        _value(name, value)


def _name(name: str) -> None:
    lower = name.lower()
    if not _NAME.fullmatch(name) or ".." in name or name[0] == "." or name[-1] == ".":
        raise errors.invalid(f"Message (user) attribute name '{name}' is invalid.")
    if lower.startswith(("aws.", "amazon.")):
        raise errors.invalid(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for "
            "internal use."
        )


def _value(name: str, value: Mapping[str, Any]) -> None:
    kind = value.get("DataType") or ""
    if not kind:
        raise errors.invalid(f"The message attribute '{name}' must contain a non-empty message attribute type.")
    base, dot, label = kind.partition(".")
    if base not in _TYPES or (dot and not label) or len(kind) > 256:
        raise errors.invalid(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    held = value.get("BinaryValue") if base == "Binary" else value.get("StringValue")
    if not held:
        raise errors.invalid(
            f"The message attribute '{name}' must contain a non-empty message attribute value for message attribute "
            f"type '{kind}'."
        )
    if isinstance(held, str) and _STRANGE.search(held):
        raise errors.invalid(f"Message (user) attribute '{name}' value has invalid characters.")
    if base == "Number":
        _number(name, held)


def _number(name: str, text: str) -> None:
    try:
        if not Decimal(text).is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise errors.invalid(f"Can't cast the value of message (user) attribute '{name}' to a number.") from None


def system_attributes(given: Mapping[str, Mapping[str, Any]]) -> str:
    """The trace header, which is all that there may be."""
    trace = ""
    for name, value in given.items():
        if name != "AWSTraceHeader":
            raise errors.invalid(f"Message system attribute name '{name}' is invalid.")
        if value.get("DataType") != "String":
            raise errors.invalid(f"The type of message system attribute '{name}' is invalid. You must use String.")
        trace = str(value.get("StringValue") or "")
        if _STRANGE.search(trace):
            raise errors.invalid(f"Message system attribute '{name}' value has invalid characters.")
    return trace


def delay(queue: Queue, seconds: int | None) -> None:
    """A message's own delay."""
    if seconds is None:
        return
    if queue.fifo and seconds:
        raise errors.wrong_type(seconds, "DelaySeconds")
    if not 0 <= seconds <= _DELAY:
        raise errors.bad_value(seconds, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")


def order(queue: Queue, group: str | None, dedup: str | None) -> None:
    """The parameters of order and of deduplication."""
    if group is not None and not _TOKEN.fullmatch(group):
        reason = "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length."
        raise errors.bad_value(group, "MessageGroupId", reason)
    if not queue.fifo:
        if dedup is not None:
            raise errors.wrong_type(dedup, "MessageDeduplicationId")
        return
    if group is None:
        raise errors.missing("MessageGroupId")
    if dedup is None and not queue.content_dedup:
        raise errors.invalid(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )
    if dedup is not None and not _TOKEN.fullmatch(dedup):
        reason = "MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length."
        raise errors.bad_value(dedup, "MessageDeduplicationId", reason)


def attempt(token: str | None) -> str:
    """A receive attempt's id."""
    if token is not None and not _TOKEN.fullmatch(token):
        reason = "ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length."
        raise errors.bad_value(token, "ReceiveRequestAttemptId", reason)
    return token or ""


def size(queue: Queue, length: int) -> None:
    """A message's whole size, in bytes."""
    if length > queue.max_size:
        raise errors.invalid(
            f"One or more parameters are invalid. Reason: Message must be shorter than {queue.max_size} bytes."
        )
