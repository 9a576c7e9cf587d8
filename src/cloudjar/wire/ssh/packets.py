"""Messages in packets: plain ones until keys are agreed on, then AES in Galois/Counter mode.

RFC 4253, section 6; RFC 5647 with the names and the rules of OpenSSH's ``PROTOCOL`` (section 1.6).
"""

from __future__ import annotations

from collections.abc import Iterator

from cloudjar.wire.ssh.words import PROTOCOL_ERROR, Broken, number

CIPHERS = {"aes128-gcm@openssh.com": 16, "aes256-gcm@openssh.com": 32}
"""The length of each one's key."""

_LARGEST = 256 << 10
_TAG = 16
_LEAST_PADDING = 4


class Seal:
    """One direction's key. Each packet has its own nonce: the last eight bytes count."""

    def __init__(self, key: bytes, nonce: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(key)
        self._fixed, self._count = nonce[:4], int.from_bytes(nonce[4:12], "big")

    def _nonce(self) -> bytes:
        made = self._fixed + self._count.to_bytes(8, "big")
        self._count = (self._count + 1) % (1 << 64)
        return made

    def close(self, content: bytes, length: bytes) -> bytes:
        """Seal a packet's content; its length is read by all, and may not be changed either."""
        return self._cipher.encrypt(self._nonce(), content, length)

    def open(self, sealed: bytes, length: bytes) -> bytes:
        """The content again; raises `Broken` when it was changed."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(self._nonce(), sealed, length)
        except InvalidTag:
            raise Broken(PROTOCOL_ERROR, "a packet was changed on its way") from None


def pack(message: bytes, seal: Seal | None) -> bytes:
    """The packet of a message."""
    block, counted = (16, 1) if seal else (8, 5)  # a sealed packet's length is not padded
    padding = -(counted + len(message)) % block
    if padding < _LEAST_PADDING:
        padding += block
    content = bytes([padding]) + message + bytes(padding)
    length = number(len(content))
    return length + (seal.close(content, length) if seal else content)


class Arriving:
    """Bytes as they come, cut into messages; `seal` is set when the other side says that it seals from now on."""

    def __init__(self) -> None:
        self.seal: Seal | None = None
        self._bytes = bytearray()

    def feed(self, data: bytes) -> None:
        """More of them."""
        self._bytes += data

    def line(self) -> bytes | None:
        """The first line, without its end, once it is there: what the client says before all packets."""
        end = self._bytes.find(b"\n")
        if end < 0 and len(self._bytes) < _LONGEST_LINE:
            return None
        if not 0 <= end < _LONGEST_LINE:
            raise Broken(PROTOCOL_ERROR, "the client's version is too long")
        said = bytes(self._bytes[:end]).rstrip(b"\r")
        del self._bytes[: end + 1]
        return said

    def messages(self) -> Iterator[bytes]:
        """Those that are whole; each may change `seal` before the next is looked at."""
        while len(self._bytes) >= 4:
            length = int.from_bytes(self._bytes[:4], "big")
            if not 2 + _LEAST_PADDING <= length <= _LARGEST:
                raise Broken(PROTOCOL_ERROR, f"a packet of {length} bytes")
            end = 4 + length + (_TAG if self.seal else 0)
            if len(self._bytes) < end:
                return
            head, content = bytes(self._bytes[:4]), bytes(self._bytes[4:end])
            del self._bytes[:end]
            if self.seal:
                content = self.seal.open(content, head)
            padding = content[0]
            if padding + 2 > length:
                raise Broken(PROTOCOL_ERROR, "a packet of nothing but padding")
            yield content[1 : length - padding]


_LONGEST_LINE = 255
