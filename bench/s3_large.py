"""Large objects in and out, against nginx on the same disk with the same client: the ratio of megabytes a second.

    python bench/s3_large.py [--size 64] [--rounds 5]

nginx (Debian's package) serves the same file with sendfile and receives with its WebDAV module; Cloudjar checks a
signature and a policy, encrypts or verifies every byte, and syncs what it received to disk, which nginx does not.
Both run on all processors beside the client, in turns, so that they meet the same machine. What is read again lies in
nginx's page cache, and in Cloudjar's memory as far as it has room (112 MiB); GETs "at first" are of an object that
nobody read before.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import socket
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.pipeline import Running, administrator, jar
from bench.s3_small import bucket, signed
from cloudjar.auth.presign import Credentials
from cloudjar.base.clock import monotonic

BUCKET = "bench-large"
GET_BAR, PUT_BAR = 0.60, 0.40
_MIB = 1 << 20
_SAMPLE = 64 * _MIB
_CONFIGURATION = """
daemon off;
worker_processes 2;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    client_max_body_size 0;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {home}/files;
        {dav}
    }}
}}
"""
_DAV = "dav_methods PUT; create_full_put_path on;"


@contextmanager
def nginx(home: Path) -> Iterator[int]:
    """nginx with a configuration of its own, for as long as the context lasts; gives its port."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        raise SystemExit("nginx is not installed: apt-get install nginx-light (or nginx) to compare with it")
    with closing(socket.create_server(("127.0.0.1", 0))) as held:
        port = held.getsockname()[1]
    (home / "files").mkdir(parents=True)
    home.chmod(0o755)
    (home / "files").chmod(0o777)
    written = home / "nginx.conf"
    written.write_text("user root;\n" + _CONFIGURATION.format(home=home, port=port, dav=_DAV))
    process = subprocess.Popen([program, "-c", str(written), "-p", str(home)], stderr=subprocess.PIPE)
    try:
        _until_it_listens(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    until = monotonic() + 20
    while monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            continue
        return
    assert process.stderr is not None
    process.terminate()
    raise SystemExit(f"nginx did not start: {process.stderr.read().decode()}")


class Client:
    """One connection that measures one exchange at a time, with one buffer."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._buffer = memoryview(bytearray(_MIB))

    def exchange(self, head: bytes, body: bytes = b"") -> tuple[int, int]:
        """Status and length of the answer, which is read to its end."""
        self._socket.sendall(head)
        if body:
            self._socket.sendall(body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self._socket.recv(65536)
            if not piece:
                raise EOFError(answer)
            answer += piece
        said, _, rest = answer.partition(b"\r\n\r\n")
        at = said.lower().find(b"content-length:")
        length = int(said[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        left = length - len(rest)
        while left > 0:
            got = self._socket.recv_into(self._buffer, min(left, _MIB))
            if not got:
                raise EOFError("cut short")
            left -= got
        return int(said[9:12]), length

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def rate(size: int, exchange: Callable[[], tuple[int, int]], expected: int) -> float:
    """Megabytes a second of as many exchanges as make `_SAMPLE`: one of a few milliseconds is mostly chance."""
    times = max(1, _SAMPLE // size)
    began = monotonic()
    for _ in range(times):
        status, length = exchange()
        if status not in (200, 201, 204) or (expected and length != expected):
            raise SystemExit(f"status {status}, {length} bytes")
    return times * size / _MIB / (monotonic() - began)


def compare(name: str, pairs: list[tuple[float, float]], bar: float) -> None:
    """One line: the medians, and the median ratio of neighbours, who met the same machine; and the ratio of the best of
    each. The first pair, in which files come into memory, does not count."""
    ours, theirs = [pair[0] for pair in pairs[1:]], [pair[1] for pair in pairs[1:]]
    best = max(ours) / max(theirs)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    verdict = "clears" if ratio >= bar else "MISSES"
    print(
        f"{name:16s} {statistics.median(ours):8,.0f} MiB/s   nginx {statistics.median(theirs):8,.0f} MiB/s   "
        f"{ratio:6.1%}: {verdict} {bar:.0%}   (the best of each {best:.1%})"
    )


def run(server: Running, who: Credentials, other: int, home: Path, size: int, rounds: int) -> None:
    """Compare both ways at one size."""
    content = hashlib.shake_256(b"large").digest(_MIB) * (size // _MIB)
    (home / "files" / f"file-{size}").write_bytes(content)
    bucket(server.port, f"{BUCKET}-{size // _MIB}", who)
    path = f"/{BUCKET}-{size // _MIB}/file"
    put = signed("PUT", path, who, server.port, content, x_amz_content_sha256="UNSIGNED-PAYLOAD")[: -len(content)]
    get = signed("GET", path, who, server.port)
    plain_put = f"PUT /in-{size} HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n".encode()
    plain_get = f"GET /file-{size} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
    with closing(Client(server.port)) as us, closing(Client(other)) as them:
        puts = in_turns(
            rounds,
            lambda: rate(size, lambda: us.exchange(put, content), 0),
            lambda: rate(size, lambda: them.exchange(plain_put, content), 0),
        )
        gets = in_turns(
            rounds,
            lambda: rate(size, lambda: us.exchange(get), size),
            lambda: rate(size, lambda: them.exchange(plain_get), size),
        )
    compare(f"GET {size // _MIB} MiB", gets, GET_BAR)
    print(f"{'  at first':16s} {gets[0][0]:8,.0f} MiB/s   nginx {gets[0][1]:8,.0f} MiB/s")
    compare(f"PUT {size // _MIB} MiB", puts, PUT_BAR)


def in_turns(rounds: int, ours: Callable[[], float], theirs: Callable[[], float]) -> list[tuple[float, float]]:
    """What each measured, one after the other."""
    return [(ours(), theirs()) for _ in range(rounds + 1)]


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, action="append", help="MiB; may be given again")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    with jar(pinned=False) as server, tempfile.TemporaryDirectory() as folder, nginx(Path(folder)) as other:
        who = administrator(server.port)
        for mib in asked.size or (8, 64, 256):
            run(server, who, other, Path(folder), mib * _MIB, asked.rounds)


if __name__ == "__main__":
    main()
