"""Documents as AWS shows them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cloudjar.kit import tags
from cloudjar.services.ssm.documents import schema
from cloudjar.services.ssm.documents.finding import Read


def describe(found: Read) -> dict[str, Any]:
    """DocumentDescription."""
    content, record, version = found.content, found.record, found.version
    return {
        "Hash": hashlib.sha256(found.text.encode()).hexdigest(),
        "HashType": "Sha256",
        "Name": found.name,
        "DisplayName": (record.display_name or None) if record else None,
        "VersionName": (version.label or None) if version else None,
        "Owner": found.owner,
        "CreatedDate": found.created,
        "Status": "Active",
        "DocumentVersion": str(found.number),
        "Description": content.get("description"),
        "Parameters": [_parameter(name, one) for name, one in (content.get("parameters") or {}).items()],
        "PlatformTypes": schema.platforms(content, found.kind),
        "DocumentType": found.kind,
        "SchemaVersion": str(content["schemaVersion"]),
        "LatestVersion": str(record.latest if record else found.number),
        "DefaultVersion": str(record.default if record else found.number),
        "DocumentFormat": found.format,
        "TargetType": (record.target_type or None) if record else None,
        "Tags": tags.as_list(record.tags if record else {}),
    }


def _parameter(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter; AWS knows strings and lists of strings here, and defaults as text."""
    default = described.get("default")
    shown: dict[str, Any] = {
        "Name": name,
        "Type": "StringList" if described.get("type") in ("StringList", "MapList") else "String",
        "Description": described.get("description"),
    }
    if default is not None:
        shown["DefaultValue"] = default if isinstance(default, str) else schema.text_of(default)
    return shown


def identify(found: Read) -> dict[str, Any]:
    """DocumentIdentifier."""
    shown = describe(found)
    names = (
        "Name", "CreatedDate", "DisplayName", "Owner", "VersionName", "PlatformTypes", "DocumentVersion",
        "DocumentType", "SchemaVersion", "DocumentFormat", "TargetType", "Tags",
    )  # fmt: skip
    return {name: shown[name] for name in names}
