"""Tags: one set of rules for every service.

https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cloudjar.base.errors import AwsError

LIMIT = 50


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """``[{"Key": ..., "Value": ...}]``, in key order."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def from_list(items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The reverse of `as_list`; a missing value is empty."""
    return {str(item["Key"]): str(item.get("Value") or "") for item in items}


def specified(req: Mapping[str, Any], resource_type: str) -> dict[str, str]:
    """Tags for one resource type out of EC2's ``TagSpecifications``; validated as EC2 validates."""
    found: dict[str, str] = {}
    for spec in req.get("TagSpecifications") or ():
        if spec.get("ResourceType") == resource_type:
            found.update(checked(spec.get("Tags") or ()))
    return found


def checked(items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Tags of an EC2 request: refuses reserved prefixes, duplicates, oversize keys and values."""
    tags: dict[str, str] = {}
    for item in items:
        key, value = str(item.get("Key") or ""), str(item.get("Value") or "")
        if not key:
            raise AwsError("InvalidParameterValue", "Tag keys must not be empty")
        if key.lower().startswith("aws:"):
            raise AwsError(
                "InvalidParameterValue", f"Tag keys starting with 'aws:' are reserved for internal use: {key}"
            )
        if len(key) > 127:
            raise AwsError("InvalidParameterValue", f"Tag key exceeds the maximum length of 127 characters: {key}")
        if len(value) > 255:
            raise AwsError("InvalidParameterValue", f"Tag value exceeds the maximum length of 255 characters: {value}")
        if key in tags:
            raise AwsError("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
        tags[key] = value
    return within_limit(tags)


def within_limit(tags: dict[str, str]) -> dict[str, str]:
    """At most 50 tags on a resource."""
    if len(tags) > LIMIT:
        raise AwsError("TagLimitExceeded", f"The maximum number of tags per resource is {LIMIT}.")
    return tags


def request_keys(tags: Mapping[str, str]) -> dict[str, Any]:
    """Condition keys of tags that a request carries: ``aws:RequestTag/...`` and ``aws:TagKeys``."""
    if not tags:
        return {}
    keys: dict[str, Any] = {f"aws:requesttag/{key.lower()}": value for key, value in tags.items()}
    keys["aws:tagkeys"] = list(tags)
    return keys
