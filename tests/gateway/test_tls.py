"""TLS on the port that serves plain HTTP too, under an authority of the installation's own."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudjar.gateway.tls import Authority
from cloudjar.wire.message import Request, Response
from tests.gateway.live import Live, live, read_all, read_answer

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
BIG = os.urandom(3 << 20)


def handle(request: Request) -> Response:
    body = request.body if isinstance(request.body, bytes) else b"".join(request.body.chunks())
    if request.path == "/stream":
        return Response(200, [("Content-Length", str(len(BIG)))], iter([BIG[: 1 << 20], BIG[1 << 20 :]]))
    return Response(200, [("X-Secure", str(request.secure))], body)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"), hosts=["jar.example", "10.1.2.3"])


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[Live]:
    with live(handle, tls=authority.context) as running:
        yield running


def secured(server: Live, authority: Authority, name: str = "localhost") -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(authority.bundle))
    return context.wrap_socket(server.connect(), server_hostname=name)


def test_plain_and_tls_on_one_port(server: Live, authority: Authority) -> None:
    assert server.request(GET).headers["x-secure"] == "False"
    with secured(server, authority) as client:
        client.sendall(GET + GET)
        assert [read_answer(client).headers["x-secure"] for _ in range(2)] == ["True", "True"]


def test_large_bodies_both_ways(server: Live, authority: Authority) -> None:
    with secured(server, authority) as client:
        client.sendall(f"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: {len(BIG)}\r\n\r\n".encode() + BIG)
        assert read_answer(client).body == BIG
        client.sendall(b"GET /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert read_answer(client).body == BIG
        assert read_all(client) == b""


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "127.0.0.1",
        "::1",
        "bucket.s3.localhost",
        "s3.localhost.localstack.cloud",
        "jar.example",
        "10.1.2.3",
    ],
)
def test_names_that_the_certificate_holds(server: Live, authority: Authority, name: str) -> None:
    with secured(server, authority, name) as client:
        client.sendall(GET)
        assert read_answer(client).status == 200


def test_a_name_that_it_does_not_hold_and_a_client_that_does_not_trust_us(server: Live, authority: Authority) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        secured(server, authority, "example.com")
    with server.connect() as raw, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(raw, server_hostname="localhost")
    assert server.request(GET).status == 200


@pytest.mark.parametrize(
    "garbage", [b"\x16", b"\x16\x03\x01\x02\x00\x01\x00", b"\x16" + b"\xff" * 1000, b"\x16\x03\x01\x00\x01\x01"]
)
def test_garbage_that_looks_like_tls(server: Live, garbage: bytes) -> None:
    with server.connect() as client:
        client.sendall(garbage)
        client.shutdown(socket.SHUT_WR)
        assert not read_all(client).startswith(b"HTTP/")
    assert server.request(GET).status == 200


def test_keys_are_private_and_kept(authority: Authority) -> None:
    authority.context()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in authority.folder.iterdir()}
    assert modes == {".lock": 0o600, "ca.key": 0o600, "ca.pem": 0o644, "server.pem": 0o600}
    before = {path.name: path.read_bytes() for path in authority.folder.iterdir()}
    Authority(authority.folder, hosts=["jar.example", "10.1.2.3"]).context()
    assert {path.name: path.read_bytes() for path in authority.folder.iterdir()} == before


def test_a_new_name_or_a_near_end_renews_the_server_certificate_only(tmp_path: Path) -> None:
    first = Authority(tmp_path)
    context = first.context()
    assert first.context() is context
    ca, leaf = (tmp_path / "ca.pem").read_bytes(), (tmp_path / "server.pem").read_bytes()
    Authority(tmp_path, hosts=["new.example"]).context()
    named = (tmp_path / "server.pem").read_bytes()
    assert named != leaf

    class InAYear:
        def real(self) -> datetime:
            return datetime.now(UTC) + timedelta(days=380)

    first._clock = InAYear()  # type: ignore[assignment] # only `real` is asked
    assert first.context() is not context
    assert (tmp_path / "server.pem").read_bytes() not in (leaf, named)
    assert (tmp_path / "ca.pem").read_bytes() == ca


def test_cryptography_is_not_loaded_for_plain_http() -> None:
    code = (
        "import sys, cloudjar.gateway.server, cloudjar.gateway.tls, cloudjar.auth.chunked; "
        "sys.exit(1 if {'cryptography', 'awscrt', 'http.client'} & set(sys.modules) else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
