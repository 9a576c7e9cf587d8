"""The life of an export: a machine of the snapshot, its tables one after the other, and what is told at the end.

A look takes some tables and notes how far it came: whoever is cut off goes on with the table that he was at.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ExportSnapshot.html
"""

from __future__ import annotations

import contextlib
import logging

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.caller import service as service_caller
from cloudjar.base.clock import monotonic
from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.services.rds import telling
from cloudjar.services.rds.exports import files, reader, told
from cloudjar.services.rds.exports.bucket import Bucket, Failure
from cloudjar.services.rds.exports.records import (
    CANCELED,
    CANCELING,
    COMPLETE,
    FAILED,
    OPEN,
    RUNNING,
    STARTING,
    ExportTask,
    Extracted,
)
from cloudjar.spec import databases

log = logging.getLogger("cloudjar.databases")

_LOOK_SECONDS = 2.0
_ATTEMPTS = 5
_UNKNOWN = "An unknown internal error occurred."
_EVENTS = {
    "db-snapshot": {FAILED: "RDS-EVENT-0159", CANCELED: "RDS-EVENT-0160", COMPLETE: "RDS-EVENT-0161"},
    "db-cluster-snapshot": {FAILED: "RDS-EVENT-0162", CANCELED: "RDS-EVENT-0163", COMPLETE: "RDS-EVENT-0164"},
}
_SAID = {
    FAILED: "The snapshot export task failed.",
    CANCELED: "The snapshot export task was canceled.",
    COMPLETE: "The snapshot export task completed.",
}


@reconciler(ExportTask)
def converge(step: Step, task: ExportTask | None) -> None:
    """One look."""
    if task is None or task.status not in OPEN:
        return
    step.world.load("s3")
    try:
        if task.status == CANCELING:
            _end(step, task, CANCELED)
        elif task.status == STARTING:
            _begin(step, task)
        else:
            _go_on(step, task)
    except Failure as why:
        _end(step, task, FAILED, str(why))
    except PlaneError:
        if step.wake.tries < _ATTEMPTS:
            raise
        _end(step, task, FAILED, _UNKNOWN)


def _begin(step: Step, task: ExportTask) -> None:
    """Whether it can be written; then what there is to write."""
    Bucket(step.ctx, task).check()
    port = reader.port(step.world)
    if lacking := port.lacks():
        raise Failure(lacking)
    reader.ready(step, task)
    source = task.source
    found = port.tables(task.machine, databases.kind(source.engine), source.port, source.master)
    tables, unknown = told.chosen(found, task.only)

    def begun(now: ExportTask) -> ExportTask | None:
        return replace(now, status=RUNNING, tables=tables, unknown=unknown) if now.status == STARTING else None

    step.change(ExportTask, begun)


def _go_on(step: Step, task: ExportTask) -> None:
    """The next tables, for a while; the end after the last."""
    bucket, tables = Bucket(step.ctx, task), list(task.tables)
    began, done = monotonic(), task.done
    if done < len(tables):
        reader.ready(step, task)
    while done < len(tables) and monotonic() - began < _LOOK_SECONDS:
        tables[done] = _extracted(step, task, bucket, tables[done])
        done += 1

    def further(now: ExportTask) -> ExportTask | None:
        return replace(now, tables=tuple(tables), done=done) if now.status == RUNNING else None

    now = step.change(ExportTask, further)
    if now is not None and now.status == RUNNING and done == len(tables):
        _finish(step, now, bucket)


def _extracted(step: Step, task: ExportTask, bucket: Bucket, one: Extracted) -> Extracted:
    """One table in the bucket: a folder for each of its parts."""
    if one.skipped:
        return one
    begun, count = step.world.clock.now(), 0
    for number, part in enumerate(one.table.parts, 1):
        folder = f"{told.folder(one.table)}/{number}"
        try:
            count += _part(step, task, bucket, one, part, folder)
        except files.UnreadableError as why:
            log.warning("an export leaves a table out: %s", why)
            return replace(one, skipped="FAILED_TO_EXTRACT")
        bucket.put(f"{folder}/_SUCCESS", b"")
    return replace(one, begun=begun, ended=step.world.clock.now(), files=count)


def _part(step: Step, task: ExportTask, bucket: Bucket, one: Extracted, part: str, folder: str) -> int:
    """What is in a part, as files; how many."""
    source, count, begun = task.source, 0, []

    def begin() -> files.Sink:
        sink: files.Sink = step.world.ports["objects"].sink()
        begun.append(sink)
        return sink

    kind = databases.kind(source.engine)
    try:
        with reader.port(step.world).rows(task.machine, kind, source.port, one.table, part) as rows:
            for sink in files.written(one.table, rows, begin):
                with contextlib.closing(sink.finish()) as body:
                    bucket.put(f"{folder}/part-{count:05}-{ids.uuid4()}-{files.SUFFIX}", body)
                count += 1
    finally:
        for sink in begun:
            sink.abort()  # of what is finished nothing is left to be undone
    return count


def _finish(step: Step, task: ExportTask, bucket: Bucket) -> None:
    """What the files about the export say of it is what it then is."""
    ended = replace(task, status=COMPLETE, ended=step.world.clock.now())
    for name, text in (told.tables(ended), told.whole(ended)):
        bucket.put(name, text)
    _end(step, task, COMPLETE)


def _end(step: Step, task: ExportTask, status: str, cause: str = "") -> None:
    """Leave nothing of the machine, and say what became of the export."""
    reader.gone(step, task)
    with contextlib.suppress(AwsError):  # the grant, or its key, may be gone already
        who = service_caller("rds.amazonaws.com", task.account)
        step.ctx.call("kms", "RetireGrant", {"KeyId": task.key, "GrantId": task.grant}, caller=who)
    with step.world.state.database.transaction():
        now = step.db[ExportTask].get(task.id)
        if now is None or now.status not in OPEN or (now.status == CANCELING and status == COMPLETE):
            return  # it is cancelled: whoever said so has woken this again
        step.db[ExportTask].put(replace(now, status=status, cause=cause, ended=step.world.clock.now()))
        parsed = arns.parse(task.source_arn)
        kind, _, name = (parsed.resource if parsed is not None else "").partition(":")
        kind = f"db-{kind}"
        telling.tell(step.ctx, kind, name, task.source_arn, _EVENTS[kind][status], _SAID[status], "notification")


@on_boot("rds")
def at_start(world: World) -> None:
    """Wake what the last run left unfinished."""
    for task in Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(ExportTask):
        if task.status in OPEN:
            world.state.wakes.wake("rds/export-task", task.account, task.region, task.id, purpose="boot")
