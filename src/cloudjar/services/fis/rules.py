"""What a template must be (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cloudjar.services.fis import catalogue, errors

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_MODE = re.compile(r"ALL|COUNT\(([1-9]\d*)\)|PERCENT\(([1-9]\d?|100)\)")
_LONGEST = timedelta(hours=12)
_SCOPES = ("all", "availability-zone", "vpc")
_UNBUILT = ("dynamodb", "prefix-list", "s3", "s3express", "transit-gateway")


def duration(text: str) -> timedelta:
    """``PT5M`` as time; raises for what is none, or longer than twelve hours."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise errors.validation(f"'{text}' is not a valid duration. It must be in ISO 8601 format, such as PT10M.")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    time = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(minutes=1) <= time <= _LONGEST:
        raise errors.validation(f"The duration {text} must be between 1 minute and 12 hours.")
    return time


def check(said: Mapping[str, Any]) -> None:
    """Raise AWS's refusal of a template's body."""
    targets, actions = said.get("targets") or {}, said.get("actions") or {}
    for condition in said.get("stopConditions") or []:
        _check_stop(condition)
    for name, target in targets.items():
        _check_target(name, target)
    if not actions:
        raise errors.validation("At least one action must be specified.")
    for name, action in actions.items():
        _check_action(name, action, targets, actions)
    used = {target for action in actions.values() for target in (action.get("targets") or {}).values()}
    for name in targets:
        if name not in used:
            raise errors.validation(f"Target '{name}' is not used by any action.")
    _check_order(actions)


def _check_stop(condition: Mapping[str, Any]) -> None:
    source, value = condition["source"], condition.get("value")
    if source not in ("none", "aws:cloudwatch:alarm"):
        raise errors.validation(f"Stop condition source '{source}' is not valid.")
    if (source == "none") == bool(value):
        raise errors.validation(f"Stop condition source '{source}' has an invalid value.")


def _check_target(name: str, target: Mapping[str, Any]) -> None:
    kind = target["resourceType"]
    if kind not in catalogue.TYPES:
        raise errors.validation(f"Target '{name}' has resource type '{kind}', which is not supported.")
    if not _MODE.fullmatch(target["selectionMode"]):
        raise errors.validation(f"Target '{name}' has an invalid selection mode.")
    arns, tags, parameters = (target.get(part) for part in ("resourceArns", "resourceTags", "parameters"))
    if arns and (tags or parameters or target.get("filters")):
        raise errors.validation(f"Target '{name}' must have either resource ARNs, or tags, filters and parameters.")
    if not (arns or tags or parameters):
        raise errors.validation(f"Target '{name}' must have resource ARNs, resource tags or parameters.")
    for parameter in parameters or {}:
        if parameter not in catalogue.TYPES[kind].parameters:
            raise errors.validation(f"Target '{name}' has an unknown parameter '{parameter}'.")


def _check_action(
    name: str, action: Mapping[str, Any], targets: Mapping[str, Any], actions: Mapping[str, Any]
) -> None:
    known = catalogue.action(action["actionId"])
    given: Mapping[str, str] = action.get("parameters") or {}
    for parameter, facts in known.parameters.items():
        if facts.required and parameter not in given:
            raise errors.validation(f"Action '{name}' is missing the required parameter '{parameter}'.")
    for parameter, value in given.items():
        if parameter not in known.parameters:
            raise errors.validation(f"Action '{name}' has an unknown parameter '{parameter}'.")
        _check_parameter(name, parameter, value)
    asked: Mapping[str, str] = action.get("targets") or {}
    if set(asked) != set(known.targets):
        raise errors.validation(f"Action '{name}' must have the targets {', '.join(known.targets) or 'none'}.")
    for slot, target in asked.items():
        if target not in targets:
            raise errors.validation(f"Action '{name}' refers to the target '{target}', which is not defined.")
        if targets[target]["resourceType"] != known.targets[slot]:
            raise errors.validation(f"Action '{name}' needs targets of type {known.targets[slot]} as {slot}.")
    for before in action.get("startAfter") or []:
        if before not in actions or before == name:
            raise errors.validation(f"Action '{name}' starts after '{before}', which is not another action.")


def _check_parameter(action: str, name: str, value: str) -> None:
    if name in ("duration", "startInstancesAfterDuration", "durationBeforeInterruption"):
        time = duration(value)
        if name == "durationBeforeInterruption" and not timedelta(minutes=2) <= time <= timedelta(minutes=15):
            raise errors.validation(f"Action '{action}': durationBeforeInterruption must be between PT2M and PT15M.")
    elif name == "scope":
        if value in _UNBUILT:
            raise errors.unbuilt(f"The scope {value}")
        if value not in _SCOPES:
            raise errors.validation(f"Action '{action}' has an invalid scope '{value}'.")
    elif name == "service" and value != "ec2":
        raise errors.validation(f"Action '{action}' has an unsupported service '{value}'.")
    elif name == "percentage" and not (value.isdecimal() and 1 <= int(value) <= 100):
        raise errors.validation(f"Action '{action}' has an invalid percentage '{value}'.")


def _check_order(actions: Mapping[str, Any]) -> None:
    left = {name: set(action.get("startAfter") or []) for name, action in actions.items()}
    while left:
        ready = [name for name, before in left.items() if not before & set(left)]
        if not ready:
            raise errors.validation("The actions wait for each other in a circle.")
        for name in ready:
            del left[name]


def chosen(mode: str, found: list[str], below: Any) -> list[str]:
    """The targets that a selection mode takes of those found; `below(n)` draws a number under n."""
    match = _MODE.fullmatch(mode)
    assert match is not None
    amount = len(found)
    if match[1]:
        amount = min(int(match[1]), len(found))
    elif match[2]:
        amount = len(found) * int(match[2]) // 100
    left = list(found)
    while len(left) > amount:
        left.pop(below(len(left)))
    return left
