"""Trails and their runs.

A trail is what its owner has set up. A run is one stretch of logging, from a start to a stop: it knows how far the
audit was delivered and carries the chain of digests. A run that was stopped lives until the last was delivered.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from cloudjar.kit.record import Record, record


@record("cloudtrail", "trail", key="name", index=("run",), arn="trail/{name}", parent=("cloudtrail/run", "run"))
class Trail(Record, frozen=True, kw_only=True):
    """A trail in its home Region."""

    name: str
    bucket: str
    created: datetime
    prefix: str = ""
    topic: str = ""
    """As it was named: a name or an ARN."""
    topic_arn: str = ""
    global_events: bool = True
    multi_region: bool = False
    organization: str = ""
    """The organization's id, of a trail that logs all its accounts."""
    validation: bool = False
    group: str = ""
    """ARN of a CloudWatch Logs log group, as given."""
    role: str = ""
    key: str = ""
    """ARN of the KMS key that encrypts the files."""
    recursive: bool = True
    """Whether CloudTrail's own deliveries are logged."""
    selectors: list[dict[str, Any]] = []
    advanced: list[dict[str, Any]] = []
    run: str = ""
    """The run that is going on; "" while it does not log."""
    started: datetime | None = None
    stopped: datetime | None = None
    tags: dict[str, str] = {}


class Delivered(msgspec.Struct, frozen=True, array_like=True):
    """A log file as a digest names it. Times are seconds of AWS time."""

    bucket: str
    key: str
    sha256: str
    newest: float
    oldest: float


class Link(msgspec.Struct, frozen=True, array_like=True):
    """The digest before the next one."""

    bucket: str
    key: str
    sha256: str
    signature: str


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """What a run delivers for one account and Region."""

    behind: int | None = None
    """The number of the last event that was delivered, where a delivery failed; None: as far as the run."""
    failures: int = 0
    files: list[Delivered] = []
    """Log files that no digest names yet."""
    last: Link | None = None


@record("cloudtrail", "run")
class Run(Record, frozen=True, kw_only=True):
    """A stretch of logging of a trail, in the trail's home Region."""

    id: str
    name: str
    """The trail's."""
    cursor: int
    """The number of the last event of the audit that was looked at."""
    began: datetime
    digested: datetime | None = None
    """Until when digests were made; None while they are not wanted."""
    until: str = ""
    """The request that ended it."""
    stopped: datetime | None = None
    end: int = 0
    """The number of that request's event, once it was seen."""
    last: Trail | None = None
    """The trail, when it was deleted."""
    stretches: dict[str, Stretch] = {}
    """By ``ACCOUNT/REGION``."""


@record("cloudtrail", "delivery-status", key="trail")
class Status(Record, frozen=True, kw_only=True):
    """How deliveries went, in the account and Region that they were for. `trail` is the trail's ARN."""

    trail: str
    delivered: datetime | None = None
    attempted: datetime | None = None
    error: str = ""
    noticed: datetime | None = None
    notice_attempted: datetime | None = None
    notice_error: str = ""
    logged: datetime | None = None
    log_error: str = ""
    digested: datetime | None = None
    digest_error: str = ""


@record("cloudtrail", "signing-key", key="fingerprint")
class SigningKey(Record, frozen=True, kw_only=True):
    """A key that signs digests in a Region: `public` is PKCS#1 in DER, `sealed` the private one."""

    fingerprint: str
    public: bytes
    sealed: bytes
    begins: datetime
    ends: datetime
