"""Targets that EventBridge and its kin call: how each is asked, as whom, how often, and what becomes of the rest.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from cloudjar.base.arn import Arn
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import queues
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.wakes import Alone

Made = tuple[str, str, dict[str, Any]]
"""A service (as botocore calls it), its operation and the input."""
ATTEMPTS, AGE = 185, 86_400
"""How often a call is tried again, and for how many seconds, where its target does not say."""
LONGEST = 480.0
_PORT, _REMEMBERED = "target_calls.sessions", 1024
_THROTTLED = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "ProvisionedThroughputExceeded", "LimitExceeded")


# -- as whom


def acting(ctx: Ctx, role: str, *, service: str, item: str, source: str = "") -> Caller:
    """A session of the role that a rule, a schedule or a pipe (`item`, its ARN) has for its target; `source` is what
    the role's trust policy sees as ``aws:SourceArn``, else the item. A session is used as long as it lasts and nothing
    of IAM changes."""
    held, place = _sessions(ctx.world), (ctx.account, ctx.region, role, service, source or item)
    known, changes = held.by_place.get(place), held.changes
    if known is not None and known.expires is not None and known.expires > ctx.now:
        return known
    name = sha256((source or item).encode()).hexdigest()[:32]
    made = ctx.as_role(role, service=service, source_arn=source or item, session_name=name)
    if held.changes == changes:
        if len(held.by_place) >= _REMEMBERED:
            held.by_place.clear()
        held.by_place[place] = made
    return made


class _Sessions:
    """The sessions of roles that are in use."""

    def __init__(self, world: World) -> None:
        self.by_place: dict[tuple[str, ...], Caller] = {}
        self.changes = 0
        for prefix in ("account", "iam"):
            world.state.watchers.setdefault(prefix, []).append(self._forget)

    def _forget(self) -> None:
        self.changes += 1
        self.by_place.clear()


def _sessions(world: World) -> _Sessions:
    held: _Sessions | None = world.ports.get(_PORT)
    if held is None:
        held = world.ports[_PORT] = _Sessions(world)
    return held


# -- what is asked


def queue(arn: Arn, body: str, group: str = "") -> Made:
    """A message in a queue."""
    params: dict[str, Any] = {"QueueUrl": queues.url_of(arn), "MessageBody": body}
    if group:
        params["MessageGroupId"] = group
    return "sqs", "SendMessage", params


def topic(arn: Arn, body: str) -> Made:
    """A message of a topic."""
    return "sns", "Publish", {"TopicArn": str(arn), "Message": body}


def stream(arn: Arn, body: str, key: str) -> Made:
    """A record in a data stream, under a partition key."""
    return "kinesis", "PutRecord", {"StreamARN": str(arn), "Data": body.encode(), "PartitionKey": key}


def delivery_stream(arn: Arn, body: str) -> Made:
    """A record for a delivery stream."""
    return "firehose", "PutRecord", {"DeliveryStreamName": arn.name, "Record": {"Data": body.encode()}}


def function(arn: Arn, body: str) -> Made:
    """A function is called, and not waited for."""
    return "lambda", "Invoke", {"FunctionName": str(arn), "InvocationType": "Event", "Payload": body.encode()}


def state_machine(arn: Arn, body: str) -> Made:
    """An execution of a state machine."""
    return "stepfunctions", "StartExecution", {"stateMachineArn": str(arn), "input": body}


# -- how often


class Retries(NamedTuple):
    """How often a call is tried again, and until it is so many seconds old."""

    attempts: int = ATTEMPTS
    age: int = AGE

    @classmethod
    def of(cls, policy: Mapping[str, Any] | None) -> Retries:
        """A target's ``RetryPolicy``."""
        given = policy or {}
        attempts = given.get("MaximumRetryAttempts")
        return cls(ATTEMPTS if attempts is None else attempts, given.get("MaximumEventAgeInSeconds") or AGE)

    def exhausted(self, tries: int, age: float) -> tuple[str, ...]:
        """What, after so many failures, forbids to try once more at that age, as dead letters say it; nothing when it
        may be tried."""
        over = {"MaximumRetryAttempts": tries > self.attempts, "MaximumEventAgeInSeconds": age > self.age}
        return tuple(name for name, is_over in over.items() if is_over)


def pause(tries: int, longest: float = LONGEST) -> float:
    """Seconds until the next attempt after so many: longer and longer, so that the most there may be take a day."""
    return min(2.0 ** min(tries, 16), longest)


def is_throttled(error: AwsError) -> bool:
    """Whether a target only had too much to do."""
    return any(word in error.code for word in _THROTTLED)


# -- how it ended


def attempt(
    world: World,
    call: Callable[[], None],
    succeeded: Callable[[], None],
    failed: Callable[[AwsError], None],
    *,
    together: bool,
) -> None:
    """Make a call and write down how it ended, in a transaction: `together` in that of the call itself, so that it is
    made once; else afterwards, and after a crash it may be made again."""
    transaction = world.state.database.transaction
    if not together and world.state.database.in_transaction:
        raise Alone
    try:
        if together:
            with transaction():
                call()
                succeeded()
            return
        call()
    except AwsError as error:
        with transaction():
            failed(error)
    else:
        with transaction():
            succeeded()


def bury(
    ctx: Ctx,
    arn: Arn,
    body: str,
    *,
    caller: Caller,
    told: Mapping[str, str] | None = None,
    numbers: tuple[str, ...] = (),
) -> None:
    """Put what is given up into a dead-letter queue, or tell a topic of it; `told` are the message's attributes, of
    which `numbers` are numbers. Raises what SQS or SNS answers."""
    service, operation, params = topic(arn, body) if arn.service == "sns" else queue(arn, body)
    if told:
        params["MessageAttributes"] = {
            name: {"DataType": "Number" if name in numbers else "String", "StringValue": value or "-"}
            for name, value in told.items()
        }
    ctx.at(ctx.account, arn.region).call(service, operation, params, caller=caller)
