"""Connections that ask for tokens, on a thread of their own, and what comes of it."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.services.events import connecting
from cloudjar.services.events.connecting import AUTHORIZED, AUTHORIZING, DEAUTHORIZED
from cloudjar.services.events.records import Connection

_ASKING = "events.asking"
_LOOK_AGAIN = timedelta(seconds=60)
_EARLY = 30
"""Seconds before its end at which a token is taken to be over."""


@reconciler(Connection)
def authorize(step: Step, held: Connection | None) -> None:
    """Ask for a token while there is none."""
    if held is None or held.state != AUTHORIZING:
        return
    world = step.world
    asking: set[str] = world.ports.setdefault(_ASKING, set())
    if held.id not in asking:
        asking.add(held.id)
        call = connecting.token_call(world, held)
        heard = partial(_heard, world, held)
        world.ports["post"].ask(call.url, call.headers, call.body, heard, method=call.method)
    step.again("look", world.clock.now() + _LOOK_AGAIN)  # should the answer never come


def _heard(world: World, asked: Connection, status: int, body: bytes) -> None:
    """The authorization endpoint has answered (0: it has not); on the thread that asked."""
    ctx = Ctx(world, asked.account, asked.region, service_caller("events.amazonaws.com", asked.account))
    with world.state.database.transaction():
        world.ports[_ASKING].discard(asked.id)
        now = ctx.db[Connection].get(asked.name)
        if now is None or now.id != asked.id or now.state != AUTHORIZING or now.sealed != asked.sealed:
            if now is not None:
                ctx.wake(now)
            return
        ctx.db[Connection].put(_concluded(ctx, now, status, body))


def _concluded(ctx: Ctx, held: Connection, status: int, body: bytes) -> Connection:
    found = _token(body) if 200 <= status < 300 else None
    if found is None:
        answered = f"answered with the status {status}" if status else "did not answer"
        return replace(held, state=DEAUTHORIZED, reason=f"The authorization endpoint {answered}.")
    seconds = found.get("expires_in")
    now = ctx.now.timestamp()
    return replace(
        held,
        state=AUTHORIZED,
        reason="",
        token=connecting.sealed_token(ctx.world, found["access_token"]),
        expires=now + seconds - _EARLY if isinstance(seconds, (int, float)) and seconds > 0 else 0.0,
        authorized=now,
    )


def _token(body: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(body)
    except ValueError:
        return None
    return data if isinstance(data, dict) and isinstance(data.get("access_token"), str) else None


def again(ctx: Ctx, held: Connection) -> None:
    """A token is no longer good: have another one asked for; in a transaction."""
    now = ctx.db[Connection].get(held.name)
    if now is not None and now.token == held.token and now.state == AUTHORIZED:
        ctx.db[Connection].put(replace(now, state=AUTHORIZING, token=b""))


@on_boot("events")
def resume(world: World) -> None:
    """Ask again for tokens that were asked for when the server stopped."""
    ctx = Ctx(world, "", "", service_caller("cloudjar.internal", ""))
    with world.state.database.transaction():
        for held in ctx.db.everywhere(Connection):
            if held.state == AUTHORIZING:
                ctx.wake(held)
