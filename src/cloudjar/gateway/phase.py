"""Where a connection is between two requests."""

from __future__ import annotations

from enum import Enum


class Phase(Enum):
    """What the connection is doing."""

    HEAD = "waiting for a request's head, or in it"
    BODY = "in a request's body"
    DRAIN = "dropping the body of a request already answered"
    BUSY = "a handler is at work, or its answer is being sent"
    LINGER = "answered for the last time; dropping input so that the answer is not lost to a reset"
    CLOSED = "gone"
