"""Wake-ups are kept until they are done, come back after a failure, and run in the order of AWS time."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from cloudjar.base.clock import SimClock, SystemClock
from cloudjar.base.errors import PlaneError
from cloudjar.kit.wakes import Reconcile, Runner, Wake, WakeTable
from cloudjar.store.database import Database
from tests.store.failing import undone


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "a.db", durable=False)


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def table(database: Database, clock: SimClock) -> WakeTable:
    return WakeTable(database, clock)


def wake(table: WakeTable, key: str, **more: object) -> None:
    table.wake("t", "1", "r", key, **more)  # type: ignore[arg-type]  # purpose and due


def keys(wakes: list[Wake]) -> list[str]:
    return [one.key for one in wakes]


def test_a_wake_up_shares_the_fate_of_its_transaction(database: Database, table: WakeTable) -> None:
    told: list[bool] = []
    table.notify = lambda: told.append(database.in_transaction)
    with undone(database):
        wake(table, "lost")
    assert table.due() == []
    with database.transaction():
        wake(table, "kept")
        assert told == []
    assert keys(table.due()) == ["kept"]
    assert told == [False]


def test_one_record_and_purpose_is_one_row(table: WakeTable, clock: SimClock) -> None:
    wake(table, "a")
    wake(table, "a")
    wake(table, "a", purpose="forget", due=clock.now() + timedelta(hours=1))
    assert keys(table.due()) == ["a"]
    assert len(table.due(until=clock.now() + timedelta(hours=2))) == 2
    assert table.expects(table.due()[0], "forget")
    assert not table.expects(table.due()[0], "boot")


def test_who_is_woken_while_he_works_is_not_forgotten(table: WakeTable) -> None:
    wake(table, "a")
    (first,) = table.due()
    wake(table, "a")
    table.done(first)
    (second,) = table.due()
    assert second.stamp > first.stamp
    table.done(second)
    assert table.due() == []


def test_stamps_go_on_after_a_restart(database: Database, table: WakeTable, clock: SimClock) -> None:
    wake(table, "a")
    (before,) = table.due()
    again = WakeTable(database, clock)
    wake(again, "a")
    again.done(before)
    assert keys(again.due()) == ["a"]


def test_a_failure_is_tried_again_later_and_later(table: WakeTable, clock: SimClock) -> None:
    wake(table, "a")
    pauses = []
    for _ in range(8):
        (now,) = table.due()
        table.later(now)
        assert table.due() == []
        due = table.next_due()
        assert due is not None
        pauses.append((due - clock.now()).total_seconds())
        clock.advance(due - clock.now())
    assert pauses == sorted(pauses)
    assert pauses[0] == 0.5
    assert pauses[-1] == 30


def runner(table: WakeTable, clock: SimClock, reconcile: Reconcile) -> Runner:
    return Runner(table, clock, reconcile)


def test_settling_runs_what_is_due_and_what_that_makes_due(table: WakeTable, clock: SimClock) -> None:
    seen: list[str] = []

    def reconcile(one: Wake) -> None:
        seen.append(one.key)
        if len(one.key) < 3:
            wake(table, one.key + "x")

    wake(table, "later", due=clock.now() + timedelta(days=1))
    wake(table, "a")
    runner(table, clock, reconcile).settle()
    assert seen == ["a", "ax", "axx"]


def test_a_world_that_does_not_settle_is_our_bug(table: WakeTable, clock: SimClock) -> None:
    wake(table, "a")
    restless = runner(table, clock, lambda one: wake(table, one.key))
    with pytest.raises(RuntimeError, match="does not settle"):
        restless.settle(limit=50)


def test_alarms_run_at_their_own_instants_in_order(table: WakeTable, clock: SimClock) -> None:
    start, seen = clock.now(), []

    def reconcile(one: Wake) -> None:
        seen.append((one.key, (clock.now() - start).total_seconds()))
        if one.key == "first":
            wake(table, "follows", due=clock.now() + timedelta(seconds=5))

    wake(table, "second", due=start + timedelta(seconds=20))
    wake(table, "first", due=start + timedelta(seconds=10))
    wake(table, "never", due=start + timedelta(seconds=100))
    runner(table, clock, reconcile).advance(timedelta(seconds=60))
    assert seen == [("first", 10.0), ("follows", 15.0), ("second", 20.0)]
    assert clock.now() == start + timedelta(seconds=60)


def test_what_the_host_refused_and_what_we_broke_are_both_tried_again(
    table: WakeTable, clock: SimClock, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[Exception] = [PlaneError("the disk is full"), ZeroDivisionError()]

    def reconcile(_: Wake) -> None:
        if failures:
            raise failures.pop(0)

    wake(table, "a")
    one = runner(table, clock, reconcile)
    one.settle()
    assert "the disk is full" in caplog.text
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    clock.advance(timedelta(seconds=1))
    one.settle()
    assert [record.levelname for record in caplog.records][-1] == "ERROR", "our own bug is logged whole"
    clock.advance(timedelta(seconds=2))
    one.settle()
    assert table.next_due() is None


def test_workers_serve_different_records_at_once_and_one_record_never_twice(table: WakeTable, clock: SimClock) -> None:
    lock, busy, worst = threading.Lock(), set[str](), []
    together = threading.Barrier(2, timeout=30)
    met, done = threading.Event(), threading.Event()
    left = {"a", "b", "again"}

    def reconcile(one: Wake) -> None:
        with lock:
            if one.key in busy:
                worst.append(one.key)
            busy.add(one.key)
        if not met.is_set():
            together.wait()  # only two at once get past this
            met.set()
        with lock:
            busy.discard(one.key)
            left.discard(one.key)
            if left == {"again"}:
                left.clear()
                wake(table, "a")
                wake(table, "a", purpose="other")
            elif not left and one.key == "a":
                done.set()

    served = runner(table, clock, reconcile)
    served.start(4)
    try:
        wake(table, "a")
        wake(table, "b")
        assert done.wait(60)
        served.settle_or_wait()
    finally:
        served.stop()
    assert worst == []
    assert table.due() == []


def test_a_frozen_clock_lets_the_host_be_asked_again(database: Database) -> None:
    clock = SystemClock()
    clock.run(0)
    table = WakeTable(database, clock)
    done = threading.Event()

    def reconcile(wake: Wake) -> None:
        if wake.tries == 0:
            raise PlaneError("not yet")
        done.set()

    runner = Runner(table, clock, reconcile)
    runner.start(workers=1)
    try:
        wake(table, "later", due=clock.now() + timedelta(seconds=1))
        wake(table, "a")
        assert done.wait(60)
        runner.advance(timedelta(0))
    finally:
        runner.stop()
    assert keys(table.due(until=clock.now() + timedelta(seconds=1))) == ["later"]


def test_alarms_follow_the_clock_s_speed(database: Database) -> None:
    clock = SystemClock()
    clock.run(0)
    table = WakeTable(database, clock)
    done = threading.Event()
    runner = Runner(table, clock, lambda _: done.set())
    runner.start(workers=1)
    try:
        wake(table, "a", due=clock.now() + timedelta(days=3))
        runner.run_at(86_400)
        assert done.wait(60)
    finally:
        runner.stop()


def test_alarms_that_are_made_in_a_jump_come_in_their_turn(
    table: WakeTable, clock: SimClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alarms are read ahead; those that others set meanwhile, put off or bring forward are run where they belong."""
    seen: list[tuple[str, int]] = []
    start = clock.now()

    def work(one: Wake) -> None:
        seen.append((one.key, round((clock.now() - start).total_seconds())))
        match one.key:
            case "a":
                wake(table, "between", due=start + timedelta(seconds=15))
                wake(table, "now")
            case "between":
                wake(table, "d", due=start + timedelta(seconds=60))
                wake(table, "c", due=start + timedelta(seconds=20))

    runner = Runner(table, clock, work)
    for number, key in enumerate("abcd", 1):
        wake(table, key, due=start + timedelta(seconds=10 * number))
    monkeypatch.setattr("cloudjar.kit.wakes._TOGETHER", {"t"})
    runner.advance(timedelta(minutes=2))
    assert seen == [("a", 10), ("now", 10), ("between", 15), ("b", 20), ("c", 20), ("d", 60)]
