"""What storage costs: every byte for every second that it is kept, by storage class.

A bucket's bytes of one kind are a number that changes; what it was for how long is added up in the hour's quantity,
and a stretch of hours in which nothing changed is one span. So the sum is exact however the clock moves, and a crash
finds the same rows as the index: they are written together.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/aws-usage-report-understand.html
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from cloudjar.base import caller as callers
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.quantities import GB, Owner, Quantities, Tally, collects
from cloudjar.kit.usage import Meter
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.lifecycle.classes import ARCHIVED, CLASSES
from cloudjar.services.s3.lifecycle.rules import SMALL
from cloudjar.services.s3.objects.index import Count, counts
from cloudjar.services.s3.objects.rows import Upload, Version
from cloudjar.services.s3.tables import table_of

SERVICE = "AmazonS3"
_HOUR = 3600
_DAY = 86400
_TABLE = (
    "CREATE TABLE IF NOT EXISTS s3_metered (bucket TEXT NOT NULL, usage TEXT NOT NULL, bytes INTEGER NOT NULL, "
    "since INTEGER NOT NULL, held INTEGER NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, "
    "PRIMARY KEY (bucket, usage)) WITHOUT ROWID"
)
_PORT = "s3.meter"

_STANDARD = "TimedStorage-ByteHrs"
_USAGES = {
    "STANDARD": _STANDARD,
    "REDUCED_REDUNDANCY": "TimedStorage-RRS-ByteHrs",
    "STANDARD_IA": "TimedStorage-SIA-ByteHrs",
    "ONEZONE_IA": "TimedStorage-ZIA-ByteHrs",
    "INTELLIGENT_TIERING": "TimedStorage-INT-FA-ByteHrs",
    "GLACIER_IR": "TimedStorage-GIR-ByteHrs",
    "GLACIER": "TimedStorage-GlacierByteHrs",
    "DEEP_ARCHIVE": "TimedStorage-GDA-ByteHrs",
}
_TIERS = {"INFREQUENT": "TimedStorage-INT-IA-ByteHrs", "ARCHIVE_INSTANT": "TimedStorage-INT-AIA-ByteHrs"}
_MONITORED = "Monitoring-Automation-INT"
"""What is paid for an object of Intelligent-Tiering by the month, beside its bytes: small ones are not monitored."""
_ARCHIVED = {"ARCHIVE_ACCESS": "TimedStorage-INT-AA-ByteHrs", "DEEP_ARCHIVE_ACCESS": "TimedStorage-INT-DAA-ByteHrs"}
_OPERATIONS = {
    _STANDARD: "StandardStorage",
    "TimedStorage-RRS-ByteHrs": "ReducedRedundancyStorage",
    "TimedStorage-SIA-ByteHrs": "StandardIAStorage",
    "TimedStorage-ZIA-ByteHrs": "OneZoneIAStorage",
    "TimedStorage-INT-FA-ByteHrs": "IntelligentTieringFAStorage",
    "TimedStorage-INT-IA-ByteHrs": "IntelligentTieringIAStorage",
    "TimedStorage-INT-AIA-ByteHrs": "IntelligentTieringAIAStorage",
    "TimedStorage-INT-AA-ByteHrs": "IntelligentTieringAAStorage",
    "TimedStorage-INT-DAA-ByteHrs": "IntelligentTieringDAAStorage",
    "TimedStorage-GIR-ByteHrs": "GlacierInstantRetrievalStorage",
    "TimedStorage-GlacierByteHrs": "GlacierStorage",
    "TimedStorage-GDA-ByteHrs": "DeepArchiveStorage",
}
_EARLY = {
    "STANDARD_IA": "EarlyDelete-SIA",
    "ONEZONE_IA": "EarlyDelete-ZIA",
    "GLACIER_IR": "EarlyDelete-GIR",
    "GLACIER": "EarlyDelete-ByteHrs",
    "DEEP_ARCHIVE": "EarlyDelete-GDA",
}


def billed(version: Version) -> Iterator[tuple[str, int]]:
    """The usage types that keeping a version drives, each with the bytes (or objects) that are paid."""
    if version.marker:
        return
    held = CLASSES.get(version.storage_class)
    if held is None:
        return
    usage = _ARCHIVED.get(version.archived) or _TIERS.get(version.tier) or _USAGES[version.storage_class]
    yield usage, max(version.size, held.least) + held.overhead
    if version.storage_class == "INTELLIGENT_TIERING" and version.size >= SMALL:
        yield _MONITORED, 1
    if held.standard:
        yield _STANDARD, held.standard
    if version.restore is not None and version.restore.counted:
        yield _STANDARD, version.size


class _Row(NamedTuple):
    bytes: int
    since: int
    held: int
    account: str
    region: str


class Meters:
    """What each bucket keeps now, and since when. Writes are inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._database = world.state.database
        with self._database.lock:
            self._database.execute(_TABLE)

    def count(self, after: Version | None, before: Version | None) -> None:
        """A version came, changed or went."""
        moved: Counter[str] = Counter()
        if after is not None:
            moved.update(dict(_summed(after)))
        if before is not None:
            moved.subtract(dict(_summed(before)))
            self._early(after, before)
        version = after or before
        assert version is not None
        for usage, amount in moved.items():
            if amount:
                self._change(version.bucket, usage, amount)

    def parts(self, upload: Upload, amount: int) -> None:
        """The parts of an upload under way became so many bytes more, or fewer. They are paid as the object will be,
        but for the archives, which they wait for at the price of the usual class.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
        """
        storage_class = upload.draft.storage_class
        if amount and upload.metered:
            usage = _STANDARD if storage_class in ARCHIVED else _USAGES[storage_class]
            self._change(upload.bucket, usage, amount)

    def _change(self, bucket: str, usage: str, amount: int) -> None:
        now = int(self._world.clock.now().timestamp())
        hour = now // _HOUR * _HOUR
        done = self._database.execute(
            "UPDATE s3_metered SET held=held+bytes*(?-since), bytes=bytes+?, since=? WHERE bucket=? AND usage=? "
            "AND since>=?",
            (now, amount, now, bucket, usage, hour),
        )
        if done.rowcount:
            return
        row = self._row(bucket, usage)
        if row is not None:
            self._settle(bucket, usage, row, now)
            self._database.execute(
                "UPDATE s3_metered SET bytes=bytes+? WHERE bucket=? AND usage=?", (amount, bucket, usage)
            )
            return
        found = find_bucket(self._anywhere(), bucket)
        if found is not None:
            self._database.execute(
                "INSERT INTO s3_metered VALUES (?,?,?,?,0,?,?)",
                (bucket, usage, amount, now, found.account, found.location),
            )

    def _anywhere(self) -> Ctx:
        return Ctx(self._world, "", "", callers.service("cloudjar.internal", ""))

    def _row(self, bucket: str, usage: str) -> _Row | None:
        row = self._database.execute(
            "SELECT bytes, since, held, account, region FROM s3_metered WHERE bucket=? AND usage=?", (bucket, usage)
        ).fetchone()
        return None if row is None else _Row(*row)

    def _settle(self, bucket: str, usage: str, row: _Row, now: int) -> None:
        """Hand everything up to now to the bill: what is left of the first hour, whole hours as one span, and the
        beginning of this one."""
        owner = Owner(row.account, row.region, bucket)
        first = row.since // _HOUR * _HOUR + _HOUR
        last = now // _HOUR * _HOUR
        self._add(owner, usage, row.since, row.held + row.bytes * (min(first, now) - row.since))
        if last > first and row.bytes and usage == _MONITORED:
            for begin, end in _months(first, last):
                self._add(owner, usage, begin, row.bytes * (end - begin))
        elif last > first and row.bytes:
            meter = Meter(SERVICE, usage, _OPERATIONS[usage], "GB-Mo", Decimal(row.bytes) / GB)
            self._world.state.usage.used(row.account, row.region, bucket, meter, _instant(first), _instant(last))
        if now > max(last, first):
            self._add(owner, usage, now, row.bytes * (now - max(last, first)))
        self._database.execute(
            "UPDATE s3_metered SET since=?, held=0 WHERE bucket=? AND usage=?", (now, bucket, usage)
        )

    def _add(self, owner: Owner, usage: str, at: int, amount: int) -> None:
        """So many byte-seconds in the hour of an instant."""
        if amount:
            hour = _instant(at // _HOUR * _HOUR)
            seconds = monthrange(hour.year, hour.month)[1] * _DAY
            if usage == _MONITORED:
                tally = Tally(SERVICE, usage, "", "Objects", seconds)
            else:
                tally = Tally(SERVICE, usage, _OPERATIONS[usage], "GB-Mo", GB * seconds)
            quantities: Quantities = self._world.ports["quantities"]
            quantities.add(owner, tally, amount, hour)

    def settle_all(self) -> None:
        """Everything that is kept anywhere, up to now."""
        now = int(self._world.clock.now().timestamp())
        for bucket, usage, *rest in self._database.query(
            "SELECT bucket, usage, bytes, since, held, account, region FROM s3_metered"
        ):
            row = _Row(*rest)
            self._settle(bucket, usage, row, now)
            if not row.bytes:
                self._database.execute("DELETE FROM s3_metered WHERE bucket=? AND usage=?", (bucket, usage))

    def held(self, bucket: str) -> dict[str, int]:
        """What a bucket keeps now, as it is paid: bytes by usage type."""
        return dict(self._database.query("SELECT usage, bytes FROM s3_metered WHERE bucket=?", (bucket,)))

    def _early(self, after: Version | None, before: Version) -> None:
        """What goes before its class's least time is paid as if it had stayed."""
        held = CLASSES.get(before.storage_class)
        if held is None or not held.days or before.marker:
            return
        if after is not None and after.seq == before.seq and after.storage_class == before.storage_class:
            return
        now = int(self._world.clock.now().timestamp())
        left = max(before.modified, before.moved) + held.days * _DAY - now
        bucket = find_bucket(self._anywhere(), before.bucket)
        if left <= 0 or bucket is None:
            return
        amount = (max(before.size, held.least) + held.overhead) * left
        hour = _instant(now // _HOUR * _HOUR)
        per = GB * monthrange(hour.year, hour.month)[1] * _DAY
        tally = Tally(SERVICE, _EARLY[before.storage_class], "", "GB-Mo", per)
        quantities: Quantities = self._world.ports["quantities"]
        quantities.add(Owner(bucket.account, bucket.location, bucket.name), tally, amount, hour)


def _summed(version: Version) -> Counter[str]:
    found: Counter[str] = Counter()
    for usage, amount in billed(version):
        found[usage] += amount
    return found


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _months(first: int, last: int) -> Iterator[tuple[int, int]]:
    """A stretch of seconds, cut at the turns of the months."""
    while first < last:
        begin = _instant(first)
        turn = begin.replace(day=1, hour=0, minute=0, second=0) + timedelta(days=32)
        end = min(last, int(turn.replace(day=1).timestamp()))
        yield first, end
        first = end


def meters(world: World) -> Meters:
    """The meters of a running jar."""
    return table_of(world, _PORT, Meters)


@counts
def _counted(world: World) -> Count:
    return lambda after, before: meters(world).count(after, before)


@collects
def collect(world: World) -> None:
    """Everything that is kept, up to now."""
    with world.state.database.transaction():
        meters(world).settle_all()
