"""How much the server grows while it moves many large objects at once: 100 uploads, then 100 downloads.

    python bench/s3_memory.py [--clients 100] [--size 1024] [--keys N] [--uploads N]

Each client sends or takes one object of that many MiB in slices, all side by side. The bar: 150 MiB more than before
at the most, what is kept of objects that are read again included. Uploads need room on the disk for all of them at
once. With `--uploads` so many of the clients send while the others take what is there, all at the same time.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
from pathlib import Path

from bench.pipeline import Running, administrator, jar, memory_mib
from bench.s3_small import bucket, signed
from cloudjar.auth.presign import Credentials
from cloudjar.gateway.server import run

BUCKET = "bench-memory"
BAR = 150
_MIB = 1 << 20
_SLICE = hashlib.shake_256(b"memory").digest(_MIB)


class Most:
    """The greatest resident memory that was seen."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.mib = memory_mib(pid)
        self.before = self.mib

    def look(self) -> None:
        """Look now."""
        self.mib = max(self.mib, memory_mib(self.pid))

    def line(self, name: str) -> str:
        """What was seen, against the bar."""
        grown = self.mib - self.before
        verdict = "clears" if grown < BAR else "MISSES"
        return f"{name:40s} {self.before:7.1f} -> {self.mib:7.1f} MiB: {grown:+7.1f}: {verdict} {BAR}"


async def _answer(reader: asyncio.StreamReader, most: Most) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(head.decode() + (await reader.read(2000)).decode())
    at = head.lower().find(b"content-length:")
    left = length = int(head[at + 15 :].split(b"\r\n", 1)[0])
    while left:
        piece = await reader.read(min(left, _MIB))
        if not piece:
            raise SystemExit("cut short")
        left -= len(piece)
        most.look()
    return length


async def _put(port: int, head: bytes, mib: int, most: Most) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    for _ in range(mib):
        writer.write(_SLICE)
        await writer.drain()
        most.look()
    await _answer(reader, most)
    writer.close()


async def _get(port: int, head: bytes, mib: int, most: Most) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    if await _answer(reader, most) != mib * _MIB:
        raise SystemExit("another length")
    writer.close()


def _upload(path: str, who: Credentials, port: int, mib: int) -> bytes:
    head = signed("PUT", path, who, port, x_amz_content_sha256="UNSIGNED-PAYLOAD")
    return head.replace(b"Content-Length: 0", b"Content-Length: %d" % (mib * _MIB))


async def _load(server: Running, who: Credentials, clients: int, mib: int, rooms: int) -> None:
    port = server.port
    puts = [_upload(f"/{BUCKET}/{n % rooms}", who, port, mib) for n in range(clients)]
    gets = [signed("GET", f"/{BUCKET}/{n % rooms}", who, port) for n in range(clients)]
    most = Most(server.pid)
    await asyncio.gather(*(_put(port, head, mib, most) for head in puts))
    print(most.line(f"{clients} x PUT of {mib} MiB"))
    most = Most(server.pid)
    for again in ("", ", again", ", once more"):  # what is read again is kept in memory, as far as there is room
        await asyncio.gather(*(_get(port, head, mib, most) for head in gets))
        print(most.line(f"{clients} x GET of {mib} MiB{again}"))


async def _mixed(server: Running, who: Credentials, asked: argparse.Namespace) -> None:
    port, mib, there = server.port, asked.size, asked.keys or 4
    path = f"/{BUCKET}/there-{{}}"
    most = Most(server.pid)
    for n in range(there):
        await _put(port, _upload(path.format(n), who, port, mib), mib, Most(server.pid))
    heads = [_upload(f"/{BUCKET}/{n}", who, port, mib) for n in range(asked.uploads)]
    gets = [signed("GET", path.format(n % there), who, port) for n in range(asked.clients - asked.uploads)]
    await asyncio.gather(
        *(_put(port, head, mib, most) for head in heads), *(_get(port, head, mib, most) for head in gets)
    )
    print(most.line(f"{len(heads)} x PUT and {len(gets)} x GET of {mib} MiB at once"))


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--size", type=int, default=1024, help="MiB of each object")
    parser.add_argument("--keys", type=int, default=0, help="different objects; fewer than clients need less disk")
    parser.add_argument("--uploads", type=int, default=0, help="so many of the clients upload, the others download")
    asked = parser.parse_args()
    with jar(pinned=False) as server:
        who = administrator(server.port)
        bucket(server.port, BUCKET, who)
        if asked.uploads:
            run(_mixed(server, who, asked))
        else:
            run(_load(server, who, asked.clients, asked.size, asked.keys or asked.clients))
        files = [path for path in Path(server.home, "objects").rglob("*") if path.is_file()]
        print(f"{len(files)} files remain")


if __name__ == "__main__":
    main()
