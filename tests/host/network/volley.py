"""Many packets at once: all that get no answer are waited for together."""

from __future__ import annotations

import errno
import select
import socket
import struct
from collections import defaultdict
from contextlib import ExitStack
from typing import NamedTuple

from cloudjar.base.clock import monotonic
from cloudjar.planes.network import namespaces
from cloudjar.planes.network.reach import World, reach
from cloudjar.planes.network.steps import Answer
from tests.host.network.conftest import Host

PATIENCE = 60.0
"""Seconds for an answer that must come: only a broken product waits so long."""
QUIET = 0.15
"""Seconds in which no answer comes that must not, after every one that must has: everything here is one machine."""
OUTSIDE = "outside of this installation"
"""Where a packet leaves for the Internet: whatever this host's network makes of it."""
_ECHO = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}


class Shot(NamedTuple):
    """One packet to send: from a guest (empty: the host), as `source`, an ENI's id or ``internet``.

    `protocol` is ``tcp``, ``udp`` or ``icmp`` (an echo of either IP version, whose identifier is `source_port`
    and whose port is -1).
    """

    guest: str
    source: str
    target: str
    protocol: str
    port: int
    source_port: int

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.target else socket.AF_INET

    @property
    def icmp(self) -> str:
        """What the plan calls the protocol."""
        return "icmpv6" if self.protocol == "icmp" and ":" in self.target else self.protocol


def fire(host: Host, shots: list[Shot], expected: list[str]) -> list[str]:
    """What becomes of each: ``open``, ``refused`` or ``dropped``. Waits at length for what is expected to answer."""
    with ExitStack() as stack:
        verdicts, flying = _send(host, shots, stack)
        poll = select.epoll()
        stack.callback(poll.close)
        for fd in flying:
            poll.register(fd, select.EPOLLIN | select.EPOLLERR | select.EPOLLOUT * _is_stream(flying[fd][1]))
        end = monotonic() + PATIENCE
        while flying:
            due = any(expected[n] != "dropped" for n, _ in flying.values())
            found = poll.poll(end - monotonic() if due else QUIET)
            if not found:
                break
            for fd, _ in found:
                n, s = flying[fd]
                said = _heard(s, shots[n])
                if said:
                    verdicts[n] = said
                    poll.unregister(fd)
                    del flying[fd]
    return [verdicts.get(n, "dropped") for n in range(len(shots))]


def expect(world: World, shot: Shot, listening: tuple[int, ...]) -> tuple[str, Answer]:
    """What the plan says becomes of a packet to a machine that listens at some ports; and its reasons."""
    said = reach(world, shot.source, shot.target, shot.icmp, shot.port, source_port=shot.source_port)
    if said.status == "open" and shot.protocol != "icmp" and shot.port not in listening:
        return "refused", said
    return said.status, said


def compare(host: Host, world: World, shots: list[Shot], listening: tuple[int, ...], where: object) -> int:
    """Send all that stay within this host, and insist that the plan was right; how many were answered.

    UDP goes to ports that listen only: its refusal is a message of another protocol, of which the plan says nothing.
    """
    answers = [expect(world, shot, listening) for shot in shots]
    pairs = [(shot, *answer) for shot, answer in zip(shots, answers, strict=True)
             if not any(line.endswith(OUTSIDE) for line in answer[1].path)]
    done = fire(host, [shot for shot, _, _ in pairs], [verdict for _, verdict, _ in pairs])
    wrong = [(where, shot, verdict, became, said.path)
             for (shot, verdict, said), became in zip(pairs, done, strict=True) if verdict != became]  # fmt: skip
    assert not wrong, "\n".join(map(str, wrong))
    return sum(became != "dropped" for became in done)


def _send(
    host: Host, shots: list[Shot], stack: ExitStack
) -> tuple[dict[int, str], dict[int, tuple[int, socket.socket]]]:
    """(verdicts that are known at once, sockets that wait by descriptor)."""
    verdicts: dict[int, str] = {}
    flying: dict[int, tuple[int, socket.socket]] = {}
    by_guest = defaultdict(list)
    for n, shot in enumerate(shots):
        by_guest[shot.guest].append(n)

    def work(numbers: list[int]) -> None:
        for n in numbers:
            s = stack.enter_context(_socket(shots[n]))
            try:
                _start(s, shots[n])
                flying[s.fileno()] = n, s
            except OSError as e:
                verdicts[n] = _failed(e)

    for guest, numbers in by_guest.items():
        if guest:
            namespaces.inside(host.namespace(guest), lambda numbers=numbers: work(numbers))  # type: ignore[misc]  # mypy cannot type a lambda's default
        else:
            work(numbers)
    return verdicts, flying


def _socket(shot: Shot) -> socket.socket:
    if shot.protocol == "icmp":
        number = socket.IPPROTO_ICMPV6 if shot.family == socket.AF_INET6 else socket.IPPROTO_ICMP
        return socket.socket(shot.family, socket.SOCK_RAW, number)
    return socket.socket(shot.family, socket.SOCK_STREAM if shot.protocol == "tcp" else socket.SOCK_DGRAM)


def _start(s: socket.socket, shot: Shot) -> None:
    s.setblocking(False)
    if shot.protocol != "icmp":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the host's may still rest from a test before
        s.bind(("", shot.source_port))
    failed = s.connect_ex((shot.target, shot.port if shot.protocol != "icmp" else 0))
    if failed not in (0, errno.EINPROGRESS):
        raise OSError(failed, "connect")
    if shot.protocol == "udp":
        s.send(b"?")
    elif shot.protocol == "icmp":
        s.send(_echo(shot))


def _echo(shot: Shot) -> bytes:
    """An echo request; the kernel sums up IPv6's itself."""
    rest = struct.pack("!HH", shot.source_port, 1)
    words = struct.unpack("!HHH", struct.pack("!BB", _ECHO[shot.family][0], 0) + rest)
    total = sum(words)
    return struct.pack("!BBH", _ECHO[shot.family][0], 0, ~(total + (total >> 16)) & 0xFFFF) + rest


def _is_stream(s: socket.socket) -> bool:
    return s.type == socket.SOCK_STREAM


def _heard(s: socket.socket, shot: Shot) -> str:
    """A verdict; empty when it was somebody else's packet (a raw socket hears every echo)."""
    if failed := s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        return _failed(OSError(failed, "answer"))
    if shot.protocol == "tcp":
        return "open"
    try:
        data = s.recv(2048)
    except BlockingIOError:
        return ""
    except OSError as e:
        return _failed(e)
    if shot.protocol == "udp":
        return "open"
    body = data[(data[0] & 15) * 4:] if shot.family == socket.AF_INET else data
    kind, number = body[0], struct.unpack("!H", body[4:6])[0]
    return "open" if (kind, number) == (_ECHO[shot.family][1], shot.source_port) else ""


def _failed(e: OSError) -> str:
    if e.errno == errno.ECONNREFUSED:
        return "refused"
    if e.errno in (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "dropped"
    raise e
