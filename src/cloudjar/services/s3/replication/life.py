"""Copies on their way: what a write makes due, and the worker that makes them under the bucket's role.

A copy shares the bytes and seals their key anew for its own bucket, so that nothing is read or written; everything else
is as on AWS: the role is assumed, and asked about on both sides, KMS is called in its name, and the version id is kept.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import Record, arn_of, record
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.notifications.messages import instant
from cloudjar.services.s3.notifications.telling import tell
from cloudjar.services.s3.objects import changes
from cloudjar.services.s3.objects.changes import Change
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import NULL, Version
from cloudjar.services.s3.replication import copying
from cloudjar.services.s3.replication.config import Rule, parse
from cloudjar.services.s3.tables import table_of

PRINCIPAL = "s3.amazonaws.com"
REPLICA = "REPLICA"
_WRITES = (changes.PUT, changes.POST, changes.COPY, changes.COMPLETED)
_EDITS = (changes.TAGGED, changes.UNTAGGED, changes.ACL, changes.LOCKED)
_TABLE = (
    "CREATE TABLE IF NOT EXISTS s3_replicate (id INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, "
    "rule TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, edit INTEGER NOT NULL, born REAL NOT NULL)"
)
_PORT = "s3.replicate"


@record("s3", "replication", key="bucket")
class Replication(Record, frozen=True, kw_only=True):
    """Whose copies are due. Never stored: what waits are rows."""

    bucket: str


class Task(NamedTuple):
    """A version to be copied by a rule; `edit`: only what changed of it (tags, lock)."""

    id: int
    rule: str
    key: str
    version: str
    edit: bool
    born: float


class Queue:
    """The rows. Writes are inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._database = world.state.database
        with self._database.lock:
            self._database.execute(_TABLE)
            self._database.execute("CREATE INDEX IF NOT EXISTS s3_replicate_bucket ON s3_replicate (bucket, id)")

    def add(self, bucket: Bucket, rule: Rule, version: Version, *, edit: bool) -> None:
        """A version to copy; the commit wakes the worker."""
        now = self._world.clock.now().timestamp()
        self._database.execute(
            "INSERT INTO s3_replicate (bucket, rule, key, version, edit, born) VALUES (?,?,?,?,?,?)",
            (bucket.name, rule.id, version.key, version.id, int(edit), now),
        )
        self._world.state.wakes.wake("s3/replication", bucket.account, bucket.location, bucket.name)

    def next(self, bucket: str) -> Task | None:
        """The oldest."""
        rows = self._database.query(
            "SELECT id, rule, key, version, edit, born FROM s3_replicate WHERE bucket=? ORDER BY id LIMIT 1", (bucket,)
        )
        return Task(*rows[0]) if rows else None

    def more(self, bucket: str, task: Task) -> bool:
        """Whether further copies of the same version wait."""
        return bool(
            self._database.query(
                "SELECT 1 FROM s3_replicate WHERE bucket=? AND key=? AND version=? AND id<>? LIMIT 1",
                (bucket, task.key, task.version, task.id),
            )
        )

    def done(self, task: Task) -> None:
        """Forget one."""
        self._database.execute("DELETE FROM s3_replicate WHERE id=?", (task.id,))


def queue(world: World) -> Queue:
    """The queue of a running jar."""
    return table_of(world, _PORT, Queue)


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
                queue(ctx.world).add(bucket, rule, version, edit=False)
    elif change.event in _EDITS and version.replication:
        for rule in _chosen(bucket, version):
            if version.replication != REPLICA or rule.modifications:
                queue(ctx.world).add(bucket, rule, version, edit=True)


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
            queue(ctx.world).add(bucket, rule, version, edit=False)


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
        _make(step, held, bucket, rule, version, task)


def _rule(bucket: Bucket, name: str) -> Rule | None:
    return next((rule for rule in parse(bucket.replication) if rule.id == name), None)


def _make(step: Step, held: Queue, bucket: Bucket, rule: Rule, version: Version, task: Task) -> None:
    database = step.world.state.database
    why = ""
    try:
        caller = assume(step.world, bucket)
        with database.transaction():
            if task.edit:
                copying.edit(step.world, caller, bucket, rule, version)
            else:
                copying.copy(step.world, caller, bucket, rule, version)
    except AwsError as error:
        why = f"{error.code}: {error.message}"
    with database.transaction():
        held.done(task)
        _settle(step, held, bucket, rule, task, why)


def assume(world: World, bucket: Bucket) -> Caller:
    """The bucket's role, assumed as S3. Raises AccessDenied."""
    assert bucket.replication is not None
    role: str = bucket.replication["Role"]
    ctx = Ctx(world, bucket.account, bucket.location, callers.service(PRINCIPAL, bucket.account))
    return ctx.as_role(role, service=PRINCIPAL, source_arn=arn_of(bucket), session_name="s3-replication")


def _settle(step: Step, held: Queue, bucket: Bucket, rule: Rule, task: Task, why: str) -> None:
    """Note on the source how it came out; a failure is told."""
    version = index(step.world).version(bucket.name, task.key, task.version)
    if version is None or version.marker or version.replication == REPLICA or task.edit:
        return
    if why:
        index(step.world).change(replace(version, replication="FAILED"))
        ctx = Ctx(step.world, bucket.account, bucket.location, callers.service(PRINCIPAL, bucket.account))
        told: dict[str, Any] = {
            "replicationEventData": {
                "replicationRuleId": rule.id,
                "destinationBucket": f"arn:aws:s3:::{rule.target}",
                "s3Operation": "OBJECT_PUT",
                "requestTime": instant(task.born),
                "failureReason": _reason(why),
            }
        }
        tell(ctx, bucket, "Replication:OperationFailedReplication", version, data=told)
    elif version.replication == "PENDING" and not held.more(bucket.name, task):
        index(step.world).change(replace(version, replication="COMPLETED"))


def _reason(why: str) -> str:
    if "AssumeRole" in why or "assume" in why:
        return "AssumeRoleNotPermitted"
    if why.startswith("KMS"):
        return "DstKmsKeyInvalidState"
    return "DstPutObjectNotPermitted" if why.startswith("AccessDenied") else "DstBucketNotFound"
