"""Real namespaces: every test has its own installation (tag and pool), and leaves nothing behind."""

from __future__ import annotations

import errno
import json
import os
import selectors
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path

import pytest

from cloudjar.base import ids
from cloudjar.planes.network import namespaces
from cloudjar.planes.network.leaks import leaks
from cloudjar.planes.network.linux import LinuxNetwork

Open = socket.socket
WAIT = 0.25
"""Seconds without an answer that count as dropped: everything here is one machine."""
PATIENCE = 10.0
"""Seconds for an answer that must come."""


def free_pool() -> str:
    """A pool for one test that overlaps none of the jars that run on this host meanwhile."""
    rules = json.loads(subprocess.run(["ip", "-json", "rule"], check=True, capture_output=True).stdout)
    taken = [ip_network(f"{rule['dst']}/{rule.get('dstlen', 32)}") for rule in rules if "dst" in rule]
    free = [block for block in ip_network("198.19.0.0/16").subnets(new_prefix=24)
            if not any(block.overlaps(other) for other in taken)]  # fmt: skip
    return str(free[ids.below(len(free))])


class Metadata:
    """A metadata source that answers each caller with its VPC and the source address that it saw."""

    def __init__(self) -> None:
        self.listeners: dict[str, socket.socket] = {}

    def attach(self, vpc_id: str, listener: int) -> None:
        assert vpc_id not in self.listeners
        self.listeners[vpc_id] = socket.socket(fileno=listener)

    def detach(self, vpc_id: str) -> None:
        self.listeners.pop(vpc_id).close()


class Doors:
    """An endpoint source that keeps the sockets it is given, by endpoint."""

    def __init__(self) -> None:
        self.open: dict[str, list[socket.socket]] = {}
        self.vpcs: dict[str, str] = {}

    def attach(self, vpc_id: str, endpoint_id: str, listener: int) -> None:
        self.open.setdefault(endpoint_id, []).append(socket.socket(fileno=listener))
        self.vpcs[endpoint_id] = vpc_id

    def detach(self, endpoint_id: str) -> None:
        for s in self.open.pop(endpoint_id):
            s.close()


class Host:
    """An installation and eyes inside its guests."""

    def __init__(self, state: Path, *, tag: str = "", pool: str = "", api: tuple[str, int] | None = None) -> None:
        self.tag = tag or ids.token(12).lower().replace("-", "").replace("_", "")[:8]
        self.pool = pool or free_pool()
        self.base = self.pool.removesuffix("0/24")
        self.state = state
        self.metadata = Metadata()
        self.doors = Doors()
        self.net = LinuxNetwork(self.tag, self.pool, state, api, self.metadata, endpoints=self.doors)
        self.echo = Echo()

    def public(self, n: int) -> str:
        return f"{self.base}{n}"

    def namespace(self, guest: str) -> str:
        return self.net.site.vpc_namespace(guest) if guest.startswith("vpc-") else self.net.site.guest_namespace(guest)

    def socket(self, guest: str, kind: int = socket.SOCK_STREAM, family: int = socket.AF_INET) -> socket.socket:
        """A socket that lives in a guest; an empty guest is the host."""
        def make() -> socket.socket:
            return socket.socket(family, kind)

        return namespaces.inside(self.namespace(guest), make) if guest else make()

    def listen(self, guest: str, *ports: int) -> None:
        """TCP and UDP servers in a guest that answer with the source address they see."""
        for port in ports:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                s = self.socket(guest, kind)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("0.0.0.0", port))
                if kind == socket.SOCK_STREAM:
                    s.listen(16)
                self.echo.add(s)

    def listen6(self, guest: str, *ports: int) -> None:
        """The same over IPv6."""
        for port in ports:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                s = self.socket(guest, kind, socket.AF_INET6)
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.bind(("::", port))
                if kind == socket.SOCK_STREAM:
                    s.listen(16)
                self.echo.add(s)

    def connect(
        self, guest: str, address: str, port: int, source: tuple[str, int] = ("", 0), wait: float = WAIT
    ) -> Open:
        s = self.socket(guest, family=_family(address))
        s.settimeout(wait)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(source)
            s.connect((address, port))
        except OSError:
            s.close()
            raise
        return s

    def tcp(
        self, guest: str, address: str, port: int, source: tuple[str, int] = ("", 0), wait: float = WAIT
    ) -> str:
        """``open``, ``refused`` or ``dropped``, measured with a real connection."""
        try:
            self.connect(guest, address, port, source, wait).close()
        except OSError as e:
            return _verdict(e)
        return "open"

    def seen_as(self, guest: str, address: str, port: int) -> str:
        """The source address that a server sees, which must be reachable."""
        with self.connect(guest, address, port, wait=PATIENCE) as s:
            s.sendall(b"?")
            return s.recv(64).decode()

    def udp(self, guest: str, address: str, port: int, source_port: int = 0, wait: float = WAIT) -> str:
        with self.socket(guest, socket.SOCK_DGRAM, _family(address)) as s:
            s.settimeout(wait)
            s.bind(("", source_port))
            try:
                s.connect((address, port))
                s.send(b"?")
                s.recv(64)
            except OSError as e:
                return _verdict(e)
        return "open"

    def close(self) -> None:
        self.echo.close()
        self.net.close()


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _verdict(e: OSError) -> str:
    if isinstance(e, ConnectionRefusedError):
        return "refused"
    if isinstance(e, TimeoutError) or e.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "dropped"
    raise e


class Echo:
    """One thread that serves every listener of a test."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.wake, self.woken = os.pipe()[::-1]
        self.selector.register(self.woken, selectors.EVENT_READ, "stop")
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def add(self, s: socket.socket) -> None:
        listening = s.type == socket.SOCK_STREAM
        self.selector.register(s, selectors.EVENT_READ, "accept" if listening else "datagram")

    def forget(self, s: socket.socket) -> None:
        """Before somebody else closes it; nothing happens when it was not served."""
        with suppress(KeyError):
            self.selector.unregister(s)

    def _serve(self) -> None:
        while True:
            for key, _ in self.selector.select():
                if key.data == "stop":
                    return
                assert isinstance(key.fileobj, socket.socket)
                with suppress(OSError):
                    self._one(key.fileobj, key.data)

    def _one(self, s: socket.socket, what: str) -> None:
        if what == "accept":
            self.selector.register(s.accept()[0], selectors.EVENT_READ, "stream")
        elif what == "datagram":
            _, peer = s.recvfrom(64)
            s.sendto(peer[0].encode(), peer)
        elif s.recv(64):
            s.sendall(s.getpeername()[0].encode())
        else:
            self.selector.unregister(s)
            s.close()

    def close(self) -> None:
        os.write(self.wake, b"x")
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self.selector.close()
        os.close(self.wake)
        os.close(self.woken)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A fresh installation, of which nothing may be left when the test ends.

    That the host's settings come back is tested on a host of its own (`test_host_side`): here others may be at work.
    """
    started = Host(tmp_path)
    try:
        yield started
    finally:
        started.close()
    assert leaks(started.tag) == []
