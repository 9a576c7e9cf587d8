"""Queue attributes: what may be set to what, and how AWS shows them.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.policy.document import parse
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.services.sqs import errors
from cloudjar.services.sqs.records import PER_GROUP, PER_QUEUE, Queue

_RANGES = {
    "DelaySeconds": ("delay", 0, 900),
    "KmsDataKeyReusePeriodSeconds": ("kms_reuse", 60, 86_400),
    "MaximumMessageSize": ("max_size", 1024, 1 << 20),
    "MessageRetentionPeriod": ("retention", 60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": ("wait", 0, 20),
    "VisibilityTimeout": ("visibility", 0, 43_200),
}
_FLAGS = {"ContentBasedDeduplication": "content_dedup", "SqsManagedSseEnabled": "sse"}
_CHOICES = {
    "DeduplicationScope": ("dedup_scope", (PER_QUEUE, PER_GROUP)),
    "FifoThroughputLimit": ("throughput_limit", ("perQueue", "perMessageGroupId")),
}
_FIFO = frozenset(("ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit"))
_COUNTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_SHOWN: dict[str, Callable[[Queue], str]] = {
    "QueueArn": lambda q: arns.make("sqs", q.region, q.account, q.name),
    "CreatedTimestamp": lambda q: str(q.created),
    "LastModifiedTimestamp": lambda q: str(q.modified),
    "VisibilityTimeout": lambda q: str(q.visibility),
    "MaximumMessageSize": lambda q: str(q.max_size),
    "MessageRetentionPeriod": lambda q: str(q.retention),
    "DelaySeconds": lambda q: str(q.delay),
    "ReceiveMessageWaitTimeSeconds": lambda q: str(q.wait),
    "Policy": lambda q: q.policy,
    "RedrivePolicy": lambda q: q.redrive,
    "RedriveAllowPolicy": lambda q: q.allow,
    "FifoQueue": lambda q: "true" if q.fifo else "",
    "ContentBasedDeduplication": lambda q: _flag(q.content_dedup) if q.fifo else "",
    "DeduplicationScope": lambda q: q.dedup_scope if q.fifo else "",
    "FifoThroughputLimit": lambda q: q.throughput_limit if q.fifo else "",
    "KmsMasterKeyId": lambda q: q.kms_key,
    "KmsDataKeyReusePeriodSeconds": lambda q: str(q.kms_reuse) if q.kms_key else "",
    "SqsManagedSseEnabled": lambda q: _flag(q.sse),
}


def _flag(value: bool) -> str:
    return "true" if value else "false"


def shown(queue: Queue, names: list[str], counts: Callable[[], tuple[int, int, int]]) -> dict[str, str]:
    """The attributes asked for; `counts` is asked only when they are among them."""
    every = "All" in names
    for name in names:
        if name != "All" and name not in _SHOWN and name not in _COUNTED:
            raise errors.unknown_attribute(name)
    found = {name: show(queue) for name, show in _SHOWN.items() if every or name in names}
    if every or any(name in _COUNTED for name in names):
        visible, flying, delayed = counts()
        numbers = dict(zip(_COUNTED, (visible, flying, delayed), strict=True))
        found.update({name: str(number) for name, number in numbers.items() if every or name in names})
    return {name: value for name, value in found.items() if value}


def same(queue: Queue, given: Mapping[str, str]) -> str:
    """The first attribute of a request in which a queue differs; "" when it is as asked for."""
    for name, value in given.items():
        have = _SHOWN[name](queue)
        if name in ("Policy", "RedrivePolicy", "RedriveAllowPolicy"):
            if _data(have) != _data(value) and name != "RedrivePolicy":
                return name
            if name == "RedrivePolicy" and _loose(have) != _loose(value):
                return name
        elif have != value and not (name == "FifoQueue" and not queue.fifo and value == "false"):
            return name
    return ""


def _data(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def _loose(text: str) -> Any:
    data = _data(text)
    return {key: str(value) for key, value in data.items()} if isinstance(data, dict) else data


def changes(ctx: Ctx, queue: Queue, given: Mapping[str, str]) -> dict[str, Any]:
    """The record's fields that a request changes. Raises InvalidAttributeName, InvalidAttributeValue and
    InvalidParameterValue."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in _FIFO and not queue.fifo:
            raise errors.unknown_attribute(name)
        found.update(_one(ctx, queue, name, value))
    _check_encryption(queue, given, found)
    limit = found.get("throughput_limit", queue.throughput_limit)
    if limit == "perMessageGroupId" and found.get("dedup_scope", queue.dedup_scope) != PER_GROUP:
        raise errors.invalid(
            "Value perMessageGroupId for parameter FifoThroughputLimit is invalid. Reason: It may be set only when "
            "DeduplicationScope is set to messageGroup."
        )
    return found


def _one(ctx: Ctx, queue: Queue, name: str, value: str) -> dict[str, Any]:
    if name in _RANGES:
        field, low, high = _RANGES[name]
        if not value.isdecimal() or not value.isascii() or not low <= int(value) <= high:
            raise errors.bad_attribute(name)
        return {field: int(value)}
    if name in _FLAGS:
        if value not in ("true", "false"):
            raise errors.bad_attribute(name)
        return {_FLAGS[name]: value == "true"}
    if name in _CHOICES:
        field, choices = _CHOICES[name]
        if value not in choices:
            raise errors.bad_attribute(name)
        return {field: value}
    if name == "FifoQueue":
        if value != _flag(queue.fifo):
            raise errors.bad_attribute(name)
        return {}
    if name == "KmsMasterKeyId":
        return {"kms_key": value}
    if name == "Policy":
        return {"policy": _policy(value)}
    if name == "RedrivePolicy":
        return _redrive(ctx, queue, value)
    if name == "RedriveAllowPolicy":
        return {"allow": _allow(value)}
    raise errors.unknown_attribute(name)


def _check_encryption(queue: Queue, given: Mapping[str, str], found: dict[str, Any]) -> None:
    """A queue is encrypted in one way."""
    if found.get("kms_key") and found.get("sse") and "SqsManagedSseEnabled" in given:
        raise errors.invalid(
            "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS "
            "SSE."
        )
    if found.get("kms_key"):
        found["sse"] = False
    elif found.get("sse") and queue.kms_key:
        found["kms_key"] = ""


def _policy(text: str) -> str:
    """A queue policy, checked; "" takes it away."""
    if not text:
        return ""
    try:
        parse(text, Flavour.RESOURCE)
    except PolicySyntaxError as error:
        raise errors.bad_attribute("Policy") from error
    statements = _list(json.loads(text)["Statement"])
    actions = [action for statement in statements for action in _list(statement.get("Action"))]
    if any(not str(action).lower().startswith("sqs:") and action != "*" for action in actions):
        raise errors.bad_attribute("Policy")
    return text


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _redrive(ctx: Ctx, queue: Queue, text: str) -> dict[str, Any]:
    """RedrivePolicy: where what is received in vain goes, and after how many times."""
    if not text:
        return {"redrive": "", "dlq_arn": "", "max_receives": 0}

    def wrong(reason: str) -> Exception:
        return errors.bad_value(text, "RedrivePolicy", reason)

    data = _data(text)
    if not isinstance(data, dict):
        raise wrong("Redrive policy is not a valid JSON map.")
    if "maxReceiveCount" not in data:
        raise wrong("Redrive policy does not contain mandatory attribute: maxReceiveCount.")
    if "deadLetterTargetArn" not in data:
        raise wrong("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
    strange = data.keys() - {"maxReceiveCount", "deadLetterTargetArn"}
    if strange:
        raise wrong(f"Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount]. Got {strange}.")
    times = str(data["maxReceiveCount"])
    if not times.isdecimal() or not 1 <= int(times) <= 1000:
        raise wrong(f"Invalid value for maxReceiveCount: {times}, valid values are from 1 to 1000 both inclusive.")
    arn = arns.parse(str(data["deadLetterTargetArn"]))
    if arn is None or arn.service != "sqs" or (arn.account, arn.region) != (queue.account, queue.region):
        raise wrong("Dead letter target does not exist.")
    target = ctx.db.at(arn.account, arn.region)[Queue].get(arn.resource)
    if target is None:
        raise wrong("Dead letter target does not exist.")
    if target.fifo != queue.fifo:
        raise wrong("Dead-letter queue must be same type of queue as the source.")
    if not admits(target, arns.make("sqs", queue.region, queue.account, queue.name)):
        raise wrong("Dead-letter target's redrive allow policy does not allow this source queue.")
    kept = {"deadLetterTargetArn": str(arn), "maxReceiveCount": int(times)}
    return {"redrive": json.dumps(kept, separators=(",", ":")), "dlq_arn": str(arn), "max_receives": int(times)}


def _allow(text: str) -> str:
    """RedriveAllowPolicy: which queues may name this one."""
    if not text:
        return ""
    data = _data(text)
    permission = data.get("redrivePermission") if isinstance(data, dict) else None
    sources = data.get("sourceQueueArns") if isinstance(data, dict) else None
    if permission not in ("allowAll", "denyAll", "byQueue") or (permission == "byQueue") != (sources is not None):
        raise errors.bad_value(text, "RedriveAllowPolicy", "Amazon SQS can't create the redrive allow policy.")
    if sources is not None and (not isinstance(sources, list) or not 1 <= len(sources) <= 10):
        raise errors.bad_value(text, "RedriveAllowPolicy", "sourceQueueArns must name 1 to 10 queues.")
    return text


def admits(target: Queue, source_arn: str) -> bool:
    """Whether a queue lets another one send it what is dead there."""
    data = _data(target.allow)
    if not isinstance(data, dict) or data.get("redrivePermission") == "allowAll":
        return True
    return data.get("redrivePermission") == "byQueue" and source_arn in data["sourceQueueArns"]
