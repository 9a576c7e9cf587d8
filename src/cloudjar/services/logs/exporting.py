"""Export tasks at work: a folder for each stream, files of lines, compressed.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3Export.html
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.logs.finding import horizon
from cloudjar.services.logs.records import ExportTask, LogGroup
from cloudjar.services.logs.rows import Stream, pages, rows
from cloudjar.services.logs.sealing import Opener

_FILE = 16 << 20
"""Bytes of lines in a file."""
_READ, _STREAMS = 1000, 100


def writer(ctx: Ctx, source_arn: str) -> Caller:
    """Who writes exports: the bucket's policy must let him in."""
    return callers.service(f"logs.{ctx.region}.amazonaws.com", ctx.account, source_arn)


@reconciler(ExportTask)
def converge(step: Step, task: ExportTask | None) -> None:
    """Write one stream after the other; where a task was interrupted it begins with that stream anew."""
    if task is None or task.status not in ("PENDING", "RUNNING"):
        return
    group = step.db[LogGroup].get(task.group)
    where = bucket_delivery.place(step.ctx, task.bucket, task.folder)
    if group is None or where is None:
        _end(step, "FAILED", "The log group or the bucket does not exist any more.")
        return
    step.change(ExportTask, lambda now: replace(now, status="RUNNING") if now.status == "PENDING" else None)
    who = writer(step.ctx, group.public_arn)
    try:
        for number, stream in enumerate(_streams(step, group, task)):
            if number < task.done:
                continue
            for part, body in enumerate(_files(step, group, task, stream)):
                key = f"{task.id}/{stream.name.replace('/', '-')}/{part:06}.gz"
                bucket_delivery.put(step.ctx, who, where, key, body)
            now = step.change(ExportTask, lambda held, done=number + 1: replace(held, done=done))  # type: ignore[misc]  # bound
            if now is None or now.status != "RUNNING":
                return
    except AwsError as error:
        _end(step, "FAILED", error.message)
        return
    _end(step, "COMPLETED", "Completed successfully")


def _end(step: Step, status: str, message: str) -> None:
    def ended(task: ExportTask) -> ExportTask | None:
        if task.status not in ("PENDING", "RUNNING"):
            return None
        return replace(task, status=status, message=message, completed=step.world.clock.now())

    step.change(ExportTask, ended)


def _streams(step: Step, group: LogGroup, task: ExportTask) -> Iterator[Stream]:
    after, more = "", True
    while more:
        found = rows(step.world).by_name(group.number, task.prefix, after, _STREAMS, descending=False)
        more = len(found) == _STREAMS
        for stream in found:
            after = stream.name
            yield stream


def _files(step: Step, group: LogGroup, task: ExportTask, stream: Stream) -> Iterator[bytes]:
    opener = Opener(step.ctx, group)
    low = (max(task.start, horizon(step.ctx, group)), -1)
    read = partial(rows(step.world).of_stream, stream.number)
    lines: list[bytes] = []
    size = 0
    for event in pages(read, low, (task.end, -1), _READ, descending=False):
        instant = datetime.fromtimestamp(event.time / 1000, UTC)
        shown = f"{instant:%Y-%m-%dT%H:%M:%S}.{event.time % 1000:03}Z {opener(event.key, event.message)}\n"
        lines.append(shown.encode())
        size += len(lines[-1])
        if size >= _FILE:
            yield gzip.compress(b"".join(lines), mtime=0)
            lines, size = [], 0
    if lines:
        yield gzip.compress(b"".join(lines), mtime=0)
