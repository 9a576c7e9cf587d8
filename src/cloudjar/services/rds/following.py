"""Who may follow an instance's engine, and by what way."""

from __future__ import annotations

import hashlib
from pathlib import PurePath
from typing import Any

from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step
from cloudjar.planes.database import kinds, links
from cloudjar.planes.database.choose import following as chosen
from cloudjar.planes.database.following import FollowingPort, Place
from cloudjar.planes.database.replication import Peers, Source
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.rds import naming, pairs
from cloudjar.services.rds.clusters import members
from cloudjar.services.rds.records import DbInstance
from cloudjar.spec import databases


def port(world: World) -> FollowingPort:
    """Who has engines follow each other here."""
    found: FollowingPort = world.ports.setdefault("following", chosen(world.ports["compute"]))
    return found


def peers(ctx: Ctx, db: DbInstance) -> Peers:
    """Who may follow, as it is written down now."""
    if not db.followers:
        return Peers()
    password = pairs.password(ctx.world, db.followers)
    standby = pairs.of(ctx, db)
    machines = [] if standby is None or standby.state == "leaving" else [standby.machine]
    machines += [one.machine for one in pairs.replicas(ctx, db)]
    salt = hashlib.sha256(f"salt {password}".encode()).digest()[:16]
    return Peers(
        addresses=tuple(links.address(machine) for machine in machines),
        verifier=kinds.verifier(databases.kind(db.engine), password, salt),
        waits_for=pairs.waits_for(standby),
        any_of=members.waited_for(ctx, db),
    )


def source(step: Step, db: DbInstance, *, readable: bool) -> Source:
    """What a follower must know of the instance that it follows."""
    authority: Any = step.port("authority")
    return Source(
        name=naming.link(db),
        machine=db.machine,
        address=links.address(db.machine),
        port=db.port,
        password=pairs.password(step.world, db.followers),
        authority=authority.bundle.read_text(),
        readable=readable,
    )


def place(step: Step, machine: str) -> Place:
    """A machine and its network."""
    network: NetworkPort = step.port("network")
    return machine, PurePath(network.guest_path(machine)).name
