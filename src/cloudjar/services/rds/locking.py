"""What becomes of an instance whose key cannot be used: it stops, and waits seven days for the key.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from cloudjar.kit.machine import Step
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.rds import encryption, pairs, telling
from cloudjar.services.rds.records import DbInstance

_WAITS = timedelta(days=7)
_CHECKED = ("available", "rebooting", "starting")


def shut(step: Step, db: DbInstance, host: ComputePort) -> bool:
    """Whether an instance cannot run for want of its key; it is stopped then."""
    if db.state not in _CHECKED or encryption.is_open(step.ctx, db):
        return False
    host.stop(db.machine, force=True)
    now = step.world.clock.now()
    with step.world.state.database.transaction():
        there = step.db[DbInstance].get(db.id)
        if there is None or there.state != db.state:
            return True
        step.db[DbInstance].put(replace(there, state=encryption.RECOVERABLE, shut=now))
        pairs.stir(step.ctx, there)
        said = f"Database instance put into {encryption.RECOVERABLE}. The KMS key cannot be accessed."
        telling.instance(step.ctx, there, "RDS-EVENT-0035", said, "failure")
        step.again("key", now + _WAITS)
    return True


def wait(step: Step, db: DbInstance, host: ComputePort) -> None:
    """Down, until somebody starts it again; after seven days only its backups are left."""
    host.stop(db.machine, force=True)
    if db.state == encryption.LOST or db.shut is None or step.world.clock.now() < db.shut + _WAITS:
        return
    with step.world.state.database.transaction():
        there = step.db[DbInstance].get(db.id)
        if there is not None and there.state == encryption.RECOVERABLE:
            step.db[DbInstance].put(replace(there, state=encryption.LOST))
