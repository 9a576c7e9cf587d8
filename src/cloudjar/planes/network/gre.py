"""Carries GRE (RFC 2784, without keys) between TUN devices and raw sockets, for kernels that cannot; Linux only.

A program of its own, so that tunnels outlive the server: ``python -I -S gre.py FILE`` in a transit gateway's namespace,
which gives control back once it carries. FILE has a line for every tunnel, ``DEVICE OWN PEER MARK``: a TUN device that
is there already, the two outer addresses, and the mark that its outer packets leave with. SIGHUP has it read FILE
again; tunnels that stay are not touched. It knows nothing of the rest of Cloudjar.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import socket
import struct
import sys
from contextlib import suppress

GRE = 47
_TUN_SET = 0x400454CA
_TUN, _BARE = 0x0001, 0x1000
_MARK = 36
_MTU_DISCOVER, _NO_DISCOVERY = 10, 0
_KINDS = {4: b"\0\0\x08\x00", 6: b"\0\0\x86\xdd"}
"""The header before an IP packet of a version: no options, and its Ethernet type."""
_TYPES = {0x0800: 4, 0x86DD: 6}
_CHECKED, _OTHERS = 0x8000, 0x7FFF
_AT_ONCE = 64
_LONGEST = 65536
_GONE = (errno.EBADFD, errno.ENODEV, errno.EIO)
Line = tuple[str, str, str, int]


def wrapped(packet: bytes) -> bytes:
    """An IP packet behind its GRE header; empty for what is none."""
    kind = _KINDS.get(packet[0] >> 4) if packet else None
    return kind + packet if kind else b""


def unwrapped(outer: bytes) -> bytes:
    """The IP packet that an IPv4 packet (with its header) brings in GRE; empty for what we must not take."""
    start = (outer[0] & 0xF) * 4
    if len(outer) < start + 4:
        return b""
    flags, kind = struct.unpack_from("!HH", outer, start)
    inside = start + (8 if flags & _CHECKED else 4)
    if flags & _OTHERS or (flags & _CHECKED and _sum(outer[start:])):
        return b""  # keys, sequence numbers, routing, another version; or damaged on the way
    packet = outer[inside:]
    return packet if packet and _TYPES.get(kind) == packet[0] >> 4 else b""


def _sum(data: bytes) -> int:
    """The Internet's checksum of what contains its own: 0 when it is right."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Tunnel:
    """One tunnel, open at both ends."""

    def __init__(self, line: Line) -> None:
        device, own, peer, mark = line
        self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE)
        try:
            fcntl.ioctl(self.tun, _TUN_SET, struct.pack("16sH22x", device.encode(), _TUN | _BARE))
            self.raw.setblocking(False)
            self.raw.setsockopt(socket.SOL_SOCKET, _MARK, mark)
            self.raw.setsockopt(socket.IPPROTO_IP, _MTU_DISCOVER, _NO_DISCOVERY)
            self.raw.bind((own, 0))
            self.raw.connect((peer, 0))  # from now on it gets that peer's packets alone
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of it; the device stays."""
        os.close(self.tun)
        self.raw.close()

    def out(self) -> bool:
        """From the device to the peer; False when the device is gone."""
        for _ in range(_AT_ONCE):
            try:
                packet = os.read(self.tun, _LONGEST)
            except BlockingIOError:
                return True
            except OSError as failed:
                return failed.errno not in _GONE
            outer = wrapped(packet)
            with suppress(OSError):  # no way there now: as a link does, it loses what it cannot carry
                if outer:
                    self.raw.send(outer)
        return True

    def back(self) -> bool:
        """From the peer to the device; False when the device is gone."""
        for _ in range(_AT_ONCE):
            try:
                packet = unwrapped(self.raw.recv(_LONGEST))
                if packet:
                    os.write(self.tun, packet)
            except BlockingIOError:
                return True
            except OSError as failed:
                return failed.errno not in _GONE
        return True


class Carrier:
    """All tunnels of a file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.tunnels: dict[Line, Tunnel] = {}
        self.ready = select.epoll()
        self.ends: dict[int, tuple[Line, bool]] = {}
        self.called = -1

    def load(self) -> None:
        """Carry what the file says now. A tunnel that cannot be opened is tried again with the next load."""
        wanted = lines(self.file)
        for line in [line for line in self.tunnels if line not in wanted]:
            self._drop(line)
        for line in wanted:
            if line not in self.tunnels:
                with suppress(OSError):
                    self._add(line, Tunnel(line))

    def _add(self, line: Line, tunnel: Tunnel) -> None:
        self.tunnels[line] = tunnel
        for fd, inward in ((tunnel.tun, False), (tunnel.raw.fileno(), True)):
            self.ends[fd] = (line, inward)
            self.ready.register(fd, select.EPOLLIN)

    def _drop(self, line: Line) -> None:
        tunnel = self.tunnels.pop(line)
        for fd in (tunnel.tun, tunnel.raw.fileno()):
            del self.ends[fd]
            self.ready.unregister(fd)
        tunnel.close()

    def turn(self) -> None:
        """Carry what has come; waits until something has."""
        for fd, _ in self.ready.poll():
            if fd == self.called:
                os.read(fd, _AT_ONCE)
                self.load()
            elif fd in self.ends:
                line, inward = self.ends[fd]
                tunnel = self.tunnels[line]
                if not (tunnel.back() if inward else tunnel.out()):
                    self._drop(line)

    def listen(self) -> None:
        """Read the file again whenever somebody sends SIGHUP."""
        self.called, caller = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.ready.register(self.called, select.EPOLLIN)
        signal.set_wakeup_fd(caller, warn_on_full_buffer=False)
        signal.signal(signal.SIGHUP, lambda *_: None)


def lines(file: str) -> list[Line]:
    """The tunnels that a file names."""
    with open(file) as text:
        rows = [row.split() for row in text if row.strip()]
    return [(device, own, peer, int(mark, 0)) for device, own, peer, mark in rows]


def start(file: str) -> None:
    """Leave whoever called behind, and carry until somebody ends this process."""
    carrier = Carrier(file)
    carrier.listen()
    carrier.load()
    if os.fork():
        os._exit(0)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    while True:
        carrier.turn()


if __name__ == "__main__":
    start(sys.argv[1])
