"""Another identifier for an instance: whatever speaks of it by its name speaks of it by the new one from then on.

Its snapshots go on saying whose they were when they were taken. It is rebooted, and has another certificate.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_RenameInstance.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import pairs, rules
from cloudjar.services.rds.backup_records import AutomatedBackup
from cloudjar.services.rds.records import DbInstance


def wanted(ctx: Ctx, req: dict[str, Any], db: DbInstance) -> dict[str, Any]:
    """What of a change a request's new identifier comes to. Raises what AWS raises."""
    given = req.get("NewDBInstanceIdentifier")
    if not given:
        return {}
    name = rules.identifier("NewDBInstanceIdentifier", given)
    if name == db.id:
        return {}
    if ctx.db[DbInstance].get(name) is not None:
        raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
    return {"renamed": name}


def perform(ctx: Ctx, db: DbInstance, name: str) -> DbInstance | None:
    """The instance under its new name, about to be rebooted; None if somebody else has that by now. In a
    transaction."""
    if ctx.db[DbInstance].get(name) is not None:
        return None
    followers, standby = pairs.replicas(ctx, db), pairs.of(ctx, db)
    ctx.db[DbInstance].drop(db)
    named = ctx.db[DbInstance].add(replace(db, id=name, state="rebooting"))
    if standby is not None:
        ctx.db[pairs.Standby].drop(standby)
        ctx.db[pairs.Standby].add(replace(standby, id=name))
    kept = ctx.db[AutomatedBackup].get(db.resource_id)
    if kept is not None:
        ctx.db[AutomatedBackup].put(replace(kept, instance_id=name))
    for one in followers:
        ctx.at(one.account, one.region).db[DbInstance].put(replace(one, source=arn_of(named)))
    return named
