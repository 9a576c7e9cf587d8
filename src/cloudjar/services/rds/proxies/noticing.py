"""What an instance's life tells the proxies in front of it."""

from __future__ import annotations

import contextlib
from typing import Any

from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step
from cloudjar.planes.database.pooler import PoolerPort
from cloudjar.planes.database.pooler import poolers as chosen
from cloudjar.services.rds.proxies.records import ENDPOINT, Proxy, ProxyEndpoint
from cloudjar.services.rds.records import DbInstance

SERVING = ("available", "backing-up", "modifying")
"""States of an instance in which it is asked; in all others whoever asks a proxy waits."""


def poolers(world: World) -> PoolerPort:
    """Who drives poolers here."""
    port: PoolerPort = world.ports.setdefault("poolers", chosen(world.ports["compute"]))
    return port


def told(world: World) -> dict[str, str]:
    """What each pooler was told last by this server: a digest, by machine."""
    found: dict[str, str] = world.ports.setdefault("poolers told", {})
    return found


def notice(step: Step, db: DbInstance) -> None:
    """An instance is looked at: if it is another machine, or in another state, than its proxies know, they are too."""
    known: dict[str, Any] = step.world.ports.setdefault("proxied instances", {})
    now = (db.machine, db.state, db.port, db.instance_class)
    if known.get(db.resource_id) == now:
        return
    known[db.resource_id] = now
    with step.world.state.database.transaction():
        stir(step.ctx, db)


def stir(ctx: Ctx, db: DbInstance) -> None:
    """Have the endpoints of an instance's proxies looked at. In a transaction."""
    for proxy in ctx.db[Proxy].all(target=db.resource_id):
        wake(ctx, proxy)


def wake(ctx: Ctx, proxy: Proxy) -> None:
    """Have a proxy's endpoints looked at. In a transaction."""
    for one in ctx.db[ProxyEndpoint].all(proxy=proxy.name):
        ctx.world.state.wakes.wake(ENDPOINT, one.account, one.region, one.id)


def pause(step: Step, db: DbInstance) -> None:
    """The instance is about to be another machine: whoever asks waits until that is told (`stir`)."""
    for proxy in step.db[Proxy].all(target=db.resource_id):
        for one in step.db[ProxyEndpoint].all(proxy=proxy.name):
            for node in one.nodes:
                told(step.world).pop(node.machine, None)
                with contextlib.suppress(PlaneError):  # one that is down serves nobody
                    poolers(step.world).pause(node.machine)
