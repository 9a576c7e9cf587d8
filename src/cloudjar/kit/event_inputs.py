"""What a target gets of an event: templates with ``<placeholders>``, of EventBridge, Pipes and Scheduler. Pure.

A template is JSON in which placeholders stand for values: by themselves they become JSON, inside a text they become
part of it. Several JSON values may follow each other (lines of a message).

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from cloudjar.kit import event_paths
from cloudjar.kit.event_json import PlaceError, where
from cloudjar.kit.event_paths import ABSENT

RESERVED = ("aws.events.rule-arn", "aws.events.rule-name", "aws.events.event.ingestion-time", "aws.events.event",
            "aws.events.event.json")  # fmt: skip
_PLACE = re.compile(r"<([A-Za-z0-9_.$\-\[\]*'/@:]+)>")
_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[^"]+|"', re.DOTALL)
Lookup = Callable[[str], Any]
"""A placeholder's value, or `ABSENT`."""


def dumped(value: Any) -> str:
    """JSON as EventBridge writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def names(template: str) -> list[str]:
    """The placeholders of a template, in their order."""
    return _PLACE.findall(template)


def filled(template: str, lookup: Lookup, *, missing: str = '""') -> str:
    """A template with its placeholders' values.

    Where a value stands by itself it is JSON; what there is no value for becomes `missing` there. Inside a text a text
    is escaped, and of an object or array the quotation marks are left out; what there is no value for is nothing.
    """

    def inside(found: re.Match[str]) -> str:
        value = lookup(found[1])
        if value is ABSENT:
            return ""
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)[1:-1]
        return dumped(value).replace('"', "")

    def alone(found: re.Match[str]) -> str:
        value = lookup(found[1])
        return missing if value is ABSENT else dumped(value)

    parts = _PART.findall(template)
    return "".join(_PLACE.sub(inside if part.startswith('"') else alone, part) for part in parts)


def check(template: str) -> None:
    """Whether a template makes JSON, whatever the values are; raises `PlaceError`."""
    text = filled(template, lambda name: "x")
    decoder, at = json.JSONDecoder(), 0
    text = text.strip()
    if not text:
        raise PlaceError("the template is empty")
    while at < len(text):
        try:
            _, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            word = re.match(r"[^\s,:\[\]{}\"]+", text[error.pos :])
            why = f"Unrecognized token '{word[0]}'" if word else "Invalid JSON"
            raise PlaceError(why + where(template, min(error.pos + 1, len(template)))) from None
        at += len(text[at:]) - len(text[at:].lstrip())


def by_paths(paths: Mapping[str, str], event: Mapping[str, Any], own: Mapping[str, Any]) -> Lookup:
    """The lookup of an input transformer: `paths` are JSON paths by name, `own` what the service itself tells."""

    def look(name: str) -> Any:
        if name in own:
            return own[name]
        path = paths.get(name)
        return ABSENT if path is None else event_paths.at(event, path)

    return look


def transformed(
    event: Mapping[str, Any], paths: Mapping[str, str], template: str, *, rule_arn: str, rule_name: str, received: str
) -> str:
    """What an ``InputTransformer`` makes of an event; `received` is ISO 8601."""
    own = {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event.ingestion-time": received,
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": dict(event),
    }
    return filled(template, by_paths(paths, event, own))
