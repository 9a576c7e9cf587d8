"""Copies on their way: what a write makes due, and the worker that makes them under the bucket's role.

A copy shares the bytes and seals their key anew for its own bucket, so that nothing is read or written; everything else
is as on AWS: the role is assumed, and asked about on both sides, KMS is called in its name, and the version id is kept.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
"""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import Record, arn_of, record
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects import changes
from cloudjar.services.s3.objects.changes import Change
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import NULL, Version
from cloudjar.services.s3.replication import copying, timing
from cloudjar.services.s3.replication.config import Rule, parse
from cloudjar.services.s3.replication.queue import Queue, Task, queue
from cloudjar.services.s3.replication.reasons import ASSUME, reason

PRINCIPAL = "s3.amazonaws.com"
REPLICA = "REPLICA"
_WRITES = (changes.PUT, changes.POST, changes.COPY, changes.COMPLETED)
_EDITS = (changes.TAGGED, changes.UNTAGGED, changes.ACL, changes.LOCKED)
_AGAIN = 60.0
"""Seconds after which a copy is tried again that another service's failure kept from being made."""


@record("s3", "replication", key="bucket")
class Replication(Record, frozen=True, kw_only=True):
    """Whose copies are due. Never stored: what waits are rows."""

    bucket: str


@changes.hears
def on_change(ctx: Ctx, bucket: Bucket, change: Change) -> None:
    """A version came or changed: by which rules must it be copied?"""
    if bucket.replication is None or change.version.id == NULL:
        return
    version = change.version
    if change.event in _WRITES:
        if version.replication != REPLICA:
            _plan(ctx, bucket, version)
    elif change.event == changes.MARKED and version.replication != REPLICA:
        for rule in _chosen(bucket, version):
            if rule.markers:
                _add(ctx, bucket, rule, version, edit=False)
    elif change.event in _EDITS and version.replication:
        for rule in _chosen(bucket, version):
            if version.replication != REPLICA or rule.modifications:
                _add(ctx, bucket, rule, version, edit=True)


def _add(ctx: Ctx, bucket: Bucket, rule: Rule, version: Version, *, edit: bool) -> None:
    held = queue(ctx.world)
    held.add(bucket, rule, version, edit=edit)
    timing.pending(ctx, held, bucket, rule)


def _chosen(bucket: Bucket, version: Version) -> list[Rule]:
    """The rules that are about a version: for each bucket that copies go to, the one of the highest priority."""
    found: dict[str, Rule] = {}
    for rule in parse(bucket.replication):
        if rule.matches(version.key, version.tags):
            found.setdefault(rule.target, rule)
    return list(found.values())


def rules_for(bucket: Bucket, version: Version) -> list[Rule]:
    """The rules by which a version is to be copied: what KMS encrypts only by those that say with which key."""
    if bucket.replication is None:
        return []
    kms = version.sse is not None and version.sse.kind.startswith("aws:kms")
    return [rule for rule in _chosen(bucket, version) if not kms or rule.kms_key]


def _plan(ctx: Ctx, bucket: Bucket, version: Version) -> None:
    rules = rules_for(bucket, version)
    if rules:
        index(ctx.world).change(replace(version, replication="PENDING"))
        for rule in rules:
            _add(ctx, bucket, rule, version, edit=False)


# -- the worker
@reconciler(Replication)
def work(step: Step, item: Replication | None) -> None:
    """Make a bucket's copies, in order."""
    held = queue(step.world)
    while (task := held.next(step.key)) is not None:
        bucket = find_bucket(step.ctx, step.key)
        rule = None if bucket is None else _rule(bucket, task.rule)
        version = None if bucket is None else index(step.world).version(bucket.name, task.key, task.version)
        if bucket is None or rule is None or version is None:
            with step.world.state.database.transaction():
                held.done(task)
            continue
        if not _make(step, held, bucket, rule, version, task):
            return


def _rule(bucket: Bucket, name: str) -> Rule | None:
    return next((rule for rule in parse(bucket.replication) if rule.id == name), None)


def _make(step: Step, held: Queue, bucket: Bucket, rule: Rule, version: Version, task: Task) -> bool:
    """Make one copy; False when it must be tried again later."""
    database = step.world.state.database
    if timing.is_late(step.ctx, rule, task):
        with database.transaction():
            timing.missed(step.ctx, held, bucket, rule, version, task)
    why: AwsError | None = None
    try:
        caller = assume(step.world, bucket)
        with database.transaction():
            if task.edit:
                copying.edit(step.world, caller, bucket, rule, version)
            else:
                copying.copy(step.world, caller, bucket, rule, version)
    except AwsError as error:
        if (error.status or 400) >= 500:
            step.soon(_AGAIN, "again")
            return False
        why = error
    with database.transaction():
        held.done(task)
        timing.settled(step.ctx, held, bucket, rule, version, task, why)
        _settle(step, held, bucket, rule, task, why)
    return True


def assume(world: World, bucket: Bucket) -> Caller:
    """The bucket's role, assumed as S3. Raises AccessDenied."""
    assert bucket.replication is not None
    role: str = bucket.replication["Role"]
    ctx = Ctx(world, bucket.account, bucket.location, callers.service(PRINCIPAL, bucket.account))
    try:
        return ctx.as_role(role, service=PRINCIPAL, source_arn=arn_of(bucket), session_name="s3-replication")
    except AwsError as error:
        raise AwsError(error.code, f"{ASSUME}: {error.message}", error.status) from error


def _settle(step: Step, held: Queue, bucket: Bucket, rule: Rule, task: Task, why: AwsError | None) -> None:
    """Note on the source how it came out; a failure is told where the rule's metrics are on."""
    version = index(step.world).version(bucket.name, task.key, task.version)
    if version is None or version.marker or version.replication == REPLICA or task.edit:
        return
    if why is not None:
        index(step.world).change(replace(version, replication="FAILED"))
        if rule.measured:
            timing.say(step.ctx, bucket, rule, version, task, "OperationFailedReplication", failureReason=reason(why))
    elif version.replication == "PENDING" and not held.more(bucket.name, task):
        index(step.world).change(replace(version, replication="COMPLETED"))
