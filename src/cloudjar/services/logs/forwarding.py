"""Subscriptions at work: events that match go on, as gzip of JSON, to a stream, a function or another account.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from hashlib import md5
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.metrics import Metric
from cloudjar.services.logs import tokens
from cloudjar.services.logs.outbox import Sent, outbox
from cloudjar.services.logs.patterns.filter import compiled
from cloudjar.services.logs.patterns.scanner import TooSlow
from cloudjar.services.logs.records import STANDARD, Destination, LogGroup, SubscriptionFilter

PRINCIPAL = "logs.amazonaws.com"
KINDS = {"kinesis": "Kinesis", "firehose": "Firehose", "lambda": "Lambda", "logs": "Destination"}
"""What events may be sent to, as metrics call it."""
_GIVEN_UP = timedelta(hours=24)
_MOST_WAIT = 300
_DELIVER, _RETRY = "deliver", "retry"
_THROTTLED = frozenset(("ProvisionedThroughputExceededException", "ThrottlingException", "LimitExceededException",
                        "TooManyRequestsException", "ServiceUnavailableException"))  # fmt: skip
_SESSION = "CloudWatchLogs"


class Way(NamedTuple):
    """Where a subscription leads: an ARN in an account, and the role under which it is written to."""

    target: str
    role: str
    account: str


def way(ctx: Ctx, destination: str, role: str) -> Way:
    """Where an ARN leads; through a destination, to its owner's stream. Raises ResourceNotFoundException."""
    parsed = arns.parse(destination)
    if parsed is None or parsed.service != "logs":
        return Way(destination, role, ctx.account)
    name = parsed.resource.removeprefix("destination:")
    found = ctx.at(parsed.account, parsed.region).db[Destination].need(name)
    return Way(found.target, found.role, found.account)


# -- what comes in
def offer(ctx: Ctx, group: LogGroup, stream: str, events: Sequence[tuple[int, bytes]], last: int) -> None:
    """Have a batch's events sent to who wants them, in the batch's transaction. `last` is the number of its last event
    in the group."""
    if group.group_class != STANDARD:
        return
    begin = last - len(events) + 1
    for one in ctx.db[SubscriptionFilter].all(group=group.name):
        wanted = [
            (tokens.event_id(group.number, (time, begin + index)), time, message)
            for index, (time, raw) in enumerate(events)
            if _matches(one.pattern, message := raw.decode())
        ]
        if wanted:
            outbox(ctx.world).add(one.number, stream, wanted, ctx.now.timestamp())
            ctx.wake(one, purpose=_DELIVER)


def _matches(pattern: str, message: str) -> bool:
    try:
        return compiled(pattern).match(message) is not None
    except TooSlow:
        return False


# -- what goes out
def payload(owner: str, group: str, stream: str, names: Iterable[str], events: Sequence[Sent], kind: str) -> bytes:
    """What is sent, compressed."""
    said = {
        "messageType": kind,
        "owner": owner,
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": list(names),
        "logEvents": [{"id": key, "timestamp": time, "message": message} for key, time, message in events],
    }
    return gzip.compress(json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode(), mtime=0)


def probe(ctx: Ctx, to: Way, group: LogGroup) -> None:
    """Send the message that tries a way out. Raises what the target answers."""
    kind = KINDS.get(to.target.split(":")[2], "")
    words = f"CWL CONTROL MESSAGE: Checking health of destination {kind}."
    events = [("", int(ctx.now.timestamp() * 1000), words)]
    data = payload("CloudwatchLogs", "", "", (), events, "CONTROL_MESSAGE")
    send(ctx, to, group, data, ids.uuid4())


def send(ctx: Ctx, to: Way, group: LogGroup, data: bytes, key: str) -> None:
    """Send one payload. Raises what the target answers."""
    parsed = arns.parse(to.target)
    if parsed is None:
        raise AwsError("InvalidParameterException", f"{to.target} is no ARN")
    there = ctx.at(to.account, parsed.region)
    if parsed.service == "lambda":
        function = json.dumps({"awslogs": {"data": base64.b64encode(data).decode()}}).encode()
        who = callers.service(f"logs.{group.region}.amazonaws.com", group.account, group.public_arn)
        asked: dict[str, Any] = {"FunctionName": to.target, "InvocationType": "Event", "Payload": function}
        there.call("lambda", "Invoke", asked, caller=who)
        return
    who = _as_role(there, to.role, group)
    if parsed.service == "firehose":
        name = parsed.resource.removeprefix("deliverystream/")
        there.call("firehose", "PutRecord", {"DeliveryStreamName": name, "Record": {"Data": data}}, caller=who)
    else:
        there.call("kinesis", "PutRecord", {"StreamARN": to.target, "Data": data, "PartitionKey": key}, caller=who)


def _as_role(ctx: Ctx, role: str, group: LogGroup) -> Caller:
    """The role's session; its trust may name the service with its Region, as it was once."""
    try:
        return ctx.as_role(role, service=PRINCIPAL, source_arn=group.public_arn, session_name=_SESSION)
    except AwsError:
        principal = f"logs.{ctx.region}.amazonaws.com"
        return ctx.as_role(role, service=principal, source_arn=group.public_arn, session_name=_SESSION)


@reconciler(SubscriptionFilter)
def converge(step: Step, one: SubscriptionFilter | None) -> None:
    """Send what waits, in order; what cannot be sent is tried again for a day."""
    if one is None:
        return
    box, database, now = outbox(step.world), step.world.state.database, step.world.clock.now()
    group = step.db[LogGroup].get(one.group)
    with database.transaction():
        box.expire(one.number, (now - _GIVEN_UP).timestamp())
    while group is not None and (found := box.first(one.number)) is not None:
        number, tries, batch = found
        data = payload(one.account, one.group, batch.stream, (one.name,), batch.events, "DATA_MESSAGE")
        key = ids.uuid4() if one.distribution == "Random" else md5(batch.stream.encode()).hexdigest()
        try:
            send(step.ctx, way(step.ctx, one.destination, one.role), group, data, key)
        except AwsError as error:
            with database.transaction():
                box.failed(number)
                _measured(step, one, "DeliveryThrottling" if error.code in _THROTTLED else "DeliveryErrors", 1, "None")
            step.again(_RETRY, now + timedelta(seconds=min(2**tries, _MOST_WAIT)))
            return
        with database.transaction():
            box.done(number)
            _measured(step, one, "ForwardedBytes", len(data), "Bytes")
            _measured(step, one, "ForwardedLogEvents", len(batch.events), "None")


def _measured(step: Step, one: SubscriptionFilter, name: str, amount: float, unit: str) -> None:
    parsed = arns.parse(one.destination)
    kind = KINDS.get(parsed.service, "") if parsed is not None else ""
    whole = (("DestinationType", kind), ("FilterName", one.name), ("LogGroupName", one.group))
    for dimensions in (whole, whole[2:]):
        metric = Metric("AWS/Logs", name, dimensions)
        point = metrics.value(step.world.clock.now(), amount, unit)
        metrics.put(step.world, one.account, one.region, metric, [point])
