"""Events of objects: told to EventBridge at once, and put into the outbox for everybody else."""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.lifecycle.classes import tier_of
from cloudjar.services.s3.notifications import messages
from cloudjar.services.s3.notifications.config import listeners_of
from cloudjar.services.s3.notifications.messages import Told
from cloudjar.services.s3.notifications.outbox import outbox
from cloudjar.services.s3.objects import changes
from cloudjar.services.s3.objects.changes import Change
from cloudjar.services.s3.objects.rows import Version

_SOURCE = "aws.s3"
_REASONS = {
    changes.PUT: "PutObject",
    changes.POST: "POST Object",
    changes.COPY: "CopyObject",
    changes.COMPLETED: "CompleteMultipartUpload",
    changes.DELETED: "DeleteObject",
    changes.MARKED: "DeleteObject",
    changes.EXPIRED: "Lifecycle Expiration",
    changes.EXPIRED_MARKED: "Lifecycle Expiration",
}


@changes.hears
def on_change(ctx: Ctx, bucket: Bucket, change: Change) -> None:
    """A version changed, in the running transaction: tell whoever the bucket's configuration names."""
    if bucket.notification is None or change.event == changes.LOCKED:
        return
    extra, data = _more(change)
    tell(ctx, bucket, change.event, change.version, extra=extra, data=data)


def _more(change: Change) -> tuple[dict[str, Any], dict[str, Any]]:
    """What only some events say: members of EventBridge's detail, and of S3's own record."""
    version = change.version
    if change.event == changes.MOVED:
        to = version.storage_class
        return {"destination-storage-class": to}, {
            "lifecycleEventData": {"transitionEventData": {"destinationStorageClass": to}}
        }
    if change.event == "IntelligentTiering":
        tier = version.archived
        return {"destination-access-tier": tier}, {"intelligentTieringEventData": {"destinationAccessTier": tier}}
    if change.event in (changes.RESTORING, changes.RESTORE_ENDED):
        return {"source-storage-class": version.storage_class}, {}
    if change.event == changes.RESTORED and version.restore is not None:
        ends = messages.instant(version.restore.until)
        return {"restore-expiry-time": ends, "source-storage-class": version.storage_class}, {
            "glacierEventData": {
                "restoreEventData": {
                    "lifecycleRestorationExpiryTime": ends,
                    "lifecycleRestoreStorageClass": tier_of(version),
                }
            }
        }
    return {}, {}


def tell(
    ctx: Ctx,
    bucket: Bucket,
    name: str,
    version: Version,
    *,
    extra: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Tell of an event (``ObjectCreated:Put``) of a version in the running transaction; `extra` are members of
    EventBridge's detail, `data` of S3's own record."""
    if bucket.notification is None:
        return
    request = ctx.request
    by_service = ctx.caller.kind == "service"
    told = Told(
        name,
        ctx.now,
        messages.SERVICE if by_service else messages.principal(ctx.caller),
        ctx.caller.account,
        request.peer if request is not None else "",
        ctx.request_id,
        _REASONS.get(name, ""),
        extra or {},
        data or {},
    )
    for listener in listeners_of(bucket):
        if listener.hears(name, version.key):
            said = {"Records": [messages.record(bucket, version, told, listener.id)]}
            outbox(ctx.world).add(bucket, listener.arn, said)
    kind = messages.detail_type(name)
    if kind and "EventBridgeConfiguration" in bucket.notification:
        ctx.world.events.emit(
            bucket.account,
            bucket.location,
            _SOURCE,
            kind,
            messages.detail(bucket, version, told),
            (f"arn:aws:s3:::{bucket.name}",),
        )
