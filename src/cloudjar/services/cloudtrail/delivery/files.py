"""Log files: their names, and the records in them.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from cloudjar.base import ids
from cloudjar.kit.audit_event import AuditEvent
from cloudjar.services.cloudtrail.trails.destinations import folder
from cloudjar.services.cloudtrail.trails.records import Trail
from cloudjar.services.cloudtrail.views import record

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class File(NamedTuple):
    """A file that is ready: `sha256` is that of its contents before they are packed."""

    body: bytes
    sha256: str
    newest: float
    oldest: float


def packed(text: bytes) -> tuple[bytes, str]:
    """Contents as they are stored, and their hash."""
    return gzip.compress(text, mtime=0), hashlib.sha256(text).hexdigest()


def file_of(events: Sequence[AuditEvent]) -> File:
    """The file of some events, in the order of their times."""
    ordered = sorted(events, key=lambda event: event.time)
    body, sha256 = packed(msgspec.json.encode({"Records": [record(event) for event in ordered]}))
    return File(body, sha256, ordered[-1].time, ordered[0].time)


def key_of(trail: Trail, account: str, region: str, now: datetime) -> str:
    """A fresh name below the trail's prefix; the time is that of the delivery."""
    unique = "".join(_LETTERS[ids.below(len(_LETTERS))] for _ in range(16))
    place = f"{folder(trail, account)}/CloudTrail/{region}/{now:%Y/%m/%d}"
    return f"{place}/{account}_CloudTrail_{region}_{now:%Y%m%dT%H%MZ}_{unique}.json.gz"
