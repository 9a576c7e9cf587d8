"""Unfinished uploads, given up by rules.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpu-abort-incomplete-mpu-lifecycle-config.html
"""

from __future__ import annotations

from cloudjar.kit.context import Ctx
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.lifecycle.agenda import Agenda, Due, agenda
from cloudjar.services.s3.lifecycle.judge import abort_of
from cloudjar.services.s3.lifecycle.rules import rules_of
from cloudjar.services.s3.multipart import finding
from cloudjar.services.s3.multipart.table import uploads
from cloudjar.services.s3.objects.rows import Upload


def begun(ctx: Ctx, bucket: Bucket, upload: Upload) -> None:
    """An upload was begun, in the running transaction: when will it be given up?"""
    if bucket.lifecycle:
        _schedule(agenda(ctx.world), bucket, upload)


def _schedule(held: Agenda, bucket: Bucket, upload: Upload) -> None:
    found = abort_of(rules_of(bucket), upload.key, upload.started)
    held.set(bucket, "upload", upload.key, upload.id, None if found is None else found[0])


def schedule_all(ctx: Ctx, held: Agenda, bucket: Bucket) -> None:
    """Put every upload under way on the agenda, by rules that are new."""
    for upload in uploads(ctx.world).every(bucket.name):
        _schedule(held, bucket, upload)


def give_up(ctx: Ctx, held: Agenda, bucket: Bucket, one: Due) -> None:
    """Abort an upload that is due by the rules as they are now."""
    upload = uploads(ctx.world).get(bucket.name, one.key, one.id)
    held.set(bucket, "upload", one.key, one.id, None)
    if upload is None:
        return
    found = abort_of(rules_of(bucket), upload.key, upload.started)
    if found is None or found[0] > ctx.now.timestamp():
        _schedule(held, bucket, upload)
        return
    finding.abort(ctx, upload)
