"""The private door: wrong questions are refused, and without the token every one is."""

from __future__ import annotations

import json

import pytest

from tests.calls import Line, Sent
from tests.fuzz.nasty import TEXTS
from tests.fuzz.world import World

NAMES = ("status", "events", "why", "usage", "calls", "clock", "bill", "nothing", "", "..", "%00")
QUERIES = ("", "since=x", "since=" + "9" * 40, "since=-1", "start=1", "start=x&end=y", "start=nan&end=inf",
           "start=1e400&end=0", "limit=x", "limit=-1", "limit=" + "9" * 40, "account=%00", "request=%ff", "seconds=",
           "seconds=nan", "seconds=-1", "seconds=1e400", "a&b&=&==")  # fmt: skip


def ask(line: Line, method: str, path: str, token: str) -> tuple[int, object]:
    answer = line.send(Sent(method, path, {"host": "127.0.0.1", "x-cloudjar-token": token}, b""))
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_wrong_questions_are_refused(fuzzed: World, line: Line, method: str) -> None:
    token = (fuzzed.jar.home / "admin-token").read_text()
    for name in NAMES:
        for query in QUERIES:
            status, said = ask(line, method, f"/_cloudjar/{name}?{query}", token)
            assert status in (200, 400, 403, 404, 405), (method, name, query, said)
            assert isinstance(said, dict)


def test_nothing_is_told_without_the_token(line: Line) -> None:
    for name in NAMES[:6]:
        for token in ("", "x", "é", "a" * 5000):
            status, said = ask(line, "POST" if name == "clock" else "GET", f"/_cloudjar/{name}", token)
            assert status == 403, (name, said)


def test_health_is_for_everybody(line: Line) -> None:
    for path in ("/_cloudjar/health", "/_localstack/health", "/health"):
        status, said = ask(line, "GET", path, "")
        assert (status, isinstance(said, dict)) == (200, True)


def test_request_ids_that_are_none(fuzzed: World, line: Line) -> None:
    token = (fuzzed.jar.home / "admin-token").read_text()
    for text in TEXTS:
        if text.isascii() and text.isalnum() and len(text) < 100:
            assert ask(line, "GET", f"/_cloudjar/why?request={text}", token)[0] == 400
