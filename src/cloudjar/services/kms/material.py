"""Key material: made, imported, opened, rotated, forgotten. It lies sealed, and is opened for one call."""

from __future__ import annotations

import hashlib
from datetime import datetime

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.services.kms import crypto, errors, spares
from cloudjar.services.kms.records import CURRENT, NON_CURRENT, Key, Material
from cloudjar.services.kms.specs import SPECS, SYMMETRIC


def identify(key_id: str, secret: bytes) -> str:
    """A material's id: the same secret in the same key (or its replica) has the same, so a re-import is recognised."""
    return hashlib.sha256(b"cloudjar kms material\0" + key_id.encode() + b"\0" + secret).hexdigest()


def _purpose(account: str, key_id: str, material_id: str) -> str:
    return f"kms/{account}/{key_id}/{material_id}"


def seal(ctx: Ctx, account: str, key_id: str, material_id: str, secret: bytes) -> bytes:
    """A secret as it lies in the store. The Region is no part of it: replicas take the bytes over."""
    return ctx.world.sealer.seal(secret, _purpose(account, key_id, material_id))


def new(ctx: Ctx, account: str, key_id: str, spec: str, number: int) -> Material:
    """Freshly made material, not stored yet; raises UnsupportedOperationException for what cannot be made here."""
    if SPECS[spec].family in ("mldsa", "mlkem") and not crypto.available(spec):
        raise errors.unsupported(f"KeySpec {spec} is not supported by the cryptography library of this installation.")
    secret = spares.secret(ctx, spec)
    identity = identify(key_id, secret)
    return Material(
        id=identity, key_id=key_id, number=number, sealed=seal(ctx, account, key_id, identity, secret)
    )


def all_of(ctx: Ctx, key: Key) -> list[Material]:
    """Every generation of a key, oldest first."""
    found = ctx.db.at(key.account, key.region)[Material].all(key_id=key.id)
    return sorted(found, key=lambda one: one.number)


def get(ctx: Ctx, key: Key, material_id: str) -> Material | None:
    """One generation of a key."""
    found = ctx.db.at(key.account, key.region)[Material].get(material_id)
    return found if found is not None and found.key_id == key.id else None


def opened(ctx: Ctx, key: Key, material_id: str = "") -> bytes:
    """The secret of a key's current (or another) material; the key's state was checked."""
    found = get(ctx, key, material_id or key.material)
    secret = None
    if found is not None and found.sealed:
        secret = ctx.world.sealer.open(found.sealed, _purpose(key.account, key.id, found.id))
    if secret is None:
        raise errors.invalid_ciphertext() if material_id else errors.state(ctx.arn(key), "unavailable")
    return secret


def rotate(ctx: Ctx, key: Key, kind: str, at: datetime, successor: Material | None = None) -> Key:
    """Put new material in the place of the current one; `kind` is AUTOMATIC or ON_DEMAND. What was encrypted before is
    still decrypted: the old material stays. Gives the key with its new material, not stored yet."""
    table = ctx.db.at(key.account, key.region)[Material]
    generations = all_of(ctx, key)
    for one in generations:
        if one.state == CURRENT:
            table.put(replace(one, state=NON_CURRENT))
    if successor is None:
        fresh = new(ctx, key.account, key.id, SYMMETRIC, generations[-1].number + 1)
        successor = table.add(replace(fresh, rotated=at, rotation=kind))
    else:
        successor = table.put(replace(successor, state=CURRENT, rotated=at, rotation=kind))
    ctx.world.events.emit(
        key.account, key.region, "aws.kms", "KMS CMK Rotation", {"key-id": key.id}, (ctx.arn(key),)
    )
    return replace(key, material=successor.id, rotations=key.rotations + 1)


def copy(ctx: Ctx, key: Key, region: str) -> None:
    """Bring a replica's material to its primary's."""
    table = ctx.db.at(key.account, region)[Material]
    for one in all_of(ctx, key):
        there = table.get(one.id)
        if there is None:
            table.add(replace(one, region=region))
        else:
            table.put(replace(one, region=region))


def forget(ctx: Ctx, key: Key) -> None:
    """Drop all of a key's material in its Region."""
    table = ctx.db.at(key.account, key.region)[Material]
    for one in all_of(ctx, key):
        table.drop(one)
