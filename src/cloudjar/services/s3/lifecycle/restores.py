"""Archived objects made readable for a while: RestoreObject, and what the clock makes of it.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.lifecycle.agenda import Agenda, Due, agenda
from cloudjar.services.s3.lifecycle.classes import RESTORE_SECONDS, tier_of
from cloudjar.services.s3.lifecycle.rules import midnight
from cloudjar.services.s3.objects import changes, finding
from cloudjar.services.s3.objects.changes import Change
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import Restore, Version

_TIERING = "INTELLIGENT_TIERING"
_SPEED = ("Bulk", "Standard", "Expedited")
_FOR_EVER = 253_402_300_799
"""The end of the year 9999: what comes back from an archive tier stays."""


@op("RestoreObject", data=True)
def restore_object(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a copy of an archived object made, for some days; or keep one that is there for longer."""
    bucket = need_bucket(ctx, req)
    version = finding.need(ctx, bucket, req, "POST")
    asked = req.get("RestoreRequest")
    if asked is None:
        raise errors.malformed_xml()
    if asked.get("Type") or asked.get("SelectParameters") or asked.get("OutputLocation"):
        raise errors.not_built("A restore that selects from the archive")
    archive = tier_of(version)
    if not archive:
        raise errors.invalid_state(
            "Restore is not allowed for the object's current storage class", version.storage_class
        )
    days, tier = _asked(asked, archive, tiering=version.storage_class == _TIERING)
    now = ctx.now.timestamp()
    held = version.restore
    if held is not None and held.ready <= now < held.until:
        return _prolong(ctx, bucket, version, held, days)
    if held is not None and held.ready > now and _SPEED.index(tier) <= _SPEED.index(held.tier):
        raise AwsError("RestoreAlreadyInProgress", "Object restore is already in progress", 409)
    ready = now + RESTORE_SECONDS[archive, tier]
    until = _FOR_EVER if days is None else midnight(ready, days)
    return _begin(ctx, bucket, version, Restore(int(ready), int(until), tier))


def _asked(asked: dict[str, Any], archive: str, *, tiering: bool) -> tuple[int | None, str]:
    """For how many days (None: for good, as Intelligent-Tiering does), and how fast."""
    days = asked.get("Days")
    tier = (asked.get("GlacierJobParameters") or {}).get("Tier") or asked.get("Tier") or "Standard"
    if (archive, tier) not in RESTORE_SECONDS:
        raise errors.invalid_argument("Retrieval option is not supported by this storage class", "Tier", tier)
    if tiering:
        if days is not None:
            raise errors.invalid_argument(
                "Days must not be specified for objects in the INTELLIGENT_TIERING storage class", "Days", str(days)
            )
        return None, tier
    if days is None:
        raise errors.malformed_xml()
    if days < 1:
        raise errors.invalid_argument("restoration days should be at least 1", "Days", str(days))
    return days, tier


def _begin(ctx: Ctx, bucket: Bucket, version: Version, restore: Restore) -> dict[str, Any]:
    begun = replace(version, restore=restore)
    index(ctx.world).change(begun)
    agenda(ctx.world).set(bucket, "restore", version.key, version.id, restore.ready)
    changes.tell(ctx, bucket, Change(changes.RESTORING, begun, version))
    return {"$status": 202}


def _prolong(ctx: Ctx, bucket: Bucket, version: Version, held: Restore, days: int | None) -> dict[str, Any]:
    until = held.until if days is None else int(midnight(ctx.now.timestamp(), days))
    index(ctx.world).change(replace(version, restore=replace(held, until=until)))
    agenda(ctx.world).set(bucket, "restore", version.key, version.id, until)
    return {}


def look(ctx: Ctx, held: Agenda, bucket: Bucket, one: Due) -> None:
    """A restored copy is ready, or its time is over."""
    version = index(ctx.world).version(bucket.name, one.key, one.id)
    held.set(bucket, "restore", one.key, one.id, None)
    if version is None or version.restore is None:
        return
    restore, now = version.restore, ctx.now.timestamp()
    if version.storage_class == _TIERING and restore.ready <= now:
        back = replace(version, restore=None, archived="", tier="", touched=int(now))
        index(ctx.world).change(back)
        changes.tell(ctx, bucket, Change(changes.RESTORED, version, version))
        return
    if restore.until <= now:
        ended = replace(version, restore=None)
        index(ctx.world).change(ended)
        changes.tell(ctx, bucket, Change(changes.RESTORE_ENDED, ended, version))
    elif restore.ready <= now:
        there = replace(version, restore=replace(restore, counted=True))
        index(ctx.world).change(there)
        held.set(bucket, "restore", one.key, one.id, restore.until)
        changes.tell(ctx, bucket, Change(changes.RESTORED, there, version))
    else:
        held.set(bucket, "restore", one.key, one.id, restore.ready)
