"""`cloudjar console`: what an instance's console says, or a seat at it."""

from __future__ import annotations

import base64
import os
import select
import socket
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import click

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.home import Home, home_option
from cloudjar.cli.screen import Failure, note
from cloudjar.cli.ssh import find
from cloudjar.gateway import private
from cloudjar.gateway.admin import TOKEN_HEADER
from cloudjar.wire import websocket

_LEAVE = b"\x1d"
"""Control and ``]``, as telnet has it."""


@click.command()
@click.argument("instance")
@home_option
def console(instance: str, home: Home) -> None:
    """Sit at the serial console of INSTANCE (its id or its Name tag): a real terminal, also without a network.

    The account must allow it (aws ec2 enable-serial-console-access), and the user who signs in needs a password.
    """
    client = AdminClient(home)
    found = find(client, instance)
    if found.state != "running":
        raise Failure(f"{found.id} is {found.state}", "", f"aws ec2 start-instances --instance-ids {found.id}")
    with _connected(home, found.id) as wire:
        note(f"The serial console of {found.id}. Enter wakes it, Ctrl-] leaves it.")
        _sit(wire)


@contextmanager
def _connected(home: Home, instance_id: str) -> Iterator[socket.socket]:
    token = (home.folder / "admin-token").read_text()
    key = base64.b64encode(os.getpid().to_bytes(16, "big")).decode()
    head = f"GET /_cloudjar/serial/{instance_id} HTTP/1.1\r\nHost: localhost\r\n{TOKEN_HEADER}: {token}\r\n"
    head += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    head += f"Sec-WebSocket-Key: {key}\r\n\r\n"
    with private.connected(home.folder, 60) as wire:
        wire.sendall(head.encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n") and (piece := wire.recv(1)):
            answer += piece
        if not answer.startswith(b"HTTP/1.1 101 "):
            said = wire.recv(65536).decode("utf-8", "replace")
            hint = "aws ec2 enable-serial-console-access" if "Disabled" in said else "cloudjar status"
            raise Failure(f"the serial console of {instance_id} cannot be reached", said[:300], hint)
        yield wire


def _sit(wire: socket.socket) -> None:
    """Carry what is typed there and what is said back, until either side has enough."""
    reader, keys, screen = websocket.Reader(masked=False), sys.stdin.fileno(), sys.stdout.fileno()
    heard = [wire.fileno(), keys]
    with _raw(keys):
        while True:
            ready, _, _ = select.select(heard, [], [])
            if keys in ready:
                typed = os.read(keys, 4096)
                if not typed:  # what was piped in is over; the console may still have something to say
                    heard.remove(keys)
                if _LEAVE in typed:
                    return
                wire.sendall(websocket.frame(websocket.BINARY, typed, b"\x5a\x17\xc4\x39"))
            if wire.fileno() in ready:
                data = wire.recv(65536)
                for kind, payload in reader.feed(data):
                    if kind == websocket.CLOSE:
                        return
                    if kind == websocket.BINARY:
                        os.write(screen, payload)
                if not data:
                    return


@contextmanager
def _raw(keys: int) -> Iterator[None]:
    """Every key goes to the console as it is, and the terminal is as before afterwards."""
    if not os.isatty(keys):
        yield
        return
    before = termios.tcgetattr(keys)
    tty.setraw(keys)
    try:
        yield
    finally:
        termios.tcsetattr(keys, termios.TCSADRAIN, before)
