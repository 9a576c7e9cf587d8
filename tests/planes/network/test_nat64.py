"""Packets between IPv6 and IPv4, byte by byte."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudjar.planes.network.nat64 import Names, to_ipv4, to_ipv6, total, translated

GUEST = IPv6Address("fd12:3456:789a::5").packed
SERVER4 = IPv4Address("198.18.0.7").packed
SERVER = IPv6Address("64:ff9b::c612:7").packed
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58


def pseudo(ends: bytes, length: int, protocol: int) -> int:
    return total(ends) + length + protocol


def checked(body: bytes, at: int, start: int) -> bytes:
    """A body with its checksum in place."""
    bare = body[:at] + b"\0\0" + body[at + 2 :]
    return bare[:at] + struct.pack("!H", ~total(bare, start) & 0xFFFF) + bare[at + 2 :]


def six(protocol: int, body: bytes, *, source: bytes = GUEST, target: bytes = SERVER, at: int) -> bytes:
    ends = source + target
    said = checked(body, at, pseudo(ends, len(body), protocol))
    return struct.pack("!IHBB", 0x60000000, len(body), protocol, 64) + ends + said


def valid4(packet: bytes) -> bool:
    """Whether header and contents of an IPv4 packet have the right checksums."""
    protocol, body = packet[9], packet[20:]
    start = 0 if protocol == ICMP else pseudo(packet[12:20], len(body), protocol)
    length = struct.unpack_from("!H", packet, 2)[0]
    return length == len(packet) and total(packet[:20]) == 0xFFFF and total(body, start) == 0xFFFF


def valid6(packet: bytes) -> bool:
    length, protocol = struct.unpack_from("!HB", packet, 4)
    body = packet[40:]
    return length == len(body) and total(body, pseudo(packet[8:40], length, protocol)) == 0xFFFF


def tcp(payload: bytes) -> bytes:
    return struct.pack("!HHIIBBHHH", 40000, 80, 1, 2, 0x50, 0x18, 4096, 0, 0) + payload


def udp(payload: bytes) -> bytes:
    return struct.pack("!HHHH", 40000, 53, 8 + len(payload), 0) + payload


@pytest.mark.parametrize(("protocol", "body", "at"), [
    (TCP, tcp(b""), 16), (TCP, tcp(b"odd"), 16), (TCP, tcp(bytes(range(256)) * 6), 16),
    (UDP, udp(b"x"), 6), (UDP, udp(b"\xff" * 700), 6), (ICMP6, b"\x80\0\0\0\x12\x34\0\x01ping", 2),
])  # fmt: skip
def test_there_and_back(protocol: int, body: bytes, at: int) -> None:
    names = Names()
    there = to_ipv4(six(protocol, body, at=at), names)
    assert there is not None
    assert valid4(there)
    assert there[16:20] == SERVER4
    assert there[12] >= 0xF0
    assert there[8] == 64
    back = to_ipv6(swapped(there), names)
    assert back is not None
    assert valid6(back)
    assert back[8:40] == SERVER + GUEST
    assert back[48:] == six(protocol, body, at=at)[48:] or protocol != UDP


def swapped(packet: bytes) -> bytes:
    """The same from whom it was for; checksums of sums do not mind the order."""
    return packet[:12] + packet[16:20] + packet[12:16] + packet[20:]


def test_large_packets_may_not_be_taken_apart_and_small_ones_may() -> None:
    names = Names()
    flags = [struct.unpack_from("!H", to_ipv4(six(TCP, tcp(bytes(n)), at=16), names) or b"", 6)[0] for n in (10, 1400)]
    assert flags == [0, 0x4000]


def test_pieces_keep_their_places() -> None:
    names = Names()
    whole = udp(bytes(2000))
    ends = GUEST + SERVER
    whole = checked(whole, 6, pseudo(ends, len(whole), UDP))
    for offset, piece, more in ((0, whole[:1000], 1), (1000, whole[1000:], 0)):
        header = struct.pack("!BBHI", UDP, 0, offset | more, 0xABCD1234)
        packet = struct.pack("!IHBB", 0x60000000, 8 + len(piece), 44, 64) + ends + header + piece
        there = to_ipv4(packet, names)
        assert there is not None
        assert struct.unpack_from("!HH", there, 4) == (0x1234, offset >> 3 | (0x2000 if more else 0))
        back = to_ipv6(swapped(there), names)
        assert back is not None
        assert (back[6], struct.unpack_from("!BBHI", back, 40)) == (44, (UDP, 0, offset | more, 0x1234))
        assert back[56:] == piece[8:]


def test_a_datagram_without_a_checksum_gets_one() -> None:
    names = Names()
    guest4 = names.four(GUEST)
    assert guest4 is not None
    body = udp(b"hello")
    packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, UDP, 0) + SERVER4 + guest4 + body
    there = to_ipv6(packet, names)
    assert there is not None
    assert valid6(there)


@pytest.mark.parametrize(("kind4", "code4", "rest4", "kind6", "code6", "rest6"), [
    (3, 1, 0, 1, 0, 0), (3, 3, 0, 1, 4, 0), (3, 4, 1480, 2, 0, 1500), (3, 13, 0, 1, 1, 0), (11, 0, 0, 3, 0, 0),
    (3, 4, 0, 2, 0, 1280),
])  # fmt: skip
def test_errors_tell_of_what_was_sent(kind4: int, code4: int, rest4: int, kind6: int, code6: int, rest6: int) -> None:
    names = Names()
    sent = to_ipv4(six(TCP, tcp(b"data"), at=16), names)
    assert sent is not None
    guest4, router = sent[12:16], IPv4Address("10.0.0.1").packed
    body = checked(struct.pack("!BBHI", kind4, code4, 0, rest4) + sent[:28], 2, 0)
    packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, ICMP, 0) + router + guest4 + body
    told = to_ipv6(packet, names)
    assert told is not None
    assert valid6(told)
    assert told[8:40] == IPv6Address("64:ff9b::a00:1").packed + GUEST
    assert (told[40], told[41], struct.unpack_from("!I", told, 44)[0]) == (kind6, code6, rest6)
    assert told[48 + 8 : 48 + 40] == GUEST + SERVER
    assert told[48 + 40 : 48 + 44] == tcp(b"")[:4]
    assert struct.unpack_from("!H", told, 52)[0] == len(tcp(b"data"))


def test_a_guest_s_error_reaches_the_server() -> None:
    names = Names()
    inner = six(UDP, udp(b"late"), source=SERVER, target=GUEST, at=6)
    names.four(GUEST)
    body = struct.pack("!BBHI", 1, 4, 0, 0) + inner
    there = to_ipv4(six(ICMP6, body, at=2), names)
    assert there is not None
    assert valid4(there)
    assert (there[20], there[21]) == (3, 3)
    assert there[28 + 12 : 28 + 16] == SERVER4
    assert there[28 + 16 : 28 + 20] == names.four(GUEST)


@pytest.mark.parametrize("packet", [
    b"", b"\x60", b"\x45" + bytes(10), six(TCP, tcp(b""), target=IPv6Address("2001:db8::1").packed, at=16),
    b"\x45\0\0\x14" + bytes(8) + SERVER4 + SERVER4, b"\x45\0\0\x14" + bytes(8) + SERVER4 + b"\xf0\0\0\x09",
])  # fmt: skip
def test_what_is_nobody_s_is_lost(packet: bytes) -> None:
    assert translated(packet, Names()) is None


@given(st.binary(max_size=120), st.sampled_from((b"", b"\x45\0", b"\x60\0\0\0")), st.booleans())
def test_garbage_is_lost_or_translated(data: bytes, head: bytes, quoted: bool) -> None:
    names = Names()
    packet = head + data
    for read in (to_ipv4, to_ipv6):
        try:
            made = read(packet, names, quoted=quoted)
        except (IndexError, struct.error):
            continue  # which `pump` takes as lost
        assert made is None or made[0] >> 4 == (4 if read is to_ipv4 else 6)


def test_sources_keep_their_addresses_and_share_none() -> None:
    guests = [IPv6Address(int(IPv6Address("fd00::")) + n).packed for n in range(2000)]
    names = Names()
    given = [names.four(guest) for guest in guests]
    assert len(set(given)) == len(guests)
    assert all(names.six(four) == guest for four, guest in zip(given, guests, strict=True) if four)
    assert Names().four(guests[7]) == given[7]
