"""Session Manager's binary messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudjar.wire.data_channel import INPUT, SYN, Malformed, Message, Payload, decode, encode

UUID = "dd01e56b-ff48-483e-a508-b5f073f31b16"


def test_the_layout() -> None:
    data = encode(Message(INPUT, b"ls\n", Payload.OUTPUT, 7, SYN, UUID, 1_700_000_000_000))
    assert data[:4] == (116).to_bytes(4, "big")
    assert data[4:36] == b"input_stream_data".ljust(32)
    assert data[36:40] == (1).to_bytes(4, "big")
    assert data[40:48] == (1_700_000_000_000).to_bytes(8, "big")
    assert data[48:56] == (7).to_bytes(8, "big")
    assert data[56:64] == (1).to_bytes(8, "big")
    assert data[64:80].hex() == "a508b5f073f31b16" + "dd01e56bff48483e"
    assert data[112:120] == (1).to_bytes(4, "big") + (3).to_bytes(4, "big")
    assert data[120:] == b"ls\n"


@given(st.binary(max_size=300), st.integers(0, 12), st.integers(0, 2**62), st.integers(0, 3))
def test_what_is_written_is_read(payload: bytes, kind: int, sequence: int, flags: int) -> None:
    message = Message(INPUT, payload, kind, sequence, flags, UUID, 12345)
    assert decode(encode(message)) == message


@given(st.binary(max_size=200))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode(data)


def test_a_changed_payload_is_refused() -> None:
    data = bytearray(encode(Message(INPUT, b"ls", Payload.OUTPUT, id=UUID)))
    data[-1] ^= 1
    with pytest.raises(Malformed, match="digest"):
        decode(bytes(data))
