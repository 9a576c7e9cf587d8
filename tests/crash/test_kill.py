"""The main job under kill -9: every acknowledged change is there, the story completes, nothing leaks."""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.client import Client, Crashed, Reaper
from tests.crash.server import ServerProcess, until
from tests.crash.story import Story

CALLS_OF_A_STORY = 90
"""How many calls one telling makes at least; crashes are drawn among them."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "home")
    process.start()
    yield process
    process.kill()


def tell(server: ServerProcess, client: Client, name: str) -> None:
    """One story, from wherever a crash left it, to its end."""
    story = Story(client, ("test", "test"), name)
    for step, ends in story.STEPS:
        story.again = False
        while True:
            try:
                getattr(story, step)()
                break
            except Crashed:
                recover(server, story, ends)
                story.again = True


def recover(server: ServerProcess, story: Story, uncertain: tuple[str, ...]) -> None:
    """Restart; everything that was promised must hold, but what the interrupted step may have changed."""
    while True:
        until(lambda: server.dead, "the server to die, since it does not answer")
        server.start()
        try:
            for promise in [p for name, p in story.promises.items() if name not in uncertain]:
                promise()
            return
        except Crashed:
            continue


def moments(seed: int, kills: int) -> dict[int, float]:
    """Which calls are followed by a kill, and after how many seconds."""
    draw = random.Random(seed)
    total = CALLS_OF_A_STORY * max(1, kills // 12)
    return {call: draw.choice((0.0, draw.uniform(0, 0.004), draw.uniform(0, 0.03)))
            for call in draw.sample(range(3, total), kills)}  # fmt: skip


def tell_under_fire(server: ServerProcess, seed: int, kills: int) -> Client:
    """Stories, until the server was killed so many times."""
    client = Client(server)
    reaper = Reaper(server, moments(seed, kills))
    client.before_call = reaper.count
    number = 0
    while number == 0 or reaper.kills < kills:
        tell(server, client, f"dev-{seed}-{number}")
        number += 1
        assert number <= kills, "the kills do not happen"
    reaper.finish()
    if server.dead:
        server.start()
    return client


def untouched(server: ServerProcess) -> dict[str, list[Any]]:
    """The world as a new account finds it: its default VPC is made by the first look."""
    Client(server).call("ec2", "describe_vpcs")
    return left(server)


def rows(server: ServerProcess, sql: str, *args: Any) -> list[Any]:
    """A look at the file from outside."""
    database = sqlite3.connect(f"file:{server.home / 'cloudjar.db'}?mode=ro", uri=True)
    try:
        return database.execute(sql, args).fetchall()
    finally:
        database.close()


def nothing_to_do(server: ServerProcess) -> bool:
    """True when no reconciler is behind: what is left are alarms of the future."""
    return rows(server, "SELECT 1 FROM wake WHERE due <= ? LIMIT 1", time.time()) == []


def left(server: ServerProcess) -> dict[str, list[Any]]:
    """The keys of every record there is, but of what is meant to outlive a story."""
    names = [name for (name,) in rows(server, "SELECT name FROM sqlite_master WHERE type='table' AND name LIKE '%/%'")]
    return {
        name: found
        for name in sorted(names)
        if name not in ("ec2/instance", "ec2/public-pool", "ec2/identity-signer")
        and (found := rows(server, f'SELECT account, region, key FROM "{name}"'))
    }


def assert_nothing_leaks(server: ServerProcess, before: dict[str, list[Any]]) -> None:
    """Of what the stories made, only terminated instances are remembered, and nothing runs up a bill.

    Two alarms may be left: for what is forgotten later, and for the last reading of a network's counters.
    """
    until(lambda: nothing_to_do(server), "the reconcilers to come to rest")
    assert rows(server, "SELECT tbl, key, purpose, tries FROM wake WHERE purpose NOT IN ('forget', 'meter')") == []
    assert left(server) == before
    assert rows(server, "SELECT resource, usage_type FROM usage_span WHERE stop IS NULL") == []
    assert rows(server, "SELECT count(*) FROM usage_span WHERE stop < start") == [(0,)]


def assert_audited_once(server: ServerProcess, client: Client) -> None:
    """Every call that was answered is in the trail, once; so is no call twice."""
    noted = Counter(request for (request,) in rows(server, "SELECT request_id FROM audit"))
    assert [request for request, times in noted.items() if times > 1] == []
    assert [call for call in client.acknowledged if call[0] not in noted] == []
    counted = rows(server, "SELECT sum(calls) FROM usage_request")[0][0]
    assert counted == sum(noted.values())


def check_everything(server: ServerProcess, client: Client, before: dict[str, list[Any]]) -> None:
    assert_nothing_leaks(server, before)
    states = rows(server, 'SELECT state, count(*) FROM "ec2/instance" GROUP BY 1')
    assert [state for state, _ in states] == ["terminated"]
    assert server.stop() == 0
    assert_audited_once(server, client)
    assert rows(server, "PRAGMA integrity_check") == [("ok",)]
    log = server.log.read_text()
    assert "Traceback" not in log, log[-6000:]


def test_the_story_without_a_crash(server: ServerProcess) -> None:
    before = untouched(server)
    client = Client(server)
    tell(server, client, "calm")
    check_everything(server, client, before)
    assert len(client.acknowledged) >= 40


def test_the_story_under_kill_9(server: ServerProcess) -> None:
    before = untouched(server)
    client = tell_under_fire(server, seed=1, kills=12)
    check_everything(server, client, before)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 7))
def test_the_story_under_kill_9_a_hundred_times(server: ServerProcess, seed: int) -> None:
    before = untouched(server)
    client = tell_under_fire(server, seed=seed, kills=20)
    check_everything(server, client, before)
