"""The two machines of a Multi-AZ instance: what is known of the one that stands by, and who may follow whom.

A standby is *synced* from when it has every commit that was ever acknowledged, for as long as the engine acknowledges
none without it. Only such a one takes over. The record says that it is no more before the engine is told to go on
alone, and that it is again only after the engine waits for it: whenever the jar dies in between, the next look does
what is left.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import interfaces
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.record import Record, arn_of, record
from cloudjar.services.rds import errors, places
from cloudjar.services.rds.records import DB, DbInstance, SubnetGroup

STANDBY = "rds/standby"
ENGINES = ("postgres", "mariadb")
"""Which replicate."""
_SEAL = "rds replication password"


@record("rds", "standby", key="id", index=("machine",), parent=(DB, "id"))
class Standby(Record, frozen=True, kw_only=True):
    """The machine that stands by for the instance of the same identifier.

    `state` is waiting (for the instance to be there), building, joining (the engine waits for it, it does not have
    everything yet), synced, promoting (it takes over) or leaving.
    """

    id: str
    resource_id: str
    machine: str
    volume: str
    subnet_id: str
    zone: str
    interface_id: str
    begun: datetime
    state: str = "waiting"
    shape: tuple[str, int, int, str] = ("", 0, 0, "")
    """Instance class, storage in GiB, port and version that it was started with."""
    running: dict[str, str] = {}
    """The parameters that it was started with."""
    afresh: bool = False
    """Its data are of no use: all are copied."""


_LOCKS: dict[str, threading.RLock] = {}
_GUARD = threading.Lock()


@contextmanager
def alone(db: DbInstance) -> Iterator[None]:
    """While this lasts nobody else tells the engines of an instance who they are. In no transaction."""
    with _GUARD:
        lock = _LOCKS.setdefault(db.resource_id, threading.RLock())
    with lock:
        yield


def shape(db: DbInstance) -> tuple[str, int, int, str]:
    """What of an instance its standby must be started anew for."""
    return db.instance_class, db.storage, db.port, db.version


def of(ctx: Ctx, db: DbInstance) -> Standby | None:
    """The standby of an instance."""
    found = ctx.db[Standby].get(db.id)
    return found if found is not None and found.resource_id == db.resource_id else None


def replicas(ctx: Ctx, db: DbInstance) -> list[DbInstance]:
    """The read replicas of an instance, in any Region: those of its own first, by name."""
    mine = arn_of(db)
    found = [one for one in ctx.db.everywhere(DbInstance) if one.source == mine and one.account == db.account]
    return sorted(found, key=lambda one: (one.region != db.region, one.id))


def by_machine(ctx: Ctx, machine: str) -> Standby | None:
    """Whose machine this is, in any account."""
    return next((one for one in ctx.db.everywhere(Standby) if one.machine == machine), None)


def waits_for(standby: Standby | None) -> str:
    """Whom the instance's engine waits for before it acknowledges."""
    return standby.machine if standby is not None and standby.state in ("joining", "synced", "promoting") else ""


def asked(req: dict[str, Any], engine: str) -> bool:
    """Whether a request wants a new instance to have a standby."""
    if not req.get("MultiAZ"):
        return False
    if req.get("AvailabilityZone"):
        raise errors.combination("Requesting a specific availability zone is not valid for Multi-AZ instances.")
    if engine not in ENGINES:
        raise errors.not_built(f"Multi-AZ of the engine {engine}")
    return True


def zone_for(ctx: Ctx, db: DbInstance) -> tuple[str, str]:
    """(subnet, zone) of the group where a standby of an instance can be. Raises what AWS raises when there is none."""
    group = ctx.db[SubnetGroup].need(db.subnet_group)
    others = [s for s in group.subnets if s.zone != db.zone and ctx.find("ec2", "subnet", s.id) is not None]
    lit = [s for s in others if not ctx.world.faults.is_dark(s.zone, ctx.account)]
    if not lit:
        raise AwsError(
            "InsufficientDBInstanceCapacity", "The specified DB instance class isn't available in the group's zones."
        )
    return lit[0].id, lit[0].zone


def begin(ctx: Ctx, db: DbInstance, state: str = "waiting") -> Standby:
    """A standby of its own machine, volume and interface."""
    subnet, zone = zone_for(ctx, db)
    machine = f"db-{ids.entropy(8).hex()}"
    lent = interfaces.lender(ctx).lend(
        ctx, machine, subnet, db.groups, description=places.DESCRIPTION, owner=places.OWNER, public=db.public
    )
    if not db.followers:
        ctx.db[DbInstance].put(replace(db, followers=sealed_password(ctx.world)))
    return ctx.db[Standby].add(
        Standby(
            id=db.id, resource_id=db.resource_id, machine=machine, volume=f"dbvol-{ids.entropy(8).hex()}",
            subnet_id=subnet, zone=zone, interface_id=lent.id, begun=ctx.world.clock.now(), state=state,
        )
    )  # fmt: skip


def swapped(db: DbInstance, standby: Standby) -> tuple[DbInstance, Standby]:
    """The two with each other's machine: whoever stood by is the instance, and who was it is to be built anew."""
    now = replace(
        db, machine=standby.machine, volume=standby.volume, subnet_id=standby.subnet_id, zone=standby.zone,
        interface_id=standby.interface_id, running=standby.running,
    )  # fmt: skip
    then = replace(
        standby, machine=db.machine, volume=db.volume, subnet_id=db.subnet_id, zone=db.zone,
        interface_id=db.interface_id, running=db.running, state="building",
    )  # fmt: skip
    return now, then


def as_instance(db: DbInstance, standby: Standby) -> DbInstance:
    """The standby's machine as planes see it."""
    return replace(swapped(db, standby)[0], source_snapshot="", verifier=b"")


def sealed_password(world: World) -> bytes:
    """A password by which followers come; what the store may keep of it."""
    return bytes(world.sealer.seal(ids.token(32).encode(), _SEAL))


def password(world: World, sealed: bytes) -> str:
    """It, opened."""
    return (world.sealer.open(sealed, _SEAL) or b"").decode()


def stir(ctx: Ctx, db: DbInstance) -> None:
    """Have the standby looked at, if there is one. In a transaction."""
    if of(ctx, db) is not None:
        ctx.world.state.wakes.wake(STANDBY, db.account, db.region, db.id)
