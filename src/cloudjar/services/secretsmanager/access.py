"""Condition keys that secrets and requests bring to IAM, and finding a secret by what a request calls it.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import finder, finds, resource_keys
from cloudjar.kit.record import Record, arn_of
from cloudjar.services.secretsmanager.lookup import find
from cloudjar.services.secretsmanager.records import Secret
from cloudjar.services.secretsmanager.sealing import DEFAULT_KEY

_MEMBERS = (
    "Name",
    "Description",
    "KmsKeyId",
    "VersionId",
    "VersionStage",
    "ForceDeleteWithoutRecovery",
    "RecoveryWindowInDays",
    "BlockPublicPolicy",
    "RotateImmediately",
    "RotationLambdaARN",
    "ForceOverwriteReplicaSecret",
    "Type",
)


@finds("secretsmanager:Secret")
def _find_secret(ctx: Ctx, secret_id: str) -> Record | None:
    return find(ctx, secret_id)


@resource_keys("secretsmanager", "Secret")
def _secret(secret: Secret) -> dict[str, Any]:
    keys = {
        "secretsmanager:SecretId": arn_of(secret),
        "secretsmanager:SecretPrimaryRegion": secret.primary_region or secret.region,
    }
    if secret.rotation is not None and secret.rotation.function:
        keys["secretsmanager:resource/AllowRotationLambdaArn"] = secret.rotation.function
    return keys


def asked(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The service's condition keys of a request: its members as they were given, and what follows from them."""
    given = {member: req[member] for member in _MEMBERS if req.get(member) is not None}
    keys: dict[str, Any] = {f"secretsmanager:{member}": _text(value) for member, value in given.items()}
    regions = [one["Region"] for one in req.get("AddReplicaRegions") or () if one.get("Region")]
    if regions:
        keys["secretsmanager:AddReplicaRegions"] = regions
    if req.get("RotationRules") is not None:
        keys["secretsmanager:ModifyRotationRules"] = "true"
    if req.get("KmsKeyId"):
        arn = _key_arn(ctx, req["KmsKeyId"])
        if arn:
            keys["secretsmanager:KmsKeyArn"] = arn
    return keys


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _key_arn(ctx: Ctx, key_id: str) -> str:
    """The ARN of the key that an id, ARN or alias means, or "" where there is none."""
    parsed = arns.parse(key_id)
    if parsed is not None and parsed.type == "key":
        return key_id
    ctx.world.load("kms")
    look = finder("kms:key")
    found = look(ctx, key_id or DEFAULT_KEY) if look is not None else ctx.find("kms", "key", key_id)
    return arn_of(found) if isinstance(found, Record) else found or ""
