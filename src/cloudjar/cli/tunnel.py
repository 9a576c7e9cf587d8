"""`cloudjar tunnel`: through an EC2 Instance Connect Endpoint to a private machine, for ssh's ProxyCommand."""

from __future__ import annotations

import base64
import os
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import click

from cloudjar.auth.presign import Credentials, presign
from cloudjar.base.clock import SystemClock
from cloudjar.cli.home import Home, home_option
from cloudjar.cli.screen import Failure
from cloudjar.gateway import private
from cloudjar.wire import websocket

_HOST = "localhost"
_MASK = b"\x5a\x17\xc4\x39"


@click.command()
@click.argument("endpoint")
@click.argument("address")
@click.option("--port", type=click.Choice(["22", "3389"]), default="22", show_default=True, help="At the machine.")
@click.option("--seconds", type=click.IntRange(1, 3600), default=3600, show_default=True, help="How long it lasts.")
@click.option("--region", default="", help="Where ENDPOINT is; AWS_REGION, or the jar's own.")
@home_option
def tunnel(endpoint: str, address: str, port: str, seconds: int, region: str, home: Home) -> None:
    """Carry standard input and output to ADDRESS, by way of the EC2 Instance Connect Endpoint ENDPOINT (its id).

    As who AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say, or the account's root:

    ssh -o ProxyCommand='cloudjar tunnel eice-0123456789abcdef0 10.0.1.5' admin@10.0.1.5
    """
    settings, _ = home.need_ready()
    where = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or settings.region
    asked = {"instanceConnectEndpointId": endpoint, "remotePort": port, "privateIpAddress": address,
             "maxTunnelDuration": str(seconds)}  # fmt: skip
    url = presign("GET", f"http://{_HOST}/openTunnel?{urlencode(asked)}", _credentials(), where,
                  "ec2-instance-connect", SystemClock().real(), expires=60)  # fmt: skip
    with _connected(home, url.removeprefix(f"http://{_HOST}"), endpoint) as wire:
        _carry(wire, sys.stdin.fileno(), sys.stdout.fileno())


def _credentials() -> Credentials:
    given = os.environ
    key, secret = given.get("AWS_ACCESS_KEY_ID") or "test", given.get("AWS_SECRET_ACCESS_KEY") or "test"
    return Credentials(key, secret, given.get("AWS_SESSION_TOKEN") or "")


@contextmanager
def _connected(home: Home, path: str, endpoint: str) -> Iterator[socket.socket]:
    key = base64.b64encode(os.getpid().to_bytes(16, "big")).decode()
    head = f"GET {path} HTTP/1.1\r\nHost: {_HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    head += f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    with private.connected(home.folder, 60) as wire:
        wire.sendall(head.encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n") and (piece := wire.recv(1)):
            answer += piece
        if not answer.startswith(b"HTTP/1.1 101 "):
            said = wire.recv(65536).decode("utf-8", "replace")
            raise Failure(f"{endpoint} opens no tunnel", said[:300], "aws ec2 describe-instance-connect-endpoints")
        wire.settimeout(None)
        yield wire


def _carry(wire: socket.socket, heard: int, said: int) -> None:
    """Both ways, until the other side has enough; the end of the input ends nothing by itself."""
    reader, watched = websocket.Reader(masked=False), [wire.fileno(), heard]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if heard in ready:
            data = os.read(heard, 32768)
            if data:
                wire.sendall(websocket.frame(websocket.BINARY, data, _MASK))
            else:
                watched.remove(heard)
        if wire.fileno() in ready:
            data = wire.recv(65536)
            for kind, payload in reader.feed(data):
                if kind == websocket.CLOSE:
                    return _closed(payload)
                if kind == websocket.PING:
                    wire.sendall(websocket.frame(websocket.PONG, payload, _MASK))
                if kind == websocket.BINARY:
                    _write(said, payload)
            if not data:
                return None


def _write(to: int, data: bytes) -> None:
    while data:
        data = data[os.write(to, data) :]


def _closed(payload: bytes) -> None:
    code, why = int.from_bytes(payload[:2], "big"), payload[2:].decode("utf-8", "replace")
    if code not in (0, 1000):
        raise Failure("the tunnel was closed", why, "look at the security groups of the endpoint and of the machine")
