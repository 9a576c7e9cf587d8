"""What AWS refuses of retentions. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloudjar.services.s3 import errors
from cloudjar.services.s3.objects.rows import Lock

_YEARS = 100


def check_default(rule: Mapping[str, Any]) -> None:
    """A bucket's default retention. Raises MalformedXML and InvalidArgument."""
    given = rule.get("DefaultRetention")
    if given is None or given.get("Mode") is None:
        raise errors.malformed_xml()
    if given.get("DefaultEventHold") is not None:
        raise errors.not_built("A default event hold of Object Lock")
    days, years = given.get("Days"), given.get("Years")
    if (days is None) == (years is None):
        raise errors.malformed_xml()
    if (days or years or 0) <= 0:
        raise errors.invalid_argument("Default retention period must be a positive integer value.")
    if (days or 0) > 365 * _YEARS or (years or 0) > _YEARS:
        raise errors.invalid_argument(f"Default retention period too large. Maximum is {_YEARS} years.")


def check_retention(given: Mapping[str, Any], now: datetime) -> Lock:
    """A version's retention: mode and instant, or neither (it is taken away). Raises MalformedXML, InvalidArgument."""
    mode, until = given.get("Mode"), given.get("RetainUntilDate")
    if (mode is None) != (until is None):
        raise errors.malformed_xml()
    if until is None:
        return Lock()
    if until <= now:
        raise errors.invalid_argument("The retain until date must be in the future!")
    return Lock(str(mode), int(until.timestamp()))
