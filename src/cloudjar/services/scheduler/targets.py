"""What a schedule's target may be like.

https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Target.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
"""

from __future__ import annotations

import json
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError, not_implemented
from cloudjar.kit.context import Ctx
from cloudjar.kit.target_calls import Retries
from cloudjar.services.scheduler import errors, universal

PRINCIPAL = "scheduler.amazonaws.com"
TEMPLATED = ("codebuild", "codepipeline", "ecs", "events", "firehose", "inspector", "kinesis", "lambda", "sagemaker",
             "sns", "sqs", "states")  # fmt: skip
_OWN = {
    "EcsParameters": "ecs",
    "EventBridgeParameters": "events",
    "KinesisParameters": "kinesis",
    "SageMakerPipelineParameters": "sagemaker",
    "SqsParameters": "sqs",
}
_NEEDED = {"ecs": "EcsParameters", "events": "EventBridgeParameters", "kinesis": "KinesisParameters"}
_ABSENT = ("EventBridgePutEventsV2Parameters", "EventBridgePutRawEventsParameters")


def checked(target: dict[str, Any]) -> dict[str, Any]:
    """A target that may be, as it is kept; raises ValidationException."""
    for member in _ABSENT:
        if target.get(member):
            raise not_implemented("scheduler", f"a target's {member}")
    text = target["Arn"]
    if text.startswith(universal.PREFIX):
        service, operation = universal.named(text)
        for member in _OWN:
            if target.get(member):
                raise errors.invalid(f"{member} is not supported for target {text}.")
        universal.params(service, operation, _json(target))
    else:
        _check_templated(target, text)
    retries = Retries.of(target.get("RetryPolicy"))
    kept = {name: value for name, value in target.items() if value is not None}
    kept["RetryPolicy"] = {
        "MaximumEventAgeInSeconds": retries.age,
        "MaximumRetryAttempts": retries.attempts,
    }
    return kept


def _check_templated(target: dict[str, Any], text: str) -> None:
    arn = arns.parse(text)
    if arn is None:
        raise errors.invalid("Provided Arn is not in correct format.")
    if arn.service not in TEMPLATED or (arn.service == "events" and arn.type != "event-bus"):
        raise errors.invalid(f"{arn.service} is not a supported service for a target.")
    for member, service in _OWN.items():
        if target.get(member) and service != arn.service:
            raise errors.invalid(f"{member} is not supported for target {text}.")
    needed = _NEEDED.get(arn.service)
    if needed and not target.get(needed):
        raise errors.invalid(f"{needed} must be provided for target {text}.")
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    if arn.service == "sqs" and text.endswith(".fifo") and not group:
        raise errors.invalid(f"MessageGroupId must be provided for target {text}.")
    if arn.service == "events":
        _json(target)


def _json(target: dict[str, Any]) -> Any:
    try:
        return json.loads(target.get("Input") or "{}")
    except (ValueError, RecursionError):
        raise errors.invalid("Invalid RequestJson provided. Reason The input must be valid JSON.") from None


def check_role(ctx: Ctx, role: str, group_arn: str) -> None:
    """The role lets Scheduler in; raises ValidationException."""
    try:
        ctx.assume(role, service=PRINCIPAL, source_arn=group_arn, session_name="validate", seconds=900)
    except AwsError:
        raise errors.invalid(
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        ) from None
