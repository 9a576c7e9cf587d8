"""Queues: messages a second, what depth costs, how soon a waiting poll hears, what ten thousand of them cost.

    python -m bench.sqs [--seconds 3] [--deep 1000000] [--polls 10000]

The server is a real one in a process of its own on one core, durable, asked by an IAM user; the client uses another
core. Rates "per core" are by the processor time that the server used, so that they hold on a busy machine too, and
the best of some rounds: who shares caches and the processor's pace with others needs more of it for the same work. The
worst round is told beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

from bench.http_server import measure, pin, signed_post
from bench.pipeline import administrator, call, client, cpu_seconds, memory_mib
from cloudjar.app import Jar
from cloudjar.auth.presign import Credentials
from cloudjar.base.caller import root
from cloudjar.base.clock import monotonic
from cloudjar.base.settings import Settings
from cloudjar.kit.context import Ctx
from cloudjar.planes.compute.sim import SimCompute
from cloudjar.planes.network.sim import SimNetwork

_SERVE = """
import os, sys
from pathlib import Path
os.sched_setaffinity(0, {0})
from cloudjar.app import serve
from cloudjar.base.settings import Settings
home = Path(sys.argv[1])
serve(Settings(home=home, port=0, planes="sim"), home / "ready.json")
"""
REGION = "us-east-1"
BODY = "x" * 100
ACCOUNT = "000000000000"
ROUNDS = 5
"""Of each measurement."""


class Asking:
    """Signed requests to one queue of a running server."""

    def __init__(self, port: int, who: Credentials, queue: str) -> None:
        self.port, self.who = port, who
        self.url = f"http://127.0.0.1:{port}/{ACCOUNT}/{queue}"

    def call(self, operation: str, **members: Any) -> bytes:
        """The bytes of a call."""
        body = json.dumps({"QueueUrl": self.url, **members}).encode()
        headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"AmazonSQS.{operation}"}
        host = f"127.0.0.1:{self.port}"
        return signed_post(body, service="sqs", credentials=self.who, region=REGION, host=host, headers=headers)


class Talk(asyncio.Protocol):
    """One connection on which one asks and the answer comes."""

    def __init__(self) -> None:
        self.buffer = b""
        self.answer: asyncio.Future[bytes] | None = None
        self.transport: Any = None
        self.heard = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 : (head.find(b"\r\n", at) + 1 or len(head) + 1) - 1])
        if len(self.buffer) < end + 4 + length:
            return
        body, self.buffer = self.buffer[end + 4 :], b""
        self.heard = monotonic()
        assert b" 200 " in head[:15], (head, body)
        assert self.answer is not None
        self.answer.set_result(body)

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """Send a request."""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.answer


async def connect(port: int) -> Talk:
    """A connection to the server."""
    _, talk = await asyncio.get_running_loop().create_connection(Talk, "127.0.0.1", port)
    return talk


@contextmanager
def serving(folder: str) -> Iterator[tuple[int, int]]:
    """(port, process id) of a durable server on core 0 with its data in a folder."""
    ready = Path(folder) / "ready.json"
    ready.unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, "-c", _SERVE, folder])
    until = monotonic() + 60
    while not ready.exists() and monotonic() < until and process.poll() is None:
        pass
    try:
        yield json.loads(ready.read_text())["port"], process.pid
    finally:
        process.terminate()
        process.wait(30)


def line(name: str, found: float, bar: float, unit: str, *, most: bool = False) -> None:
    """One line of the report; the ratio is how often the bar is met."""
    ratio = bar / max(found, 1e-9) if most else found / bar
    print(f"{name:<74} {found:10,.2f} {unit:<8} bar {bar:9,.1f}  ratio {ratio:5.2f} {'' if ratio >= 1 else 'NOT MET'}")


class Rate(NamedTuple):
    """Units a second of the server's processor time: in the best round, and in the worst; and of the wall, in the
    best."""

    per_core: float
    worst: float
    wall: float

    def __str__(self) -> str:
        return f"({self.worst:,.0f} at worst; {self.wall:,.0f}/s by the wall)"


def rate(pid: int, work: Callable[[], int]) -> Rate:
    """How much of some work is done."""
    per_core, wall = [], []
    for _ in range(ROUNDS):
        began, before = monotonic(), cpu_seconds(pid)
        done = work()
        per_core.append(done / max(cpu_seconds(pid) - before, 1e-9))
        wall.append(done / (monotonic() - began))
    return Rate(max(per_core), min(per_core), max(wall))


async def consume(asking: Asking, clients: int, seconds: float) -> int:
    """Receive and delete one message at a time; how many."""
    receive = asking.call("ReceiveMessage")
    until, done = monotonic() + seconds, 0

    async def one() -> int:
        nonlocal done
        talk = await connect(asking.port)
        while monotonic() < until:
            found = json.loads(await talk.ask(receive)).get("Messages")
            if not found:
                break
            await talk.ask(asking.call("DeleteMessage", ReceiptHandle=found[0]["ReceiptHandle"]))
            done += 1
        return done

    await asyncio.gather(*(one() for _ in range(clients)))
    return done


async def hearing(asking: Asking, times: int) -> list[float]:
    """Milliseconds from a send's first byte to the whole answer of the poll that waited for it."""
    poll, send = asking.call("ReceiveMessage", WaitTimeSeconds=20), asking.call("SendMessage", MessageBody=BODY)
    one, other = await connect(asking.port), await connect(asking.port)
    found = []
    for _ in range(times):
        answer = one.ask(poll)
        await asyncio.sleep(0.02)
        began = monotonic()
        sent = other.ask(send)
        handle = json.loads(await answer)["Messages"][0]["ReceiptHandle"]
        found.append((one.heard - began) * 1000)
        await sent
        await other.ask(asking.call("DeleteMessage", ReceiptHandle=handle))
    return found


async def idle(asking: Asking, pid: int, polls: int) -> tuple[float, float]:
    """(MiB that waiting polls cost, share of a core while they wait)."""
    poll = asking.call("ReceiveMessage", WaitTimeSeconds=20)
    before = memory_mib(pid)
    talks = []
    for _ in range(polls):
        talk = await connect(asking.port)
        talks.append(talk.ask(poll))
    await asyncio.sleep(1)
    used, began = cpu_seconds(pid), monotonic()
    await asyncio.sleep(3)
    share = (cpu_seconds(pid) - used) / (monotonic() - began)
    return memory_mib(pid) - before, share


async def takes(asking: Asking, times: int, pid: int) -> float:
    """Microseconds of the server's processor time of a receive."""
    receive = asking.call("ReceiveMessage")
    talk = await connect(asking.port)
    for _ in range(50):
        await talk.ask(receive)
    before = cpu_seconds(pid)
    for _ in range(times):
        assert json.loads(await talk.ask(receive))["Messages"]
    return (cpu_seconds(pid) - before) / times * 1e6


def fill(folder: Path, queue: str, count: int) -> None:
    """Put messages into a queue of a jar that does not run."""
    from cloudjar.services.sqs import finding, sending

    settings = Settings(home=folder, planes="sim", durable=False)
    jar = Jar(settings, network=SimNetwork(), compute=SimCompute())
    ctx = Ctx(jar.world, ACCOUNT, REGION, root(ACCOUNT))
    assert jar.world.invoke is not None
    jar.world.invoke("sqs", "CreateQueue", {"QueueName": queue}, root(ACCOUNT), REGION)
    found = finding.queue(ctx, {"QueueUrl": f"http://x/{ACCOUNT}/{queue}"})
    letter = sending.read(found, {"MessageBody": BODY})
    for _ in range(0, count, 10_000):
        with jar.world.state.database.transaction():
            for _ in range(min(count, 10_000)):
                sending.send(ctx, found, letter, int(ctx.now.timestamp() * 1000))
    jar.database.checkpoint()
    jar.close()


def whoami(port: int, who: Credentials) -> bytes:
    """A call that reads nothing and writes nothing: what HTTP, the signature and IAM cost."""
    return call(port, "sts", "GetCallerIdentity", "2011-06-15", who)


def throughput(port: int, pid: int, who: Credentials, seconds: float) -> None:
    """Sends, batches, receives with deletes."""
    asking, each = Asking(port, who, "rate"), seconds / ROUNDS

    def load(request: bytes) -> int:
        return measure(port, [request], seconds=each).answers

    floor = rate(pid, lambda: load(whoami(port, who)))
    print(f"{f'sts:GetCallerIdentity, the cheapest call {floor}':<74} {floor.per_core:10,.2f} /s")
    send = asking.call("SendMessage", MessageBody=BODY)
    found = rate(pid, lambda: load(send))
    line(f"send, per core {found}", found.per_core, 6000, "/s")
    found = rate(pid, lambda: asyncio.run(consume(asking, 8, each)))
    line(f"receive and delete, per core {found}", found.per_core, 3000, "/s")
    entries = [{"Id": str(n), "MessageBody": BODY} for n in range(10)]
    batch = asking.call("SendMessageBatch", Entries=entries)
    found = rate(pid, lambda: load(batch) * 10)
    line(f"sent in batches of ten, per core {found}", found.per_core, 15_000, "/s")


def main() -> None:
    """The report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--deep", type=int, default=1_000_000)
    parser.add_argument("--polls", type=int, default=10_000)
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(65_536, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    pin(1)
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), "shallow", 2_000)
        fill(Path(folder), "deep", asked.deep)
        with serving(folder) as (port, pid):
            who = administrator(port)
            sqs = client(port, "sqs")
            for name in ("rate", "quiet"):
                sqs.create_queue(QueueName=name)
            throughput(port, pid, who, asked.seconds)
            costs: dict[str, list[float]] = {"shallow": [], "deep": []}
            for _ in range(3):
                for name, found in costs.items():
                    found.append(asyncio.run(takes(Asking(port, who, name), 400, pid)))
            few, many = median(costs["shallow"]), median(costs["deep"])
            name = f"a receive at {asked.deep:,} ({many:.0f} us) to one at 2,000 ({few:.0f} us)"
            line(name, many / few, 1.3, "times", most=True)
            heard = asyncio.run(hearing(Asking(port, who, "quiet"), 100))
            worst = quantiles(heard, n=100)[98]
            line(f"a waiting poll is answered (p99 {worst:.2f})", median(heard), 5, "ms", most=True)
            mib, share = asyncio.run(idle(Asking(port, who, "quiet"), pid, asked.polls))
            line(f"{asked.polls:,} idle polls ({share:.1%} of a core)", mib, 100, "MiB", most=True)


if __name__ == "__main__":
    main()
