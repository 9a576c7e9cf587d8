"""SecureStrings: encrypted by KMS itself in the standard tier, in an envelope in the advanced tier.

Both are bound to the parameter's ARN, and KMS is called as the caller.

https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
"""

from __future__ import annotations

import msgspec

from cloudjar.base.errors import AwsError
from cloudjar.kit import envelope
from cloudjar.kit.context import Ctx
from cloudjar.kit.envelope import Envelope
from cloudjar.services.ssm import errors
from cloudjar.services.ssm.records import ADVANCED

VIA = "ssm.amazonaws.com"
DEFAULT_KEY = "alias/aws/ssm"


def seal(ctx: Ctx, arn: str, tier: str, key_id: str, value: str) -> bytes:
    """Encrypt a value; raises AccessDeniedException, InvalidKeyId."""
    try:
        if tier == ADVANCED:
            return msgspec.msgpack.encode(envelope.seal(ctx, key_id, value.encode(), _bound(arn), via=VIA))
        request = {"KeyId": key_id, "Plaintext": value.encode(), "EncryptionContext": _bound(arn)}
        return bytes(ctx.call("kms", "Encrypt", request, via=VIA)["CiphertextBlob"])
    except AwsError as refused:
        raise errors.kms_refused(refused, ctx.request_id) from refused


def unseal(ctx: Ctx, arn: str, tier: str, sealed: bytes) -> str:
    """Decrypt it; raises the same."""
    try:
        if tier == ADVANCED:
            kept = msgspec.msgpack.decode(sealed, type=Envelope)
            return envelope.unseal(ctx, kept, _bound(arn), via=VIA).decode()
        request = {"CiphertextBlob": sealed, "EncryptionContext": _bound(arn)}
        return bytes(ctx.call("kms", "Decrypt", request, via=VIA)["Plaintext"]).decode()
    except AwsError as refused:
        raise errors.kms_refused(refused, ctx.request_id) from refused


def _bound(arn: str) -> dict[str, str]:
    return {"PARAMETER_ARN": arn}
