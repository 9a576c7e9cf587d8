"""Temporary credentials: the session token carries the session, sealed with the installation's key.

Nothing is stored, so a million sessions cost nothing and survive a restart.
"""

from __future__ import annotations

import base64
from datetime import datetime

import msgspec

from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.store.sealer import Sealer

_PURPOSE = "session"


class Session(msgspec.Struct, frozen=True):
    """What a token says."""

    caller: Caller
    secret: str


class Issued(msgspec.Struct, frozen=True):
    """Credentials as STS hands them out."""

    access_key_id: str
    secret: str
    token: str
    expires: datetime


class Sessions:
    """Issues and opens session tokens."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._newest: tuple[str, Session] | None = None
        """The last token that was issued: a service that assumes a role opens it at once."""

    def issue(self, caller: Caller, expires: datetime, issued: datetime) -> Issued:
        """Credentials for a session principal until `expires` (AWS time)."""
        key_id = ids.access_key_id("ASIA", caller.account)
        secret = ids.secret_access_key()
        session = Session(
            msgspec.structs.replace(caller, access_key_id=key_id, expires=expires, token_issued=issued), secret
        )
        sealed = self._sealer.seal(msgspec.msgpack.encode(session), _PURPOSE)
        token = "IQoJ" + base64.b64encode(sealed).decode()
        self._newest = (token, session)
        return Issued(key_id, secret, token, expires)

    def open(self, token: str) -> Session | None:
        """The session of a token, or None when it was not issued here."""
        newest = self._newest
        if newest is not None and newest[0] == token:
            return newest[1]
        try:
            sealed = base64.b64decode(token.removeprefix("IQoJ").encode(), validate=True)
        except ValueError:
            return None
        opened = self._sealer.open(sealed, _PURPOSE)
        return None if opened is None else msgspec.msgpack.decode(opened, type=Session)
