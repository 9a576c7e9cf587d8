"""Where clients come in: the stream of a session, opened by its newest token.

The first message is a text with the token; all that follow are binary.
"""

from __future__ import annotations

import json
from typing import Any

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.streams import Outlet, opens
from cloudjar.services.ssm.nodes import agent
from cloudjar.services.ssm.sessions import tokens
from cloudjar.services.ssm.sessions.records import ACTIVE, Session
from cloudjar.services.ssm.sessions.talk import Talk, connected, talks
from cloudjar.wire.message import Request

PATH = "/v1/data-channel/"
_REFUSED = 1008


@opens(PATH)
def data_channel(world: World, request: Request) -> Channel:
    """A client that wants to take part in a session."""
    session_id = request.path.removeprefix(PATH)
    found = Ctx(world, "", "", service_caller("ssm.amazonaws.com", "")).db.find(Session, session_id)
    if found is None or found.status not in ACTIVE:
        raise AwsError("DoesNotExistException", f"Session {session_id} does not exist", 404)
    return Channel(world, found)


class Channel:
    """One connection to a session."""

    def __init__(self, world: World, session: Session) -> None:
        self._world, self._session = world, session
        self._talk: Talk | None = None
        self._outlet: Outlet | None = None

    def began(self, outlet: Outlet) -> None:
        """Wait for the token."""
        self._outlet = outlet

    def received(self, data: bytes | str) -> None:
        """The token, then the talk's own messages."""
        if self._talk is not None:
            if isinstance(data, bytes):
                self._talk.received(data)
            return
        assert self._outlet is not None
        ctx = Ctx(self._world, self._session.account, self._session.region, service_caller("ssm.amazonaws.com", ""))
        now = ctx.db[Session].get(self._session.id)
        told = _opening(data)
        if now is None or now.status not in ACTIVE or not tokens.opens(ctx, now, str(told.get("TokenValue") or "")):
            self._outlet.close(_REFUSED, "invalid token")
            return
        live = talks(self._world)
        talk = live.get(now.id)
        if talk is None:
            plane = agent.inside(ctx)
            if plane is None:
                self._outlet.close(_REFUSED, "the target is not connected")
                return
            talk = live[now.id] = Talk(self._world, now, plane)
        connected(self._world, now)
        self._talk = talk
        talk.attach(self._outlet, str(told.get("ClientVersion") or ""))

    def room(self) -> None:
        """Nothing: what is on its way is bounded by acknowledgements."""

    def over(self) -> None:
        """The client is gone."""
        if self._talk is not None and self._outlet is not None:
            self._talk.detach(self._outlet)


def _opening(data: bytes | str) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
