"""What a pipe may be like.

https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_CreatePipe.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import not_implemented
from cloudjar.kit import event_inputs, event_paths, event_patterns
from cloudjar.kit.context import Ctx
from cloudjar.kit.event_json import PlaceError
from cloudjar.kit.event_paths import PathError
from cloudjar.kit.event_patterns import PatternError
from cloudjar.services.pipes import errors

PRINCIPAL = "pipes.amazonaws.com"
SOURCES = {"sqs": "SqsQueueParameters", "kinesis": "KinesisStreamParameters"}
MOST = {"events": 10, "firehose": 500, "kinesis": 500, "logs": 10_000, "sns": 10, "sqs": 10}
"""The targets that there are, and how many events each takes at once."""
_OTHER_SOURCES = ("dynamodb", "kafka", "mq")
_OTHER_TARGETS = ("batch", "ecs", "execute-api", "inspector", "lambda", "redshift", "redshift-serverless", "sagemaker",
                  "states", "timestream")  # fmt: skip
_OWN = {
    "CloudWatchLogsParameters": "logs",
    "EventBridgeEventBusParameters": "events",
    "KinesisStreamParameters": "kinesis",
    "SqsQueueParameters": "sqs",
}
_ABSENT = ("Enrichment", "EnrichmentParameters", "KmsKeyIdentifier", "LogConfiguration")
RESERVED = ("aws.pipes.pipe-arn", "aws.pipes.pipe-name", "aws.pipes.target-arn", "aws.pipes.source-arn",
            "aws.pipes.event.ingestion-time", "aws.pipes.event", "aws.pipes.event.json")  # fmt: skip
Params = dict[str, Any]


def check_built(req: Params) -> None:
    """Refuse (501) what is not built."""
    for member in _ABSENT:
        if req.get(member):
            raise not_implemented("pipes", f"a pipe's {member}")


def check_source(ctx: Ctx, text: str) -> arns.Arn:
    """The source's ARN; raises ValidationException, or 501 for those that are not built."""
    if text.startswith("smk://"):
        raise not_implemented("pipes", "a source of self managed Kafka")
    arn = arns.parse(text)
    if arn is not None and arn.service in _OTHER_SOURCES:
        raise not_implemented("pipes", f"a source of {arn.service}")
    if arn is None or arn.service not in SOURCES:
        raise errors.invalid(f"Source {text} is not a supported source.")
    if (arn.account, arn.region) != (ctx.account, ctx.region):
        raise errors.invalid("The source must be in the same account and Region as the pipe.")
    return arn


def check_target(text: str, params: Params) -> None:
    """The target and its parameters; raises ValidationException, or 501 for those that are not built."""
    arn = arns.parse(text)
    if arn is not None and (arn.service in _OTHER_TARGETS or arn.type == "api-destination"):
        raise not_implemented("pipes", f"a target of {arn.service}")
    if arn is None or arn.service not in MOST or (arn.service == "events" and arn.type != "event-bus"):
        raise errors.invalid(f"Target {text} is not a supported target.")
    for member, given in params.items():
        if member.endswith("Parameters") and given and _OWN.get(member) != arn.service:
            raise errors.invalid(f"{member} is not supported for target {text}.")
    own = params.get("SqsQueueParameters") or {}
    if arn.service == "sqs" and text.endswith(".fifo") and not own.get("MessageGroupId"):
        raise errors.invalid(f"MessageGroupId must be provided for target {text}.")
    if arn.service == "kinesis" and not params.get("KinesisStreamParameters"):
        raise errors.invalid(f"KinesisStreamParameters must be provided for target {text}.")
    if (params.get("EventBridgeEventBusParameters") or {}).get("EndpointId"):
        raise not_implemented("pipes", "a target's EndpointId")
    _check_template(params.get("InputTemplate") or "")


def _check_template(template: str) -> None:
    if not template:
        return
    try:
        event_inputs.check(template)
        for name in event_inputs.names(template):
            if name not in RESERVED:
                event_paths.parsed(name)
    except (PlaceError, PathError) as error:
        raise errors.invalid(f"InputTemplate for target is invalid. {error}") from None


def source_params(source: arns.Arn, target: str, given: Params, before: Params | None = None) -> Params:
    """The source's parameters as they are kept. `before` are those of a pipe that is updated: where it begins to read
    stays as it is. Raises ValidationException."""
    own = SOURCES[source.service]
    for member, told in given.items():
        if member.endswith("Parameters") and told and member != own:
            raise errors.invalid(f"{member} is not supported for source {source}.")
    for one in (given.get("FilterCriteria") or {}).get("Filters") or ():
        _check_pattern(one.get("Pattern") or "")
    told = dict(given.get(own) or {})
    if before is not None and own not in given:
        told = dict(before[own])
    goes = arns.parse(target)
    assert goes is not None
    most = MOST[goes.service]
    if source.service == "sqs":
        told = _queue(source, told, most)
    else:
        told = _stream(told, (before or {}).get(own), most)
    if told["BatchSize"] > most:
        raise errors.invalid(f"BatchSize must be less than or equal to {most} for target {target}.")
    kept: Params = {own: told}
    filters = given.get("FilterCriteria") if "FilterCriteria" in given else (before or {}).get("FilterCriteria")
    if filters and filters.get("Filters"):
        kept["FilterCriteria"] = filters
    return kept


def _check_pattern(pattern: str) -> None:
    try:
        event_patterns.read(pattern)
    except PatternError as error:
        raise errors.invalid(f"Invalid filter pattern. {error}") from None


def _queue(source: arns.Arn, told: Params, most: int) -> Params:
    size, window = told.get("BatchSize") or min(10, most), told.get("MaximumBatchingWindowInSeconds") or 0
    if source.resource.endswith(".fifo"):
        if size > 10:
            raise errors.invalid("BatchSize must be less than or equal to 10 for a FIFO queue.")
        if window:
            raise errors.invalid("MaximumBatchingWindowInSeconds is not supported for a FIFO queue.")
    elif size > 10 and not window:
        raise errors.invalid("MaximumBatchingWindowInSeconds must be at least 1 when BatchSize is greater than 10.")
    return {"BatchSize": size, "MaximumBatchingWindowInSeconds": window}


def _stream(told: Params, before: Params | None, most: int) -> Params:
    if before is not None:
        told = {**told, **{k: v for k, v in before.items() if k.startswith("StartingPosition")}}
    start = told.get("StartingPosition")
    if not start:
        raise errors.invalid("StartingPosition must be provided for a Kinesis stream.")
    if (start == "AT_TIMESTAMP") != (told.get("StartingPositionTimestamp") is not None):
        raise errors.invalid("StartingPositionTimestamp must be provided only with the StartingPosition AT_TIMESTAMP.")
    letters = arns.parse((told.get("DeadLetterConfig") or {}).get("Arn") or "")
    if told.get("DeadLetterConfig") and (letters is None or letters.service not in ("sqs", "sns")):
        raise errors.invalid("DeadLetterConfig must name an Amazon SQS queue or an Amazon SNS topic.")
    defaults = {
        "BatchSize": min(100, most),
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
    }
    kept = {**defaults, **{name: value for name, value in told.items() if value is not None}}
    stamp = kept.get("StartingPositionTimestamp")
    if isinstance(stamp, datetime):
        kept["StartingPositionTimestamp"] = stamp.timestamp()
    return kept
