"""Encryption by default, and which key it uses; per account and Region.

https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2.volumes import keys
from cloudjar.services.ec2.volumes.records import EbsDefaults


def _change(ctx: Ctx, **what: Any) -> EbsDefaults:
    table = ctx.db[EbsDefaults]
    changed = replace(keys.defaults(ctx), **what)
    return table.add(changed) if table.get("ebs") is None else table.put(changed)


@op("EnableEbsEncryptionByDefault")
def enable_ebs_encryption_by_default(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """From now on every new volume is encrypted."""
    return {"EbsEncryptionByDefault": _change(ctx, encrypted=True).encrypted}


@op("DisableEbsEncryptionByDefault")
def disable_ebs_encryption_by_default(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """From now on only what asks for it; what is encrypted stays so."""
    return {"EbsEncryptionByDefault": _change(ctx, encrypted=False).encrypted}


@op("GetEbsEncryptionByDefault")
def get_ebs_encryption_by_default(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """Whether new volumes are encrypted."""
    return {"EbsEncryptionByDefault": keys.defaults(ctx).encrypted, "SseType": None}


@op("ModifyEbsDefaultKmsKeyId")
def modify_ebs_default_kms_key_id(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Encrypt new volumes with this key; it must be one that the caller can use."""
    arn = keys.seal(ctx, req["KmsKeyId"], "default").key_id
    return {"KmsKeyId": _change(ctx, kms_key_id=arn).kms_key_id}


@op("GetEbsDefaultKmsKeyId")
def get_ebs_default_kms_key_id(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """The key in use; AWS's own by its alias."""
    return {"KmsKeyId": keys.defaults(ctx).kms_key_id or keys.DEFAULT_KEY}


@op("ResetEbsDefaultKmsKeyId")
def reset_ebs_default_kms_key_id(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """Back to AWS's own key."""
    _change(ctx, kms_key_id="")
    return {"KmsKeyId": keys.DEFAULT_KEY}
