"""What a message must be like to be published.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from cloudjar.services.sns import errors
from cloudjar.services.sns.records import Topic

LIMIT = 262_144
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_NAME = re.compile(r"[A-Za-z0-9_\-.]{1,256}")
_TYPES = ("String", "String.Array", "Number", "Binary")
Attributes = dict[str, tuple[str, Any]]


def subject(text: str | None) -> str:
    """A subject, which may be left out but not be empty."""
    if text is None:
        return ""
    if not text or len(text) > 100 or any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
        raise errors.invalid("Subject")
    return text


def bodies(message: str, structure: str | None) -> dict[str, str]:
    """What each protocol gets."""
    if not message:
        raise errors.invalid("Empty message")
    if structure is None:
        return {"default": message}
    if structure != "json":
        raise errors.invalid("MessageStructure")
    try:
        data = json.loads(message)
        if not isinstance(data, dict):
            raise ValueError
    except ValueError:
        raise errors.invalid("Message Structure - JSON message body failed to parse") from None
    if not isinstance(data.get("default"), str):
        raise errors.invalid("Message Structure - No default entry in JSON message body")
    return {str(name): body for name, body in data.items() if isinstance(body, str)}


def attributes(given: Mapping[str, Mapping[str, Any]]) -> Attributes:
    """Message attributes as they are kept: (type, value)."""
    found: Attributes = {}
    for name, value in given.items():
        if not _NAME.fullmatch(name) or name.startswith(".") or name.endswith(".") or ".." in name:
            raise errors.bad_value(f"The message attribute name '{name}' is invalid.")
        kind = value.get("DataType") or ""
        if kind.partition(".")[0] not in ("String", "Number", "Binary") or kind == "String.":
            raise errors.bad_value(
                f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
                "prefixes is Binary, Number, and String."
            )
        held = value.get("BinaryValue") if kind.startswith("Binary") else value.get("StringValue")
        if not held:
            raise errors.bad_value(
                f"The message attribute '{name}' must contain non-empty message attribute value for message attribute "
                f"type '{kind}'."
            )
        if kind.startswith("Number"):
            _number(name, held)
        found[name] = (kind, held)
    return found


def _number(name: str, text: str) -> None:
    try:
        float(text)
    except ValueError:
        raise errors.bad_value(f"Could not cast message attribute '{name}' value to number.") from None


def size(message: str, kept: Attributes) -> int:
    """Bytes that count against the limit."""
    total = len(message.encode())
    for name, (kind, value) in kept.items():
        total += len(name.encode()) + len(kind) + len(value.encode() if isinstance(value, str) else value)
    return total


def order(topic: Topic, group: str | None, dedup: str | None) -> None:
    """The parameters of order and of deduplication."""
    if group is not None and not _TOKEN.fullmatch(group):
        raise errors.invalid("MessageGroupId")
    if not topic.fifo:
        if dedup is not None:
            raise errors.invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not "
                "valid for this topic type"
            )
        return
    if group is None:
        raise errors.invalid("The MessageGroupId parameter is required for FIFO topics")
    if dedup is None and not topic.content_dedup:
        raise errors.invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )
    if dedup is not None and not _TOKEN.fullmatch(dedup):
        raise errors.invalid("MessageDeduplicationId")
