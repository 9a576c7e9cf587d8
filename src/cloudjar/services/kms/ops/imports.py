"""Key material of one's own: wrapped for the way, checked on arrival, gone when it expires or is deleted.

The import token is the wrapping key itself, sealed: KMS stores nothing until the material comes.

https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import access, crypto, errors, finding, life, material, spares
from cloudjar.services.kms.records import ENABLED, PENDING_IMPORT, PENDING_ROTATION, Key, Material
from cloudjar.services.kms.specs import SPECS, SYMMETRIC

_PURPOSE = "kms-import-token"
_VALID = timedelta(hours=24)
_LONGEST = timedelta(days=365)
_ALGORITHMS = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256")


class Token(msgspec.Struct, array_like=True):
    """What an import token says."""

    arn: str
    algorithm: str
    secret: bytes
    valid_to: datetime


@op("GetParametersForImport", keys=access.of_request)
def get_parameters_for_import(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A public key to wrap material with and a token that belongs to it, good for a day."""
    key = _external(finding.need(ctx, req["KeyId"], action="GetParametersForImport"))
    algorithm, spec = str(req["WrappingAlgorithm"]), str(req["WrappingKeySpec"])
    if algorithm not in _ALGORITHMS or spec not in SPECS:
        raise errors.unsupported(f"Wrapping algorithm {algorithm} with {spec} is not supported in this region.")
    secret = spares.secret(ctx, spec)
    token = Token(arn_of(key), algorithm, secret, ctx.now + _VALID)
    return {
        "KeyId": arn_of(key),
        "ImportToken": ctx.world.sealer.seal(msgspec.msgpack.encode(token), _PURPOSE),
        "PublicKey": crypto.public_key(secret),
        "ParametersValidTo": token.valid_to,
    }


def _external(key: Key) -> Key:
    if key.origin != "EXTERNAL":
        raise errors.wrong_origin(arn_of(key), key.origin)
    return finding.staying(key)


@op("ImportKeyMaterial", keys=access.of_request)
def import_key_material(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The key's first material, the same again, or (symmetric keys) new material that awaits rotation."""
    key = _external(finding.need(ctx, req["KeyId"], action="ImportKeyMaterial"))
    valid_to = _expiry(ctx, req)
    secret = _unwrapped(ctx, key, req)
    identity = material.identify(key.id, secret)
    if req.get("KeyMaterialId") not in (None, identity):
        raise _incorrect(key)
    generations = material.all_of(ctx, key)
    fresh = (req.get("ImportType") or ("EXISTING_KEY_MATERIAL" if generations else "NEW_KEY_MATERIAL")) == (
        "NEW_KEY_MATERIAL"
    )
    known = next((one for one in generations if one.id == identity), None)
    if fresh:
        _check_new(key, generations)
        known = _add(ctx, key, identity, generations)
    elif known is None:
        raise _incorrect(key)
    _arrive(ctx, key, known, secret, valid_to, req.get("KeyMaterialDescription"))
    return {"KeyId": arn_of(key), "KeyMaterialId": identity}


def _expiry(ctx: Ctx, req: dict[str, Any]) -> datetime | None:
    valid_to: datetime | None = req.get("ValidTo")
    if req.get("ExpirationModel") == "KEY_MATERIAL_DOES_NOT_EXPIRE":
        if valid_to is not None:
            raise errors.validation("A validTo date must not be set if the ExpirationModel is "
                                    "KEY_MATERIAL_DOES_NOT_EXPIRE")  # fmt: skip
        return None
    if valid_to is None:
        raise errors.validation("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
    if not ctx.now < valid_to <= ctx.now + _LONGEST:
        raise errors.validation("ValidTo must be within 365 days from now.")
    return valid_to


def _unwrapped(ctx: Ctx, key: Key, req: dict[str, Any]) -> bytes:
    opened = ctx.world.sealer.open(req["ImportToken"], _PURPOSE)
    token = None if opened is None else msgspec.msgpack.decode(opened, type=Token)
    if token is None or token.arn != arn_of(key):
        raise AwsError("InvalidImportTokenException", "The import token is not of this key.", 400)
    if token.valid_to < ctx.now:
        raise AwsError("ExpiredImportTokenException", "The import token has expired.", 400)
    secret = crypto.unwrap(token.secret, token.algorithm, req["EncryptedKeyMaterial"])
    if secret is None:
        raise errors.invalid_ciphertext()
    if not crypto.fits(key.spec, secret):
        raise _incorrect(key)
    return secret


def _incorrect(key: Key) -> AwsError:
    return AwsError("IncorrectKeyMaterialException", f"The key material is not the one of {arn_of(key)}.", 400)


def _check_new(key: Key, generations: list[Material]) -> None:
    if not generations:
        return
    if key.spec != SYMMETRIC:
        raise errors.unsupported(f"{arn_of(key)} has key spec {key.spec}, whose key material cannot be changed.")
    if key.multi_region:
        raise errors.not_built("Importing new material for the rotation of a multi-Region key")
    if any(one.state == PENDING_ROTATION for one in generations):
        raise errors.state(arn_of(key), "pending rotation")


def _add(ctx: Ctx, key: Key, identity: str, generations: list[Material]) -> Material:
    if any(one.id == identity for one in generations):
        raise _incorrect(key)
    number = generations[-1].number + 1 if generations else 1
    made = Material(id=identity, key_id=key.id, number=number, sealed=b"", imported=True)
    return ctx.db[Material].add(replace(made, state=PENDING_ROTATION) if generations else made)


def _arrive(
    ctx: Ctx, key: Key, one: Material, secret: bytes, valid_to: datetime | None, description: str | None
) -> None:
    ctx.db[Material].put(
        replace(
            one,
            sealed=material.seal(ctx, key.account, key.id, one.id, secret),
            valid_to=valid_to,
            description=one.description if description is None else description,
        )
    )
    if not key.material:
        key = ctx.db[Key].put(replace(key, material=one.id))
    used = [held for held in material.all_of(ctx, key) if held.state != PENDING_ROTATION]
    if key.state == PENDING_IMPORT and all(held.sealed for held in used):
        key = life.LIFE.move(ctx, key, ENABLED)
    ctx.wake(key)


@op("DeleteImportedKeyMaterial", keys=access.of_request)
def delete_imported_key_material(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The key cannot be used until the same material is imported again."""
    key = finding.need(ctx, req["KeyId"], action="DeleteImportedKeyMaterial")
    if key.origin != "EXTERNAL":
        raise errors.wrong_origin(arn_of(key), key.origin)
    wanted = req.get("KeyMaterialId") or key.material
    one = material.get(ctx, key, wanted) if wanted else None
    if one is None and req.get("KeyMaterialId"):
        raise errors.not_found(f"Key material {wanted} does not exist")
    if one is not None and one.sealed:
        life.without_material(ctx, key, one)
    return {"KeyId": arn_of(key), "KeyMaterialId": wanted or None}
