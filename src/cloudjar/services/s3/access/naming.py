"""Policies as they bear on a request now: who was deleted goes by his unique id, so that a namesake gains nothing.

Every request asks, so what was found is kept until IAM changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from cloudjar.kit import named_principals
from cloudjar.kit.context import Ctx, World

_PORT = "s3.policies-in-force"
_MOST = 4096


def in_force(ctx: Ctx, text: str, named: Mapping[str, str]) -> str:
    """A policy with the principals that it named when it was put (ARN -> unique id), as it reads now."""
    if not named:
        return text
    known: _Known | None = ctx.world.ports.get(_PORT)
    if known is None:
        known = ctx.world.ports[_PORT] = _Known(ctx.world)
    place = (text, *named.values())
    return known.texts.get(place) or known.look(ctx, place, text, named)


class _Known:
    """Texts by the text that was put, and the ids then; what a transaction has changed is not remembered before it has
    committed."""

    def __init__(self, world: World) -> None:
        self.texts: dict[tuple[str, ...], str] = {}
        self._database = world.state.database
        self._changing = False
        world.state.watchers.setdefault("iam", []).append(self._forget)

    def look(self, ctx: Ctx, place: tuple[str, ...], text: str, named: Mapping[str, str]) -> str:
        """The policy by the users and roles that there are."""
        found = named_principals.in_force(ctx, text, named)
        if not self._changing:
            if len(self.texts) >= _MOST:
                self.texts.clear()
            self.texts[place] = found
        return found

    def _forget(self) -> None:
        self.texts.clear()
        if self._database.in_transaction:
            self._changing = True
            self._database.on_commit(self._settled)
            self._database.on_rollback(self._settled)

    def _settled(self) -> None:
        self.texts.clear()
        self._changing = False
