"""Requests for higher quotas that somebody reads: whoever runs this jar may grant or refuse them at once.

Service Quotas has the requests; the command line asks through the gateway.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloudjar.kit.context import World

Decide = Callable[["World", str, bool], dict[str, Any]]
"""(world, id of a request, whether it is granted) -> the request as it is then. A transaction of its own; raises
ValueError where there is no open request of this id."""
List = Callable[["World"], list[dict[str, Any]]]
_DECIDERS: list[tuple[Decide, List]] = []


def decides(decide: Decide, listed: List) -> None:
    """Say who has the requests (at import): how one is decided, and how all open ones are listed."""
    _DECIDERS[:] = [(decide, listed)]


def decide(world: World, request: str, *, grant: bool) -> dict[str, Any]:
    """Grant or refuse a request now; the service is loaded when it is not yet."""
    world.load("service-quotas")
    return _DECIDERS[0][0](world, request, grant)


def waiting(world: World) -> list[dict[str, Any]]:
    """Every open request, of every account and region."""
    world.load("service-quotas")
    return _DECIDERS[0][1](world)
