"""Data keys of KMS that a service uses for a while, each caller's own, and asks for again then.

Who seals needs kms:GenerateDataKey, who opens kms:Decrypt. What was sealed keeps the data key it was sealed under,
by the number under which the service keeps it as KMS has wrapped it.

https://docs.aws.amazon.com/kms/latest/developerguide/data-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import Record

_NONCE = 12
_Place = tuple[Any, ...]


class Keeper(Protocol):
    """Where a service keeps data keys that KMS has wrapped."""

    def new_key(self, owner: int, key: str, blob: bytes, /) -> int:
        """Keep one of an owner's, wrapped under a KMS key; its number, never 0."""
        ...

    def key(self, number: int, /) -> tuple[str, bytes] | None:
        """(KMS key, wrapped data key)."""
        ...


class Owner(NamedTuple):
    """What is under a KMS key: a queue, a stream. A data key is used for `reuse` seconds of AWS time."""

    item: Record
    number: int
    key: str
    reuse: int


class _Used(NamedTuple):
    until: float
    number: int
    cipher: Any


class DataKeys:
    """The data keys of one service. `context` is the encryption context's name for the owner's ARN, `codes` are KMS's
    errors as the service names them, `thing` is what it seals."""

    def __init__(self, service: str, *, context: str, codes: Mapping[str, str], thing: str) -> None:
        self._port = f"{service}.data_keys"
        self._via = f"{service}.amazonaws.com"
        self._context = context
        self._codes = codes
        self._thing = thing

    def ask(self, ctx: Ctx, item: Record, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Ask KMS in the caller's name, for what is under the key. Raises its errors as the service names them."""
        asked = {**params, "EncryptionContext": {self._context: ctx.arn(item)}}
        try:
            return ctx.call("kms", operation, asked, via=self._via)
        except AwsError as error:
            code = self._codes.get(error.code)
            if code is None:
                raise
            raise AwsError(code, error.message, 400) from error

    def forget(self, ctx: Ctx) -> None:
        """Ask KMS anew from now on: an owner's settings changed."""
        ctx.world.ports.pop(self._port, None)

    def to_seal(self, ctx: Ctx, owner: Owner, keeper: Keeper) -> tuple[int, Any]:
        """(number of the data key, what seals with it), in a transaction."""
        place = (owner.number, owner.key, ctx.caller.arn)
        found = self._found(ctx, place)
        if found is None:
            made = self.ask(ctx, owner.item, "GenerateDataKey", {"KeyId": owner.key, "KeySpec": "AES_256"})
            number = keeper.new_key(owner.number, made["KeyId"], made["CiphertextBlob"])
            found = self._keep(ctx, place, owner.reuse, number, made["Plaintext"])
            ctx.world.state.database.on_rollback(lambda: self._drop(ctx, place))
        return found.number, found.cipher

    def to_open(self, ctx: Ctx, owner: Owner, keeper: Keeper, number: int) -> Any:
        """What opens what was sealed under the data key of this number."""
        place = (number, ctx.caller.arn)
        found = self._found(ctx, place)
        if found is None:
            kept = keeper.key(number)
            if kept is None:
                code = self._codes["NotFoundException"]
                raise AwsError(code, f"The data key of this {self._thing} is gone.", 400)
            asked = {"KeyId": kept[0], "CiphertextBlob": kept[1]}
            plain = self.ask(ctx, owner.item, "Decrypt", asked)["Plaintext"]
            found = self._keep(ctx, place, owner.reuse, number, plain)
        return found.cipher

    def _used(self, ctx: Ctx) -> dict[_Place, _Used]:
        held: dict[_Place, _Used] = ctx.world.ports.setdefault(self._port, {})
        return held

    def _drop(self, ctx: Ctx, place: _Place) -> None:
        self._used(ctx).pop(place, None)

    def _found(self, ctx: Ctx, place: _Place) -> _Used | None:
        found = self._used(ctx).get(place)
        return found if found is not None and found.until > ctx.now.timestamp() else None

    def _keep(self, ctx: Ctx, place: _Place, seconds: int, number: int, plain: bytes) -> _Used:
        made = self._used(ctx)[place] = _Used(ctx.now.timestamp() + seconds, number, cipher(plain))
        return made


def cipher(key: bytes) -> Any:
    """What seals and opens with a data key."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # some 20 ms, for those who use it

    return AESGCM(key)


def sealed(under: Any, data: bytes) -> bytes:
    """Data sealed by a `cipher`."""
    nonce = ids.entropy(_NONCE)
    return nonce + bytes(under.encrypt(nonce, data, None))


def opened(under: Any, data: bytes) -> bytes:
    """What `sealed` made, as it was."""
    return bytes(under.decrypt(data[:_NONCE], data[_NONCE:], None))
