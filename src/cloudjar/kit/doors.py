"""Requests that are no operation of AWS's API: websites, uploads of browsers' forms, what browsers ask beforehand.

A service says what it does with them; it may turn one into operations and ask for those, under whoever it is from.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cloudjar.kit.context import Ctx, World
    from cloudjar.wire.message import Request, Response

Kind = Literal["website", "form", "preflight", "link", "mail link", "offer file", "invoice document"]
Ask = Callable[["Request"], "Response | Awaitable[Response]"]
Door = Callable[["World", "Request", Ask, str], "Response | Awaitable[Response] | None"]
"""Gets the request, the way to ask for operations (as anybody does, from the outside), and the request's id; gives None
for what is not for it after all. Raises AwsError."""
Finish = Callable[["World", "Request", str, "Response"], None]
"""Adds to an answer what only browsers want; gets the request, the bucket that it named and the answer."""

_DOORS: dict[str, Door] = {}
_HOMES = {"link": "sns", "mail link": "ses", "offer file": "pricing", "invoice document": "invoicing"}
OFFERS, INVOICES = "/_offers/", "/_invoices/"
"""Where files are that anybody who has their address may fetch: no bucket has such a name."""
_FINISHERS: list[Finish] = []


def door(kind: Kind) -> Callable[[Door], Door]:
    """Decorator: this is what is done with such requests."""

    def declare(function: Door) -> Door:
        _DOORS[kind] = function
        return function

    return declare


def finishes(function: Finish) -> Finish:
    """Decorator: answers to browsers (with an ``Origin``) pass here."""
    _FINISHERS.append(function)
    return function


def opened(world: World, kind: Kind) -> Door | None:
    """The door of a kind; its service (`_HOMES`, else S3) is loaded for it."""
    found = _DOORS.get(kind)
    if found is None and world.load(_HOMES.get(kind, "s3")):
        found = _DOORS.get(kind)
    return found


def address(ctx: Ctx, otherwise: str) -> str:
    """Where the jar is, as the caller reaches it: what paths of doors are added to. `otherwise`: AWS's own address."""
    request = ctx.request
    host = request.headers.get("host", "") if request is not None else ""
    if request is None or not host:
        return otherwise
    return f"{'https' if request.secure else 'http'}://{host}"


def finish(world: World, request: Request, name: str, response: Response) -> None:
    """Let everybody add to an answer."""
    for function in _FINISHERS:
        function(world, request, name, response)
