"""S3's rules for tags, of buckets and of objects.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cloudjar.base.errors import AwsError

_LEGAL = re.compile(r"[\w\s+\-=._:/@]*")
_KEY, _VALUE = 128, 256


def checked_tags(items: Iterable[Mapping[str, Any]], most: int) -> dict[str, str]:
    """Tags of a request (``Key``, ``Value``). Raises InvalidTag, and BadRequest for more than `most` (10 for objects,
    50 for buckets)."""
    found: dict[str, str] = {}
    for item in items:
        key, value = str(item.get("Key") or ""), str(item.get("Value") or "")
        if not key or len(key) > _KEY or not _LEGAL.fullmatch(key):
            raise _invalid("The TagKey you have provided is invalid", "TagKey", key)
        if len(value) > _VALUE or not _LEGAL.fullmatch(value):
            raise _invalid("The TagValue you have provided is invalid", "TagValue", value)
        if key.lower().startswith("aws:"):
            raise _invalid("System tags cannot be added/updated by requester", "TagKey", key)
        if key in found:
            raise _invalid("Cannot provide multiple Tags with the same key", "TagKey", key)
        found[key] = value
    if len(found) > most:
        if most <= 10:
            raise AwsError("BadRequest", f"Object tags cannot be greater than {most}", 400)
        raise AwsError("BadRequest", f"Bucket tag count cannot be greater than {most}", 400)
    return found


def _invalid(message: str, name: str, value: str) -> AwsError:
    return AwsError("InvalidTag", message, 400, members={name: value})
