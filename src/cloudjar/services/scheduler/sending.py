"""How a target is called: as the schedule's role.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError, not_implemented
from cloudjar.kit import event_inputs, target_calls
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.target_calls import Made
from cloudjar.services.scheduler import targets, universal
from cloudjar.services.scheduler.invocations import Invocation
from cloudjar.services.scheduler.records import Schedule

_ISO = "%Y-%m-%dT%H:%M:%SZ"


class Sent(NamedTuple):
    """One call of a target; `body` is what it gets."""

    schedule: Schedule
    invocation: Invocation
    arn: arns.Arn
    body: str


def acting(ctx: Ctx, schedule: Schedule) -> Caller:
    """A session of the schedule's role."""
    return target_calls.acting(
        ctx, schedule.target["RoleArn"], service=targets.PRINCIPAL, item=schedule.arn, source=schedule.group_arn
    )


def scheduled_time(invocation: Invocation) -> str:
    """The time of the schedule that an invocation is for."""
    return datetime.fromtimestamp(invocation.scheduled, UTC).strftime(_ISO)


def body(schedule: Schedule, invocation: Invocation) -> str:
    """What the target gets: its input with the context's attributes, or a notification."""
    given = schedule.target.get("Input")
    if not given:
        return _notification(schedule, invocation)
    if "<aws.scheduler." not in given:
        return str(given)
    for name, value in (
        ("schedule-arn", schedule.arn),
        ("scheduled-time", scheduled_time(invocation)),
        ("execution-id", invocation.id),
        ("attempt-number", str(invocation.tries + 1)),
    ):
        given = given.replace(f"<aws.scheduler.{name}>", value)
    return str(given)


def _notification(schedule: Schedule, invocation: Invocation) -> str:
    return event_inputs.dumped(
        {
            "version": "0",
            "id": invocation.id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": schedule.account,
            "time": scheduled_time(invocation),
            "region": schedule.region,
            "resources": [schedule.arn],
            "detail": "{}",
        }
    )


def _queue(sent: Sent) -> Made:
    group = (sent.schedule.target.get("SqsParameters") or {}).get("MessageGroupId")
    return target_calls.queue(sent.arn, sent.body, group or "")


def _bus(sent: Sent) -> Made:
    given = sent.schedule.target["EventBridgeParameters"]
    entry = {
        "EventBusName": str(sent.arn),
        "Source": given["Source"],
        "DetailType": given["DetailType"],
        "Detail": sent.body,
        "Resources": [sent.schedule.arn],
    }
    return "events", "PutEvents", {"Entries": [entry]}


def _stream(sent: Sent) -> Made:
    return target_calls.stream(sent.arn, sent.body, sent.schedule.target["KinesisParameters"]["PartitionKey"])


_TEMPLATED: dict[str, Callable[[Sent], Made]] = {
    "events": _bus,
    "firehose": lambda sent: target_calls.delivery_stream(sent.arn, sent.body),
    "kinesis": _stream,
    "lambda": lambda sent: target_calls.function(sent.arn, sent.body),
    "sns": lambda sent: target_calls.topic(sent.arn, sent.body),
    "sqs": _queue,
    "states": lambda sent: target_calls.state_machine(sent.arn, sent.body),
}
_PORT, _REMEMBERED = "scheduler.made", 20_000
TOGETHER = frozenset(("events", "sns", "sqs"))
"""Services that are called in the transaction that forgets the invocation."""


def same(world: World, schedule: Schedule, invocation: Invocation) -> Made:
    """As `made`, of a stored schedule; what is the same for each of its times is worked out once."""
    if "<aws.scheduler." in (schedule.target.get("Input") or "<aws.scheduler."):
        return made(schedule, invocation)
    held: dict[str, tuple[Schedule, Made]] = world.ports.setdefault(_PORT, {})
    known = held.get(invocation.place)
    if known is None or known[0] is not schedule:
        if len(held) >= _REMEMBERED:
            held.clear()
        known = held[invocation.place] = (schedule, made(schedule, invocation))
    return known[1]


def made(schedule: Schedule, invocation: Invocation) -> Made:
    """The call to be made; raises the `AwsError` of why there is none."""
    text = body(schedule, invocation)
    target = schedule.target["Arn"]
    if target.startswith(universal.PREFIX):
        service, operation = universal.named(target)
        return service, operation, universal.params(service, operation, _object(schedule, text))
    arn = arns.parse(target)
    assert arn is not None  # CreateSchedule takes no other
    form = _TEMPLATED.get(arn.service)
    if form is None:
        raise not_implemented("scheduler", f"{arn.service} target")
    return form(Sent(schedule, invocation, arn, text))


def _object(schedule: Schedule, text: str) -> Any:
    if not schedule.target.get("Input"):
        return {}
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise AwsError("ValidationException", "The input of the target is not JSON.", 400) from None


def call(ctx: Ctx, schedule: Schedule, made: Made) -> None:
    """Call a target; raises the `AwsError` of why not."""
    service, operation, params = made
    arn = arns.parse(schedule.target["Arn"])
    region = (arn.region if arn is not None else "") or schedule.region
    answer = ctx.at(schedule.account, region).call(service, operation, params, caller=acting(ctx, schedule))
    if operation == "PutEvents" and answer.get("FailedEntryCount"):
        entry = answer["Entries"][0]
        raise AwsError(entry.get("ErrorCode") or "InternalFailure", entry.get("ErrorMessage") or "", 400)
