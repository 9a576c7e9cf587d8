"""What delivery streams do by themselves: become ready, read their source, deliver what waits, end.

https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html#retry
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import arrivals
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.gauges import gauges
from cloudjar.kit.machine import Machine, Step, on_boot, reconciler
from cloudjar.services.firehose import buffering, delivering, measuring, pulling
from cloudjar.services.firehose.delivering import Batch, Refusal
from cloudjar.services.firehose.records import ACTIVE, CREATING, KINESIS, S3, Delivery
from cloudjar.services.firehose.rows import Row, rows

SECONDS = 1.0
"""How long a change takes, in AWS time."""
_DAY = 86_400
"""Seconds for which delivery to a bucket is tried."""
_FIRST, _LONGEST = 5, 600
"""Seconds between two tries: at first, and at most."""
_FLYING = "firehose.flying"
_LOOK_AGAIN = timedelta(seconds=60)

LIFE = Machine(
    Delivery,
    start=CREATING,
    moves="""
    CREATING -> ACTIVE | DELETING
    ACTIVE   -> DELETING
""",
)


@reconciler(Delivery)
def converge(step: Step, held: Delivery | None) -> None:
    """One look at a delivery stream."""
    if held is None:
        return
    if held.state != ACTIVE:
        _finish(step)
        return
    if held.kind == KINESIS and step.wake.purpose in (arrivals.PURPOSE, "pull"):
        pulling.pull(step, held)
    while _flushed(step):
        pass
    gauges(step.world).tick()


def _finish(step: Step) -> None:
    with step.world.state.database.transaction():
        held = step.db[Delivery].get(step.key)
        if held is None or held.state == ACTIVE:
            return
        if step.early(held.due):
            return
        if held.state == CREATING:
            held = LIFE.move(step.ctx, held, ACTIVE)
            if held.kind == KINESIS:
                step.ctx.wake(held, purpose=arrivals.PURPOSE)
            return
        if held.source_arn:
            arrivals.unwatch(step.world, held.source_arn, held)
        rows(step.world).erase(held.number)
        step.db[Delivery].drop(held)


def _flushed(step: Step) -> bool:
    """Deliver one buffer, if it is full or has waited long enough; whether there may be another."""
    ctx, held = step.ctx, step.db[Delivery].get(step.key)
    if held is None or held.state != ACTIVE:
        return False
    store, now = rows(step.world), ctx.now
    most, seconds = buffering.hints(held)
    first = store.first(held.number)
    if first is None:
        return False
    due = delivering.instant(first) + timedelta(seconds=seconds)
    if held.not_before > now.timestamp():
        due = datetime.fromtimestamp(held.not_before, UTC)
    elif store.waiting(held.number).size >= most:
        due = now
    if due > now:
        step.again("flush", due)
        return False
    waiting = store.oldest(held.number, most)
    batch = Batch([buffering.opened(ctx, row) for row in waiting], delivering.instant(waiting[0].at))
    if held.target == S3:
        return _to_bucket(ctx, held, waiting, batch)
    _post(step, held, waiting, batch)
    return False


def _to_bucket(ctx: Ctx, held: Delivery, waiting: list[Row], batch: Batch) -> bool:
    config = held.config
    try:
        delivering.to_bucket(ctx, held, config, batch)
        if config.get("S3BackupMode") == "Enabled":
            delivering.to_bucket(ctx, held, config["S3BackupDescription"], batch, plain=True)
            delivering.succeeded(ctx, held, "BackupToS3", batch)
    except AwsError as error:
        measuring.measured(ctx.world, held, "DeliveryToS3.Success", 0)
        delivering.log_failure(ctx, held, config, f"S3.{error.code}", error.message)
        return _tried(ctx, held, waiting, _DAY)
    delivering.succeeded(ctx, held, "DeliveryToS3", batch)
    _done(ctx, held, waiting)
    return True


def _done(ctx: Ctx, held: Delivery, waiting: list[Row]) -> None:
    """What waited longest waits no more."""
    with ctx.world.state.database.transaction():
        now = ctx.db[Delivery].get(held.name)
        if now is None or now.number != held.number:
            return
        rows(ctx.world).remove(held.number, waiting)
        if now.failing_since:
            ctx.db[Delivery].put(replace(now, failing_since=0.0, tries=0, not_before=0.0))


def _tried(ctx: Ctx, held: Delivery, waiting: list[Row], longest: float) -> bool:
    """A try has failed: there will be others, less and less often, until the time is up; True when it is, and what
    waited is given up."""
    now = ctx.now.timestamp()
    since = held.failing_since or now
    if now - since >= longest:
        _done(ctx, held, waiting)
        return True
    pause = min(_FIRST * 2 ** min(held.tries, 10), _LONGEST)
    with ctx.world.state.database.transaction():
        there = ctx.db[Delivery].get(held.name)
        if there is not None and there.number == held.number:
            ctx.db[Delivery].put(
                replace(there, failing_since=since, tries=there.tries + 1, not_before=now + pause)
            )
    return False


# -- over the wire


def _post(step: Step, held: Delivery, waiting: list[Row], batch: Batch) -> None:
    """Hand a buffer to a thread; it wakes the delivery stream when it knows."""
    world, ctx = step.world, step.ctx
    flying: set[int] = world.ports.setdefault(_FLYING, set())
    if held.number not in flying:
        flying.add(held.number)
        request_id = delivering.request_id()
        headers, body = delivering.posted(ctx, held, batch, request_id)
        url = held.config["EndpointConfiguration"]["Url"]
        heard = partial(_heard, world, held, waiting, batch, request_id)
        world.ports["post"].ask(url, headers, body, heard)
    step.again("look", ctx.now + _LOOK_AGAIN)  # should the answer never come


def _heard(
    world: World, held: Delivery, waiting: list[Row], batch: Batch, request_id: str, status: int, answer: bytes
) -> None:
    """The endpoint has answered (0: it has not); on the thread that asked."""
    ctx = Ctx(world, held.account, held.region, service_caller("firehose.amazonaws.com", held.account))
    try:
        now = ctx.db[Delivery].get(held.name)
        if now is not None and now.number == held.number:
            _conclude(ctx, now, waiting, batch, delivering.judged(status, answer, request_id))
    finally:
        world.ports[_FLYING].discard(held.number)
        with world.state.database.transaction():
            there = ctx.db[Delivery].get(held.name)
            if there is not None:
                ctx.wake(there, purpose="flush")


def _conclude(ctx: Ctx, held: Delivery, waiting: list[Row], batch: Batch, wrong: tuple[str, str]) -> None:
    code, message = wrong
    config = held.config
    backup = config["S3DestinationDescription"]
    try:
        if not code:
            if config["S3BackupMode"] == "AllData":
                delivering.to_bucket(ctx, held, backup, batch, plain=True)
                delivering.succeeded(ctx, held, "BackupToS3", batch)
            delivering.succeeded(ctx, held, "DeliveryToHttpEndpoint", batch)
            _done(ctx, held, waiting)
            return
        measuring.measured(ctx.world, held, "DeliveryToHttpEndpoint.Success", 0)
        delivering.log_failure(ctx, held, config, code, message)
        since, longest = held.failing_since, config["RetryOptions"]["DurationInSeconds"]
        if longest and (not since or ctx.now.timestamp() - since < longest):
            _tried(ctx, held, waiting, longest)
            return
        delivering.failed(ctx, held, backup, batch, Refusal(code, message, held.tries + 1))
        delivering.succeeded(ctx, held, "BackupToS3", batch)
        _done(ctx, held, waiting)
    except AwsError as error:  # the backup's bucket
        delivering.log_failure(ctx, held, backup, f"S3.{error.code}", error.message)
        _tried(ctx, held, waiting, _DAY)


@on_boot("firehose")
def resume(world: World) -> None:
    """Wake whoever has something on its way."""
    ctx = Ctx(world, "", "", service_caller("cloudjar.internal", ""))
    with world.state.database.transaction():
        for held in ctx.db.everywhere(Delivery):
            if rows(world).first(held.number) is not None:
                ctx.wake(held, purpose="flush")
            if held.kind == KINESIS:
                ctx.wake(held, purpose=arrivals.PURPOSE)
