"""Garbage through a real socket: answered or dropped, and nothing of it stays."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudjar.gateway.body import BodyPolicy
from cloudjar.gateway.server import Timeouts
from cloudjar.wire.message import Request, Response
from tests.gateway.live import Live, echo, live

GET = b"GET /p?q=1 HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"

pieces_of_http = st.sampled_from(
    [
        GET,
        POST,
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"\r\n",
        b"Content-Length: 5\r\n",
        b"Expect: 100-continue\r\n",
        b"GET ",
        b" HTTP/1.1\r\n",
        b"Host: h\r\n",
        b"\x16\x03\x01",
        b"\xff" * 20,
        b"x" * 70_000,
    ]
)


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Live]:
    def handler(request: Request) -> Response:
        return echo(request) if len(request.path) % 2 else Response(200, [], iter([b"a", b"b"]))

    def hook(request: Request) -> BodyPolicy | None:
        return BodyPolicy(gunzip=True) if request.path == "/gz" else None

    with live(handler, on_headers=hook, timeouts=Timeouts(head=5, body=5)) as running:
        yield running


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(pieces_of_http, st.binary(max_size=60)), max_size=8), st.integers(0, 1 << 30))
def test_garbage_is_answered_or_dropped(fuzzed: Live, pieces: list[bytes], seed: int) -> None:
    raw = bytearray(b"".join(pieces))
    if raw and seed % 3:
        raw[seed % len(raw)] ^= 1 << (seed % 8)
    cut = seed % (len(raw) + 1)
    for answer in fuzzed.exchange(bytes(raw[:cut]), bytes(raw[cut:])):
        assert answer.status in (100, 200, 400, 408, 413, 414, 417, 431, 501, 505)


def test_after_all_that_it_still_serves_and_holds_nothing(fuzzed: Live) -> None:
    assert fuzzed.request(GET).status == 200
    done = threading.Event()
    left: list[int] = []

    def look(tries: int = 500) -> None:
        if fuzzed.server.connections and tries:
            asyncio.get_running_loop().call_later(0.01, look, tries - 1)
            return
        left.append(len(fuzzed.server.connections))
        done.set()

    fuzzed.server.call_from_thread(look)
    assert done.wait(20)
    assert left == [0]
