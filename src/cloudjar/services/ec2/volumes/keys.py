"""Encryption of volumes and snapshots: whose key, and whether one may use it.

Every encrypted volume has a data key, wrapped by its KMS key and bound to the volume or snapshot by the encryption
context. KMS is asked as the caller, through EC2: who may not use the key cannot make, attach or copy such a volume.

https://docs.aws.amazon.com/ebs/latest/userguide/how-ebs-encryption-works.html
https://docs.aws.amazon.com/kms/latest/developerguide/services-ebs.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.volumes.records import EbsDefaults, Volume

VIA = "ec2.amazonaws.com"
DEFAULT_KEY = "alias/aws/ebs"


class Sealed(NamedTuple):
    """An encrypted volume's key (ARN) and its wrapped data key; both empty for a plain one."""

    key_id: str = ""
    data_key: bytes = b""


def defaults(ctx: Ctx) -> EbsDefaults:
    """What the account has decided here."""
    return ctx.db[EbsDefaults].get("ebs") or EbsDefaults()


def wanted(ctx: Ctx, req: Mapping[str, Any], *, source_encrypted: bool = False, source_key: str = "") -> str:
    """The key that a request wants for something new (id, ARN or alias); empty when it is to be plain.

    Raises InvalidParameterDependency for a key without encryption, InvalidParameterCombination for a plain copy of
    something encrypted.
    """
    key, asked = req.get("KmsKeyId") or "", req.get("Encrypted")
    if key and not asked and not source_encrypted:
        raise AwsError(
            "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set."
        )
    if asked is False and source_encrypted:
        raise AwsError(
            "InvalidParameterCombination", "The parameter encrypted cannot be false for an encrypted snapshot."
        )
    chosen = defaults(ctx)
    if not (asked or source_encrypted or chosen.encrypted):
        return ""
    return key or source_key or chosen.kms_key_id or DEFAULT_KEY


def seal(ctx: Ctx, key: str, resource_id: str) -> Sealed:
    """A new data key for a volume or snapshot; a plain one for an empty key. Raises InvalidKmsKey... of EC2."""
    if not key:
        return Sealed()
    asked = {"KeyId": key, "NumberOfBytes": 64, "EncryptionContext": {"aws:ebs:id": resource_id}}
    made = _ask(ctx, "GenerateDataKeyWithoutPlaintext", asked)
    return Sealed(made["KeyId"], made["CiphertextBlob"])


def unlock(ctx: Ctx, resource_id: str, key_id: str, data_key: bytes) -> None:
    """Have the data key unwrapped, as whoever uses the volume must; raises when he may not, or the key is off."""
    if data_key:
        asked = {"KeyId": key_id, "CiphertextBlob": data_key, "EncryptionContext": {"aws:ebs:id": resource_id}}
        _ask(ctx, "Decrypt", asked)


def grant(ctx: Ctx, volume_id: str, key_id: str) -> str:
    """Let EC2 itself unwrap a volume's data key while it is attached; the grant's id, empty for a plain volume.

    The caller needs ``kms:CreateGrant``; policies that allow it for AWS's own use say ``kms:GrantIsForAWSResource``.
    """
    if not key_id:
        return ""
    asked = {
        "KeyId": key_id,
        "GranteePrincipal": VIA,
        "RetiringPrincipal": VIA,
        "Operations": ["Decrypt"],
        "Constraints": {"EncryptionContextSubset": {"aws:ebs:id": volume_id}},
        "Name": volume_id,
    }
    return str(_ask(ctx, "CreateGrant", asked)["GrantId"])


def is_open(ctx: Ctx, volume: Volume) -> bool:
    """Whether EC2 can unwrap the data key of an attached volume now: not when the key is disabled or the grant gone."""
    if not volume.data_key:
        return True
    asked = {
        "KeyId": volume.kms_key_id,
        "CiphertextBlob": volume.data_key,
        "EncryptionContext": {"aws:ebs:id": volume.id},
    }
    try:
        ctx.call("kms", "Decrypt", asked, caller=service_caller(VIA, volume.account))
    except AwsError as refused:
        if refused.is_server_fault:
            raise
        return False
    return True


def release(ctx: Ctx, volume: Volume) -> None:
    """Retire the grant of a volume that is detached or gone; one that is gone already, with its key too, is well."""
    if not volume.grant_id:
        return
    asked = {"KeyId": volume.kms_key_id, "GrantId": volume.grant_id}
    try:
        ctx.call("kms", "RetireGrant", asked, caller=service_caller(VIA, volume.account))
    except AwsError as refused:
        if refused.is_server_fault:
            raise


def _ask(ctx: Ctx, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        return ctx.call("kms", operation, asked, via=VIA)
    except AwsError as refused:
        raise _worded(refused, asked["KeyId"]) from refused


def _worded(refused: AwsError, key: str) -> AwsError:
    if refused.is_server_fault:
        return refused
    if refused.code in ("NotFoundException", "InvalidArnException"):
        return AwsError("InvalidKmsKey.NotFound", f"The specified KMS key '{key}' does not exist.")
    if refused.code in ("DisabledException", "KMSInvalidStateException"):
        return AwsError("InvalidKMSKey.InvalidState", f"The KMS key provided is in an incorrect state: {key}")
    if refused.code in ("AccessDeniedException", "AccessDenied"):
        return AwsError("UnauthorizedOperation", f"You are not authorized to use the KMS key: {refused.message}", 403)
    return AwsError("InvalidParameterValue", refused.message)
