"""The link in the letter that asks for an address. It needs no signature: it holds a token.

https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html#just-verify-email-proc
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from cloudjar.kit import doors
from cloudjar.kit.context import World
from cloudjar.kit.mailing import identities
from cloudjar.wire.message import Request, Response

_PLAIN = [("Content-Type", "text/plain; charset=utf-8")]


@doors.door("mail link")
def follow(
    world: World, request: Request, ask: Callable[[Request], Response | Awaitable[Response]], request_id: str
) -> Response | None:
    """The answer to the link."""
    with world.state.database.transaction():
        good = identities.confirm(world, dict(parse_qsl(request.query)))
    if good:
        return Response(200, _PLAIN, b"Congratulations! You have verified an e-mail address with Amazon SES.\n")
    return Response(400, _PLAIN, b"The link has expired, or has been replaced by another.\n")
