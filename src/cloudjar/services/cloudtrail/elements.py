"""``requestParameters`` and ``responseElements``: what was asked and answered, as CloudTrail writes it.

Members begin with a small letter; keys of maps stay as they are. EC2 keeps the names of its old XML, with lists in
``items``. What the model calls sensitive was replaced before the event was stored; services differ in whether they
say so or leave the member out.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from cloudjar.kit.audit_event import AuditEvent
from cloudjar.spec import models
from cloudjar.spec.models import Shape

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_EC2_HIDDEN = "<sensitiveDataRemoved>"
_SILENT = frozenset(("iam", "sts", "kms"))
"""Services whose records leave sensitive members out."""
_NO_BLOBS = frozenset(("kms", "lambda"))
_LONGEST = 100_000
"""Characters beyond which CloudTrail leaves the request's parameters out."""

# Lists of EC2 requests: the name they have in the record, and the member under which each plain value stands.
_EC2_LISTS = {
    "InstanceIds": ("instancesSet", "instanceId"),
    "Resources": ("resourcesSet", "resourceId"),
    "SecurityGroupIds": ("groupSet", "groupId"),
    "GroupIds": ("securityGroupIdSet", "groupId"),
    "GroupNames": ("securityGroupSet", "groupName"),
    "SecurityGroups": ("groupSet", "groupName"),
    "Groups": ("groupSet", "groupId"),
    "ImageIds": ("imagesSet", "imageId"),
    "KeyNames": ("keySet", "keyName"),
    "PublicIps": ("publicIpsSet", "publicIp"),
    "AllocationIds": ("allocationIdsSet", "allocationId"),
    "RegionNames": ("regionSet", "regionName"),
    "ZoneNames": ("availabilityZoneSet", "zoneName"),
    "Owners": ("ownersSet", "owner"),
    "VpcIds": ("vpcSet", "vpcId"),
    "SubnetIds": ("subnetSet", "subnetId"),
    "VolumeIds": ("volumeSet", "volumeId"),
    "Values": ("valueSet", "value"),
    "Filters": ("filterSet", ""),
    "Tags": ("tagSet", ""),
    "TagSpecifications": ("tagSpecificationSet", ""),
    "IpPermissions": ("ipPermissions", ""),
    "IpRanges": ("ipRanges", ""),
    "Ipv6Ranges": ("ipv6Ranges", ""),
    "UserIdGroupPairs": ("groups", ""),
    "PrefixListIds": ("prefixListIds", ""),
    "BlockDeviceMappings": ("blockDeviceMapping", ""),
    "NetworkInterfaces": ("networkInterfaceSet", ""),
}
_S3_NAMES = {"Bucket": "bucketName", "Key": "key"}
_INTO_INSTANCES = ("ImageId", "MinCount", "MaxCount", "KeyName")


def request_parameters(event: AuditEvent) -> dict[str, Any] | None:
    """What was asked; None when nothing was, or too much to be recorded."""
    operation = models.service(event.service).operations.get(event.operation)
    if not isinstance(event.params, dict) or operation is None:
        return None
    if event.service == "ec2":
        shown = _ec2_request(event.operation, event.params)
    elif event.service == "s3":
        shown = _s3_request(event.params, operation.input)
    else:
        shown = _Writer(event.service).structure(event.params, operation.input)
    size = len(msgspec.json.encode(shown))
    if size > _LONGEST:
        return {"requestParametersOmitted": True, "originalSize": size, "reason": "requestParameters too large"}
    return shown or None


def response_elements(event: AuditEvent) -> dict[str, Any] | None:
    """What was answered to a call that changed something; None for all others and for empty answers."""
    operation = models.service(event.service).operations.get(event.operation)
    if operation is None or event.error_code or not isinstance(event.answer, dict):
        return None
    if event.service == "ec2":
        return _ec2_answer(event, operation.output)
    return _Writer(event.service).structure(event.answer, operation.output) or None


def small(name: str) -> str:
    """A member's name as the record has it."""
    return name[:1].lower() + name[1:]


class _Writer:
    """Writes values by their shapes, in the manner of a service."""

    def __init__(self, service: str) -> None:
        self._silent = service in _SILENT
        self._no_blobs = service in _NO_BLOBS

    def structure(self, value: Mapping[str, Any], shape: Shape | None) -> dict[str, Any]:
        members = shape.members if shape is not None else {}
        shown = {}
        for name, item in value.items():
            if item is None or (item == HIDDEN and self._silent) or (isinstance(item, bytes) and self._no_blobs):
                continue
            shown[small(name)] = self.value(item, members.get(name))
        return shown

    def value(self, value: Any, shape: Shape | None) -> Any:
        kind = shape.type if shape is not None else ""
        if isinstance(value, dict):
            if kind == "map" and shape is not None:
                return {key: self.value(item, shape.value) for key, item in value.items()}
            return self.structure(value, shape)
        if isinstance(value, list | tuple):
            member = shape.member if kind == "list" and shape is not None else None
            return [self.value(item, member) for item in value]
        return plain(value)


def plain(value: Any) -> Any:
    """A scalar in JSON: times as words (``Jul 18, 2014, 4:07:39 PM``), bytes in base64."""
    if isinstance(value, datetime):
        hour = value.hour % 12 or 12
        return f"{value:%b} {value.day}, {value.year}, {hour}:{value:%M:%S} {'AM' if value.hour < 12 else 'PM'}"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


# S3 -------------------------------------------------------------------------------------------------


def _s3_request(params: Mapping[str, Any], shape: Shape | None) -> dict[str, Any]:
    """Bucket and key, and beside them what the request had by its names in HTTP: headers of S3's own, parameters of
    the query; what came in its body keeps the names that it has there."""
    members = shape.members if shape is not None else {}
    shown: dict[str, Any] = {}
    for name, item in params.items():
        member = members.get(name)
        place = member.location if member is not None else ""
        wire = (member.location_name if member is not None else "") or name
        if item is None or (place == "header" and not wire.lower().startswith("x-amz-")):
            continue
        shown[_S3_NAMES.get(name) or wire] = _s3_value(item)
    return shown


def _s3_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _s3_value(item) for name, item in value.items() if item is not None}
    return [_s3_value(item) for item in value] if isinstance(value, list | tuple) else plain(value)


# EC2 ------------------------------------------------------------------------------------------------


def _ec2_request(operation: str, params: dict[str, Any]) -> dict[str, Any]:
    shown = _ec2_members(params)
    if operation == "RunInstances":
        first = {small(name): shown.pop(small(name)) for name in _INTO_INSTANCES if small(name) in shown}
        shown = {"instancesSet": {"items": [first]}, **shown}
    return shown


def _ec2_members(params: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, list):
            named, member = _ec2_list(name)
            items = [_ec2_item(item, member) for item in value]
            # The tags of a specification are the one list that has no items.
            shown[named] = items if name == "Tags" and "ResourceType" in params else {"items": items} if items else {}
            if name == "Tags" and "ResourceType" in params:
                shown["tags"] = shown.pop(named)
        elif isinstance(value, dict):
            shown[small(name)] = _ec2_members(value)
        elif value is not None:
            shown[small(name)] = _EC2_HIDDEN if value == HIDDEN else _millis(value)
    return shown


def _ec2_list(name: str) -> tuple[str, str]:
    """The record's name for a list, and the member for its plain values: SnapshotIds -> snapshotIdSet, snapshotId."""
    known = _EC2_LISTS.get(name)
    stem = small(name.removesuffix("s"))
    return known or (f"{stem}Set", stem)


def _ec2_item(item: Any, member: str) -> Any:
    if isinstance(item, dict):
        return _ec2_members(item)
    return {member or "value": _millis(item)}


def _ec2_answer(event: AuditEvent, shape: Shape | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"requestId": event.request_id}
    answer = _ec2_structure(event.answer, shape)
    if "return" in answer or not answer:
        answer.pop("return", None)
        shown["_return"] = True
    return {**shown, **answer}


def _ec2_structure(value: Mapping[str, Any], shape: Shape | None) -> dict[str, Any]:
    members = shape.members if shape is not None else {}
    shown = {}
    for name, item in value.items():
        member = members.get(name)
        if item is not None:
            shown[(member.location_name if member is not None else "") or small(name)] = _ec2_value(item, member)
    return shown


def _ec2_value(value: Any, shape: Shape | None) -> Any:
    if isinstance(value, dict):
        return _ec2_structure(value, shape)
    if isinstance(value, list | tuple):
        member = shape.member if shape is not None and shape.type == "list" else None
        return {"items": [_ec2_value(item, member) for item in value]} if value else {}
    return _EC2_HIDDEN if value == HIDDEN else _millis(value)


def _millis(value: Any) -> Any:
    """EC2's times are milliseconds since 1970."""
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else plain(value)
