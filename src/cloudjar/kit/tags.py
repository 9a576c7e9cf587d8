"""Tags: one set of rules for every service.

https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

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


def admitted(tags: Mapping[str, str], *, reserved: AwsError, too_many: AwsError) -> dict[str, str]:
    """Tags that a resource may have: no key is AWS's own, and there are 50 at most. Raises what the service says."""
    if any(key.lower().startswith("aws:") for key in tags):
        raise reserved
    if len(tags) > LIMIT:
        raise too_many
    return dict(tags)


def without(tags: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """Tags but for those of some keys."""
    gone = set(keys)
    return {key: value for key, value in tags.items() if key not in gone}


def page(tags: Mapping[str, str], req: Mapping[str, Any]) -> dict[str, Any]:
    """Tags by key, a page at a time, as Kinesis and Firehose list them."""
    after, most = req.get("ExclusiveStartTagKey") or "", req.get("Limit") or LIMIT
    listed = [one for one in as_list(tags) if one["Key"] > after]
    return {"Tags": listed[:most], "HasMoreTags": len(listed) > most}


def request_keys(tags: Mapping[str, str]) -> dict[str, Any]:
    """Condition keys of tags that a request carries: ``aws:RequestTag/...`` and ``aws:TagKeys``."""
    if not tags:
        return {}
    keys: dict[str, Any] = {f"aws:requesttag/{key.lower()}": value for key, value in tags.items()}
    keys["aws:tagkeys"] = list(tags)
    return keys


_LISTS = ("Tags", "tags", "TagList", "tagList", "TagsList", "TagSet")
_TEXTS = ("Tagging", "x-amz-tagging")
_REMOVED = ("TagKeys", "tagKeys", "TagKeyList", "RemoveTagKeys")
CARRY = frozenset((*_LISTS, *_TEXTS, *_REMOVED, "AddTags"))
"""Request members in which services take tags, besides EC2's ``TagSpecifications``."""


def in_request(req: Mapping[str, Any]) -> dict[str, Any]:
    """Condition keys of the tags of a request, whatever form its service has for them: lists of ``Key``/``Value``,
    ``TagKey``/``TagValue`` or ``key``/``value``, maps, query texts (S3's header), lists of keys to remove."""
    found: dict[str, str] = {}
    for member in (*_LISTS, "AddTags"):
        found.update(_pairs(req.get(member)))
    for member in _TEXTS:
        given = req.get(member)
        found.update(_pairs(given.get("TagSet")) if isinstance(given, dict) else _of_text(given))
    keys = request_keys(found)
    removed = [key for member in _REMOVED for key in req.get(member) or () if isinstance(key, str)]
    if removed:
        keys["aws:tagkeys"] = [*found, *removed]
    return keys


_FORMS = (("Key", "Value"), ("TagKey", "TagValue"), ("key", "value"))


def _pairs(given: Any) -> dict[str, str]:
    if isinstance(given, Mapping):
        return {str(key): str(value) for key, value in given.items()}
    found: dict[str, str] = {}
    for item in given if isinstance(given, list) else ():
        for name, value in _FORMS:
            if isinstance(item, Mapping) and item.get(name):
                found[str(item[name])] = str(item.get(value) or "")
                break
    return found


def _of_text(given: Any) -> dict[str, str]:
    """``a=1&b=2``."""
    return dict(parse_qsl(given, keep_blank_values=True)) if isinstance(given, str) else {}


def by_type(req: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Condition keys of EC2's ``TagSpecifications``, by the type of what is made: each resource is asked about with
    its own tags alone."""
    found: dict[str, dict[str, str]] = {}
    for spec in req.get("TagSpecifications") or ():
        found.setdefault(str(spec.get("ResourceType")), {}).update(_pairs(spec.get("Tags")))
    return {kind: request_keys(tags) for kind, tags in found.items()}
