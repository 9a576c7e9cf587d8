"""Selectors as they must be.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.services.cloudtrail.trails import errors

_MOST, _MOST_RESOURCES, _MOST_VALUES = 5, 250, 500
_EXCLUDABLE = ("kms.amazonaws.com", "rdsdata.amazonaws.com")
_BASIC_TYPES = {"AWS::S3::Object": "s3", "AWS::Lambda::Function": "lambda", "AWS::DynamoDB::Table": "dynamodb"}
_DATA_TYPES = ("AWS::S3::AccessPoint", "AWS::SQS::Queue", "AWS::SNS::Topic", *_BASIC_TYPES)
_OPERATORS = ("Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith")
_MANAGEMENT = frozenset(
    ("eventCategory", "readOnly", "eventSource", "eventName", "eventType", "userIdentity.arn",
     "sessionCredentialFromConsole")
)  # fmt: skip
_DATA = _MANAGEMENT | {"resources.type", "resources.ARN"}
_ONLY_EQUALS = ("eventCategory", "readOnly", "resources.type")
DEFAULT = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}


def whole(value: Any) -> Any:
    """What was given without the holes that its lists may have."""
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items() if item is not None}
    return [whole(item) for item in value if item is not None] if isinstance(value, list) else value


def basic(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Basic selectors with what they leave out filled in. Raises InvalidEventSelectorsException."""
    if not 1 <= len(given) <= _MOST:
        raise errors.selectors(f"The number of event selectors must be between 1 and {_MOST}.")
    found = [_basic(item) for item in given]
    if sum(len(resource["Values"]) for item in found for resource in item["DataResources"]) > _MOST_RESOURCES:
        raise errors.selectors(f"A trail can have up to {_MOST_RESOURCES} data resources in its event selectors.")
    return found


def _basic(item: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {**DEFAULT, **item}
    if not chosen["IncludeManagementEvents"] and not chosen["DataResources"]:
        raise errors.selectors(
            "Invalid combination of parameters in EventSelectors. When includeManagementEvents is false, "
            "DataResources must not be empty."
        )
    for source in chosen["ExcludeManagementEventSources"]:
        if source not in _EXCLUDABLE:
            raise errors.selectors(f"Value {source} for ExcludeManagementEventSources is invalid.")
    for resource in chosen["DataResources"]:
        _check_resource(resource.get("Type") or "", resource.get("Values") or [])
    chosen["DataResources"] = [
        {"Type": resource["Type"], "Values": resource.get("Values") or []} for resource in chosen["DataResources"]
    ]
    return chosen


def _check_resource(kind: str, values: list[str]) -> None:
    service = _BASIC_TYPES.get(kind)
    if service is None:
        raise errors.selectors(f"Value {kind} for DataResources.Type is invalid.")
    for value in values:
        arn = arns.parse(value)
        bare = value == f"arn:aws:{service}" or (service == "s3" and value == "arn:aws:s3:::")
        named = arn is not None and arn.service == service and "*" not in value
        if not bare and (not named or (service == "s3" and arn is not None and "/" not in arn.resource)):
            raise errors.selectors(f"Value {value} for DataResources.Values is invalid.")


def advanced(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Advanced selectors. Raises InvalidEventSelectorsException; UnsupportedOperationException for data events that
    AWS has and Cloudjar does not record."""
    if not given:
        raise errors.selectors("At least one advanced event selector is required.")
    values = 0
    for item in given:
        _check_fields(item["FieldSelectors"])
        values += sum(len(field.get(name) or ()) for field in item["FieldSelectors"] for name in _OPERATORS)
    if values > _MOST_VALUES:
        raise errors.selectors(f"A trail can have up to {_MOST_VALUES} values in its advanced event selectors.")
    return given


def _check_fields(fields: list[dict[str, Any]]) -> None:
    names = [field["Field"] for field in fields]
    if len(set(names)) != len(names):
        raise errors.selectors("A field can be used only once in an advanced event selector.")
    for field in fields:
        used = [name for name in _OPERATORS if field.get(name)]
        if not used:
            raise errors.selectors(f"Field {field['Field']} has no operator.")
        if field["Field"] in _ONLY_EQUALS and used != ["Equals"]:
            raise errors.selectors(f"Field {field['Field']} can only be used with the operator Equals.")
    _check_category({field["Field"]: field for field in fields})


def _check_category(fields: Mapping[str, Mapping[str, Any]]) -> None:
    category = (fields.get("eventCategory") or {}).get("Equals") or [""]
    if category == ["NetworkActivity"]:
        raise _not_built("network activity events")
    if category not in (["Management"], ["Data"]):
        raise errors.selectors("The field eventCategory is required and must be one of Management, Data.")
    allowed = _MANAGEMENT if category == ["Management"] else _DATA
    for name in fields:
        if name not in allowed:
            raise errors.selectors(f"Field {name} is not allowed for eventCategory {category[0]}.")
    if "readOnly" in fields and fields["readOnly"]["Equals"] not in (["true"], ["false"]):
        raise errors.selectors("The field readOnly must be true or false.")
    if category == ["Data"]:
        types = (fields.get("resources.type") or {}).get("Equals") or []
        if len(types) != 1:
            raise errors.selectors("The field resources.type is required for data events, with one value.")
        if types[0] not in _DATA_TYPES:
            raise _not_built(f"data events of {types[0]}")


def _not_built(what: str) -> AwsError:
    return AwsError("UnsupportedOperationException", f"Cloudjar does not record {what}.", 400)
