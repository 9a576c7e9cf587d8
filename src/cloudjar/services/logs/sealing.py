"""Events under a KMS key: KMS wraps a data key for the group, as the service itself, and events are sealed with it.

Who may read events needs no permission for the key, but the key must let CloudWatch Logs use it: when it does not any
more, neither writing nor reading is possible.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.logs import errors
from cloudjar.services.logs.records import LogGroup
from cloudjar.services.logs.rows import rows

_NONCE = 12


def _kms(ctx: Ctx, group: LogGroup, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    context = {"aws:logs:arn": ctx.arn(group)}
    who = callers.service(f"logs.{group.region}.amazonaws.com", group.account)
    return ctx.call("kms", operation, {**params, "EncryptionContext": context}, caller=who)


def associated(ctx: Ctx, group: LogGroup, key: str) -> LogGroup:
    """The group with a data key that this KMS key has wrapped."""
    try:
        made = _kms(ctx, group, "GenerateDataKey", {"KeyId": key, "KeySpec": "AES_256"})
    except AwsError as error:
        raise errors.invalid(
            f"The specified KMS Key Id does not exist or is not allowed to be used with Arn '{ctx.arn(group)}'"
        ) from error
    number = rows(ctx.world).new_key(group.number, made["KeyId"], made["CiphertextBlob"])
    return replace(group, kms_key=made["KeyId"], data_key=number)


def cipher(ctx: Ctx, group: LogGroup, number: int) -> Any:
    """What seals and opens under a data key; raises when KMS does not unwrap it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # some 20 ms, for those who use it

    found = rows(ctx.world).key(number)
    if found is None:
        raise errors.no_group()
    try:
        plain = _kms(ctx, group, "Decrypt", {"KeyId": found[0], "CiphertextBlob": found[1]})["Plaintext"]
    except AwsError as error:
        raise AwsError("AccessDeniedException", f"The KMS key {found[0]} cannot be used: {error.message}") from error
    return AESGCM(plain)


def sealed(ctx: Ctx, group: LogGroup, messages: Iterable[bytes]) -> list[bytes]:
    """Messages as the group keeps them now."""
    if not group.data_key:
        return list(messages)
    key = cipher(ctx, group, group.data_key)
    out = []
    for message in messages:
        nonce = ids.entropy(_NONCE)
        out.append(nonce + key.encrypt(nonce, message, None))
    return out


class Opener:
    """Opens the events of a group; each of its keys is asked for once."""

    def __init__(self, ctx: Ctx, group: LogGroup) -> None:
        self._ctx = ctx
        self._group = group
        self._keys: dict[int, Any] = {}

    def __call__(self, key: int, message: bytes) -> str:
        """The text of an event."""
        if key:
            if key not in self._keys:
                self._keys[key] = cipher(self._ctx, self._group, key)
            message = self._keys[key].decrypt(message[:_NONCE], message[_NONCE:], None)
        return message.decode()
