"""Messages on their way to queues, topics and functions: rows of the transaction in which the event happened.

A row goes when its destination has taken it, in one transaction with the taking where the destination is of this jar:
nothing is lost by a crash, and nothing is told twice by one.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from cloudjar.base import arn as arns
from cloudjar.base import caller as callers
from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit import queues
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import Record, record
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.notifications.messages import SERVICE
from cloudjar.services.s3.tables import table_of

_TABLES = (
    "CREATE TABLE IF NOT EXISTS s3_outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, "
    "arn TEXT NOT NULL, born REAL NOT NULL, body BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS s3_outbox_place ON s3_outbox (bucket, arn, id)",
)
_PORT = "s3.outbox"
_PATIENCE = 86400.0
"""Seconds of AWS time for which a destination that takes nothing is tried."""
_BATCH = 32


@record("s3", "message", key="place")
class Messages(Record, frozen=True, kw_only=True):
    """Whose turn it is: ``BUCKET ARN``. Never stored: what waits are the outbox's rows."""

    place: str


class Waiting(NamedTuple):
    """A message and since when it waits."""

    id: int
    born: float
    body: bytes


class Outbox:
    """The rows. Writes are inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._database = world.state.database
        with self._database.lock:
            for statement in _TABLES:
                self._database.execute(statement)

    def add(self, bucket: Bucket, arn: str, message: object) -> None:
        """One message more; its delivery is woken by the commit."""
        self._database.execute(
            "INSERT INTO s3_outbox (bucket, arn, born, body) VALUES (?,?,?,?)",
            (bucket.name, arn, self._world.clock.now().timestamp(), msgspec.json.encode(message)),
        )
        self._world.state.wakes.wake(
            "s3/message", bucket.account, bucket.location, f"{bucket.name} {arn}"
        )

    def waiting(self, bucket: str, arn: str, limit: int = _BATCH) -> list[Waiting]:
        """The oldest ones."""
        rows = self._database.query(
            "SELECT id, born, body FROM s3_outbox WHERE bucket=? AND arn=? ORDER BY id LIMIT ?", (bucket, arn, limit)
        )
        return [Waiting(*row) for row in rows]

    def done(self, message: Waiting) -> None:
        """It was taken, or is given up."""
        self._database.execute("DELETE FROM s3_outbox WHERE id=?", (message.id,))


def outbox(world: World) -> Outbox:
    """The outbox of a running jar."""
    return table_of(world, _PORT, Outbox)


@reconciler(Messages)
def deliver(step: Step, place: Messages | None) -> None:
    """Tell one destination what waits for it, in order. What it does not take is tried again, for a day."""
    bucket, _, arn = step.key.partition(" ")
    held = outbox(step.world)
    while True:
        batch = held.waiting(bucket, arn)
        if not batch:
            return
        for message in batch:
            _deliver(step, held, bucket, arn, message)


def _deliver(step: Step, held: Outbox, bucket: str, arn: str, message: Waiting) -> None:
    database = step.world.state.database
    try:
        with database.transaction():
            send(step.ctx, bucket, arn, message.body.decode())
            held.done(message)
    except AwsError as error:
        if step.ctx.now.timestamp() - message.born < _PATIENCE:
            raise PlaneError(f"{arn} did not take an event of {bucket}: {error}") from error
        with database.transaction():
            held.done(message)


def send(ctx: Ctx, bucket: str, arn: str, body: str) -> None:
    """Hand a message to a destination as S3 itself, for the bucket. Raises what the destination answers."""
    target = arns.parse(arn)
    assert target is not None, arn
    caller = callers.service(SERVICE, ctx.account, f"arn:aws:s3:::{bucket}")
    there = ctx.at(ctx.account, target.region)
    if target.service == "sqs":
        url = queues.url_of(target)
        there.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": body}, caller=caller)
    elif target.service == "sns":
        told = {"TopicArn": arn, "Subject": "Amazon S3 Notification", "Message": body}
        there.call("sns", "Publish", told, caller=caller)
    else:
        invoked = {"FunctionName": arn, "InvocationType": "Event", "Payload": body.encode()}
        there.call("lambda", "Invoke", invoked, caller=caller)
