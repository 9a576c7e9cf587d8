"""Many connections in one stream: smux, version 1, as the session-manager-plugin speaks it for ports (pure).

https://github.com/xtaci/smux (MIT) defines it.

A frame is: version, command, length and stream id (little endian), then the data.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

SYN, FIN, PUSH, NOP = 0, 1, 2, 3
MOST = 32 << 10
"""Bytes of data in one frame that we send; a length has sixteen bits."""
_HEAD = struct.Struct("<BBHI")
_VERSION = 1


class Frame(NamedTuple):
    """One frame."""

    command: int
    stream: int
    data: bytes = b""


class Broken(ValueError):
    """Bytes that are no smux."""


def encode(frame: Frame) -> bytes:
    """The bytes of a frame."""
    return _HEAD.pack(_VERSION, frame.command, len(frame.data), frame.stream) + frame.data


def pushes(stream: int, data: bytes) -> bytes:
    """Data of a stream, in as many frames as it takes."""
    pieces = (data[at : at + MOST] for at in range(0, len(data), MOST))
    return b"".join(encode(Frame(PUSH, stream, piece)) for piece in pieces)


class Reader:
    """Takes bytes as they come and gives whole frames."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Frames that are whole now; raises `Broken`."""
        self._data += data
        while len(self._data) >= _HEAD.size:
            version, command, length, stream = _HEAD.unpack_from(self._data)
            if version != _VERSION or command > NOP:
                raise Broken(f"a frame of version {version}, command {command}")
            if len(self._data) < _HEAD.size + length:
                return
            payload = bytes(self._data[_HEAD.size : _HEAD.size + length])
            del self._data[: _HEAD.size + length]
            yield Frame(command, stream, payload)
