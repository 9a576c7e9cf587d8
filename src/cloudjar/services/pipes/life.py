"""What pipes do by themselves: become ready, read their source, rest, go.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-start-stop.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-error-troubleshooting.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from cloudjar.base.caller import Caller
from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import arrivals
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Machine, Step, on_boot, reconciler
from cloudjar.services.pipes import queueing, sending, streaming
from cloudjar.services.pipes.records import (
    CREATE_FAILED,
    CREATING,
    DELETING,
    RUNNING,
    START_FAILED,
    STARTING,
    STOPPED,
    STOPPING,
    UPDATE_FAILED,
    UPDATING,
    Pipe,
)

SECONDS = 10.0
"""How long a change takes, in AWS time."""
READ = "read"
_BATCHES = 200
"""Batches of one look; then others have their turn."""
_REFUSED = timedelta(seconds=60)
"""After which a source that refused is asked again."""
_FAILED = {CREATING: CREATE_FAILED, STARTING: START_FAILED, UPDATING: UPDATE_FAILED}

LIFE = Machine(
    Pipe,
    start=CREATING,
    moves="""
    CREATING      -> RUNNING | STOPPED | CREATE_FAILED
    RUNNING       -> STOPPING | UPDATING | DELETING
    STOPPED       -> STARTING | UPDATING | DELETING
    STARTING      -> RUNNING | START_FAILED
    STOPPING      -> STOPPED
    UPDATING      -> RUNNING | STOPPED | UPDATE_FAILED
    CREATE_FAILED -> UPDATING | DELETING
    START_FAILED  -> STARTING | UPDATING | DELETING
    UPDATE_FAILED -> STARTING | UPDATING | DELETING
""",
)


@reconciler(Pipe)
def converge(step: Step, pipe: Pipe | None) -> None:
    """One look at a pipe."""
    if pipe is None:
        return
    if pipe.state == RUNNING:
        _run(step, pipe)
    elif pipe.state in (*_FAILED, STOPPING, DELETING) and not step.early(pipe.due):
        _finish(step, pipe)


def _finish(step: Step, pipe: Pipe) -> None:
    """What was under way is done."""
    ctx, to, reason = step.ctx, pipe.desired, ""
    if pipe.state == STOPPING:
        to = STOPPED
    elif pipe.state in _FAILED:
        try:
            _check(ctx, pipe)
        except AwsError as error:
            to, reason = _FAILED[pipe.state], f"{error.code}: {error.message}"[:512]
    with step.world.state.database.transaction():
        now = step.db[Pipe].get(step.key)
        if now is None or (now.state, now.due) != (pipe.state, pipe.due):
            return
        arrivals.unwatch(step.world, now.source, now)
        if now.state == DELETING:
            step.db[Pipe].drop(now)
            return
        moved = LIFE.move(ctx, now, to, due=0.0, reason=reason, window=0.0)
        if to == RUNNING:
            arrivals.watch(step.world, moved.source, moved)
            ctx.wake(moved, purpose=READ)


def _check(ctx: Ctx, pipe: Pipe) -> None:
    """Whether the role lets Pipes in and may read the source; raises the `AwsError` of why not."""
    who = sending.acting(ctx, pipe)
    if pipe.source_arn.service == "sqs":
        queueing.check(ctx, pipe, who)
    else:
        streaming.check(ctx, pipe, who)


def _run(step: Step, pipe: Pipe) -> None:
    """Carry what there is, and see to it that what comes by itself is carried too."""
    ctx = step.ctx
    try:
        who = sending.acting(ctx, pipe)
        if pipe.source_arn.service == "kinesis":
            due = streaming.read(step, pipe, who)
        else:
            due = _from_queue(step, pipe, who)
    except AwsError:  # nothing was read: it waits where it is
        due = ctx.now + _REFUSED
    if due is not None:
        step.again(READ, due)


def _from_queue(step: Step, pipe: Pipe, who: Caller) -> datetime | None:
    """Batches until there is nothing; when to look again, if anything can come by itself."""
    ctx = step.ctx
    if pipe.reading["MaximumBatchingWindowInSeconds"]:
        due = _gathering(step, pipe, who)
        if due is not None:
            return due
    for _ in range(_BATCHES):
        now = step.db[Pipe].get(step.key)
        if now is None or now.state != RUNNING:
            return None
        if not queueing.batch(ctx, now, who):
            coming = arrivals.next_due(ctx, now.source_arn)
            return None if coming is None else max(coming, ctx.now + timedelta(seconds=1))
    return ctx.now


def _gathering(step: Step, pipe: Pipe, who: Caller) -> datetime | None:
    """Until when a batch is gathered; None when what there is is to go now."""
    now = step.ctx.now
    count = queueing.waiting(step.ctx, pipe, who)
    until = 0.0
    if not 0 < pipe.window <= now.timestamp() and 0 < count < pipe.reading["BatchSize"]:
        until = pipe.window or now.timestamp() + pipe.reading["MaximumBatchingWindowInSeconds"]
    if until != pipe.window:
        step.change(Pipe, lambda held: replace(held, window=until) if held.state == RUNNING else None)
    return datetime.fromtimestamp(until, UTC) if until else None


@on_boot("pipes")
def resume(world: World) -> None:
    """Look at what came meanwhile."""
    ctx = Ctx(world, "", "", service_caller("cloudjar.internal", ""))
    with world.state.database.transaction():
        for pipe in ctx.db.everywhere(Pipe):
            if pipe.state == RUNNING:
                ctx.wake(pipe, purpose=READ)
