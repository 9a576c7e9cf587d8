"""Whether a trail's selectors want an event.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.audit_event import AuditEvent
from cloudjar.services.cloudtrail.trails.records import Trail
from cloudjar.services.cloudtrail.views import source_of

Selector = Mapping[str, Any]
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "Equals": str.__eq__,
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
}
_TYPES = {"sqs": "AWS::SQS::Queue", "sns": "AWS::SNS::Topic"}
SERVICES = frozenset(("s3", *_TYPES))
"""Whose data events may be selected."""


def is_data(event: AuditEvent) -> bool:
    """Whether it is about a resource's contents."""
    return event.besides is not None and event.besides.data


def wants(trail: Trail, event: AuditEvent) -> bool:
    """Whether any of the trail's selectors wants it."""
    if trail.advanced:
        return any(_advanced(selector, event) for selector in trail.advanced)
    if trail.selectors:
        return any(_basic(selector, event) for selector in trail.selectors)
    return not is_data(event)


def wants_data_of(trail: Trail, resources: Iterable[str]) -> bool:
    """Whether data events of any of these resources may be wanted."""
    held = list(resources)
    if trail.advanced:
        return any(_fields_of_resource(selector, held) for selector in trail.advanced if _category(selector) == "Data")
    return any(_of_resources(selector, held) for selector in trail.selectors)


def has_data(trail: Trail) -> bool:
    """Whether it wants any data events."""
    if trail.advanced:
        return any(_category(selector) == "Data" for selector in trail.advanced)
    return any(selector.get("DataResources") for selector in trail.selectors)


def has_management(trail: Trail) -> bool:
    """Whether it wants any management events."""
    if trail.advanced:
        return any(_category(selector) == "Management" for selector in trail.advanced)
    return not trail.selectors or any(s.get("IncludeManagementEvents") for s in trail.selectors)


# -- basic selectors
def _basic(selector: Selector, event: AuditEvent) -> bool:
    kind = selector["ReadWriteType"]
    if kind != "All" and (kind == "ReadOnly") != event.reads:
        return False
    if is_data(event):
        return _of_resources(selector, event.resources)
    return bool(selector["IncludeManagementEvents"]) and source_of(event.service) not in selector[
        "ExcludeManagementEventSources"
    ]


def _of_resources(selector: Selector, resources: Iterable[str]) -> bool:
    values = [
        value
        for item in selector["DataResources"]
        if item["Type"] == "AWS::S3::Object"
        for value in item["Values"]
    ]
    return any(_whole(text).startswith(value) for text in resources for value in values)


def _whole(resource: str) -> str:
    """A bucket as the prefix of all that is in it: ``arn:aws:s3:::bucket/``."""
    arn = arns.parse(resource)
    return f"{resource}/" if arn is not None and arn.service == "s3" and "/" not in arn.resource else resource


# -- advanced selectors
def _category(selector: Selector) -> str:
    return next(
        (str(field["Equals"][0]) for field in selector["FieldSelectors"] if field["Field"] == "eventCategory"), ""
    )


def _advanced(selector: Selector, event: AuditEvent) -> bool:
    if _category(selector) != ("Data" if is_data(event) else "Management"):
        return False
    facts = {
        "readOnly": "true" if event.reads else "false",
        "eventSource": source_of(event.service),
        "eventName": event.operation,
        "eventType": "AwsServiceEvent" if event.besides and event.besides.details is not None else "AwsApiCall",
        "userIdentity.arn": event.caller_arn,
        "sessionCredentialFromConsole": "",
    }
    fields = selector["FieldSelectors"]
    if not all(_holds(field, facts[field["Field"]]) for field in fields if field["Field"] in facts):
        return False
    return not is_data(event) or _fields_of_resource(selector, event.resources)


def _fields_of_resource(selector: Selector, resources: Iterable[str]) -> bool:
    """Whether one resource has all that is asked of resources."""
    fields = [field for field in selector["FieldSelectors"] if field["Field"].startswith("resources.")]
    return any(
        all(_holds(f, type_of(text) if f["Field"] == "resources.type" else _whole(text)) for f in fields)
        for text in resources
    )


def type_of(resource: str) -> str:
    """CloudTrail's type of what a data event is about."""
    arn = arns.parse(resource)
    if arn is None or arn.service != "s3":
        return "" if arn is None else _TYPES.get(arn.service, "")
    return "AWS::S3::AccessPoint" if arn.type == "accesspoint" else "AWS::S3::Object"


def _holds(field: Selector, fact: str) -> bool:
    """Every operator of a field must hold: of its values one (``Equals``), or none (``NotEquals``)."""
    for name, test in _OPERATORS.items():
        if field.get(name) and not any(test(fact, value) for value in field[name]):
            return False
        if field.get(f"Not{name}") and any(test(fact, value) for value in field[f"Not{name}"]):
            return False
    return True
