"""Tokens: places in a list, bound to what was asked for, and places between events.

GetLogEvents' tokens begin with ``f/`` or ``b/``, the way they go. Event ids are 56 digits that grow with the place.
"""

from __future__ import annotations

import base64
import re
import zlib
from typing import Any

import msgspec

from cloudjar.services.logs import errors
from cloudjar.services.logs.rows import Place

_WAY = re.compile(r"([fb])/(\d{20})(\d{36})/s")


def _seal(asked: tuple[Any, ...], place: tuple[int, str]) -> int:
    return zlib.crc32(msgspec.json.encode((asked, place)))


def sealed(place: tuple[int, str], asked: tuple[Any, ...]) -> str:
    """A token for a place in the answer to what was asked."""
    return base64.urlsafe_b64encode(msgspec.json.encode((*place, _seal(asked, place)))).decode()


def opened(token: str | None, asked: tuple[Any, ...]) -> tuple[int, str] | None:
    """The place of a token; raises for one that belongs to another question."""
    if not token:
        return None
    try:
        number, name, seal = msgspec.json.decode(
            base64.b64decode(token.encode(), altchars=b"-_", validate=True), type=tuple[int, str, int]
        )
    except ValueError as error:
        raise invalid() from error
    if seal != _seal(asked, (number, name)):
        raise invalid()
    return number, name


def invalid() -> Exception:
    """A token that is none."""
    return errors.invalid("The specified nextToken is invalid.")


def way(direction: str, place: Place) -> str:
    """A token of GetLogEvents: beyond this place, forward (``f``) or backward (``b``)."""
    return f"{direction}/{max(place[0], 0):020d}{max(place[1], 0):036d}/s"


def read_way(token: str) -> tuple[str, Place]:
    """(direction, place) of such a token."""
    found = _WAY.fullmatch(token)
    if found is None or int(found[2]) >= 1 << 62 or int(found[3]) >= 1 << 62:
        raise invalid()
    return found[1], (int(found[2]), int(found[3]))


def event_id(group: int, place: Place) -> str:
    """The id of an event."""
    return f"3{place[0]:015d}{group:016d}{place[1]:024d}"


_EVENT = re.compile(r"3(\d{15})(\d{16})(\d{24})")


def read_event_id(text: str) -> tuple[int, Place] | None:
    """(group, place) of an event's id; None for what is none."""
    found = _EVENT.fullmatch(text)
    return (int(found[2]), (int(found[1]), int(found[3]))) if found else None


def upload(stream: int) -> str:
    """What was a sequence token once; nobody reads it any more."""
    return f"49{stream:054d}"
