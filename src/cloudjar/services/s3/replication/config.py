"""Replication rules as data, and what AWS refuses of them. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cloudjar.base import arn as arns
from cloudjar.services.s3.errors import invalid_argument, invalid_request, malformed_xml

_MOST = 1000
_V2 = (
    "for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more "
    "information."
)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """An enabled rule. `target` is the bucket that copies go to, `owner` the account that shall own them ("": the
    source's), `kms_key` what encrypts copies of what KMS encrypts ("": those are not copied)."""

    id: str
    priority: int
    target: str
    prefix: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    storage_class: str = ""
    owner: str = ""
    kms_key: str = ""
    markers: bool = False
    modifications: bool = False
    timed: bool = False
    """Replication Time Control."""
    measured: bool = False
    """Metrics and events of failures."""

    def matches(self, key: str, tags: Mapping[str, str]) -> bool:
        """Whether the rule is about an object."""
        return key.startswith(self.prefix) and all(tags.get(name) == value for name, value in self.tags)


def parse(given: Mapping[str, Any] | None) -> tuple[Rule, ...]:
    """The enabled rules of a configuration, those of the highest priority first."""
    if given is None:
        return ()
    found = [_rule(rule, place) for place, rule in enumerate(given["Rules"]) if rule["Status"] == "Enabled"]
    return tuple(sorted(found, key=lambda rule: -rule.priority))


def _rule(rule: Mapping[str, Any], place: int) -> Rule:
    flat = _filter(rule)
    target = rule["Destination"]
    chosen = rule.get("SourceSelectionCriteria") or {}
    markers = (rule.get("DeleteMarkerReplication") or {}).get("Status")
    translated = (target.get("AccessControlTranslation") or {}).get("Owner") == "Destination"
    encrypted = (chosen.get("SseKmsEncryptedObjects") or {}).get("Status") == "Enabled"
    return Rule(
        id=rule.get("ID", ""),
        priority=rule.get("Priority") or -place,
        target=target["Bucket"].removeprefix("arn:aws:s3:::"),
        prefix=flat.get("Prefix") or "",
        tags=tuple((tag["Key"], tag["Value"]) for tag in flat.get("Tags", ())),
        storage_class=target.get("StorageClass") or "",
        owner=target.get("Account", "") if translated else "",
        kms_key=(target.get("EncryptionConfiguration") or {}).get("ReplicaKmsKeyID", "") if encrypted else "",
        markers=markers == "Enabled" or rule.get("Filter") is None,
        modifications=(chosen.get("ReplicaModifications") or {}).get("Status") == "Enabled",
        timed=(target.get("ReplicationTime") or {}).get("Status") == "Enabled",
        measured=(target.get("Metrics") or {}).get("Status") == "Enabled",
    )


def _filter(rule: Mapping[str, Any]) -> dict[str, Any]:
    given = rule.get("Filter")
    if given is None:
        return {"Prefix": rule.get("Prefix") or ""}
    flat = dict(given.get("And") or given)
    tag = flat.pop("Tag", None)
    return {**flat, "Tags": [tag]} if tag else flat


def check(given: Mapping[str, Any]) -> None:
    """Raises InvalidArgument, InvalidRequest and MalformedXML for what does not depend on the buckets."""
    rules: Sequence[Mapping[str, Any]] = given.get("Rules") or ()
    if not rules or len(rules) > _MOST:
        raise malformed_xml()
    role = arns.parse(given.get("Role") or "")
    if role is None or role.service != "iam":
        raise invalid_argument("Invalid Role ARN", "Role", given.get("Role") or "")
    names = [rule["ID"] for rule in rules if rule.get("ID")]
    if len(set(names)) != len(names):
        raise invalid_argument("Rule Id must be unique")
    for rule in rules:
        _check_rule(rule)
    priorities = [rule["Priority"] for rule in rules if rule.get("Priority") is not None]
    if len(set(priorities)) != len(priorities):
        raise invalid_request("Found duplicate priority values in the rules: Priority must be unique")


def _check_rule(rule: Mapping[str, Any]) -> None:
    if "Filter" in rule and "Prefix" in rule:
        raise malformed_xml()
    given = rule.get("Filter")
    if given is not None:
        if len(given) > 1:
            raise malformed_xml()
        if rule.get("Priority") is None:
            raise invalid_request(f"Priority must be specified {_V2}")
        if rule.get("DeleteMarkerReplication") is None:
            raise invalid_request(f"DeleteMarkerReplication must be specified {_V2}")
        if _filter(rule).get("Tags") and rule["DeleteMarkerReplication"].get("Status") == "Enabled":
            raise invalid_request(
                "Delete marker replication is not supported if any Tag filter is specified. Please refer to S3 "
                "Developer Guide for more information."
            )
    _check_target(rule)


def _check_target(rule: Mapping[str, Any]) -> None:
    target = rule["Destination"]
    if not target["Bucket"].startswith("arn:aws:s3:::"):
        raise invalid_argument("Invalid bucket ARN.", "Bucket", target["Bucket"])
    if target.get("AccessControlTranslation") is not None and not target.get("Account"):
        raise invalid_request("Account must be specified when AccessControlTranslation is specified")
    if target.get("ReplicationTime") is not None and target.get("Metrics") is None:
        raise invalid_request("Metrics must be specified when ReplicationTime is specified")
    for part, member in (("ReplicationTime", "Time"), ("Metrics", "EventThreshold")):
        minutes = ((target.get(part) or {}).get(member) or {}).get("Minutes")
        if minutes is not None and minutes != 15:
            raise invalid_argument(f"{part}: only 15 minutes are supported")
    encrypted = (rule.get("SourceSelectionCriteria") or {}).get("SseKmsEncryptedObjects") or {}
    key = (target.get("EncryptionConfiguration") or {}).get("ReplicaKmsKeyID")
    if encrypted.get("Status") == "Enabled" and not key:
        raise invalid_request("EncryptionConfiguration must be specified if SseKmsEncryptedObjects tag is present")
