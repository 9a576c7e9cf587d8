"""Transactions that are open: each has a session of its own, on the engine that is the writer."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx, World
from cloudjar.planes.database.sessions import Login, Session
from cloudjar.services.rds_data import errors
from cloudjar.services.rds_data.records import Transaction


def _open(world: World) -> dict[str, Session]:
    """By transaction."""
    found: dict[str, Session] = world.ports.setdefault("data api transactions", {})
    return found


def begun(ctx: Ctx, cluster: Any, login: Login, session: Session) -> str:
    """Keep a session for whoever names its transaction, from now on."""
    name = ids.token(96)
    _open(ctx.world)[name] = session
    ctx.db[Transaction].add(
        Transaction(
            id=name, cluster=cluster.resource_id, machine=login.machine, database=login.database, begun=ctx.now,
            used=ctx.now,
        )
    )  # fmt: skip
    return name


def named(ctx: Ctx, name: str, cluster: Any, login: Login, database: str | None) -> Session:
    """The session of a transaction, which is now used. In no transaction of the store. Raises what AWS raises."""
    with ctx.world.state.database.transaction():
        found, session = ctx.db[Transaction].get(name), _open(ctx.world).get(name)
        if found is None or session is None or found.cluster != cluster.resource_id or found.ends <= ctx.now:
            raise errors.no_transaction(name)
        if database and database != found.database:
            raise errors.bad("Database name is not the same as the one that the transaction began with")
        if lost := found.machine != login.machine:
            _open(ctx.world).pop(name)
            ctx.db[Transaction].drop(found)
        else:
            ctx.db[Transaction].put(replace(found, used=ctx.now))
    if lost:
        session.abort()
        raise errors.no_transaction(name)
    return session


def let_go(world: World, name: str) -> Session | None:
    """Nobody can name it any more. Its session, for who ends it."""
    return _open(world).pop(name, None)


def is_open(world: World, name: str) -> bool:
    """Whether there is a session for it."""
    return name in _open(world)
