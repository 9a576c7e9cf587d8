"""Access logs on their way into their buckets: what an hour brought, as one object.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import Record, arn_of, record
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.logging import DELIVERER, may_deliver
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.delivery.seen import notes
from cloudjar.services.s3.objects.ops.put import put_object

_AT_ONCE = 50_000
_GRANTS = {"FULL_CONTROL": "GrantFullControl", "READ": "GrantRead", "WRITE": "GrantWriteACP"}


@record("s3", "access-log", key="bucket")
class AccessLog(Record, frozen=True, kw_only=True):
    """Whose log is due. Never stored: what waits are rows."""

    bucket: str


@reconciler(AccessLog)
def deliver(step: Step, log: AccessLog | None) -> None:
    """Write what a bucket's log has gained, where it may go; what may go nowhere is lost, as AWS's is."""
    notes(step.world).write()
    database = step.world.state.database
    while True:
        rows = database.query("SELECT id, line FROM s3_log WHERE bucket=? ORDER BY id LIMIT ?", (step.key, _AT_ONCE))
        if not rows:
            return
        with database.transaction():
            bucket = find_bucket(step.ctx, step.key)
            target = _target(step, bucket) if bucket is not None else None
            if bucket is not None and target is not None:
                _put(step, bucket, target, "\n".join(row[1] for row in rows) + "\n")
            database.execute("DELETE FROM s3_log WHERE bucket=? AND id<=?", (step.key, rows[-1][0]))


def _target(step: Step, bucket: Bucket) -> Bucket | None:
    wanted = bucket.logging
    target = find_bucket(step.ctx, wanted["TargetBucket"]) if wanted else None
    if target is None or wanted is None:
        return None
    return target if may_deliver(step.ctx, bucket, target, wanted.get("TargetPrefix") or "") else None


def _put(step: Step, bucket: Bucket, target: Bucket, text: str) -> None:
    caller = callers.service(DELIVERER, bucket.account, arn_of(bucket))
    ctx = Ctx(step.world, target.account, target.location, caller)
    wanted = bucket.logging or {}
    request: dict[str, Any] = {
        "Bucket": target.name,
        "Key": key_of(bucket, wanted, ctx.now),
        "Body": text.encode(),
        "ContentType": "text/plain",
    }
    if not target.acls_off:
        request |= _grants(wanted)
    put_object(ctx, request)


def _grants(wanted: dict[str, Any]) -> dict[str, str]:
    """TargetGrants as the headers of a put."""
    found: dict[str, list[str]] = {}
    for grant in wanted.get("TargetGrants") or ():
        grantee = grant.get("Grantee") or {}
        who = f'id="{grantee["ID"]}"' if grantee.get("ID") else f'uri="{grantee.get("URI", "")}"'
        member = _GRANTS.get(grant.get("Permission", ""))
        if member is not None:
            found.setdefault(member, []).append(who)
    return {member: ", ".join(who) for member, who in found.items()}


def key_of(bucket: Bucket, wanted: dict[str, Any], now: datetime) -> str:
    """Where a log goes, by its time and the bucket's format of keys."""
    prefix, end = wanted.get("TargetPrefix") or "", ids.entropy(8).hex().upper()
    form = wanted.get("TargetObjectKeyFormat") or {}
    if form.get("PartitionedPrefix") is None:
        return f"{prefix}{now:%Y-%m-%d-%H-%M-%S}-{end}"
    day = f"{now:%Y/%m/%d}"
    by_event = form["PartitionedPrefix"].get("PartitionDateSource") == "EventTime"
    at = f"{now:%Y-%m-%d}-00-00-00" if by_event else f"{now:%Y-%m-%d-%H-%M-%S}"
    return f"{prefix}{bucket.account}/{bucket.location}/{bucket.name}/{day}/{at}-{end}"
