"""Encryption of content: AES-256-GCM in frames that are numbered, under a key that no other file has.

A frame's number is its nonce, so frames can be neither exchanged nor repeated; a file cut at a frame's end is
noticed because more was to come.
"""

from __future__ import annotations

import hashlib
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

from cloudjar.base import ids
from cloudjar.planes.objects.port import FRAME, Rotten

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TAG = 16
STRIDE = FRAME + TAG
"""Bytes of a whole frame on disk."""
_NONCE = 12
_CHECK = 4

Readable = bytes | bytearray | memoryview


@cache
def _library() -> tuple[type[AESGCM], type[Exception]]:
    # Some 20 ms that a server without objects does without.
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM, InvalidTag


class Frames:
    """One file's cipher."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher: Any = _library()[0](key)

    def encrypt_into(self, number: int, content: Readable, frame: memoryview) -> memoryview:
        """Frame `number` as it goes to disk: in the beginning of `frame`, which is not made anew each time."""
        sealed = frame[: len(content) + TAG]
        self._cipher.encrypt_into(number.to_bytes(_NONCE, "big"), content, None, sealed)
        return sealed

    def decrypt(self, number: int, frame: bytes, where: str) -> bytes:
        """The content of a frame. Rotten: it is not what was written; `where` is for the log."""
        try:
            content: bytes = self._cipher.decrypt(number.to_bytes(_NONCE, "big"), frame, None)
        except (_library()[1], ValueError):
            raise Rotten(f"frame {number} of {where} is not what was stored") from None
        return content

    def decrypt_into(self, number: int, frame: memoryview, content: memoryview, where: str) -> memoryview:
        """The same without making anything: the content in the beginning of `content`. Rotten: it is not."""
        found = content[: len(frame) - TAG]
        try:
            self._cipher.decrypt_into(number.to_bytes(_NONCE, "big"), frame, None, found)
        except (_library()[1], ValueError):
            raise Rotten(f"frame {number} of {where} is not what was stored") from None
        return found


class Buffers:
    """Room for one frame, sealed and open; used again and again, it stays in the processor's cache."""

    __slots__ = ("content", "frame")

    def __init__(self) -> None:
        self.frame = memoryview(bytearray(STRIDE))
        self.content = memoryview(bytearray(FRAME))


def seal_inline(key: bytes, content: Readable) -> bytes:
    """Small content for a row. Its end tells whether it is as it was, for who does not have the key."""
    nonce = ids.entropy(_NONCE)
    sealed: bytes = nonce + _library()[0](key).encrypt(nonce, content, None)
    return sealed + zlib.crc32(sealed).to_bytes(_CHECK, "big")


def open_inline(key: bytes, sealed: bytes) -> bytes:
    """What `seal_inline` sealed. Rotten: it is not."""
    try:
        content: bytes = _library()[0](key).decrypt(sealed[:_NONCE], sealed[_NONCE:-_CHECK], None)
    except (_library()[1], ValueError):
        raise Rotten("an inline blob is not what was stored") from None
    return content


def is_sound_inline(sealed: bytes) -> bool:
    """Whether an inline blob is as it was written, as far as that can be told without its key."""
    return zlib.crc32(sealed[:-_CHECK]).to_bytes(_CHECK, "big") == sealed[-_CHECK:]


def wrap(blob_key: bytes, file: str, file_key: bytes) -> bytes:
    """A file's key under its blob's. A pair of blob and file has one key for ever, so its nonce may follow from it."""
    wrapped: bytes = _library()[0](blob_key).encrypt(_nonce_of(file), file_key, None)
    return wrapped


def unwrap(blob_key: bytes, file: str, wrapped: bytes) -> bytes:
    """A file's key. Rotten: the blob's key is another."""
    try:
        key: bytes = _library()[0](blob_key).decrypt(_nonce_of(file), wrapped, None)
    except (_library()[1], ValueError):
        raise Rotten(f"the key of {file} cannot be opened") from None
    return key


def _nonce_of(file: str) -> bytes:
    return hashlib.sha256(file.encode()).digest()[:_NONCE]
