"""How much the server grows while it moves many large objects at once: 100 uploads, then 100 downloads.

    python bench/s3_memory.py [--clients 100] [--size 1024] [--keys N]

Each client sends or takes one object of that many MiB in slices, all side by side. The bar: 150 MiB more than before
at the most, what is kept of objects that are read again included. Uploads need room on the disk for all of them at
once.
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


async def _load(server: Running, who: Credentials, clients: int, mib: int, rooms: int) -> None:
    port = server.port
    puts = [
        signed("PUT", f"/{BUCKET}/{n % rooms}", who, port, x_amz_content_sha256="UNSIGNED-PAYLOAD")
        for n in range(clients)
    ]
    puts = [head.replace(b"Content-Length: 0", b"Content-Length: %d" % (mib * _MIB)) for head in puts]
    gets = [signed("GET", f"/{BUCKET}/{n % rooms}", who, port) for n in range(clients)]
    most = Most(server.pid)
    await asyncio.gather(*(_put(port, head, mib, most) for head in puts))
    print(most.line(f"{clients} x PUT of {mib} MiB"))
    most = Most(server.pid)
    for again in ("", ", again", ", once more"):  # what is read again is kept in memory, as far as there is room
        await asyncio.gather(*(_get(port, head, mib, most) for head in gets))
        print(most.line(f"{clients} x GET of {mib} MiB{again}"))


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--size", type=int, default=1024, help="MiB of each object")
    parser.add_argument("--keys", type=int, default=0, help="different objects; fewer than clients need less disk")
    asked = parser.parse_args()
    with jar(pinned=False) as server:
        who = administrator(server.port)
        bucket(server.port, BUCKET, who)
        run(_load(server, who, asked.clients, asked.size, asked.keys or asked.clients))
        files = [path for path in Path(server.home, "objects").rglob("*") if path.is_file()]
        print(f"{len(files)} files remain")


if __name__ == "__main__":
    main()
