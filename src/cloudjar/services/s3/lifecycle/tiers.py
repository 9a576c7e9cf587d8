"""Intelligent-Tiering: objects that nobody wrote or read for long go to colder tiers, and come back when they are read.

The tiers that are read at once are AWS's own doing, after 30 and 90 days; archives are what the bucket asks for. Small
objects stay where they are.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/intelligent-tiering-managing.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx, World
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.lifecycle.agenda import Agenda, Due, agenda
from cloudjar.services.s3.lifecycle.rules import SMALL, midnight
from cloudjar.services.s3.objects import changes
from cloudjar.services.s3.objects.changes import Change
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import Version

TIERED = "IntelligentTiering"
_CLASS = "INTELLIGENT_TIERING"
_INSTANT = ((30, "INFREQUENT"), (90, "ARCHIVE_INSTANT"))
"""Days without access, and the tier that comes of them."""
_LEAST = _INSTANT[0][0]
_DAY = 86400
_AGAIN = 7
"""Days between two looks at an object that no configuration is about: one may have come meanwhile."""


def on_change(ctx: Ctx, bucket: Bucket, change: Change) -> None:
    """A version came to the class, or left it."""
    version = change.version
    if version.storage_class != _CLASS:
        return
    if change.event in (changes.DELETED, changes.EXPIRED):
        agenda(ctx.world).set(bucket, "tier", version.key, version.id, None)
    elif not version.marker:
        agenda(ctx.world).earlier(bucket, "tier", version.key, version.id, midnight(_idle_since(version), _LEAST))


def _idle_since(version: Version) -> float:
    return max(version.modified, version.touched)


def look(ctx: Ctx, held: Agenda, bucket: Bucket, one: Due) -> None:
    """Bring a version to where it belongs that has been idle long enough, and say when to look again."""
    version = index(ctx.world).version(bucket.name, one.key, one.id)
    if version is None or version.storage_class != _CLASS or version.size < SMALL:
        held.set(bucket, "tier", one.key, one.id, None)
        return
    now = ctx.now.timestamp()
    idle = _idle_since(version)
    instant = [(midnight(idle, days), tier) for days, tier in _INSTANT]
    tier = next((tier for at, tier in reversed(instant) if at <= now), "")
    if tier != version.tier:
        version = replace(version, tier=tier)
        index(ctx.world).change(version)
    steps = sorted((midnight(idle, days), tier) for days, tier in _tierings(bucket, version))
    due = [tier for at, tier in steps if at <= now]
    if due and due[-1] != version.archived:
        archived = replace(version, archived=due[-1], restore=None)
        index(ctx.world).change(archived)
        changes.tell(ctx, bucket, Change(TIERED, archived, version))
    later = [at for at, _ in (*steps, *instant) if at > now]
    held.set(bucket, "tier", one.key, one.id, min(later) if later else midnight(now, _AGAIN))


def touch(world: World, bucket: Bucket, key: str, version_id: str) -> None:
    """An object was read: it is frequent again, in the running transaction. Noted once a day."""
    objects = index(world)
    version = objects.version(bucket.name, key, version_id) if version_id else objects.current(bucket.name, key)
    now = int(world.clock.now().timestamp())
    if version is None or version.storage_class != _CLASS or version.size < SMALL or version.archived:
        return
    if version.tier or now - _idle_since(version) >= _DAY:
        objects.change(replace(version, tier="", touched=now))
        agenda(world).set(bucket, "tier", version.key, version.id, midnight(now, _LEAST))


def _tierings(bucket: Bucket, version: Version) -> Iterator[tuple[int, str]]:
    for given in bucket.intelligent_tiering.values():
        if given["Status"] == "Enabled" and _about(given.get("Filter") or {}, version):
            for tiering in given["Tierings"]:
                yield tiering["Days"], tiering["AccessTier"]


def _about(given: Mapping[str, Any], version: Version) -> bool:
    flat = given.get("And") or given
    tags = [*flat.get("Tags", ()), *([flat["Tag"]] if flat.get("Tag") else [])]
    return version.key.startswith(flat.get("Prefix") or "") and all(
        version.tags.get(tag["Key"]) == tag["Value"] for tag in tags
    )
