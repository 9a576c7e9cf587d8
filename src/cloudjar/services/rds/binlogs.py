"""Binary logs of MariaDB on the shelf: taken as write-ahead logs of PostgreSQL are (`archiving`), and done again.

What is taken gets a number of its own: an instance that failed over is another machine, whose files count from one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import World
from cloudjar.kit.machine import Step
from cloudjar.planes.database.archive import ArchivePort
from cloudjar.planes.database.binlogs import BinlogPort, Ended, binlogs, goes_on, has
from cloudjar.services.rds import backups
from cloudjar.services.rds.backup_records import AutomatedBackup
from cloudjar.services.rds.records import DbInstance, Recovery


class Position(NamedTuple):
    """How far one is: the machine, the last file of it, the last transactions, and what came before that file."""

    machine: str = ""
    file: str = ""
    upto: str = ""
    start: str = ""


def port(world: World) -> BinlogPort:
    """Who moves binary logs here."""
    found: BinlogPort = world.ports.setdefault("database binlogs", binlogs(world.ports["compute"]))
    return found


def collect(step: Step, db: DbInstance, kept: AutomatedBackup, shelf: ArchivePort) -> None:
    """Take what the engine wrote, and know until when it is."""
    until, before = step.world.clock.now(), _position(kept.position)
    ended = port(step.world).turn(db.machine, before.upto)
    names, is_whole = new_files(before, db.machine, ended)
    last, reached = kept.last, before
    starts = dict(ended.files)
    for name in names:
        last = after(last)
        data = port(step.world).fetch(db.machine, name)
        shelf.put(db.resource_id, last, step.world.sealer.seal(data, purpose(db.resource_id, last)))
        reached = Position(db.machine, name, start=starts[name])
    done = reached._replace(upto=ended.upto)
    with step.world.state.database.transaction():
        now = step.db[AutomatedBackup].get(db.resource_id)
        if now is None:
            return
        whole = now.whole if is_whole else step.world.clock.now()
        step.db[AutomatedBackup].put(replace(now, position="|".join(done), last=last, until=until, whole=whole))
        instance = step.db[DbInstance].get(db.id)
        if instance is not None:
            backups.cover(step.ctx, instance)


def new_files(before: Position, machine: str, ended: Ended) -> tuple[list[str], bool]:
    """The files that were not taken yet, oldest first, and whether nothing is missing between (pure)."""
    if machine == before.machine and (before.file, before.start) in ended.files:
        return [name for name, _ in ended.files if _number(name) > _number(before.file)], True
    # Another machine, or one whose data were copied anew. All is here that came before the newest file which begins
    # early enough.
    fresh = list(ended.files)
    early = [at for at, (_, start) in enumerate(fresh) if goes_on(start, before.upto)]
    if before.machine and early:
        fresh = fresh[early[-1] :]
    # What another one had and this one never did, nobody was told of; but it is on the shelf.
    is_whole = not fresh or (goes_on(fresh[0][1], before.upto) and has(ended.state, before.upto))
    return [name for name, _ in fresh], is_whole


def _number(name: str) -> int:
    return int(name.rpartition(".")[2] or 0)


def _position(text: str) -> Position:
    return Position(*text.split("|")) if text else Position()


def after(last: str) -> str:
    """What the file is called on the shelf that comes after another one."""
    return f"binlog.{int(last.rpartition('.')[2] or 0) + 1:010d}"


def purpose(owner: str, name: str) -> str:
    """What a file is sealed for."""
    return f"rds log {owner}/{name}"


def recover(step: Step, db: DbInstance, wanted: Recovery, shelf: ArchivePort) -> None:
    """Bring the machine that has just booted on a backup to the instant that is wanted of it."""
    port(step.world).recover(
        db.machine, _files(step.world, wanted, shelf), step.world.clock.machine_at(wanted.until)
    )


def _files(world: World, wanted: Recovery, shelf: ArchivePort) -> Iterator[tuple[str, bytes]]:
    there = [name for name in shelf.names(wanted.source) if wanted.first <= name <= wanted.last]
    expected = re.fullmatch(r"binlog\.[0-9]{10}", wanted.last)
    if expected and (not there or there[-1] != wanted.last):
        raise PlaneError(f"the log of {wanted.source} is not whole: {wanted.last} is not there")
    for name in there:
        data = world.sealer.open(shelf.get(wanted.source, name), purpose(wanted.source, name))
        if data is None:
            raise PlaneError(f"{name} of {wanted.source} is not what was sealed")
        yield name, data
