"""What the clock does to objects: rules carried out, uploads given up, restored copies ended.

A change of an object puts its key on the agenda; the look at a key decides by `judge` and says when to look again.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html
"""

from __future__ import annotations

from math import inf

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.kit.context import Ctx
from cloudjar.kit.db import State, watches
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import Record, meta
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.lifecycle import restores, tiers, uploads
from cloudjar.services.s3.lifecycle.agenda import Agenda, Due, Sweep, agenda
from cloudjar.services.s3.lifecycle.judge import Action, Held, Verdict, first_due, judge
from cloudjar.services.s3.lifecycle.rules import midnight, rules_of
from cloudjar.services.s3.objects import changes, removing
from cloudjar.services.s3.objects.changes import Change
from cloudjar.services.s3.objects.index import Index, index
from cloudjar.services.s3.objects.rows import Version

PRINCIPAL = "s3.amazonaws.com"
_BATCH = 100


@changes.hears
def on_change(ctx: Ctx, bucket: Bucket, change: Change) -> None:
    """A version changed: when must its key be looked at?"""
    if bucket.lifecycle:
        now = float(ctx.now.timestamp())
        due = first_due(rules_of(bucket), change.version.key, now)
        if change.event in (changes.DELETED, changes.EXPIRED, changes.LOCKED, changes.TAGGED, changes.UNTAGGED):
            # What is left may be due long since: it is looked at with the next run.
            due = midnight(now) if due is not None else None
        if due is not None:
            agenda(ctx.world).earlier(bucket, "key", change.version.key, "", due)
    tiers.on_change(ctx, bucket, change)


def new_rules(ctx: Ctx, bucket: Bucket) -> None:
    """A bucket's rules changed: what it holds already is looked at, some keys at a time."""
    ctx.db.at(bucket.account, bucket.location)[Sweep].add(Sweep(bucket=bucket.name))


@watches("s3/bucket")
def on_bucket(state: State, item: Record) -> None:
    """A bucket may be gone: then its agenda goes with the next look."""
    assert isinstance(item, Bucket)
    if not state.tables.find(meta(Bucket).spec, item.name):
        state.wakes.wake("s3/lifecycle", item.account, item.location, item.name)


@reconciler(Sweep)
def run(step: Step, sweep: Sweep | None) -> None:
    """Bring a bucket's agenda up to date with its rules, and do what is due."""
    held = agenda(step.world)
    bucket = find_bucket(step.ctx, step.key)
    if bucket is None:
        _forget(step, held)
        return
    while sweep is not None:
        sweep = _sweep(step, held, bucket, sweep)
    while True:
        due = held.due(bucket.name, step.ctx.now.timestamp(), _BATCH)
        if not due:
            break
        with step.world.state.database.transaction():
            ctx = _acting(step, bucket)
            for one in due:
                _look(ctx, held, bucket, one)
    with step.world.state.database.transaction():
        first = held.next(bucket.name)
        if first is not None:
            held.wake(bucket, first)


def _acting(step: Step, bucket: Bucket) -> Ctx:
    """S3 itself, at the bucket."""
    return Ctx(step.world, bucket.account, bucket.location, callers.service(PRINCIPAL, bucket.account))


def _forget(step: Step, held: Agenda) -> None:
    with step.world.state.database.transaction():
        held.forget(step.key, "key", "upload", "restore", "tier")
        sweep = step.db[Sweep].get(step.key)
        if sweep is not None:
            step.db[Sweep].drop(sweep)


def _sweep(step: Step, held: Agenda, bucket: Bucket, sweep: Sweep) -> Sweep | None:
    """Look at some keys for new rules; None when all are through."""
    objects = index(step.world)
    table = step.db[Sweep]
    with step.world.state.database.transaction():
        current = table.get(sweep.bucket)  # put anew meanwhile: begin again
        if current is None:
            return None
        if not current.after and not current.uploads:
            held.forget(bucket.name, "key", "upload")
        if current.uploads:
            uploads.schedule_all(step.ctx, held, bucket)
            table.drop(current)
            return None
        keys = objects.keys(bucket.name, current.after, _BATCH) if bucket.lifecycle else []
        now = step.ctx.now.timestamp()
        for key in keys:
            verdict = _verdict(bucket, objects, key, now)
            held.set(bucket, "key", key, "", midnight(now + 1) if verdict.actions else verdict.due)
        through = len(keys) < _BATCH
        return table.put(replace(current, after=keys[-1] if keys else "-", uploads=through))


def _verdict(bucket: Bucket, objects: Index, key: str, now: float) -> Verdict:
    held = [held_of(version) for version in objects.versions(bucket.name, key)]
    return judge(rules_of(bucket), key, held, now, least=bucket.lifecycle_minimum)


def held_of(version: Version) -> Held:
    """A version as the rules see it."""
    lock = version.lock
    kept = 0.0 if lock is None else inf if lock.hold else float(lock.until)
    return Held(
        version.id,
        version.modified,
        version.size,
        version.storage_class,
        version.marker,
        version.tags,
        kept,
        version.replication == "PENDING",
    )


def _look(ctx: Ctx, held: Agenda, bucket: Bucket, one: Due) -> None:
    if one.kind == "upload":
        uploads.give_up(ctx, held, bucket, one)
    elif one.kind == "restore":
        restores.look(ctx, held, bucket, one)
    elif one.kind == "tier":
        tiers.look(ctx, held, bucket, one)
    else:
        _look_at_key(ctx, held, bucket, one.key)


def _look_at_key(ctx: Ctx, held: Agenda, bucket: Bucket, key: str) -> None:
    objects, now = index(ctx.world), ctx.now.timestamp()
    verdict = _verdict(bucket, objects, key, now)
    for action in verdict.actions:
        _do(ctx, bucket, objects, key, action)
    if verdict.actions:
        verdict = _verdict(bucket, objects, key, now)
    held.set(bucket, "key", key, "", midnight(now + 1) if verdict.actions else verdict.due)


def _do(ctx: Ctx, bucket: Bucket, objects: Index, key: str, action: Action) -> None:
    if action.kind == "expire":
        removing.remove(ctx, bucket, key, events=(changes.EXPIRED, changes.EXPIRED_MARKED))
        return
    version = objects.version(bucket.name, key, action.version_id)
    assert version is not None, (bucket.name, key, action)
    if action.kind == "remove":
        removing.remove_version(ctx, bucket, version, bypass=False, event=changes.EXPIRED)
        return
    now = int(ctx.now.timestamp())
    moved = replace(version, storage_class=action.storage_class, restore=None, archived="", tier="", moved=now)
    objects.change(moved)
    changes.tell(ctx, bucket, Change(changes.MOVED, moved, version))
