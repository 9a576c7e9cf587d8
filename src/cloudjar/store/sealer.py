"""Secrets at rest: sealed with a key of this installation (AES-256-GCM)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cloudjar.base import ids

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class Sealer:
    """Seals small secrets. The key lies beside the database, readable by its owner alone."""

    def __init__(self, key_file: Path | None) -> None:
        self._key_file = key_file
        self._cipher: AESGCM | None = None

    def seal(self, secret: bytes, purpose: str) -> bytes:
        """Encrypt; `purpose` (a record's name) is authenticated, so a sealed value cannot be moved elsewhere."""
        nonce = ids.entropy(_NONCE)
        return nonce + (self._cipher or self._aead()).encrypt(nonce, secret, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes | None:
        """Decrypt, or None when the value was not sealed here for this purpose."""
        if len(sealed) <= _NONCE:
            return None
        try:
            return (self._cipher or self._aead()).decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose.encode())
        except Exception as error:
            from cryptography.exceptions import InvalidTag

            if isinstance(error, InvalidTag):
                return None
            raise

    def _aead(self) -> AESGCM:
        # The import costs some 20 ms: a server that is asked for nothing secret does without.
        if self._cipher is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            self._cipher = AESGCM(self._key())
        return self._cipher

    def _key(self) -> bytes:
        if self._key_file is None:
            return ids.entropy(32)
        try:
            return self._key_file.read_bytes()
        except FileNotFoundError:
            key = ids.entropy(32)
            partial = self._key_file.with_suffix(".new")
            fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(fd, "wb") as out:
                out.write(key)
                out.flush()
                os.fsync(fd)
            partial.rename(self._key_file)
            return key
