"""From starting the process to its first answered signed call, and what the process holds in memory then.

    python bench/cold_start.py [--runs 10] [--planes sim linux]

Each start gets a data directory of its own. The client knocks until the port is open and sends one signed
``sts:GetCallerIdentity``; the time runs from before the process is made to the whole answer. Two floors stand beside
it: an interpreter that does nothing, and a bare uvloop server that answers hello, world. Linux planes need root.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from bench.http_server import HELLO, signed_post
from cloudjar.auth.presign import Credentials
from cloudjar.base.clock import monotonic
from cloudjar.base.settings import Settings, to_json

_PATIENCE = 30.0
_PORT = 4588
_POOL = "198.19.64.0/18"
_TAG = "fresh"

_HELLO = """
import asyncio, uvloop

class Hello(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 12\\r\\n\\r\\nhello, world")

async def main():
    server = await asyncio.get_running_loop().create_server(Hello, "127.0.0.1", {port})
    await server.serve_forever()

uvloop.run(main())
"""


@dataclass(frozen=True)
class Start:
    """One start: seconds until the first answer, and resident MiB after it."""

    seconds: float
    mib: float


def _environment(cache: str) -> dict[str, str]:
    """An installed program has its bytecode beside it; a checkout may not, so the runs share a cache of their own."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": cache}


def _answer(port: int, request: bytes, process: subprocess.Popen[bytes]) -> bytes:
    """The first bytes that the server sends back, asked for as soon as it listens."""
    end = monotonic() + _PATIENCE
    while True:
        with socket.socket() as s:
            s.settimeout(_PATIENCE)
            try:
                s.connect(("127.0.0.1", port))
            except ConnectionRefusedError:
                if process.poll() is not None or monotonic() > end:
                    raise SystemExit("the server did not start") from None
                os.sched_yield()
                continue
            s.sendall(request)
            return s.recv(65536)


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def start(argv: Sequence[str], port: int, request: bytes, env: dict[str, str]) -> Start:
    """Start a server, wait for its first answer, stop it."""
    began = monotonic()
    process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        status = _answer(port, request, process)[:12]
        took = monotonic() - began
        if status != b"HTTP/1.1 200":
            raise SystemExit(f"the first answer was {status.decode()}")
        return Start(took, _resident(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_PATIENCE)


def cloudjar(planes: str, env: dict[str, str]) -> Start:
    """One cold start of the real server."""
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    request = signed_post(body, credentials=Credentials("test", "test"), host=f"127.0.0.1:{_PORT}")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), port=_PORT, planes=planes, tag=_TAG, public_pool=_POOL)  # type: ignore[arg-type]  # from argparse's choices
        (Path(folder) / "running.json").write_bytes(to_json(settings))
        try:
            return start([sys.executable, "-m", "cloudjar.cli", "serve", folder], _PORT, request, env)
        finally:
            if planes == "linux":
                subprocess.run([sys.executable, "-m", "cloudjar.cli", "down", "--home", folder], env=env, check=True,
                               stdout=subprocess.DEVNULL)  # fmt: skip


def hello(env: dict[str, str]) -> Start:
    """The floor of any server on this event loop."""
    return start([sys.executable, "-c", _HELLO.format(port=_PORT)], _PORT, HELLO, env)


def nothing(env: dict[str, str]) -> Start:
    """The floor of any Python program."""
    began = monotonic()
    subprocess.run([sys.executable, "-c", "pass"], env=env, check=True)
    return Start(monotonic() - began, 0.0)


def main() -> None:
    """Print a line a case: median of the runs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--planes", nargs="*", default=["sim"] + ["linux"] * (os.geteuid() == 0),
                        choices=["sim", "linux"])  # fmt: skip
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        env = _environment(cache)
        cases: list[tuple[str, Callable[[], Start]]] = [
            ("python -c pass", partial(nothing, env)),
            ("hello, world", partial(hello, env)),
            *((f"cloudjar, {planes}", partial(cloudjar, planes, env)) for planes in given.planes),
        ]
        floors: list[float] = []
        for name, case in cases:
            case()  # fills the caches of bytecode and of the disk
            runs = [case() for _ in range(given.runs)]
            took = median(run.seconds for run in runs)
            floors.append(took)
            ratios = "" if len(floors) < 3 else f"   {took / floors[0]:.1f} x python, {took / floors[1]:.1f} x hello"
            memory = max(run.mib for run in runs)
            print(f"{name:18s} {took * 1000:6.0f} ms   {memory:5.1f} MiB{ratios}")


if __name__ == "__main__":
    main()
