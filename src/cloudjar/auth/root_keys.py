"""Generated root access keys: what a jar that listens beyond loopback needs instead of ``test``."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec

from cloudjar.base import ids
from cloudjar.store.sealer import Sealer


class RootKeys:
    """A small file of sealed secrets by key id; read once, written whole and atomically."""

    def __init__(self, path: Path, sealer: Sealer) -> None:
        self._path = path
        self._sealer = sealer
        self._known: dict[str, list[str]] | None = None
        self._open: dict[str, tuple[str, str]] = {}

    def _keys(self) -> dict[str, list[str]]:
        if self._known is None:
            try:
                self._known = msgspec.json.decode(self._path.read_bytes(), type=dict[str, list[str]])
            except FileNotFoundError:
                self._known = {}
        return self._known

    def any(self) -> bool:
        """True when a key was generated."""
        return bool(self._keys())

    def count(self, account: str) -> int:
        """How many keys were generated for an account."""
        return sum(1 for owner, _ in self._keys().values() if owner == account)

    def secret(self, key_id: str) -> tuple[str, str] | None:
        """(account, secret) of a generated root key."""
        found = self._open.get(key_id)
        if found is None and key_id in self._keys():
            account, sealed = self._keys()[key_id]
            opened = self._sealer.open(base64.b64decode(sealed), key_id)
            if opened is not None:
                found = self._open[key_id] = (account, opened.decode())
        return found

    def generate(self, account: str) -> tuple[str, str]:
        """Make a root access key for an account; the secret is shown only now."""
        key_id, secret = ids.access_key_id("AKIA", account), ids.secret_access_key()
        sealed = base64.b64encode(self._sealer.seal(secret.encode(), key_id)).decode()
        keys = {**self._keys(), key_id: [account, sealed]}
        partial = self._path.with_suffix(".new")
        partial.touch(mode=0o600)
        partial.write_bytes(msgspec.json.encode(keys))
        partial.rename(self._path)
        self._known = keys
        return key_id, secret
