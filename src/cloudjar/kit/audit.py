"""The audit trail: one event a call, in CloudTrail's terms.

Events of calls that changed something commit with the change. Events of calls that only read are appended to a
journal (one write to the operating system, safe from ``kill -9``) and moved to the database in batches, with the
journal's offset in the same transaction, so that each arrives exactly once. Whoever reads the trail moves all of it
first; else it is moved when nobody is waiting for an answer.
"""

from __future__ import annotations

import logging
import os
import struct
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cloudjar.base import ids
from cloudjar.kit.audit_event import AuditEvent, Besides
from cloudjar.store.database import Database

__all__ = ["Audit", "AuditEvent", "Besides", "DataCall", "Place"]

log = logging.getLogger("cloudjar.audit")

_BATCH_BYTES = 1 << 20
"""What is moved at once: some milliseconds of work."""
_JOURNAL_LIMIT = 64 << 20
"""A journal larger than this is moved however many are waiting."""
_QUIET = 0.1
"""Seconds without an event after which nobody is taken to be waiting."""
_LENGTH = struct.Struct("<I")
_COUNT = (
    "INSERT INTO usage_request VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls"
)

Place = tuple[float, int]
"""Where an event stands in the trail: its time and its number."""
_LAST = 1 << 62

INTERNAL = "AWS Internal"
"""Where a call came from that no client and no named service made."""


Kept = tuple[AuditEvent, bytes]
"""An event and its stored form."""


class DataCall(NamedTuple):
    """A call of a data event (`kit.operation.Operation.data`): whose it concerns, where, and the ARNs it was about."""

    service: str
    region: str
    accounts: tuple[str, ...]
    resources: tuple[str, ...]


Wanted = Callable[[DataCall], bool]


class Audit:
    """The trail: `record` for every call, `find` for CloudTrail and the command line."""

    def __init__(self, database: Database, journal: Path | None) -> None:
        self._database = database
        self._encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode
        self._decode = msgspec.msgpack.Decoder(AuditEvent).decode
        self._lock = threading.Lock()
        self._memory: list[bytes] = []
        self._path = journal
        self._fd = -1 if journal is None else os.open(journal, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        database.execute(
            "CREATE TABLE IF NOT EXISTS audit (seq INTEGER PRIMARY KEY, time REAL, account TEXT, region TEXT, "
            "request_id TEXT, service TEXT, operation TEXT, data BLOB)"
        )
        database.execute("CREATE INDEX IF NOT EXISTS audit_time ON audit (account, region, time)")
        database.execute("CREATE INDEX IF NOT EXISTS audit_request ON audit (request_id)")
        database.execute("CREATE TABLE IF NOT EXISTS audit_offset (one INTEGER PRIMARY KEY, offset INTEGER)")
        database.execute(
            "CREATE TABLE IF NOT EXISTS usage_request (account TEXT, region TEXT, service TEXT, operation TEXT, "
            "minute INTEGER, calls INTEGER, PRIMARY KEY (account, region, service, operation, minute)) WITHOUT ROWID"
        )
        self._by_minute()
        self._pending = 0
        self._armed = False
        self.later: Callable[[float, Callable[[], None]], object] | None = None
        """Calls a function after some seconds (the event loop's); without it, batches are moved as they fill."""
        self.heard: Callable[[AuditEvent], None] | None = None
        """Told of each event once it is kept, in the transaction that it is kept in if there is one."""
        self.wanted: Wanted | None = None
        """Says whether a data event that succeeded is to be kept; without it none is."""
        if self._fd >= 0 and os.fstat(self._fd).st_size:
            self.ingest()

    def first_call(self) -> float | None:
        """When the first call was counted (Unix seconds)."""
        minute = self._database.query("SELECT min(minute) FROM usage_request")[0][0]
        return None if minute is None else minute * 60.0

    def _by_minute(self) -> None:
        """A data directory from before counted calls by the hour: they count as made in its first minute."""
        columns = [row[1] for row in self._database.query("PRAGMA table_info(usage_request)")]
        if "hour" in columns:
            with self._database.transaction():
                self._database.execute("ALTER TABLE usage_request RENAME COLUMN hour TO minute")
                self._database.execute("UPDATE usage_request SET minute = minute * 60")

    def record(self, event: AuditEvent) -> None:
        """Keep an event: in the running transaction if there is one, else in the journal."""
        if self._database.in_transaction:
            self._insert([(event, self._encode(event))])
        else:
            self._write(event)
        if self.heard is not None:
            self.heard(event)

    def _write(self, event: AuditEvent) -> None:
        data = self._encode(event)
        framed = _LENGTH.pack(len(data)) + data
        with self._lock:  # not between a look at the file's size and its truncation
            if self._fd < 0:
                self._memory.append(data)
            else:
                os.write(self._fd, framed)
            self._pending += len(framed)
        if self._pending > _BATCH_BYTES:
            self._move_soon()

    def service_event(
        self,
        account: str,
        region: str,
        time: float,
        service: str,
        name: str,
        *,
        resources: tuple[str, ...] = (),
        details: dict[str, Any] | None = None,
    ) -> None:
        """Keep what a service did by itself (CloudTrail's ``AwsServiceEvent``): a key was rotated, a secret removed.

        `service` is botocore's name, `time` AWS time, `resources` are ARNs, `details` becomes ``serviceEventDetails``.
        Handlers and reconcilers say `Ctx.service_event`.
        """
        self.record(
            AuditEvent(
                id=ids.uuid4(), time=time, account=account, region=region, service=service, operation=name, reads=False,
                caller_kind="service", caller_arn="", caller_id="", caller_name="", access_key_id="",
                source_ip=INTERNAL, agent=INTERNAL, request_id="", resources=resources,
                besides=Besides(details=details or {}),
            )
        )  # fmt: skip

    def _move_soon(self) -> None:
        if self.later is None or self._pending > _JOURNAL_LIMIT:
            self.ingest()
        elif not self._armed:
            self._armed = True
            self.later(_QUIET, self._move_when_quiet(self._pending))

    def _move_when_quiet(self, before: int) -> Callable[[], None]:
        """Move one batch if nothing came since `before` bytes were pending; look again while there is more."""

        def look() -> None:
            self._armed = False
            quiet = self._pending == before
            if quiet:
                self._move(_BATCH_BYTES)
            if self._pending > _BATCH_BYTES and self.later is not None:
                self._armed = True
                self.later(0 if quiet else _QUIET, self._move_when_quiet(self._pending))

        return look

    def ingest(self) -> None:
        """Move the journal into the database."""
        self._move(_LAST)

    def _move(self, most: int) -> None:
        with self._lock:
            if self._fd < 0:
                batch, self._memory = self._memory, []
                with self._database.transaction():
                    self._insert([(self._decode(data), data) for data in batch])
                self._pending = 0
            else:
                self._ingest_file(most)

    def _ingest_file(self, most: int) -> None:
        with self._database.transaction():
            row = self._database.execute("SELECT offset FROM audit_offset").fetchone()
            offset = row[0] if row else 0
            size = os.fstat(self._fd).st_size
            start = 0 if offset > size else offset
            events, end = self._read(start, min(size, start + most), size)
            if end == start:  # one event larger than a batch
                events, end = self._read(start, size, size)
            if offset > size:
                # The file was begun anew and a crash kept the offset from following, or the machine lost its
                # power and the file its end: what is in it may have been moved already.
                events = [(event, data) for event, data in events if not self._is_kept(event)]
            self._insert(events)
            self._database.execute("INSERT OR REPLACE INTO audit_offset VALUES (1, ?)", (end,))
        self._pending = size - end
        if end > 8 * _BATCH_BYTES:
            self._restart(end)

    def _read(self, offset: int, end: int, size: int) -> tuple[list[Kept], int]:
        """The events of the file between two places, and where the next one begins; the file ends at `size`."""
        data = os.pread(self._fd, end - offset, offset)
        events: list[Kept] = []
        at = 0
        while at + 4 <= len(data):
            (length,) = _LENGTH.unpack_from(data, at)
            if at + 4 + length > len(data):
                if end < size:
                    return events, offset + at
                break  # a write that a crash cut short: its call was not answered
            piece = data[at + 4 : at + 4 + length]
            try:
                events.append((self._decode(piece), piece))
            except msgspec.MsgspecError:
                log.warning("the audit journal is damaged at byte %d; the rest is dropped", offset + at)
                break
            at += 4 + length
        return events, offset + at if at == len(data) else size

    def _is_kept(self, event: AuditEvent) -> bool:
        rows = self._database.query("SELECT data FROM audit WHERE request_id=?", (event.request_id,))
        return any(self._decode(data).id == event.id for (data,) in rows)

    def _restart(self, end: int) -> None:
        """Begin the file anew once all of it is in the database; the offset follows in its own commit."""
        if os.fstat(self._fd).st_size == end:
            os.ftruncate(self._fd, 0)
            with self._database.transaction():
                self._database.execute("INSERT OR REPLACE INTO audit_offset VALUES (1, 0)")

    def _insert(self, events: list[Kept]) -> None:
        if not events:
            return
        self._database.executemany(
            "INSERT INTO audit (time, account, region, request_id, service, operation, data) VALUES (?,?,?,?,?,?,?)",
            [(e.time, e.account, e.region, e.request_id, e.service, e.operation, data) for e, data in events],
        )
        self._count([e for e, _ in events if e.counts])

    def _count(self, made: list[AuditEvent]) -> None:
        """Calls are counted by the minute: of that come bills and metrics of usage."""
        if len(made) == 1:  # a call that changed something
            one = made[0]
            place = (one.account, one.region, one.service, one.operation, int(one.time // 60), 1)
            self._database.execute(_COUNT, place)
            return
        calls = Counter([(e.account, e.region, e.service, e.operation, int(e.time // 60)) for e in made])
        self._database.executemany(_COUNT, [(*place, count) for place, count in calls.items()])

    def by_request(self, request_id: str) -> AuditEvent | None:
        """The event of one call."""
        self.ingest()
        rows = self._database.query("SELECT data FROM audit WHERE request_id=?", (request_id,))
        return self._decode(rows[0][0]) if rows else None

    def find(
        self, account: str, region: str, start: float, end: float, keep: Callable[[AuditEvent], bool], limit: int
    ) -> list[AuditEvent]:
        """Events of [start, end], newest first, that `keep` admits; region "" means every region."""
        return [event for _, event in self.find_placed(account, region, start, (end, _LAST), keep, limit)]

    def find_placed(
        self,
        account: str,
        region: str,
        start: float,
        before: Place,
        keep: Callable[[AuditEvent], bool],
        limit: int,
        operation: str = "",
    ) -> list[tuple[Place, AuditEvent]]:
        """The same with their places: what is recorded meanwhile moves no event that comes before a place.

        `operation` narrows to its name without a look at the events of others.
        """
        self.ingest()
        found: list[tuple[Place, AuditEvent]] = []
        while len(found) < limit:
            rows = self._database.query(
                "SELECT seq, time, data FROM audit WHERE account=? AND (?='' OR region=?) AND time>=? "
                "AND (time, seq) < (?, ?) AND (?='' OR operation=?) ORDER BY time DESC, seq DESC LIMIT 512",
                (account, region, region, start, *before, operation, operation),
            )
            if not rows:
                break
            before = (rows[-1][1], rows[-1][0])
            placed = (((time, seq), self._decode(data)) for seq, time, data in rows)
            found += [(place, event) for place, event in placed if keep(event)]
        return found[:limit]

    def after(self, number: int, limit: int) -> list[tuple[int, AuditEvent]]:
        """Events of every account recorded after the one of a number, oldest first, each with its own."""
        self.ingest()
        rows = self._database.query("SELECT seq, data FROM audit WHERE seq>? ORDER BY seq LIMIT ?", (number, limit))
        return [(seq, self._decode(data)) for seq, data in rows]

    def newest(self) -> int:
        """The number of the last event that was moved into the database; the next one's is higher. Moves nothing, so
        it may be asked inside a transaction."""
        found = self._database.query("SELECT max(seq) FROM audit")[0][0]
        return int(found or 0)

    def began(self, account: str) -> float | None:
        """When an account made its first call; None when it made none."""
        self.ingest()
        found: float | None = self._database.query("SELECT min(time) FROM audit WHERE account=?", (account,))[0][0]
        return found

    def requests(self, start: float, end: float) -> list[tuple[str, str, str, str, int]]:
        """(account, region, service, operation, calls) of the hours in [start, end)."""
        self.ingest()
        return [
            tuple(row)
            for row in self._database.query(
                "SELECT account, region, service, operation, sum(calls) FROM usage_request "
                "WHERE minute >= ? AND minute < ? GROUP BY 1, 2, 3, 4",
                (int(start // 3600) * 60, int(-(-end // 3600)) * 60),
            )
        ]

    def requests_by(self, start: int, end: int, step: int) -> list[tuple[str, str, str, str, int, int]]:
        """(account, region, service, operation, which step, calls) of the minutes that begin in [start, end), by
        steps of `step` seconds (whole minutes); as `called`."""
        if not self._database.in_transaction:
            self.ingest()
        return [
            tuple(row)
            for row in self._database.query(
                "SELECT account, region, service, operation, (minute - ?) / ?, sum(calls) FROM usage_request "
                "WHERE minute >= ? AND minute < ? GROUP BY 1, 2, 3, 4, 5",
                (start // 60, step // 60, start // 60, -(-end // 60)),
            )
        ]

    def called(self, account: str, region: str, since: float) -> list[tuple[str, str]]:
        """(service, operation) of what was called in an account and region since an instant; what has not been moved
        yet is among it only outside of transactions."""
        if not self._database.in_transaction:
            self.ingest()
        return [
            (service, operation)
            for service, operation in self._database.query(
                "SELECT DISTINCT service, operation FROM usage_request WHERE account=? AND region=? AND minute>=?",
                (account, region, int(since // 60)),
            )
        ]

    def calls(
        self, account: str, region: str, service: str, operation: str, start: float, end: float
    ) -> list[tuple[int, int]]:
        """(instant, calls) of the minutes that begin in [start, end) and had any, oldest first; as `called`."""
        if not self._database.in_transaction:
            self.ingest()
        return [
            (minute * 60, calls)
            for minute, calls in self._database.query(
                "SELECT minute, calls FROM usage_request WHERE account=? AND region=? AND service=? AND operation=? "
                "AND minute>=? AND minute<? ORDER BY minute",
                (account, region, service, operation, int(-(-start // 60)), int(-(-end // 60))),
            )
        ]

    def close(self) -> None:
        """Move what is left and close the journal."""
        self.ingest()
        self.let_go()

    def let_go(self) -> None:
        """Close the journal as it is: what was not moved is moved at the next start."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _plain(value: Any) -> Any:
    """What MessagePack has no word for: a streamed body is named, not kept."""
    return f"<{type(value).__name__}>"
