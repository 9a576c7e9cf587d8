"""Live lines over descriptors: what is said, heard, held back and ended."""

from __future__ import annotations

import os
import socket
import threading

from cloudjar.planes.compute import lines
from cloudjar.planes.compute.inside import Size
from cloudjar.planes.compute.lines import FdLine, Switchboard

BOARD = Switchboard()


class Heard:
    """Ears that remember."""

    def __init__(self) -> None:
        self.out = b""
        self.code: int | None = None
        self.spoke, self.over = threading.Event(), threading.Event()

    def said(self, data: bytes) -> None:
        self.out += data
        self.spoke.set()

    def complained(self, data: bytes) -> None:
        self.said(data)

    def ended(self, code: int) -> None:
        self.code = code
        self.over.set()


def pair(heard: Heard) -> tuple[FdLine, socket.socket]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(60)
    fd = ours.detach()

    def no_more(fd: int) -> None:
        with socket.socket(fileno=os.dup(fd)) as end:
            end.shutdown(socket.SHUT_WR)

    return FdLine(BOARD, {fd: heard.said}, fd, heard, end=lambda: 7, finish=no_more), theirs


def test_both_ways_to_the_end() -> None:
    heard = Heard()
    line, far = pair(heard)
    big = os.urandom(3 << 20)
    line.write(big)
    line.resize(Size(1, 1))  # no terminal: nothing
    line.finish()
    got = b""
    while piece := far.recv(1 << 16):
        got += piece
    assert got == big
    far.sendall(b"answer")
    far.close()
    assert heard.over.wait(60)
    assert (heard.out, heard.code) == (b"answer", 7)
    line.write(b"too late")
    line.hang_up()


def test_a_paused_line_hears_later() -> None:
    heard = Heard()
    line, far = pair(heard)
    line.pause(waiting=True)
    line.write(b"x")
    assert far.recv(1) == b"x"  # so the pause has been seen
    far.sendall(b"later")
    line.write(b"y")
    assert far.recv(1) == b"y"
    assert heard.out == b""
    line.pause(waiting=False)
    assert heard.spoke.wait(60)
    assert heard.out == b"later"
    line.hang_up()
    assert heard.over.wait(60)
    far.close()


def test_who_takes_nothing_loses_the_line() -> None:
    heard = Heard()
    line, far = pair(heard)
    piece = bytes(8 << 20)
    for _ in range(lines.MOST_WAITING // len(piece) + 2):
        line.write(piece)
    assert heard.over.wait(60)
    far.close()
