"""The few rtnetlink messages that the plane speaks: links, addresses, routes, rules, neighbours.

Written by hand because it is small: a whole netlink library costs a server some 25 MB and 0.2 s at
start. Layouts: rtnetlink(7), netlink(7) and the kernel's `uapi/linux/{if_link,rtnetlink,neighbour}.h`.
Every call blocks until the kernel has answered; a refusal raises `OSError` with the kernel's errno.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address

import msgspec

_REQUEST, _ACK, _ROOT_AND_MATCH, _REPLACE, _EXCL, _CREATE = 1, 4, 0x300, 0x100, 0x200, 0x400
_ERROR, _DONE = 2, 3
_HEADER = struct.Struct("=IHHII")
_IFINFO = struct.Struct("=BxHiII")
_IFADDR = struct.Struct("=BBBBI")
_RTMSG = struct.Struct("=BBBBBBBBI")
_NDMSG = struct.Struct("=BxxxiHBB")
_INET, _INET6 = socket.AF_INET, socket.AF_INET6
_NO_DAD = 2
UP, NOARP = 0x1, 0x80
_STATIC, _UNIVERSE, _LINK = 4, 0, 253
_UNICAST, _LOCAL, _BLACKHOLE = 1, 2, 6
_ONLINK = 4
_PERMANENT = 0x80
_ETHTOOL, _GET_LINK = 0x8946, 0xA
LINK, ADDRESS, ROUTE, NEIGHBOUR, RULE = 16, 20, 24, 28, 32


class LinkSeen(msgspec.Struct, frozen=True):
    """A link as the kernel reports it."""

    index: int
    name: str
    up: bool
    alias: str
    mac: str
    master: int


class RouteSeen(msgspec.Struct, frozen=True):
    """A route that somebody set (not the kernel's own); `device` is an index, 0 for none."""

    table: int
    target: str
    blackhole: bool
    device: int
    via: str
    metric: int
    more: tuple[int, ...] = ()
    """Further devices that share its connections."""


class RuleSeen(msgspec.Struct, frozen=True):
    """A policy routing rule; `target` and `mark` may be empty."""

    preference: int
    table: int
    mark: int
    target: str
    version: int = 4


class Netlink:
    """One conversation with the kernel, in the namespace of the thread that opened it."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.bind((0, 0))
        self._sequence = 0

    def __enter__(self) -> Netlink:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    # Links

    def links(self) -> list[LinkSeen]:
        return [_link_seen(body) for body in self._dump(LINK + 2, _IFINFO.pack(0, 0, 0, 0, 0))]

    def link(self, name: str) -> LinkSeen | None:
        """The link of that name, or None."""
        body = _IFINFO.pack(0, 0, 0, 0, 0) + _text(3, name)
        try:
            return _link_seen(self._ask(LINK + 2, body))
        except OSError as e:
            if e.errno == errno.ENODEV:
                return None
            raise

    def add_pair(self, name: str, mac: str, peer: str, peer_mac: str, namespace: int, mtu: int) -> None:
        """A veth pair: `name` here, `peer` in the namespace of that file descriptor; both down."""
        other = _IFINFO.pack(0, 0, 0, 0, 0) + _text(3, peer) + _attr(1, _mac(peer_mac)) + _u32(4, mtu)
        other += _u32(28, namespace)
        info = _text(1, "veth") + _attr(2, _attr(1, other))
        body = _IFINFO.pack(0, 0, 0, 0, 0) + _text(3, name) + _attr(1, _mac(mac)) + _u32(4, mtu) + _attr(18, info)
        self._do(LINK, body, _CREATE | _EXCL)

    def add_bridge(self, name: str, mac: str) -> None:
        """A bridge that never asks for hardware addresses (no ARP); down."""
        info = _text(1, "bridge")
        self._do(LINK, _IFINFO.pack(0, 0, 0, NOARP, NOARP) + _text(3, name) + _attr(1, _mac(mac)) + _attr(18, info),
                 _CREATE | _EXCL)

    def set_link(self, index: int, *, up: bool = False, alias: str | None = None, master: int = 0) -> None:
        flags = UP if up else 0
        body = _IFINFO.pack(0, 0, index, flags, flags)
        if alias is not None:
            body += _attr(20, alias.encode())
        if master:
            body += _u32(10, master)
        self._do(LINK, body)

    def delete_link(self, name: str) -> None:
        """Remove a link (and its other end); nothing happens when there is none."""
        with _unless(errno.ENODEV):
            self._do(LINK + 1, _IFINFO.pack(0, 0, 0, 0, 0) + _text(3, name))

    # Addresses

    def addresses(self, index: int) -> set[str]:
        """``address/length`` of a link."""
        out = set()
        for body in self._both(ADDRESS + 2, lambda family: _IFADDR.pack(family, 0, 0, 0, 0)):
            _, length, _, _, where = _IFADDR.unpack_from(body)
            a = _attributes(body, _IFADDR.size)
            if where == index and (2 in a or 1 in a):
                out.add(f"{_ip(a[2] if 2 in a else a[1])}/{length}")
        return out

    def add_address(self, index: int, address: str) -> None:
        self._do(ADDRESS, self._address(index, address), _CREATE | _REPLACE)

    def delete_address(self, index: int, address: str) -> None:
        with _unless(errno.EADDRNOTAVAIL):
            self._do(ADDRESS + 1, self._address(index, address))

    @staticmethod
    def _address(index: int, address: str) -> bytes:
        ip, length = _cidr(address)
        # Nobody else can have it: the address is good at once.
        flags = _NO_DAD if len(ip) == 16 else 0
        return _IFADDR.pack(_family(ip), length, flags, 0, index) + _attr(2, ip) + _attr(1, ip)

    # Routes

    def routes(self) -> list[RouteSeen]:
        """Static unicast and blackhole routes of every table."""
        out = []
        for body in self._both(ROUTE + 2, lambda family: _RTMSG.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)):
            family, length, _, _, table, protocol, _, kind, _ = _RTMSG.unpack_from(body)
            if protocol != _STATIC or kind not in (_UNICAST, _BLACKHOLE):
                continue
            a = _attributes(body, _RTMSG.size)
            nowhere = kind == _BLACKHOLE  # IPv6 says that one leads to the loopback
            devices = [_number(a.get(4), 0), *_hops(a.get(9, b""))]
            first, *more = [d for d in devices if d] or [0]
            out.append(RouteSeen(
                _number(a.get(15), table), f"{_ip(a.get(1, bytes(4 if family == _INET else 16)))}/{length}",
                nowhere, 0 if nowhere else first, str(_ip(a[5])) if 5 in a else "",
                _number(a.get(6), 0), tuple(more)))
        return out

    def set_route(self, table: int, target: str, *, device: int = 0, via: str = "", metric: int = 0,
                  source: str = "", more: tuple[int, ...] = ()) -> None:
        """Add a route or put it in place of another of the same table, target and metric; no device = black hole.
        `more` are devices that share its connections with the first."""
        body = self._route(table, target, 0 if more else device, via, metric, source, shared=bool(more))
        if more:
            body += _attr(9, b"".join(struct.pack("=HBBi", 8, 0, 0, index) for index in (device, *more)))
        self._do(ROUTE, body, _CREATE | _REPLACE)

    def delete_route(self, table: int, target: str, *, device: int = 0, metric: int = 0) -> None:
        with _unless(errno.ESRCH, errno.ENODEV):
            self._do(ROUTE + 1, self._route(table, target, device, "", metric, "", scope=255))

    @staticmethod
    def _route(table: int, target: str, device: int, via: str, metric: int, source: str, scope: int = -1, *,
               local: bool = False, shared: bool = False) -> bytes:
        ip, length = _cidr(target)
        if scope < 0:
            scope = _UNIVERSE if via or not (device or shared) else _LINK
        kind = _LOCAL if local else _UNICAST if device or shared else _BLACKHOLE
        body = _RTMSG.pack(_family(ip), length, 0, 0, 0, _STATIC, scope, kind, _ONLINK if via else 0)
        body += _attr(1, ip) + _u32(15, table)
        for number, value in ((4, device), (6, metric)):
            body += _u32(number, value) if value else b""
        for number, text in ((5, via), (7, source)):
            body += _attr(number, _cidr(text)[0]) if text else b""
        return body

    def set_local(self, table: int, target: str, device: int) -> None:
        """Deliver here whatever the table is asked about in `target`, as if it were an address of our own."""
        self._do(ROUTE, self._route(table, target, device, "", 0, "", scope=254, local=True), _CREATE | _REPLACE)

    # Policy rules

    def rules(self) -> list[RuleSeen]:
        out = []
        for body in self._both(RULE + 2, lambda family: _RTMSG.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)):
            family, length, _, _, table, _, _, _, _ = _RTMSG.unpack_from(body)
            a = _attributes(body, _RTMSG.size)
            target = f"{_ip(a[1])}/{length}" if 1 in a else ""
            out.append(RuleSeen(_number(a.get(6), 0), _number(a.get(15), table), _number(a.get(10), 0), target,
                                4 if family == _INET else 6))
        return out

    def add_rule(self, preference: int, table: int, *, mark: int = 0, target: str = "", version: int = 4) -> None:
        with _unless(errno.EEXIST):
            self._do(RULE, self._rule(preference, table, mark, target, version), _CREATE | _EXCL)

    def delete_rule(self, preference: int, table: int, *, mark: int = 0, target: str = "", version: int = 4) -> None:
        with _unless(errno.ENOENT):
            self._do(RULE + 1, self._rule(preference, table, mark, target, version))

    @staticmethod
    def _rule(preference: int, table: int, mark: int, target: str, version: int) -> bytes:
        ip, length = _cidr(target) if target else (b"", 0)
        family = _family(ip) if target else _INET if version == 4 else _INET6
        body = _RTMSG.pack(family, length, 0, 0, 0, 0, 0, _UNICAST, 0) + _u32(6, preference) + _u32(15, table)
        if target:
            body += _attr(1, ip)
        if mark:
            body += _u32(10, mark) + _u32(16, 0xFFFFFFFF)
        return body

    # Neighbours

    def neighbours(self) -> set[tuple[int, str, str]]:
        """Permanent neighbours: (link index, address, hardware address)."""
        out = set()
        for body in self._both(NEIGHBOUR + 2, lambda family: _NDMSG.pack(family, 0, 0, 0, 0)):
            _, index, state, _, _ = _NDMSG.unpack_from(body)
            a = _attributes(body, _NDMSG.size)
            if state & _PERMANENT and 1 in a and 2 in a:
                out.add((index, str(_ip(a[1])), ":".join(f"{b:02x}" for b in a[2])))
        return out

    def set_neighbour(self, index: int, address: str, mac: str) -> None:
        self._do(NEIGHBOUR, self._neighbour(index, address, _PERMANENT) + _attr(2, _mac(mac)), _CREATE | _REPLACE)

    def delete_neighbour(self, index: int, address: str) -> None:
        with _unless(errno.ENOENT, errno.ENXIO, errno.ENODEV):
            self._do(NEIGHBOUR + 1, self._neighbour(index, address, 0))

    @staticmethod
    def _neighbour(index: int, address: str, state: int) -> bytes:
        ip, _ = _cidr(address)
        return _NDMSG.pack(_family(ip), index, state, 0, 0) + _attr(1, ip)

    # The conversation

    def _do(self, kind: int, body: bytes, flags: int = 0) -> None:
        self._send(kind, _REQUEST | _ACK | flags, body)
        for _ in self._answers():
            pass

    def _ask(self, kind: int, body: bytes) -> bytes:
        self._send(kind, _REQUEST | _ACK, body)
        return next(iter(list(self._answers())))

    def _dump(self, kind: int, body: bytes) -> list[bytes]:
        self._send(kind, _REQUEST | _ROOT_AND_MATCH, body)
        return list(self._answers())

    def _both(self, kind: int, request: Callable[[int], bytes]) -> Iterator[bytes]:
        """What the kernel lists for IPv4, then for IPv6; a kernel without the latter lists something else."""
        for family in (_INET, _INET6):
            yield from (body for body in self._dump(kind, request(family)) if body[0] == family)

    def _send(self, kind: int, flags: int, body: bytes) -> None:
        self._sequence += 1
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, self._sequence, 0) + body)

    def _answers(self) -> Iterator[bytes]:
        while True:
            data = self._socket.recv(1 << 17)
            at = 0
            while at < len(data):
                length, kind, _, sequence, _ = _HEADER.unpack_from(data, at)
                body = data[at + _HEADER.size : at + length]
                at += length + 3 & ~3
                if sequence != self._sequence:
                    continue
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    code = -struct.unpack_from("=i", body)[0]
                    if code:
                        raise OSError(code, os.strerror(code))
                    return
                yield body


def carry(name: str) -> bool:
    """Make a link that has just gained its carrier pass packets now; True when it has one.

    The kernel does so by itself a little later, and drops what comes before. Asking for the state
    over ethtool makes it catch up at once (`linkwatch_sync_dev`).
    """
    state = ctypes.create_string_buffer(struct.pack("=II", _GET_LINK, 0))
    request = struct.pack("16sP16x", name.encode(), ctypes.addressof(state))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, _ETHTOOL, request)
    return bool(struct.unpack("=II", state.raw[:8])[1])


@contextlib.contextmanager
def _unless(*codes: int) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        if e.errno not in codes:
            raise


def _hops(body: bytes) -> Iterator[int]:
    """The devices of a route that has several."""
    at = 0
    while at + 8 <= len(body):
        length, _, _, index = struct.unpack_from("=HBBi", body, at)
        yield index
        at += max(8, length + 3 & ~3)


def _attr(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % 4)


def _u32(kind: int, value: int) -> bytes:
    return _attr(kind, struct.pack("=I", value))


def _text(kind: int, value: str) -> bytes:
    return _attr(kind, value.encode() + b"\0")


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _cidr(text: str) -> tuple[bytes, int]:
    ip, _, length = text.partition("/")
    packed = IPv6Address(ip).packed if ":" in ip else IPv4Address(ip).packed
    return packed, int(length or len(packed) * 8)


def _ip(packed: bytes) -> IPv4Address | IPv6Address:
    return IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)


def _family(packed: bytes) -> int:
    return _INET if len(packed) == 4 else _INET6


def _number(value: bytes | None, default: int) -> int:
    return default if value is None else int(struct.unpack("=I", value)[0])


def _attributes(body: bytes, at: int) -> dict[int, bytes]:
    out = {}
    while at + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, at)
        if length < 4:
            break
        out[kind & 0x3FFF] = body[at + 4 : at + length]
        at += length + 3 & ~3
    return out


def _link_seen(body: bytes) -> LinkSeen:
    _, _, index, flags, _ = _IFINFO.unpack_from(body)
    a = _attributes(body, _IFINFO.size)
    return LinkSeen(
        index, a[3].rstrip(b"\0").decode(), bool(flags & UP), a.get(20, b"").rstrip(b"\0").decode(),
        ":".join(f"{b:02x}" for b in a.get(1, b"")), _number(a.get(10), 0))
