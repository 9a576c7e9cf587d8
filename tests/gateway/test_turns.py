"""Answers that wait for the disk share a commit with those that are made while they wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from cloudjar.wire.message import Response
from tests.jar import TestJar


def commits(jar: TestJar, monkeypatch: pytest.MonkeyPatch, answers: int) -> list[int]:
    """As many answers, one in each turn of the loop: how many were made when each commit came."""
    made: list[Awaitable[Response]] = []
    found: list[int] = []
    server = jar.jar

    async def ask() -> None:
        for _ in range(answers):
            made.append(server.turns.durably(Response(200)))
            await asyncio.sleep(0)
        await asyncio.gather(*made)

    loop = server.turns._loop
    assert loop is not None
    with monkeypatch.context() as patched:
        patched.setattr(server.database, "commit_joined", lambda: found.append(len(made)))
        asyncio.run_coroutine_threadsafe(ask(), loop).result(60)
    return found


def test_who_comes_in_the_next_turn_is_waited_for(steady_jar: TestJar, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commits(steady_jar, monkeypatch, 1) == [1]
    assert commits(steady_jar, monkeypatch, 3) == [3]


def test_nobody_is_waited_for_without_end(steady_jar: TestJar, monkeypatch: pytest.MonkeyPatch) -> None:
    found = commits(steady_jar, monkeypatch, 20)
    assert found[-1] == 20
    assert 3 < len(found) < 10
