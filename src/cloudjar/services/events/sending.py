"""How each kind of target is given an event: a call of its service, under the target's role or as EventBridge itself.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base import caller as callers
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError, not_implemented
from cloudjar.kit import event_paths, target_calls
from cloudjar.kit.context import Ctx
from cloudjar.kit.target_calls import Made
from cloudjar.services.events import bill, finding, passing
from cloudjar.services.events.outbox import Kept
from cloudjar.services.events.records import Rule

PRINCIPAL = "events.amazonaws.com"
_MOST_HOPS = 50
_STREAMS = "events.streams"
_MOST_STREAMS = 1000


class Sent(NamedTuple):
    """One event on its way to one target; `body` is what the target gets."""

    rule: Rule
    target: dict[str, Any]
    arn: arns.Arn
    kept: Kept
    event: dict[str, Any]
    body: str


def itself(rule: Rule) -> Caller:
    """EventBridge, for a rule."""
    return callers.service(PRINCIPAL, rule.account, rule.arn)


def acting(ctx: Ctx, rule: Rule, role: str) -> Caller:
    """A session of a target's role; it is used as long as it lasts, so that not every event is a call of STS."""
    return target_calls.acting(ctx, role, service=PRINCIPAL, item=rule.arn)


def _caller(ctx: Ctx, sent: Sent) -> Caller:
    role = sent.target.get("RoleArn")
    return acting(ctx, sent.rule, role) if role else itself(sent.rule)


def _call(ctx: Ctx, sent: Sent, service: str, operation: str, params: dict[str, Any], caller: Caller) -> None:
    ctx.at(sent.rule.account, sent.arn.region or ctx.region).call(service, operation, params, caller=caller)


def _ask(ctx: Ctx, sent: Sent, made: Made) -> None:
    service, operation, params = made
    _call(ctx, sent, service, operation, params, _caller(ctx, sent))


def _queue(ctx: Ctx, sent: Sent) -> None:
    group = (sent.target.get("SqsParameters") or {}).get("MessageGroupId")
    _ask(ctx, sent, target_calls.queue(sent.arn, sent.body, group or ""))


def _log(ctx: Ctx, sent: Sent) -> None:
    """A target has a stream for each hour. What a transformer makes may say the time and the message."""
    group = sent.arn.resource.removeprefix("log-group:").partition(":")[0]
    at, message = int(sent.kept.received * 1000), sent.body
    made = _object(sent.body)
    if set(made) == {"timestamp", "message"} and isinstance(made["timestamp"], int):
        at, message = made["timestamp"], str(made["message"])
    who = _caller(ctx, sent)
    stream = _log_stream(ctx, sent, group, who)
    entry = {"timestamp": at, "message": message}
    try:
        _call(ctx, sent, "logs", "PutLogEvents", {**stream, "logEvents": [entry]}, who)
    except AwsError:
        ctx.world.ports.pop(_STREAMS, None)  # perhaps somebody deleted it
        raise


def _log_stream(ctx: Ctx, sent: Sent, group: str, who: Caller) -> dict[str, Any]:
    """The stream of this hour; it is made when it is not known to be there."""
    known: set[str] = ctx.world.ports.setdefault(_STREAMS, set())
    mark = sha256(f"{sent.rule.arn} {sent.target['Id']}".encode()).hexdigest()[:32]
    stream = {"logGroupName": group, "logStreamName": f"{ctx.now:%Y/%m/%d/%H}/{mark}"}
    name = f"{sent.arn} {stream['logStreamName']}"
    if name in known:
        return stream
    try:
        _call(ctx, sent, "logs", "CreateLogStream", stream, who)
    except AwsError as error:
        if error.code != "ResourceAlreadyExistsException":
            raise
    if len(known) >= _MOST_STREAMS:
        known.clear()
    known.add(name)
    ctx.world.state.database.on_rollback(lambda: known.discard(name))
    return stream


def _stream(ctx: Ctx, sent: Sent) -> None:
    path = (sent.target.get("KinesisParameters") or {}).get("PartitionKeyPath")
    found = event_paths.at(sent.event, path) if path else event_paths.ABSENT
    key = found if isinstance(found, str) and found else str(sent.event["id"])
    _ask(ctx, sent, target_calls.stream(sent.arn, sent.body, key))


def _task(ctx: Ctx, sent: Sent) -> None:
    """A task in a cluster; what the target gets are its overrides."""
    given = sent.target["EcsParameters"]
    lower = {name[0].lower() + name[1:]: value for name, value in given.items()}
    params = {name: value for name, value in lower.items() if name not in ("taskDefinitionArn", "taskCount")}
    if "networkConfiguration" in params:
        inner = params["networkConfiguration"]["awsvpcConfiguration"]
        params["networkConfiguration"] = {
            "awsvpcConfiguration": {name[0].lower() + name[1:]: value for name, value in inner.items()}
        }
    params.update(cluster=str(sent.arn), taskDefinition=given["TaskDefinitionArn"], count=given.get("TaskCount") or 1)
    overrides = _object(sent.body)
    if "containerOverrides" in overrides:
        params["overrides"] = overrides
    _call(ctx, sent, "ecs", "RunTask", params, _caller(ctx, sent))


def _object(text: str) -> dict[str, Any]:
    try:
        made = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return made if isinstance(made, dict) else {}


def _command(ctx: Ctx, sent: Sent) -> None:
    """A document on instances; what the target gets are its parameters."""
    chosen = sent.target["RunCommandParameters"]["RunCommandTargets"]
    given = _object(sent.body)
    params: dict[str, Any] = {
        "DocumentName": sent.arn.name if not sent.arn.account else str(sent.arn),
        "Targets": [{"Key": one["Key"], "Values": one["Values"]} for one in chosen],
    }
    parameters = {name: value for name, value in given.items() if isinstance(value, list)}
    if parameters and parameters == given:
        params["Parameters"] = parameters
    _call(ctx, sent, "ssm", "SendCommand", params, _caller(ctx, sent))


_ACTIONS = {
    "reboot-instance": ("RebootInstances", "InstanceIds"),
    "stop-instance": ("StopInstances", "InstanceIds"),
    "terminate-instance": ("TerminateInstances", "InstanceIds"),
    "create-snapshot": ("CreateSnapshot", "VolumeId"),
}


def _action(ctx: Ctx, sent: Sent) -> None:
    """What EventBridge does in EC2 by itself; what the target gets is the id of what it is done to."""
    known = _ACTIONS.get(sent.arn.name)
    if known is None:
        raise not_implemented("events", f"target {sent.arn.name}")
    try:
        thing = json.loads(sent.body)
    except ValueError:
        thing = None
    if not isinstance(thing, str):
        raise AwsError("InvalidParameterValue", "The input of the target must be the id of what it acts on.", 400)
    operation, member = known
    params = {member: [thing] if member.endswith("s") else thing}
    _call(ctx, sent, "ec2", operation, params, _caller(ctx, sent))


def _bus(ctx: Ctx, sent: Sent) -> None:
    """The event itself, on another bus; what crossed accounts or Regions does not cross to a third."""
    rule, arn = sent.rule, sent.arn
    places = {*sent.kept.hops, (rule.account, rule.region), (arn.account, arn.region)}
    if len({account for account, _ in places}) > 2:
        raise AwsError("THIRD_ACCOUNT_HOP_DETECTED", "Events are not sent on to a third account.", 400)
    if len({region for _, region in places}) > 2:
        raise AwsError("THIRD_REGION_HOP_DETECTED", "Events are not sent on to a third Region.", 400)
    if len(sent.kept.hops) > _MOST_HOPS:
        raise AwsError("FAILURE_CODE_UNSPECIFIED", "The event goes round in a circle of buses.", 400)
    role = sent.target.get("RoleArn")
    who = acting(ctx, rule, role) if role else callers.root(rule.account)
    if finding.bus_at(ctx, arn) is None:
        raise AwsError("ResourceNotFoundException", f"Event bus {arn.name} does not exist.", 400)
    with passing.passing(ctx.world, sent.kept) as name:
        entry = {
            "EventBusName": str(arn),
            "Source": sent.event["source"],
            "DetailType": sent.event["detail-type"],
            "Detail": "{}",
            "TraceHeader": name,
        }
        _call(ctx, sent, "events", "PutEvents", {"Entries": [entry]}, who)
    if arn.account != rule.account:
        bill.put(ctx.world, rule.account, rule.region, rule.bus, len(sent.kept.event.encode()))


Send = Callable[[Ctx, Sent], None]
SENDERS: dict[str, Send] = {
    "ecs": _task,
    "event-bus": _bus,
    "firehose": lambda ctx, sent: _ask(ctx, sent, target_calls.delivery_stream(sent.arn, sent.body)),
    "kinesis": _stream,
    "lambda": lambda ctx, sent: _ask(ctx, sent, target_calls.function(sent.arn, sent.body)),
    "logs": _log,
    "sns": lambda ctx, sent: _ask(ctx, sent, target_calls.topic(sent.arn, sent.body)),
    "sqs": _queue,
    "ssm": _command,
    "states": lambda ctx, sent: _ask(ctx, sent, target_calls.state_machine(sent.arn, sent.body)),
    "target": _action,
}
TOGETHER = frozenset(("event-bus", "logs", "sns", "sqs"))
"""Kinds that are given an event in the transaction that forgets it."""


_NOUNS = {"sqs": "queue", "sns": "topic"}


def kind_of(arn: arns.Arn) -> str:
    """What kind of target an ARN is."""
    return arn.type if arn.service == "events" else arn.service


def send(ctx: Ctx, sent: Sent) -> None:
    """Give an event to a target; raises the `AwsError` of why not."""
    kind = kind_of(sent.arn)
    sender = SENDERS.get(kind)
    if sender is None:
        raise not_implemented("events", f"{kind} target")
    try:
        sender(ctx, sent)
    except AwsError as error:
        noun = _NOUNS.get(kind)
        there = ctx.at(sent.arn.account, sent.arn.region)
        if noun is None or error.is_server_fault or there.find(kind, noun, sent.arn.resource) is not None:
            raise
        # Nobody may do anything with what is not there; who is told why should hear that.
        raise AwsError("ResourceNotFoundException", f"{sent.arn} does not exist.", 400) from error
