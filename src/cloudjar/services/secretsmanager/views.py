"""Secrets as AWS answers them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.kit import tags
from cloudjar.kit.record import arn_of
from cloudjar.services.secretsmanager.records import Replica, Rotation, Secret, Version


def show_id(secret: Secret, **more: Any) -> dict[str, Any]:
    """ARN and name, which nearly every answer begins with."""
    return {"ARN": arn_of(secret), "Name": secret.name, **more}


def show_secret(secret: Secret) -> dict[str, Any]:
    """What DescribeSecret and ListSecrets have in common; they name the labels differently."""
    return {
        **show_id(secret),
        "Description": secret.description or None,
        "KmsKeyId": secret.kms_key_id or None,
        "LastChangedDate": secret.changed,
        "LastAccessedDate": secret.accessed,
        "DeletedDate": secret.deleted,
        "Tags": tags.as_list(secret.tags) or None,
        "CreatedDate": secret.created,
        "PrimaryRegion": secret.primary_region or None,
        **_rotation(secret.rotation),
    }


def labelled(stages: dict[str, tuple[str, ...]]) -> dict[str, list[str]] | None:
    """The versions that have labels; None (left out) when there are none."""
    return {version: list(labels) for version, labels in stages.items() if labels} or None


def _rotation(rotation: Rotation | None) -> dict[str, Any]:
    if rotation is None:
        return {}
    on = rotation.enabled
    return {
        "RotationEnabled": on,
        "RotationLambdaARN": rotation.function or None,
        "RotationRules": {
            "AutomaticallyAfterDays": rotation.after_days or None,
            "ScheduleExpression": rotation.expression or None,
            "Duration": rotation.duration or None,
        },
        "LastRotatedDate": rotation.last,
        "NextRotationDate": rotation.closes - timedelta(seconds=1) if on and rotation.closes else None,
    }


def show_replicas(secret: Secret, accessed: dict[str, Any] | None = None) -> list[dict[str, Any]] | None:
    """The replicas of a primary, and how each is; `accessed` is the last day by region."""
    return [_replica(one, (accessed or {}).get(one.region)) for one in secret.replicas] or None


def _replica(one: Replica, accessed: Any) -> dict[str, Any]:
    return {
        "Region": one.region,
        "KmsKeyId": one.kms_key_id or None,
        "Status": one.status,
        "StatusMessage": one.message or None,
        "LastAccessedDate": accessed,
    }


def show_version(version: Version) -> dict[str, Any]:
    """A version without its value."""
    return {
        "VersionId": version.id,
        "VersionStages": list(version.stages) or None,
        "LastAccessedDate": version.accessed,
        "CreatedDate": version.created,
        "KmsKeyIds": [_key(version)],
    }


def _key(version: Version) -> str:
    """The default key goes by a name of its own in this list."""
    return version.kms_key_id or "DefaultEncryptionKey"


def show_value(secret: Secret, version: Version, value: bytes) -> dict[str, Any]:
    """A version with its value."""
    return {
        **show_id(secret),
        "VersionId": version.id,
        "SecretBinary": value if version.binary else None,
        "SecretString": None if version.binary else value.decode(),
        "VersionStages": list(version.stages),
        "CreatedDate": version.created,
    }
