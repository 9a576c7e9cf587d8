"""What SSH's messages are made of (RFC 4251, section 5); pure."""

from __future__ import annotations

from collections.abc import Iterable

PROTOCOL_ERROR, KEX_FAILED, NOT_AVAILABLE, BY_APPLICATION, NO_MORE_AUTH = 2, 3, 7, 11, 14
"""Reasons for a disconnection."""


class Broken(Exception):
    """The other side does not keep to the protocol, or to what we can; `reason` is told to it."""

    def __init__(self, reason: int, why: str) -> None:
        super().__init__(why)
        self.reason = reason


class Reader:
    """A message, read from its start; raises `Broken` at its end."""

    def __init__(self, message: bytes) -> None:
        self._rest = memoryview(message)

    def take(self, count: int) -> bytes:
        """So many bytes."""
        if count > len(self._rest):
            raise Broken(PROTOCOL_ERROR, "a message ends too early")
        taken, self._rest = self._rest[:count], self._rest[count:]
        return bytes(taken)

    def byte(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def boolean(self) -> bool:
        """One that is zero or not."""
        return self.take(1) != b"\0"

    def number(self) -> int:
        """32 bits."""
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        """Bytes with their length before them."""
        return self.take(self.number())

    def text(self) -> str:
        """A string that is meant for people or is a name."""
        return self.string().decode("utf-8", "replace")

    def names(self) -> list[str]:
        """A list of names."""
        return self.text().split(",")


def number(value: int) -> bytes:
    """32 bits, big end first."""
    return value.to_bytes(4, "big")


def string(value: bytes | str) -> bytes:
    """Bytes or text, its length before it."""
    given = value.encode() if isinstance(value, str) else value
    return number(len(given)) + given


def names(values: Iterable[str]) -> bytes:
    """A list of names."""
    return string(",".join(values))


def boolean(value: bool) -> bytes:
    """One byte."""
    return b"\1" if value else b"\0"


def large(value: bytes) -> bytes:
    """An unsigned number, big end first, as ``mpint``."""
    short = value.lstrip(b"\0")
    return string(b"\0" + short if short and short[0] & 0x80 else short)
