"""Answers, seen by the service that gave them when they are ready: for logs and counts of its own (S3's access logs,
requests by class, bytes). Audit is not this: see `kit.audit`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from cloudjar.kit.context import Ctx
    from cloudjar.wire.message import Response


class Seen(NamedTuple):
    """A call from outside and its answer, whose body may yet have to be sent. `error` is AWS's code or "", `seconds`
    what answering took."""

    ctx: Ctx
    operation: str
    req: dict[str, Any]
    response: Response
    error: str
    seconds: float


Observe = Callable[[Seen], None]
_OBSERVERS: dict[str, Observe] = {}


def observes(service: str) -> Callable[[Observe], Observe]:
    """Decorator (at import): be shown every answer of a service, on the event loop, outside of any transaction. It must
    be quick, and must not raise."""

    def declare(function: Observe) -> Observe:
        _OBSERVERS[service] = function
        return function

    return declare


def observer(service: str) -> Observe | None:
    """Who is shown a service's answers."""
    return _OBSERVERS.get(service)
