"""The tokens that open a session's stream: sealed, so that nothing of them is kept but a number."""

from __future__ import annotations

import base64

from cloudjar.kit.context import Ctx
from cloudjar.services.ssm.sessions.records import Session

_PURPOSE = "session token"


def issue(ctx: Ctx, session: Session) -> str:
    """The token of a session's present ticket; tokens of earlier ones open nothing."""
    sealed = ctx.world.sealer.seal(f"{session.id} {session.ticket}".encode(), _PURPOSE)
    return base64.b64encode(sealed).decode()


def opens(ctx: Ctx, session: Session, token: str) -> bool:
    """Whether a token is that one."""
    try:
        sealed = base64.b64decode(token, validate=True)
    except ValueError:
        return False
    return bool(token) and ctx.world.sealer.open(sealed, _PURPOSE) == f"{session.id} {session.ticket}".encode()
