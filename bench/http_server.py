"""Load for an HTTP server: keep-alive connections that send requests made beforehand, one at a time each.

Run as a program it measures the bare server (hello, world) and, with ``--signed``, what checking a signature adds.
Other benches import `hello_world` and `measure`, and print `compare`, so that a figure never stands without the floor
of the same machine in the same minute. Server and client are processes of their own, on cores of their own.

    python bench/http_server.py [--clients 16] [--seconds 3] [--signed]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection as Pipe
from typing import Any

from cloudjar.auth.presign import Credentials, sign
from cloudjar.auth.sigv4 import parse, verify
from cloudjar.base.clock import SystemClock, monotonic
from cloudjar.gateway.server import Handler, Server, run
from cloudjar.wire.message import Request, Response

SERVER_CORE, CLIENT_CORE = 0, 1


@dataclass(frozen=True)
class Result:
    """What a run saw: answers a second and latencies in milliseconds."""

    rate: float
    p50: float
    p99: float
    answers: int
    statuses: dict[int, int]

    def __str__(self) -> str:
        return f"{self.rate:9,.0f}/s   p50 {self.p50:6.3f} ms   p99 {self.p99:6.3f} ms   {self.statuses}"


def pin(core: int) -> None:
    """Keep this process on one core, where the machine has that many."""
    if core < (os.cpu_count() or 1):
        os.sched_setaffinity(0, {core})


def measure(port: int, requests: Sequence[bytes], *, clients: int = 16, seconds: float = 3.0) -> Result:
    """Load 127.0.0.1:`port` with `requests` in turn, from this process. Answers must state a Content-Length."""
    return run(_load(port, requests, clients, seconds))


def compare(name: str, result: Result, floor: Result) -> str:
    """One line of a report: the result, and how much of the bare server's rate it keeps."""
    return f"{name:28s} {result}   {result.rate / floor.rate:6.1%} of hello, world"


@contextmanager
def serving(make: Callable[[], Handler]) -> Iterator[int]:
    """A server in a process of its own, on `SERVER_CORE`, for as long as the context lasts; gives its port."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(make, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join(10)


@contextmanager
def hello_world() -> Iterator[int]:
    """The floor: the same server with a handler that does nothing."""
    with serving(hello) as port:
        yield port


def hello() -> Handler:
    """A handler that answers hello, world."""
    answer = Response(200, [("Content-Type", "text/plain")], b"hello, world")
    return lambda request: answer


HELLO = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", _SECRET)


def verifying() -> Handler:
    """A handler that checks the signature, and nothing else."""
    clock = SystemClock()
    answer = Response(200, [("Content-Type", "text/plain")], b"hello, world")

    def handle(request: Request) -> Response:
        signature = parse(request)
        assert signature is not None
        verify(request, signature, _SECRET, clock.real(), dialect="sts")
        return answer

    return handle


def signed_post(
    body: bytes,
    *,
    service: str = "sts",
    credentials: Credentials = EXAMPLE,
    region: str = "us-east-1",
    host: str = "localhost:4566",
    headers: dict[str, str] | None = None,
) -> bytes:
    """The bytes of a signed request, with the headers that an SDK sends."""
    sent = {
        "host": host,
        "accept-encoding": "identity",
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "user-agent": "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.11.7",
        "amz-sdk-invocation-id": "5c2f0e3a-8a6e-4c9b-9f0d-1e3e5e6f7a8b",
        "amz-sdk-request": "attempt=1",
        **(headers or {}),
    }
    request = Request("POST", "/", "", sent, body)
    sign(request, credentials, region, service, SystemClock().real())
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"POST / HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body


class _Client(asyncio.Protocol):
    """One connection: a request, its whole answer, the next request."""

    def __init__(self, requests: Sequence[bytes], start: int, until: float, latencies: list[float]) -> None:
        self.requests = requests
        self.turn = start
        self.until = until
        self.latencies = latencies
        self.statuses: dict[int, int] = {}
        self.done = asyncio.get_running_loop().create_future()
        self.sent = 0.0
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._send()

    def _send(self) -> None:
        self.turn += 1
        self.sent = monotonic()
        self.transport.write(self.requests[self.turn % len(self.requests)])

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self.buffer.find(b"Content-Length: ") + 16
        whole = end + 4 + int(self.buffer[at : self.buffer.find(b"\r\n", at)])
        if len(self.buffer) < whole:
            return
        now = monotonic()
        self.latencies.append(now - self.sent)
        status = int(self.buffer[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.buffer = b""
        if now < self.until:
            self._send()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(exc)


def _same(client: _Client) -> _Client:
    return client


async def _load(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Result:
    pin(CLIENT_CORE)
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    began = monotonic()
    made: list[_Client] = []
    for number in range(clients):
        client = _Client(requests, number, began + seconds, latencies)
        made.append(client)
        await loop.create_connection(partial(_same, client), "127.0.0.1", port)
    await asyncio.gather(*(client.done for client in made))
    took = monotonic() - began
    latencies.sort()
    statuses: dict[int, int] = {}
    for client in made:
        for status, count in client.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    count = len(latencies)
    return Result(
        count / took, latencies[count // 2] * 1e3, latencies[min(count - 1, count * 99 // 100)] * 1e3, count, statuses
    )


def _serve(make: Callable[[], Handler], pipe: Pipe) -> None:
    pin(SERVER_CORE)

    async def main() -> None:
        server = Server(make())
        listener = await server.listen("127.0.0.1", 0, trusted=True)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_reader(pipe.fileno(), stop.set)
        pipe.send(listener.port)
        await stop.wait()
        await server.close(grace=0)

    run(main())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clients", type=int, default=16)
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--signed", action="store_true")
    asked = options.parse_args()
    with hello_world() as port:
        floor = measure(port, [HELLO], clients=asked.clients, seconds=asked.seconds)
        print(compare("hello, world", floor, floor))
        one = measure(port, [HELLO], clients=1, seconds=asked.seconds)
        print(compare("hello, world, one client", one, floor))
        post = signed_post(b"Action=GetCallerIdentity&Version=2011-06-15")
        print(
            compare(
                "SDK's request, unchecked", measure(port, [post], clients=asked.clients, seconds=asked.seconds), floor
            )
        )
    if asked.signed:
        with serving(verifying) as port:
            checked = measure(port, [post], clients=asked.clients, seconds=asked.seconds)
            print(compare("SDK's request, checked", checked, floor))


if __name__ == "__main__":
    main()
