"""What a PostgreSQL that follows must have at least as much of as the one that it follows: with less it does not start,
and the smaller class of a replica would give it less.

https://www.postgresql.org/docs/15/hot-standby.html#HOT-STANDBY-ADMIN
"""

from __future__ import annotations

from collections.abc import Mapping

from cloudjar.kit.context import Ctx
from cloudjar.services.rds import replicas, values
from cloudjar.services.rds.records import DbInstance
from cloudjar.spec import databases

_NAMES = (
    "max_connections", "max_locks_per_transaction", "max_prepared_transactions", "max_wal_senders",
    "max_worker_processes",
)  # fmt: skip


def settings(ctx: Ctx, db: DbInstance, running: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What of a replica's settings must be as its source's, which is more; nothing of who follows nobody."""
    source = replicas.source_of(ctx, db) if db.source else None
    if source is None or databases.kind(source.engine) != "postgres":
        return ()
    mine, theirs = _told(db, running), _told(source, source.running)
    return tuple((name, theirs[name]) for name in _NAMES if _number(theirs.get(name)) > _number(mine.get(name)))


def _number(value: str | None) -> int:
    return int(value) if value and value.isdigit() else 0


def _told(db: DbInstance, running: Mapping[str, str]) -> dict[str, str]:
    line = databases.line(db.engine, db.major)
    assert line is not None
    memory = databases.size(db.instance_class).memory_mib << 20
    return dict(values.told(databases.parameters(line.family), running, memory, db.port))
