"""Translates between IPv6 and IPv4 (RFC 7915) at a TUN device, for a NAT gateway's 64:ff9b::/96; Linux only.

A program of its own, so that a gateway outlives the server: ``python -I -S nat64.py DEVICE OUTER MTU`` in the
gateway's namespace, which gives control back once DEVICE is there. It ends when DEVICE or OUTER, the gateway's own
link, goes. An IPv6 source has an IPv4 address of its own in 240.0.0.0/4 behind it, which the gateway's packet filter
translates again. It knows nothing of the rest of Cloudjar.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import select
import socket
import struct
import sys
from contextlib import suppress

PREFIX = bytes.fromhex("0064ff9b") + bytes(8)
_TUN_SET = 0x400454CA
_TUN, _BARE = 0x0001, 0x1000
_ICMP, _TCP, _UDP, _ICMP6 = 1, 6, 17, 58
_OPTIONS, _FRAGMENT = (0, 43, 60), 44
_CHECKSUMS = {_TCP: 16, _UDP: 6}
_LONGEST, _AT_ONCE, _MOST = 65536, 64, 1 << 16
_ALWAYS_FITS = 1260
"""An IPv4 packet as large as this came over no link that is too small for it as IPv6: it may be taken apart again."""
_LEAST_MTU, _MORE = 1280, 20
_DONT, _MORE_COME = 0x4000, 0x2000
_UNREACHABLE6 = {0: 1, 1: 10, 2: 1, 3: 1, 4: 3}
"""Codes of ICMPv6's unreachable as codes of ICMP's; the other way is below."""
_UNREACHABLE4 = {0: 0, 1: 0, 3: 4, 5: 0, 6: 0, 7: 0, 8: 0, 9: 1, 10: 1, 11: 0, 12: 0, 13: 1, 15: 1}
_LINK_GROUP, _SET_MTU = 1, 0x8922


class Names:
    """Which IPv4 address stands for which IPv6 source: the same ones after a restart, as far as they are free then."""

    def __init__(self) -> None:
        self._fours: dict[bytes, bytes] = {}
        self._sixes: dict[bytes, bytes] = {}

    def four(self, six: bytes) -> bytes | None:
        """The IPv4 address of an IPv6 one: what it contains, or what stands for it; None when there are too many."""
        if six.startswith(PREFIX):
            return six[12:]
        found = self._fours.get(six)
        return found or self._add(six)

    def _add(self, six: bytes) -> bytes | None:
        if len(self._fours) >= _MOST:
            return None
        place = int.from_bytes(hashlib.blake2b(six, digest_size=4).digest()) & 0x0FFFFFFF
        while (four := (0xF0000000 | place).to_bytes(4)) in self._sixes or place in (0, 0x0FFFFFFF):
            place = (place + 1) & 0x0FFFFFFF
        self._fours[six], self._sixes[four] = four, six
        return four

    def six(self, four: bytes) -> bytes | None:
        """The other way; None for what stands for nobody."""
        if four[0] >= 0xF0:
            return self._sixes.get(four)
        return PREFIX + four


def total(data: bytes, start: int = 0) -> int:
    """The sum of 16-bit words, in 16 bits."""
    padded = data + b"\0" if len(data) % 2 else data
    found: int = start + sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while found >> 16:
        found = (found & 0xFFFF) + (found >> 16)
    return found


def _header4(length: int, identity: int, flags: int, hops: int, protocol: int, ends: bytes) -> bytes:
    bare = struct.pack("!BBHHHBBH", 0x45, 0, length, identity, flags, hops, protocol, 0)
    checked = ~total(bare + ends) & 0xFFFF
    return bare[:10] + struct.pack("!H", checked) + ends


def _header6(length: int, following: int, hops: int, ends: bytes) -> bytes:
    return struct.pack("!IHBB", 0x60000000, length, following, hops) + ends


def to_ipv4(packet: bytes, names: Names, *, quoted: bool = False) -> bytes | None:
    """An IPv6 packet as IPv4; None for what cannot be. `quoted`: the beginning of one, which an error tells of."""
    if len(packet) < 40 or packet[0] >> 4 != 6:
        return None
    length, following, hops = struct.unpack_from("!HBB", packet, 4)
    source, target = names.four(packet[8:24]), names.four(packet[24:40])
    if source is None or target is None or not (quoted or packet[24:36] == PREFIX):
        return None
    start, flags, identity = 40, 0, 0
    while following in _OPTIONS and len(packet) >= start + 8:
        following, start = packet[start], start + 8 * (packet[start + 1] + 1)
    piece = following == _FRAGMENT and len(packet) >= start + 8
    if piece:
        following, _, where, number = struct.unpack_from("!BBHI", packet, start)
        flags, identity, start = where >> 3 | (_MORE_COME if where & 1 else 0), number & 0xFFFF, start + 8
    body = packet[start:] if quoted else packet[start : 40 + length]
    whole = length + 40 - start + 20
    if not piece:
        flags = _DONT if whole > _ALWAYS_FITS else 0
        identity = 0 if flags else total(packet[:64])
    if following == _ICMP6:
        said = _icmp4(body, names, quoted=quoted) if not flags & ~_DONT else None
    else:
        said = _body(body, following, packet[8:40], source + target, first=not flags & 0x1FFF)
    if said is None:
        return None
    protocol = _ICMP if following == _ICMP6 else following
    return _header4(whole if quoted else 20 + len(said), identity, flags, hops, protocol, source + target) + said


def to_ipv6(packet: bytes, names: Names, *, quoted: bool = False) -> bytes | None:
    """An IPv4 packet as IPv6; None for what cannot be, and for what is for nobody."""
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return None
    start = (packet[0] & 0xF) * 4
    length, identity, flags, hops, protocol = struct.unpack_from("!HHHBB", packet, 2)
    source, target = names.six(packet[12:16]), names.six(packet[16:20])
    if source is None or target is None or not (quoted or packet[16] >= 0xF0):
        return None
    body = packet[start:] if quoted else packet[start:length]
    piece, first = bool(flags & (_MORE_COME | 0x1FFF)), not flags & 0x1FFF
    following = _ICMP6 if protocol == _ICMP else protocol
    if protocol == _ICMP:
        said = None if piece else _icmp6(body, names, source + target, quoted=quoted)
    elif protocol == _UDP and first and not quoted and body[6:8] == b"\0\0":
        said = None if piece else _summed(body, source + target)
    else:
        said = _body(body, protocol, packet[12:20], source + target, first=first)
    if said is None:
        return None
    if piece:
        where = (flags & 0x1FFF) << 3 | bool(flags & _MORE_COME)
        said = struct.pack("!BBHI", following, 0, where, identity) + said
        following = _FRAGMENT
    told = length - start + (8 if piece else 0) if quoted else len(said)
    return _header6(told, following, hops, source + target) + said


def _body(body: bytes, protocol: int, old: bytes, new: bytes, *, first: bool) -> bytes:
    """What is inside, its checksum told of the other addresses; only the first piece has one."""
    at = _CHECKSUMS.get(protocol)
    if at is None or not first or len(body) < at + 2:
        return body
    before = struct.unpack_from("!H", body, at)[0]
    if protocol == _UDP and not before:
        return body
    after = ~total(new, (~before & 0xFFFF) + (~total(old) & 0xFFFF)) & 0xFFFF
    if protocol == _UDP and not after:
        after = 0xFFFF
    return body[:at] + struct.pack("!H", after) + body[at + 2 :]


def _summed(body: bytes, ends: bytes) -> bytes | None:
    """UDP without a checksum, which IPv6 wants."""
    if len(body) < 8:
        return None
    checked = ~total(body, total(ends) + len(body) + _UDP) & 0xFFFF or 0xFFFF
    return body[:6] + struct.pack("!H", checked) + body[8:]


def _icmp4(body: bytes, names: Names, *, quoted: bool) -> bytes | None:
    """ICMPv6 as ICMP."""
    if len(body) < 8:
        return None
    kind, code, rest = body[0], body[1], body[4:8]
    if kind in (128, 129):
        said = bytes((8 if kind == 128 else 0, code, 0, 0)) + body[4:]
    else:
        inner = None if quoted else to_ipv4(body[8:], names, quoted=True)
        if inner is None:
            return None
        mtu = max(struct.unpack("!I", rest)[0] - _MORE, 68)
        if kind == 1 and code in _UNREACHABLE6:
            head = struct.pack("!BBHI", 3, _UNREACHABLE6[code], 0, 0)
        elif kind == 2:
            head = struct.pack("!BBHHH", 3, 4, 0, 0, min(mtu, 0xFFFF))
        elif kind == 3:
            head = struct.pack("!BBHI", 11, code, 0, 0)
        elif (kind, code) == (4, 1):
            head = struct.pack("!BBHI", 3, 2, 0, 0)
        else:
            return None
        said = head + inner
    return said[:2] + struct.pack("!H", ~total(said) & 0xFFFF) + said[4:]


def _icmp6(body: bytes, names: Names, ends: bytes, *, quoted: bool) -> bytes | None:
    """ICMP as ICMPv6, whose checksum covers the addresses."""
    if len(body) < 8:
        return None
    kind, code, rest = body[0], body[1], body[4:8]
    if kind in (8, 0):
        said = bytes((128 if kind == 8 else 129, code, 0, 0)) + body[4:]
    else:
        inner = None if quoted else to_ipv6(body[8:], names, quoted=True)
        if inner is None:
            return None
        if kind == 3 and code in _UNREACHABLE4:
            head = struct.pack("!BBHI", 1, _UNREACHABLE4[code], 0, 0)
        elif (kind, code) == (3, 4):
            mtu = struct.unpack("!HH", rest)[1] + _MORE
            head = struct.pack("!BBHI", 2, 0, 0, max(mtu, _LEAST_MTU))
        elif (kind, code) == (3, 2):
            head = struct.pack("!BBHI", 4, 1, 0, 6)
        elif kind == 11:
            head = struct.pack("!BBHI", 3, code, 0, 0)
        else:
            return None
        said = head + inner
    checked = ~total(said, total(ends) + len(said) + _ICMP6) & 0xFFFF
    return said[:2] + struct.pack("!H", checked) + said[4:]


def translated(packet: bytes, names: Names) -> bytes | None:
    """A packet of either version as one of the other; None for what must be lost."""
    if not packet:
        return None
    return to_ipv4(packet, names) if packet[0] >> 4 == 6 else to_ipv6(packet, names)


def pump(tun: int, names: Names) -> bool:
    """Translate what has come; False when the device is gone."""
    for _ in range(_AT_ONCE):
        try:
            packet = os.read(tun, _LONGEST)
        except BlockingIOError:
            return True
        except OSError as failed:
            return failed.errno not in (errno.EBADFD, errno.ENODEV, errno.EIO)
        with suppress(struct.error, IndexError):  # cut short, or not what it says
            other = translated(packet, names)
            if other is not None:
                with suppress(OSError):
                    os.write(tun, other)
    return True


def has(device: str) -> bool:
    """Whether this namespace has a device."""
    with suppress(OSError):
        return socket.if_nametoindex(device) > 0
    return False


def start(device: str, outer: str, mtu: int) -> None:
    """Leave whoever called behind, and translate until one of the two devices is gone."""
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(tun, _TUN_SET, struct.pack("16sH22x", device.encode(), _TUN | _BARE))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, _SET_MTU, struct.pack("16si12x", device.encode(), mtu))
    links = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    links.bind((0, _LINK_GROUP))
    if os.fork():
        os._exit(0)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    ready, names = select.epoll(), Names()
    ready.register(tun, select.EPOLLIN)
    ready.register(links, select.EPOLLIN)
    alive = has(outer)
    while alive:
        for fd, _ in ready.poll():
            if fd == tun:
                alive = pump(tun, names) and alive
            else:
                with suppress(OSError):  # what was missed is looked at just the same
                    links.recv(_LONGEST)
                alive = has(outer) and has(device) and alive


if __name__ == "__main__":
    start(sys.argv[1], sys.argv[2], int(sys.argv[3]))
