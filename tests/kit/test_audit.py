"""The trail keeps every event once, whatever is cut short."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudjar.kit import audit as audit_module
from cloudjar.kit.audit import Audit, AuditEvent
from cloudjar.store.database import Database
from tests.store.failing import undone

ACCOUNT, REGION = "000000000000", "eu-west-3"


def event(number: int, time: float = 100.0, account: str = ACCOUNT) -> AuditEvent:
    return AuditEvent(
        id=f"e{number}", time=time, account=account, region=REGION, service="sts", operation="GetCallerIdentity",
        reads=True, caller_kind="root", caller_arn="", caller_id="", caller_name="root", access_key_id="test",
        source_ip="127.0.0.1", agent="", request_id=f"r{number}",
    )  # fmt: skip


class Trail:
    """A trail on disk that can be dropped and reopened."""

    def __init__(self, folder: Path) -> None:
        self.journal = folder / "journal"
        self.file = folder / "a.db"
        self.open()

    def open(self) -> None:
        self.database = Database(self.file, durable=False)
        self.audit = Audit(self.database, self.journal)

    def crash(self) -> None:
        """Without a goodbye: nothing is moved any more."""
        self.audit.let_go()
        self.database.close()
        self.open()

    @property
    def ids(self) -> list[str]:
        return [e.id for e in self.audit.find(ACCOUNT, "", 0, 1e12, lambda _: True, 10_000)]


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    return Trail(tmp_path)


def test_an_event_inside_a_transaction_shares_its_fate(trail: Trail) -> None:
    with trail.database.transaction():
        trail.audit.record(event(1))
    with undone(trail.database):
        trail.audit.record(event(2))
    assert trail.ids == ["e1"]


def test_an_event_outside_is_safe_at_once_and_moved_once(trail: Trail) -> None:
    trail.audit.record(event(1))
    trail.crash()
    trail.audit.record(event(2))
    trail.crash()
    trail.crash()
    assert sorted(trail.ids) == ["e1", "e2"]
    assert trail.audit.requests(0, 3600) == [(ACCOUNT, REGION, "sts", "GetCallerIdentity", 2)]


def test_a_record_that_a_crash_cut_short_is_dropped_and_nothing_after_it(trail: Trail) -> None:
    trail.audit.record(event(1))
    whole = trail.journal.read_bytes()
    for cut in range(1, len(whole)):
        trail.database.close()
        trail.file.unlink()
        trail.journal.write_bytes(whole + whole[:cut])
        trail.open()
        trail.audit.record(event(2))
        trail.crash()
        assert sorted(trail.ids) == ["e1", "e2"], cut


@pytest.mark.parametrize("tail", [bytes(64), struct.pack("<I", 5) + b"\xff" * 5, struct.pack("<I", 1) + b"\x90"])
def test_what_a_power_cut_leaves_behind_does_not_keep_the_server_from_starting(
    trail: Trail, tail: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    trail.audit.record(event(1))
    with trail.journal.open("ab") as journal:
        journal.write(tail)
    trail.crash()
    assert "damaged" in caplog.text
    trail.audit.record(event(2))
    assert sorted(trail.ids) == ["e1", "e2"]


def test_a_journal_that_lost_its_end_is_not_moved_twice(trail: Trail) -> None:
    for number in range(10):
        trail.audit.record(event(number))
    trail.audit.ingest()
    whole = trail.journal.read_bytes()
    trail.database.close()
    trail.journal.write_bytes(whole[: len(whole) // 2])
    trail.open()
    trail.audit.record(event(10))
    assert sorted(trail.ids) == sorted(f"e{n}" for n in range(11))


def test_a_journal_is_begun_anew_and_a_crash_in_between_loses_nothing(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "_BATCH_BYTES", 200)
    for number in range(100):
        trail.audit.record(event(number))
    assert trail.journal.stat().st_size < 8 * 200 + 400
    assert len(trail.ids) == 100
    # The file is begun anew, and the crash comes before the offset follows.
    trail.audit.record(event(100))
    trail.audit.ingest()
    trail.journal.write_bytes(b"")
    trail.crash()
    for number in range(101, 120):
        trail.audit.record(event(number))
    trail.crash()
    assert sorted(trail.ids) == sorted(f"e{n}" for n in range(120))


class Later:
    """An event loop's `call_later` that is driven by hand."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def __call__(self, seconds: float, work: Callable[[], None]) -> None:
        assert seconds >= 0
        self.due.append(work)

    def run(self) -> None:
        due, self.due = self.due, []
        for work in due:
            work()


def moved(trail: Trail) -> int:
    row = trail.database.execute("SELECT count(*) FROM audit").fetchone()
    return int(row[0])


def test_with_a_loop_the_journal_is_moved_when_nobody_waits_a_batch_at_a_time(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "_BATCH_BYTES", 600)
    later = trail.audit.later = Later()
    for number in range(40):
        trail.audit.record(event(number))
    assert len(later.due) == 1
    trail.audit.record(event(40))
    later.run()
    assert moved(trail) == 0, "somebody was waiting"
    later.run()
    first = moved(trail)
    assert 0 < first < 41
    for _ in range(100):
        later.run()
    assert moved(trail) > 30
    assert not later.due
    trail.crash()
    assert sorted(trail.ids) == sorted(f"e{n}" for n in range(41))


def test_an_event_larger_than_a_batch_is_moved_too(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "_BATCH_BYTES", 600)
    later = trail.audit.later = Later()
    large = event(1)
    large.params = "x" * 5000
    trail.audit.record(large)
    trail.audit.record(event(2))
    later.run()
    later.run()
    assert moved(trail) == 2
    assert not later.due


def test_a_journal_at_its_limit_is_moved_however_many_wait(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "_BATCH_BYTES", 600)
    monkeypatch.setattr(audit_module, "_JOURNAL_LIMIT", 2000)
    trail.audit.later = Later()
    for number in range(40):
        trail.audit.record(event(number))
    assert moved(trail) > 20


def test_the_newest_come_first_and_pages_do_not_shift(trail: Trail) -> None:
    for number in range(20):
        trail.audit.record(event(number, time=100.0 + number // 3))
    first = trail.audit.find_placed(ACCOUNT, REGION, 0, (1e12, 1 << 62), lambda _: True, 5)
    for number in range(20, 30):
        trail.audit.record(event(number, time=200.0))
    rest = trail.audit.find_placed(ACCOUNT, REGION, 0, first[-1][0], lambda _: True, 100)
    assert [e.id for _, e in first + rest] == [f"e{n}" for n in reversed(range(20))]


def test_what_is_asked_for_is_narrowed(trail: Trail) -> None:
    trail.audit.record(event(1, time=100))
    trail.audit.record(event(2, time=200))
    trail.audit.record(event(3, time=300, account="111111111111"))
    find = trail.audit.find
    assert [e.id for e in find(ACCOUNT, REGION, 150, 250, lambda _: True, 9)] == ["e2"]
    assert [e.id for e in find(ACCOUNT, "us-east-1", 0, 999, lambda _: True, 9)] == []
    assert [e.id for e in find(ACCOUNT, "", 0, 999, lambda e: e.id != "e2", 9)] == ["e1"]
    found = trail.audit.by_request("r3")
    assert found is not None
    assert found.account == "111111111111"
    assert trail.audit.by_request("r9") is None


def test_without_a_file_the_trail_lives_in_memory() -> None:
    audit = Audit(Database(None), None)
    audit.record(event(1))
    assert [e.id for e in audit.find(ACCOUNT, "", 0, 999, lambda _: True, 9)] == ["e1"]
    audit.close()


def test_calls_are_counted_by_the_minute(trail: Trail) -> None:
    for number, time in enumerate((3599.0, 3600.0, 3660.0, 3719.9)):
        trail.audit.record(event(number, time))
    who = (ACCOUNT, REGION, "sts", "GetCallerIdentity")
    assert trail.audit.calls(*who, 0, 1e9) == [(3540, 1), (3600, 1), (3660, 2)]
    assert trail.audit.calls(*who, 3541, 3660) == [(3600, 1)]
    assert trail.audit.called(ACCOUNT, REGION, 3660) == [("sts", "GetCallerIdentity")]
    assert trail.audit.called(ACCOUNT, REGION, 3720) == []
    assert trail.audit.requests(0, 3600) == [(*who, 1)]
    assert trail.audit.requests(3600, 7200) == [(*who, 3)]


def test_who_asks_for_calls_inside_a_transaction_moves_nothing(trail: Trail) -> None:
    trail.audit.record(event(1))
    with undone(trail.database):
        assert trail.audit.called(ACCOUNT, REGION, 0) == []
    assert trail.audit.called(ACCOUNT, REGION, 0) == [("sts", "GetCallerIdentity")]


def test_what_was_counted_by_the_hour_before_counts_on(trail: Trail) -> None:
    trail.database.execute("DROP TABLE usage_request")
    trail.database.execute(
        "CREATE TABLE usage_request (account TEXT, region TEXT, service TEXT, operation TEXT, hour INTEGER, "
        "calls INTEGER, PRIMARY KEY (account, region, service, operation, hour)) WITHOUT ROWID"
    )
    who = (ACCOUNT, REGION, "sts", "GetCallerIdentity")
    trail.database.execute("INSERT INTO usage_request VALUES (?,?,?,?,1,7)", who)
    trail.crash()
    trail.audit.record(event(1, 3700.0))
    assert trail.audit.requests(3600, 7200) == [(*who, 8)]
    assert trail.audit.calls(*who, 0, 1e9) == [(3600, 7), (3660, 1)]
