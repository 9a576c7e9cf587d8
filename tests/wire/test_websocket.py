"""WebSocket frames, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudjar.wire import websocket
from cloudjar.wire.websocket import BINARY, CONTINUATION, PING, TEXT, Broken, Reader

MASK = b"\x01\x80\xfe\x33"


def test_the_standard_s_own_example() -> None:
    assert websocket.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert websocket.frame(TEXT, b"Hello") == bytes.fromhex("810548656c6c6f")
    assert websocket.frame(TEXT, b"Hello", bytes.fromhex("37fa213d")) == bytes.fromhex("818537fa213d7f9f4d5158")


@given(st.binary(max_size=70_000), st.integers(1, 900), st.booleans())
def test_what_is_framed_is_read(payload: bytes, step: int, masked: bool) -> None:
    data = websocket.frame(BINARY, payload, MASK if masked else b"") + websocket.frame(PING, b"?", MASK * masked)
    reader = Reader(masked=masked)
    found: list[tuple[int, bytes]] = []
    for at in range(0, len(data), step * 20):
        found += reader.feed(data[at : at + step * 20])
    assert found == [(BINARY, payload), (PING, b"?")]


def test_fragments_are_joined_around_control_frames() -> None:
    pieces = [b"\x02\x02ab", websocket.frame(PING, b""), b"\x00\x01c", b"\x80\x01d"]
    assert list(Reader(masked=False).feed(b"".join(pieces))) == [(PING, b""), (BINARY, b"abcd")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x05Hello", 1002),  # a client that does not mask
        (b"\xf1\x80" + MASK, 1002),  # reserved bits
        (b"\x09\x80" + MASK, 1002),  # a ping in pieces
        (b"\x80\x80" + MASK, 1002),  # the end of nothing
        (b"\x83\x80" + MASK, 1002),  # no such kind
        (b"\x8b\x80" + MASK, 1002),  # no such control frame
        (b"\x82\xff" + (1 << 40).to_bytes(8, "big") + MASK, 1009),
    ],
)
def test_what_breaks_the_protocol_is_told(data: bytes, code: int) -> None:
    with pytest.raises(Broken) as broken:
        list(Reader(masked=True).feed(data))
    assert broken.value.code == code


def test_fragments_do_not_grow_for_ever() -> None:
    reader = Reader(masked=False, most=10)
    list(reader.feed(b"\x02\x08" + b"a" * 8))
    with pytest.raises(Broken, match="too large"):
        list(reader.feed(bytes((CONTINUATION, 8)) + b"b" * 8))
