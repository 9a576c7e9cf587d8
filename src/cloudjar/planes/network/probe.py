"""One real packet from inside one network to another, and what became of it; Linux only, as root.

An asker that hears nothing cannot tell a lost packet from a program that does not care for it. So over UDP the
probe answers itself, from inside the network that is asked, unless a program there has the port already.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Literal, TypeVar

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import namespaces

T = TypeVar("T")
Verdict = Literal["open", "refused", "dropped", "silent"]
"""``refused``: it arrived, and nobody listens. ``silent``: no answer over UDP, where a program has the port."""
_LOST = (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES)
WAIT = 2.0


class PortTaken(PlaneError):
    """Somebody in the asker's network has the source port, or had it a moment ago."""


def probe(
    asker: str, target: str, protocol: str, port: int, source_port: int, *, source: str = "", asked: str = "",
    wait: float = WAIT,
) -> Verdict:  # fmt: skip
    """Send one packet (``tcp`` or ``udp``) to an address and wait for its answer, `wait` seconds at most.

    `asker` and `asked` are names of namespaces; no `asker` is the host, no `asked` somebody elsewhere. `source` is the
    address to send from, empty for the namespace's own choice. Raises `PlaneError` where nothing can be sent, and
    `PortTaken` where another source port will do.
    """
    try:
        with ExitStack() as stack:
            mine = _within(asker, lambda: _bound(target, protocol, source, source_port))
            stack.enter_context(mine)
            if protocol == "tcp":
                return _connected(mine, target, port, wait)
            theirs = _within(asked, lambda: _answering(target, port)) if asked else None
            if theirs is not None:
                stack.enter_context(theirs)
            said = _exchanged(mine, theirs, (target, port), wait)
            return "silent" if said == "dropped" and theirs is None else said
    except OSError as e:
        raise PlaneError(f"No packet could be sent from {asker or 'the host'} to {target}: {e}.") from e


def _within(namespace: str, work: Callable[[], T]) -> T:
    return namespaces.inside(namespace, work) if namespace else work()


def _family(target: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in target else socket.AF_INET


def _bound(target: str, protocol: str, source: str, source_port: int) -> socket.socket:
    s = socket.socket(_family(target), socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
    try:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((source, source_port))
    except OSError as e:
        s.close()
        if e.errno == errno.EADDRINUSE:
            raise PortTaken(f"Port {source_port} is taken.") from e
        raise
    return s


def _answering(target: str, port: int) -> socket.socket | None:
    """A socket that hears what comes to a port; None where a program of the guest's has it."""
    s = socket.socket(_family(target), socket.SOCK_DGRAM)
    try:
        if s.family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind(("", port))
    except OSError as e:
        s.close()
        if e.errno == errno.EADDRINUSE:
            return None
        raise
    return s


def _connected(s: socket.socket, target: str, port: int, wait: float) -> Verdict:
    s.settimeout(wait)
    try:
        s.connect((target, port))
    except OSError as e:
        return _failed(e)
    return "open"


def _exchanged(mine: socket.socket, theirs: socket.socket | None, where: tuple[str, int], wait: float) -> Verdict:
    end = monotonic() + wait
    try:
        mine.connect(where)
        mine.send(b"cloudjar reach --probe")
        while (left := end - monotonic()) > 0:
            heard, _, _ = select.select([mine, *([theirs] if theirs else [])], [], [], left)
            if mine in heard:
                mine.recv(2048)
                return "open"
            if theirs in heard:
                assert theirs is not None
                data, peer = theirs.recvfrom(2048)
                theirs.sendto(data, peer)
    except OSError as e:
        return _failed(e)
    return "dropped"


def _failed(e: OSError) -> Verdict:
    if isinstance(e, ConnectionRefusedError):
        return "refused"
    if isinstance(e, TimeoutError) or e.errno in _LOST:
        return "dropped"
    raise e
