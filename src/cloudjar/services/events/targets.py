"""What a rule's target may be like, and what it gets of an event.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit import event_inputs, event_paths
from cloudjar.kit.context import Ctx
from cloudjar.kit.event_json import PlaceError
from cloudjar.services.events import errors
from cloudjar.services.events.ops.buses import dead_letters
from cloudjar.services.events.records import Rule

_SERVICES = frozenset(
    ("apigateway", "appsync", "batch", "codebuild", "codepipeline", "ecs", "events", "execute-api", "firehose",
     "inspector", "kinesis", "lambda", "logs", "redshift", "redshift-serverless", "sagemaker", "sns", "sqs", "ssm",
     "ssm-incidents", "states")
)  # fmt: skip
_WITH_ROLE = frozenset(
    ("batch", "codebuild", "codepipeline", "ecs", "firehose", "kinesis", "sagemaker", "ssm", "states")
)
_EVENTS = ("event-bus", "api-destination", "target")
_INPUTS = ("Input", "InputPath", "InputTransformer")
MOST_PATHS = 100


def checked(ctx: Ctx, target: dict[str, Any], *, scheduled: bool) -> dict[str, Any]:
    """A target that may be, as it is kept; raises ValidationException."""
    text = target["Arn"]
    arn = arns.parse(text)
    if arn is None or arn.service not in _SERVICES or (arn.service == "events" and arn.type not in _EVENTS):
        raise errors.parameter(text, "Provided Arn is not in correct format.")
    own = arn.service == "events" and arn.type != "event-bus"
    if (arn.service in _WITH_ROLE or own) and not target.get("RoleArn"):
        raise errors.invalid(f"RoleArn is required for target {text}.")
    if target.get("RoleArn") and _is_no_role(target["RoleArn"]):
        raise errors.parameter("RoleArn", "Provided Arn is not in correct format.")
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    if arn.service == "sqs" and text.endswith(".fifo") and not group:
        raise errors.invalid(f"Parameter(s) SqsParameters must be specified for target: {target['Id']}.")
    if arn.service == "ecs" and not target.get("EcsParameters"):
        raise errors.invalid(f"Parameter(s) EcsParameters must be specified for target: {target['Id']}.")
    if arn.service == "ssm" and not target.get("RunCommandParameters"):
        raise errors.invalid(f"Parameter(s) RunCommandParameters must be specified for target: {target['Id']}.")
    if target.get("DeadLetterConfig"):
        dead_letters(target["DeadLetterConfig"])
    _check_input(target)
    return {name: value for name, value in target.items() if value is not None}


def _is_no_role(text: str) -> bool:
    arn = arns.parse(text)
    return arn is None or arn.service != "iam" or arn.type != "role"


def _check_input(target: dict[str, Any]) -> None:
    name = target["Id"]
    if sum(target.get(member) is not None for member in _INPUTS) > 1:
        raise errors.invalid(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}."
        )
    if target.get("Input"):
        try:
            json.loads(target["Input"])
        except (ValueError, RecursionError):
            raise errors.invalid(f"JSON syntax error in input for target {name}") from None
    if target.get("InputPath"):
        _check_path(target["InputPath"], f"Invalid InputPath for target {name}.")
    if target.get("InputTransformer"):
        _check_transformer(name, target["InputTransformer"])


def _check_path(path: str, wrong: str) -> None:
    try:
        event_paths.parsed(path)
    except event_paths.PathError:
        raise errors.invalid(wrong) from None


def _check_transformer(name: str, given: dict[str, Any]) -> None:
    paths, template = given.get("InputPathsMap") or {}, given["InputTemplate"]
    for key, path in paths.items():
        if key.lower().startswith("aws"):
            raise errors.invalid(f"Invalid InputPathsMap for target {name}: keys must not start with AWS.")
        _check_path(path, f"Invalid InputPathsMap for target {name}: {path} is not a valid JSON path.")
    for placeholder in event_inputs.names(template):
        if placeholder not in paths and placeholder not in event_inputs.RESERVED:
            raise errors.invalid(f"InputTemplate for target {name} contains invalid placeholder {placeholder}.")
    try:
        event_inputs.check(template)
    except PlaceError as error:
        raise errors.invalid(f"Invalid InputTemplate for target {name} : [{error}].") from None


def input_of(rule: Rule, target: dict[str, Any], event: dict[str, Any], received: float) -> str:
    """What a target gets of an event."""
    if target.get("Input"):
        return str(target["Input"])
    if target.get("InputPath"):
        found = event_paths.at(event, target["InputPath"])
        return event_inputs.dumped(None if found is event_paths.ABSENT else found)
    transformer = target.get("InputTransformer")
    if transformer:
        return event_inputs.transformed(
            event,
            transformer.get("InputPathsMap") or {},
            transformer["InputTemplate"],
            rule_arn=rule.arn,
            rule_name=rule.name,
            received=datetime.fromtimestamp(received, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
    return event_inputs.dumped(event)
