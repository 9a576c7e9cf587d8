"""Databases as they were at thirty random seconds of a load that goes on meanwhile: every transaction that was
committed by then is there, and none that was committed later. It takes a quarter of an hour."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.served import real_jar, until
from tests.host.jar.test_database_backups import Backups, as_of

pytestmark = [pytest.mark.host, pytest.mark.slow, pytest.mark.timeout(3600)]

POINTS = int(os.environ.get("CLOUDJAR_TEST_POINTS", "30"))
_ROWS = 3000
"""Committed one by one, some ten milliseconds apart, before anything is restored."""
_TABLE = "CREATE TABLE log (n serial PRIMARY KEY, at timestamptz); CREATE TABLE over (n int)"
_LOAD = """DO $$ BEGIN FOR i IN 1..1000 LOOP EXIT WHEN EXISTS (SELECT FROM over);
INSERT INTO log (at) VALUES (clock_timestamp()); COMMIT; PERFORM pg_sleep(0.01); END LOOP; END $$"""


@pytest.fixture
def site() -> Iterator[Backups]:
    """A database that is backed up."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as jar:
        made = Backups(jar)
        made.rds.modify_db_instance(DBInstanceIdentifier="shop", BackupRetentionPeriod=7, ApplyImmediately=True)
        until(lambda: made.show().get("LatestRestorableTime"), "the first backup", 120, 0.1)
        yield made


@contextmanager
def load(site: Backups) -> Iterator[None]:
    """While this lasts transactions are committed."""
    site.answer(_TABLE)
    ending = threading.Event()

    def work() -> None:
        while not ending.is_set():
            site.answer(_LOAD)

    at_work = threading.Thread(target=work)
    at_work.start()
    try:
        yield
    finally:
        ending.set()
        site.answer("INSERT INTO over VALUES (1)")
        at_work.join()


def committed(site: Backups) -> list[tuple[int, datetime]]:
    """The numbers of what was committed, and when each began."""
    said = site.answer("SELECT n, extract(epoch FROM at) FROM log ORDER BY n")
    lines = (line.split("|") for line in said.splitlines())
    return [(int(n), datetime.fromtimestamp(float(at), UTC)) for n, at in lines]


def test_thirty_random_seconds_of_a_load(site: Backups) -> None:
    chance, wrong = random.Random(8), []
    with load(site):
        until(lambda: int(site.answer("SELECT count(*) FROM log")) > _ROWS, "some load", 300, 1)
        log = committed(site)
        first, last = log[0][1] + timedelta(seconds=1), log[-1][1]
        site.reach("shop", "available")
        site.jar.advance(60)  # before AWS time is moved on the log is taken
        site.reaches(last)
        for number in range(POINTS):
            at = (first + chance.random() * (last - first)).replace(microsecond=0)
            site.restore(f"back-{number}", SourceDBInstanceIdentifier="shop", RestoreTime=at)
            said = site.answer("SELECT count(*), coalesce(max(n), 0) FROM log", name=f"back-{number}").split("|")
            if said[0] != said[1] or int(said[0]) not in as_of(at, log):
                wrong.append((at, said, as_of(at, log)))
            site.forget(f"back-{number}")
    assert wrong == []
