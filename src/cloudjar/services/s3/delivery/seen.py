"""Every answer to a client, noted: what it costs, what CloudWatch counts, and the line of the access log.

Notes are held for a moment and written together, so that a request costs no transaction; a quiet jar writes at once.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

from cloudjar.base import caller as callers
from cloudjar.base.clock import monotonic
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.metrics import Metric
from cloudjar.kit.observing import Seen, observes
from cloudjar.kit.quantities import Owner, Quantities, Tally, collects
from cloudjar.services.s3.analytics import life as analyses
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.delivery import filters, lines
from cloudjar.services.s3.lifecycle import tiers
from cloudjar.services.s3.tables import table_of

_TABLE = (
    "CREATE TABLE IF NOT EXISTS s3_log (id INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, line TEXT NOT NULL)"
)
_PORT = "s3.seen"
_SOON = 0.2
"""Seconds for which notes are held under load."""
_MOST = 10_000

_FREE = ("Delete", "Abort")
_TIER1 = ("Put", "Copy", "Post", "Create", "Upload", "Complete", "List", "Restore")
_CLASSES = {"STANDARD_IA": "SIA-", "ONEZONE_IA": "ZIA-", "GLACIER_IR": "GIR-"}
_OUT = "DataTransfer-Out-Bytes"
_TIERED = "INTELLIGENT_TIERING"
_RETRIEVED = {"STANDARD_IA": "Retrieval-SIA", "ONEZONE_IA": "Retrieval-ZIA", "GLACIER_IR": "Retrieval-GIR"}


class Answer(NamedTuple):
    """An answer in numbers: status, bytes received and sent, and the class of the object it was about."""

    status: int
    received: int
    sent: int
    storage_class: str


Paid = tuple[str, str, str, str, str]
"""What is counted for the bill: account, region, bucket, usage type and operation. Plain text: it is made for every
answer."""


class Notes:
    """What was noted and is not yet written."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._counts: dict[Paid, int] = {}
        self._read: dict[tuple[str, str, str], list[int]] = {}
        self._points: dict[tuple[str, str, Metric, str], list[float]] = {}
        self._lines: list[tuple[str, str, str, str]] = []
        self._last = 0.0
        self._armed = False
        with world.state.database.lock:
            world.state.database.execute(_TABLE)
        world.at_stop.append(self.write)
        world.at_move.append(self.write)

    def count(self, what: list[tuple[Paid, int]]) -> None:
        """So much more of what is paid."""
        with self._lock:
            held = self._counts
            for paid, amount in what:
                held[paid] = held.get(paid, 0) + amount

    def point(self, account: str, region: str, metric: Metric, unit: str, amount: float) -> None:
        """A measurement for CloudWatch."""
        with self._lock:
            self._points.setdefault((account, region, metric, unit), []).append(amount)

    def read(self, bucket: Bucket, key: str, version_id: str, sent: int) -> None:
        """An object was read whose class, or an analysis, asks for that."""
        with self._lock:
            self._read.setdefault((bucket.name, key, version_id), []).append(sent)

    def line(self, bucket: Bucket, text: str) -> None:
        """A line of a bucket's access log."""
        with self._lock:
            self._lines.append((bucket.account, bucket.location, bucket.name, text))

    def write_soon(self) -> None:
        """Write now when little happens, else in a moment."""
        later = getattr(self._world.ports.get("audit"), "later", None)
        if later is None or monotonic() - self._last > _SOON or len(self._lines) > _MOST:
            self.write()
        elif not self._armed:
            self._armed = True
            later(_SOON, self.write)

    def write(self) -> None:
        """Write what is held, in one transaction."""
        with self._lock:
            counts, points, noted, read = self._counts, self._points, self._lines, self._read
            self._counts, self._points, self._lines, self._read = {}, {}, [], {}
            self._armed = False
            if not (counts or points or noted or read):
                return
            self._last = monotonic()
        with self._world.state.database.transaction():
            quantities: Quantities = self._world.ports["quantities"]
            for (account, region, bucket, usage, operation), amount in counts.items():
                quantities.add(Owner(account, region, bucket), _tally(usage, operation), amount)
            now = self._world.clock.now()
            for (account, region, metric, unit), amounts in points.items():
                measured = [metrics.value(now, amount, unit, count) for amount, count in Counter(amounts).items()]
                metrics.put(self._world, account, region, metric, measured)
            self._write_lines(noted)
            self._touch(read)

    def _touch(self, read: dict[tuple[str, str, str], list[int]]) -> None:
        here = Ctx(self._world, "", "", callers.service("cloudjar.internal", ""))
        for (name, key, version_id), each in sorted(read.items()):
            bucket = find_bucket(here, name)
            if bucket is not None:
                tiers.touch(self._world, bucket, key, version_id)
                if bucket.analytics:
                    for sent in each:
                        analyses.on_read(here, bucket, key, version_id, sent)

    def _write_lines(self, noted: list[tuple[str, str, str, str]]) -> None:
        database = self._world.state.database
        database.executemany("INSERT INTO s3_log (bucket, line) VALUES (?, ?)", [row[2:] for row in noted])
        now = self._world.clock.now()
        hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        for account, region, bucket in {row[:3] for row in noted}:
            self._world.state.wakes.wake("s3/access-log", account, region, bucket, due=hour)


def _tally(usage: str, operation: str) -> Tally:
    if usage.startswith("Requests-"):
        return Tally("AmazonS3", usage, operation, "Requests", 1)
    return Tally("AWSDataTransfer" if usage == _OUT else "AmazonS3", usage, operation)


def notes(world: World) -> Notes:
    """The notes of a running jar."""
    return table_of(world, _PORT, Notes)


@collects
def collect(world: World) -> None:
    """Whoever reads the bill reads what was noted until now."""
    notes(world).write()


@observes("s3")
def on_answer(seen: Seen) -> None:
    """Note an answer about a bucket that is there."""
    name = seen.req.get("Bucket")
    bucket = find_bucket(seen.ctx, name) if isinstance(name, str) else None
    if bucket is None or seen.ctx.request is None:
        return
    held, answer = notes(seen.ctx.world), _answer(seen)
    _bill(held, seen, bucket, answer)
    if bucket.metrics:
        _measure(held, seen, bucket, answer)
    if bucket.logging:
        headers = {name.lower(): value for name, value in seen.response.headers}
        held.line(bucket, lines.line(seen, bucket, answer.status, answer.received, answer.sent, headers))
    held.write_soon()


def _answer(seen: Seen) -> Answer:
    response, request = seen.response, seen.ctx.request
    length, storage_class = "", seen.req.get("StorageClass") or "STANDARD"
    for name, value in response.headers:
        if name == "Content-Length":
            length = value
        elif name == "x-amz-storage-class":
            storage_class = value
    body = response.body
    if request is None or request.method == "HEAD" or response.status in (204, 304):
        sent = 0
    else:
        sent = len(body) if isinstance(body, bytes) else int(length or 0)
    given = request.body if request is not None else b""
    received = len(given) if isinstance(given, bytes) else getattr(given, "size", 0)
    return Answer(response.status, received, sent, storage_class)


def _bill(held: Notes, seen: Seen, bucket: Bucket, answer: Answer) -> None:
    """Whoever owns the bucket pays, or who asks where he must; strangers who are refused cost nobody anything."""
    caller, operation = seen.ctx.caller, seen.operation
    if answer.status >= 500 or (answer.status == 403 and caller.account != bucket.account):
        return
    pays = caller.account if bucket.requester_pays and caller.kind != "anonymous" else bucket.account
    found: list[tuple[Paid, int]] = []
    tier = _tier(operation, answer.storage_class)
    if tier:
        found.append(((pays, bucket.location, bucket.name, tier, operation), 1))
    if answer.sent:
        if operation == "GetObject" and (answer.storage_class == _TIERED or bucket.analytics):
            held.read(bucket, seen.req["Key"], seen.req.get("VersionId") or "", answer.sent)
        if operation == "GetObject" and answer.storage_class in _RETRIEVED:
            usage = _RETRIEVED[answer.storage_class]
            found.append(((pays, bucket.location, bucket.name, usage, operation), answer.sent))
        request = seen.ctx.request
        if request is not None and not request.vpc:
            found.append(((pays, bucket.location, bucket.name, _OUT, operation), answer.sent))
    held.count(found)


@lru_cache(maxsize=512)
def _tier(operation: str, storage_class: str) -> str:
    if operation.startswith(_FREE):
        return ""
    if operation == "RestoreObject":
        return "Requests-GDA-Tier3" if storage_class == "DEEP_ARCHIVE" else "Requests-Tier3"
    number = 1 if operation.startswith(_TIER1) else 2
    about = operation in ("PutObject", "GetObject", "HeadObject", "CopyObject", "CreateMultipartUpload")
    return f"Requests-{_CLASSES.get(storage_class, '') if about else ''}Tier{number}"


# -- CloudWatch
_KINDS = {
    "GET": "GetRequests",
    "PUT": "PutRequests",
    "DELETE": "DeleteRequests",
    "HEAD": "HeadRequests",
    "POST": "PostRequests",
}


def _measure(held: Notes, seen: Seen, bucket: Bucket, answer: Answer) -> None:
    request = seen.ctx.request
    method = request.method if request is not None else ""
    for config in filters.of_metrics(seen, bucket):
        dimensions = (("BucketName", bucket.name), ("FilterId", config))
        for name, unit, amount in _measured(seen, answer, method):
            held.point(bucket.account, bucket.location, Metric("AWS/S3", name, dimensions), unit, amount)


def _measured(seen: Seen, answer: Answer, method: str) -> Iterator[tuple[str, str, float]]:
    yield "AllRequests", "Count", 1
    if seen.operation.startswith("List") and method == "GET":
        yield "ListRequests", "Count", 1
    elif seen.operation == "SelectObjectContent":
        yield "SelectRequests", "Count", 1
    elif method in _KINDS:
        yield _KINDS[method], "Count", 1
    yield "4xxErrors", "Count", float(400 <= answer.status < 500)
    yield "5xxErrors", "Count", float(answer.status >= 500)
    if answer.sent:
        yield "BytesDownloaded", "Bytes", answer.sent
    if answer.received:
        yield "BytesUploaded", "Bytes", answer.received
    milliseconds = round(seen.seconds * 1000, 3)
    yield "FirstByteLatency", "Milliseconds", milliseconds
    yield "TotalRequestLatency", "Milliseconds", milliseconds
