"""Long conversations over a WebSocket: a service says what is said, the gateway carries it.

A service declares a door (`opens`); who comes through it talks to a `Conversation`, which lives on the event loop's
thread alone, never blocks and asks its `Outlet` for everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from cloudjar.kit.context import World
from cloudjar.wire.message import Request


class Outlet(Protocol):
    """The gateway's side. All but `soon` from the event loop's thread."""

    @property
    def full(self) -> bool:
        """The client does not keep up: send no more until `Conversation.room` is called."""
        ...

    def send(self, data: bytes | str) -> None:
        """A message: binary, or text."""
        ...

    def close(self, code: int = 1000, why: str = "") -> None:
        """The last word; `Conversation.over` follows."""
        ...

    def soon(self, work: Callable[[], None]) -> None:
        """Run on the event loop; from any thread, also when the client is gone."""
        ...

    def apart(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Run `work`, which may block, on another thread; `then` gets what it returned, or the exception it raised."""
        ...


class Conversation(Protocol):
    """The service's side."""

    def began(self, outlet: Outlet) -> None:
        """The client is there."""
        ...

    def received(self, data: bytes | str) -> None:
        """A message of the client's."""
        ...

    def room(self) -> None:
        """The client keeps up again."""
        ...

    def over(self) -> None:
        """The client is gone, or was closed; nothing can be said any more."""
        ...


Door = Callable[[World, Request], Conversation]
_DOORS: dict[str, Door] = {}

PLACES = {"/v1/data-channel/": "ssm", "/_cloudjar/serial/": "ec2", "/openTunnel": "ec2"}
"""Which service has the door at a path: it is loaded when somebody knocks, also after a restart."""


def opens(path: str) -> Callable[[Door], Door]:
    """Decorator: who talks to clients that ask for a WebSocket at paths that begin so (one of `PLACES`).

    The function may raise `AwsError`, which the client gets instead of a WebSocket.
    """
    if path not in PLACES:
        raise ValueError(f"{path} is not one of the places of streams")

    def declare(door: Door) -> Door:
        _DOORS[path] = door
        return door

    return declare


def door(world: World, path: str) -> Door | None:
    """The door at a path, its service loaded; None when there is none."""
    for begin, service in PLACES.items():
        if path.startswith(begin):
            world.load(service)
            return _DOORS.get(begin)
    return None


class Reception(Protocol):
    """Who is let in by SSH, and who talks to him: what he types and hears are the messages of a `Conversation`."""

    def may(self, world: World, user: str, key: str) -> bool:
        """Whether a user may come in with a public key (a line of OpenSSH without a comment)."""
        ...

    def seat(self, world: World, user: str) -> Conversation:
        """Who talks to a user that has come in; `AwsError` is told to him instead."""
        ...


R = TypeVar("R", bound=Reception)
_SHELLS = "ec2"
"""Whose SSH it is: it serves serial consoles."""
_RECEPTIONS: dict[str, Reception] = {}


def receives(made: type[R]) -> type[R]:
    """Decorator: one of these receives the users of SSH."""
    _RECEPTIONS[_SHELLS] = made()
    return made


def reception(world: World) -> Reception:
    """Who receives the users of SSH, its service loaded."""
    world.load(_SHELLS)
    return _RECEPTIONS[_SHELLS]
