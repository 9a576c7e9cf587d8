"""SSH on the listeners of the API: the first bytes of a client tell. Who is let in, and to what, `kit.streams` says.

The host's key is made once and kept in the jar's home, so that clients know the jar again.
"""

from __future__ import annotations

import logging
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import AwsError
from cloudjar.base.ids import entropy
from cloudjar.gateway.streams import Held
from cloudjar.kit.context import World
from cloudjar.kit.streams import reception
from cloudjar.wire.ssh.server import Server
from cloudjar.wire.ssh.words import BY_APPLICATION, Broken

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cloudjar.gateway.connection import Connection

log = logging.getLogger("cloudjar.gateway")

_GRACE = 60.0
"""Seconds in which a client must have come in."""
_FULL = 64 << 10
"""Bytes that wait for room at the client before the console is read no more."""


class Shells:
    """Takes connections over whose clients speak SSH."""

    def __init__(self, world: World, key: Path) -> None:
        self.world = world
        self._file = key

    @cached_property
    def host(self) -> Ed25519PrivateKey:
        """The host's key."""
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if self._file.exists():
            kept = form.load_ssh_private_key(self._file.read_bytes(), None)
            assert isinstance(kept, Ed25519PrivateKey)
            return kept
        made = Ed25519PrivateKey.generate()
        text = made.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
        part = self._file.with_name(f"{self._file.name}.part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text)
        part.rename(self._file)
        return made

    def take(self, connection: Connection, data: bytes) -> None:
        """From now on the connection is a shell's, which hears `data` first. In a VPC nobody listens."""
        if connection.listener.vpc:
            connection.abort()
            return
        try:
            shell = Shell(self, connection)
        except Exception:
            log.exception("a shell could not be begun")
            connection.abort()
            return
        shell.data_received(data)


class Shell(Held):
    """A connection whose client speaks SSH, and the `Outlet` of its conversation once he has come in."""

    def __init__(self, shells: Shells, connection: Connection) -> None:
        super().__init__(connection.server, connection, None)
        self._world = shells.world
        self._reception = reception(shells.world)
        self._ssh = Server(shells.host, self, entropy)
        self.deadline = self._latest = monotonic() + _GRACE
        self._write()

    def timed_out(self) -> None:
        """Who has not come in by now does not; a console may be silent for as long as it likes."""
        if self._talk is None or self._over:
            self.abort()
        else:
            self.deadline = 0.0

    def eof_received(self) -> bool:
        self._closing = True  # nobody is left to hear last words
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        super().connection_lost(exc)

    def _take(self, data: bytes) -> None:
        try:
            self._ssh.feed(data)
        except Broken as broken:
            log.info("an SSH client was sent away: %s", broken)
        if self._talk is None:
            self.deadline = self._latest  # trickling does not extend it
        self._write()

    def _write(self) -> None:
        if self._closing:
            return
        if words := self._ssh.taken():
            self._transport.write(words)
        if self._ssh.over:
            self._closing = True
            self._end()
            self._transport.close()
        elif self.full and not self._ssh.waiting:
            self.full = False
            if self._talk is not None:
                self._talk.room()

    # -- what the conversation calls
    def send(self, data: bytes | str) -> None:
        if not (self._over or self._closing):
            self._ssh.say(data.encode() if isinstance(data, str) else data)
            self.full = self.full or self._ssh.waiting > _FULL
            self._write()

    def close(self, code: int = BY_APPLICATION, why: str = "") -> None:
        """The code is a WebSocket's, and means nothing here."""
        del code
        if why:
            self.send(f"\r\n{why}\r\n")
        self._ssh.end()
        self._write()
        self._end()

    # -- what SSH tells
    def may(self, user: str, key: str) -> bool:
        """Whether he may come in."""
        return self._reception.may(self._world, user, key)

    def entered(self, user: str) -> None:
        """He has come in: he is seated, or told why not."""
        try:
            talk = self._reception.seat(self._world, user)
        except AwsError as refused:
            self._ssh.say(f"{refused.message}\r\n".encode())
            self._ssh.end()
            return
        self._talk = talk
        self.deadline = 0.0
        talk.began(self)

    def typed(self, data: bytes) -> None:
        """What he types."""
        if self._talk is not None:
            self._talk.received(data)

    def left(self) -> None:
        """He has gone."""
        self._end()
