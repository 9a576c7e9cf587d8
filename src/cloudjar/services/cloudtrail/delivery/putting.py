"""What one account and Region gets of a delivery: the file, its notice, its log events; and how that went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery, log_delivery
from cloudjar.kit.audit_event import AuditEvent
from cloudjar.kit.context import Ctx
from cloudjar.kit.log_delivery import LogEvent
from cloudjar.services.cloudtrail.delivery.files import File, key_of
from cloudjar.services.cloudtrail.trails import destinations
from cloudjar.services.cloudtrail.trails.records import Delivered, Status, Trail
from cloudjar.services.cloudtrail.views import record

_LOG_LIMIT = 256 << 10
"""Bytes beyond which a record is not sent to CloudWatch Logs."""
_SESSION = "cloudtrail.session"


def note(ctx: Ctx, trail: Trail, account: str, region: str, **changes: Any) -> None:
    """Remember how it went, where it shows; in a transaction."""
    table = ctx.db.at(account, region)[Status]
    arn = destinations.trail_arn(trail)
    held = table.get(arn)
    if held is None:
        table.add(replace(Status(trail=arn), **changes))
    else:
        table.put(replace(held, **changes))


def put(ctx: Ctx, trail: Trail, key: str, body: bytes, metadata: dict[str, str] | None = None) -> Delivered | str:
    """Write a file into the trail's bucket; gives where it is, without its hash, or the code of what S3 answered."""
    where = destinations.place_of(ctx, trail)
    if where is None:
        return "NoSuchBucket"
    also = {**destinations.encrypted(trail), **({"Metadata": metadata} if metadata else {})}
    try:
        with ctx.world.state.database.transaction():
            bucket_delivery.put(ctx, destinations.as_cloudtrail(trail), where, key, body, also)
    except AwsError as error:
        return error.code
    return Delivered(where.bucket, where.prefix + key, "", 0, 0)


def log_file(ctx: Ctx, trail: Trail, account: str, region: str, file: File) -> Delivered | str:
    """Deliver a log file and tell the trail's topic; in a transaction. Gives the code of what S3 answered when it was
    not taken."""
    put_at = put(ctx, trail, key_of(trail, account, region, ctx.now), file.body)
    if isinstance(put_at, str):
        note(ctx, trail, account, region, attempted=ctx.now, error=put_at)
        return put_at
    note(ctx, trail, account, region, attempted=ctx.now, delivered=ctx.now, error="")
    if trail.topic_arn:
        _tell(ctx, trail, account, region, put_at)
    return msgspec.structs.replace(put_at, sha256=file.sha256, newest=file.newest, oldest=file.oldest)


def _tell(ctx: Ctx, trail: Trail, account: str, region: str, file: Delivered) -> None:
    message = msgspec.json.encode({"s3Bucket": file.bucket, "s3ObjectKey": [file.key]}).decode()
    try:
        with ctx.world.state.database.transaction():
            destinations.publish(ctx, trail, message)
    except AwsError as error:
        note(ctx, trail, account, region, notice_attempted=ctx.now, notice_error=error.code)
    else:
        note(ctx, trail, account, region, notice_attempted=ctx.now, noticed=ctx.now, notice_error="")


def log_events(ctx: Ctx, trail: Trail, account: str, region: str, events: Sequence[AuditEvent]) -> None:
    """Deliver records to the trail's log group, as its role; in a transaction. What is refused is lost there: the
    files have it."""
    lines = [LogEvent(int(event.time * 1000), msgspec.json.encode(record(event)).decode()) for event in events]
    fitting = [line for line in lines if len(line.message.encode()) <= _LOG_LIMIT]
    stream = destinations.log_stream(trail, account, region)
    there = ctx.at(trail.account, trail.region)
    try:
        with ctx.world.state.database.transaction():
            log_delivery.deliver(
                there, _session(there, trail), destinations.log_group(trail), stream, fitting,
                via=destinations.PRINCIPAL,
            )  # fmt: skip
    except AwsError as error:
        note(ctx, trail, account, region, log_error=error.code)
    else:
        note(ctx, trail, account, region, logged=ctx.now, log_error="")


def _session(ctx: Ctx, trail: Trail) -> Caller:
    """The role's session: one is used until it ends, so that a delivery is not an event every time."""
    held: dict[tuple[str, str], Caller] = ctx.world.ports.setdefault(_SESSION, {})
    place = (destinations.trail_arn(trail), trail.role)
    session = held.get(place)
    if session is None or session.expires is None or session.expires <= ctx.now:
        session = held[place] = destinations.as_role(ctx, trail)
    return session


def digest_noted(ctx: Ctx, trail: Trail, account: str, region: str, error: str, at: datetime) -> None:
    """Remember how a digest's delivery went."""
    if error:
        note(ctx, trail, account, region, digest_error=error)
    else:
        note(ctx, trail, account, region, digest_error="", digested=at)
