"""What happens to keys by itself: waiting periods end, imported material expires, material is rotated.

https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Machine, Step, reconciler
from cloudjar.services.kms import material
from cloudjar.services.kms.records import (
    CURRENT,
    ENABLED,
    LEAVING,
    PENDING_DELETION,
    PENDING_IMPORT,
    PENDING_REPLICA_DELETION,
    Alias,
    Key,
    KeyGrant,
    Material,
)

LIFE = Machine(Key, start=ENABLED, moves="""
    Enabled -> Disabled | PendingDeletion | PendingReplicaDeletion | PendingImport
    Disabled -> Enabled | PendingDeletion | PendingReplicaDeletion | PendingImport
    PendingImport -> Enabled | PendingDeletion | PendingReplicaDeletion
    PendingDeletion -> Disabled | PendingImport
    PendingReplicaDeletion -> Disabled | PendingImport | PendingDeletion
""")  # fmt: skip


@reconciler(Key)
def converge(step: Step, key: Key | None) -> None:
    """Do what is due, and come back when the next thing is."""
    if key is None:
        return
    with step.world.state.database.transaction():
        now = step.db[Key].get(step.key)
        if now is not None and not _delete_if_due(step.ctx, now):
            _rotate_if_due(step.ctx, _expire_if_due(step.ctx, now))
    left = step.db[Key].get(step.key)
    due = None if left is None else min(_alarms(step.ctx, left), default=None)
    if due is not None:
        step.again("clock", due)


def _alarms(ctx: Ctx, key: Key) -> Iterator[datetime]:
    if key.deletion is not None:
        yield key.deletion
    if key.next_rotation is not None and key.state == ENABLED and key.multi_region != "REPLICA":
        yield key.next_rotation
    if key.origin == "EXTERNAL":
        yield from (one.valid_to for one in material.all_of(ctx, key) if one.sealed and one.valid_to is not None)


def _expire_if_due(ctx: Ctx, key: Key) -> Key:
    if key.origin != "EXTERNAL":
        return key
    for one in material.all_of(ctx, key):
        if one.sealed and one.valid_to is not None and one.valid_to <= ctx.now:
            key = without_material(ctx, key, one)
            detail = {"key-id": key.id}
            ctx.world.events.emit(
                key.account, key.region, "aws.kms", "KMS Imported Key Material Expiration", detail, (ctx.arn(key),)
            )
    return key


def without_material(ctx: Ctx, key: Key, one: Material) -> Key:
    """A key after one of its imported materials is gone: the same may be imported again."""
    table = ctx.db.at(key.account, key.region)[Material]
    if one.state not in (CURRENT, "NON_CURRENT"):  # never used: nothing has to be decrypted with it
        table.drop(one)
        return key
    table.put(replace(one, sealed=b"", valid_to=None))
    if key.state in LEAVING or key.state == PENDING_IMPORT:
        return key
    return LIFE.move(ctx, key, PENDING_IMPORT)


def _rotate_if_due(ctx: Ctx, key: Key) -> None:
    """A key that was disabled meanwhile is rotated once when it comes back, and keeps its period."""
    due = key.next_rotation
    if due is None or key.state != ENABLED or due > ctx.now or key.multi_region == "REPLICA":
        return
    period = timedelta(days=key.rotation_days)
    rotated = material.rotate(ctx, key, "AUTOMATIC", due)
    while due <= ctx.now:
        due += period
    share(ctx, ctx.db.at(key.account, key.region)[Key].put(replace(rotated, next_rotation=due)))


def share(ctx: Ctx, primary: Key) -> None:
    """Give the replicas what they share with their primary: material, rotation, and who is the primary."""
    for region in primary.replicas:
        table = ctx.db.at(primary.account, region)[Key]
        replica = table.get(primary.id)
        if replica is None:
            continue
        if primary.origin != "EXTERNAL":
            material.copy(ctx, primary, region)
            replica = replace(replica, material=primary.material)
        table.put(
            replace(
                replica,
                multi_region="REPLICA",
                primary=primary.primary,
                replicas=primary.replicas,
                rotations=primary.rotations,
                on_demand=primary.on_demand,
                rotation_days=primary.rotation_days,
                next_rotation=primary.next_rotation,
            )
        )


def _delete_if_due(ctx: Ctx, key: Key) -> bool:
    if key.deletion is None or key.deletion > ctx.now or key.state != PENDING_DELETION:
        return False
    here = ctx.db.at(key.account, key.region)
    for alias in here[Alias].all(key_id=key.id):
        here[Alias].drop(alias)
    for grant in here[KeyGrant].all(key_id=key.id):
        here[KeyGrant].drop(grant)
    material.forget(ctx, key)
    here[Key].drop(key)
    ctx.world.events.emit(
        key.account, key.region, "aws.kms", "KMS CMK Deletion", {"key-id": key.id}, (ctx.arn(key),)
    )
    if key.multi_region == "REPLICA":
        _replica_is_gone(ctx, key)
    return True


def _replica_is_gone(ctx: Ctx, replica: Key) -> None:
    """The primary forgets its replica; after the last that its deletion waited for, its own waiting period begins."""
    primary = ctx.db.at(replica.account, replica.primary)[Key].get(replica.id)
    if primary is None:
        return
    left = tuple(region for region in primary.replicas if region != replica.region)
    primary = ctx.db.at(primary.account, primary.region)[Key].put(replace(primary, replicas=left))
    if primary.state == PENDING_REPLICA_DELETION and not left:
        LIFE.move(ctx, primary, PENDING_DELETION, deletion=ctx.now + timedelta(days=primary.window))
    share(ctx, primary)
