"""Values at rest: each version sealed under the secret's KMS key, bound to the secret and to the version.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
"""

from __future__ import annotations

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import envelope
from cloudjar.kit.context import Ctx
from cloudjar.kit.envelope import Envelope
from cloudjar.kit.record import arn_of
from cloudjar.services.secretsmanager import errors
from cloudjar.services.secretsmanager.records import Secret, Version

VIA = "secretsmanager.amazonaws.com"
DEFAULT_KEY = "alias/aws/secretsmanager"

_DENIED = frozenset(("AccessDeniedException", "AccessDenied"))


def key_of(secret: Secret) -> str:
    """The key that new versions are sealed under. A key of the owner's, when somebody else asks, needs its ARN."""
    return secret.kms_key_id or DEFAULT_KEY


def is_default(key_id: str) -> bool:
    """Whether a request names the key that everybody has."""
    parsed = arns.parse(key_id)
    return key_id in ("", DEFAULT_KEY) or (parsed is not None and parsed.resource == DEFAULT_KEY)


def seal(ctx: Ctx, secret: Secret, version_id: str, value: bytes, key_id: str = "") -> Envelope:
    """Seal a value; `ctx` is at the secret's region. Raises AccessDeniedException, EncryptionFailure."""
    try:
        return envelope.seal(ctx, key_id or key_of(secret), value, _bound(secret, version_id), via=VIA)
    except AwsError as refused:
        raise _worded(refused, errors.cannot_encrypt()) from refused


def unseal(ctx: Ctx, secret: Secret, version: Version) -> bytes:
    """Open a version that has a value. Raises AccessDeniedException, DecryptionFailure."""
    if version.envelope is None:
        raise errors.no_value(version_id=version.id)
    return opened(ctx, secret, version.id, version.envelope)


def opened(ctx: Ctx, secret: Secret, version_id: str, sealed: Envelope) -> bytes:
    """Open what was sealed for a version."""
    try:
        return envelope.unseal(ctx, sealed, _bound(secret, version_id), via=VIA)
    except AwsError as refused:
        raise _worded(refused, errors.cannot_decrypt()) from refused


def _bound(secret: Secret, version_id: str) -> dict[str, str]:
    return {"SecretARN": arn_of(secret), "SecretVersionId": version_id}


def _worded(refused: AwsError, otherwise: AwsError) -> AwsError:
    """KMS's refusal as Secrets Manager passes it on; what is not built, and what is broken, says so itself."""
    if refused.code in _DENIED:
        return errors.no_kms_access()
    if refused.is_server_fault:
        return refused
    return otherwise
