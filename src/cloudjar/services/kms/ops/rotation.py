"""Rotation: new material under the same key, by the clock or at once; what was encrypted before is still decrypted.

https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import access, errors, finding, life, material
from cloudjar.services.kms.records import CURRENT, LEAVING, NON_CURRENT, PENDING_ROTATION, Key
from cloudjar.services.kms.specs import SYMMETRIC
from cloudjar.services.kms.views import show_rotation

_PERIOD = 365
ON_DEMAND_LIMIT = 25


@op("EnableKeyRotation", keys=access.of_request)
def enable_key_rotation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Rotate every so many days from now on; the period may be changed by enabling again."""
    key = _automatic(finding.need(ctx, req["KeyId"], action="EnableKeyRotation"))
    days = int(req.get("RotationPeriodInDays") or key.rotation_days or _PERIOD)
    if days != key.rotation_days:
        changed = replace(key, rotation_days=days, next_rotation=ctx.now + timedelta(days=days))
        life.share(ctx, ctx.db[Key].put(changed))
    return {}


@op("DisableKeyRotation", keys=access.of_request)
def disable_key_rotation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Rotate no more by the clock."""
    key = _automatic(finding.need(ctx, req["KeyId"], action="DisableKeyRotation"))
    life.share(ctx, ctx.db[Key].put(replace(key, rotation_days=0, next_rotation=None)))
    return {}


def _automatic(key: Key) -> Key:
    _rotatable(key)
    if key.origin != "AWS_KMS":
        raise errors.wrong_origin(arn_of(key), key.origin)
    if key.multi_region == "REPLICA":
        raise errors.unsupported(f"{arn_of(key)} is a replica key: rotation is set on its primary key.")
    return finding.usable(key)


def _rotatable(key: Key) -> Key:
    if key.spec != SYMMETRIC:
        raise errors.unsupported(f"{arn_of(key)} has key spec {key.spec}, which does not support rotation.")
    return key


@op("GetKeyRotationStatus", keys=access.of_request)
def get_key_rotation_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether the key rotates by the clock, how often, and when next. A key that waits for deletion does not."""
    key = _rotatable(finding.need(ctx, req["KeyId"]))
    if not key.rotation_days or key.state in LEAVING:
        return {"KeyRotationEnabled": False, "KeyId": key.id}
    return {
        "KeyRotationEnabled": True,
        "KeyId": key.id,
        "RotationPeriodInDays": key.rotation_days,
        "NextRotationDate": key.next_rotation,
    }


@op("RotateKeyOnDemand", keys=access.of_request)
def rotate_key_on_demand(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Rotate now, at most 25 times in a key's life; an imported key goes over to the material that awaits it."""
    key = _rotatable(finding.need(ctx, req["KeyId"], action="RotateKeyOnDemand"))
    if key.multi_region == "REPLICA":
        raise errors.unsupported(f"{arn_of(key)} is a replica key: its primary key is rotated.")
    finding.usable(key)
    if key.on_demand >= ON_DEMAND_LIMIT:
        raise errors.limit(
            "The on-demand rotations limit has been reached for the given keyId. "
            f"No more on-demand rotations can be performed for this key: {key.id}"
        )
    successor = None
    if key.origin == "EXTERNAL":
        waiting = [one for one in material.all_of(ctx, key) if one.state == PENDING_ROTATION]
        if not waiting:
            raise errors.state(arn_of(key), "without key material that is pending rotation")
        successor = waiting[0]
    rotated = material.rotate(ctx, key, "ON_DEMAND", ctx.now, successor)
    life.share(ctx, ctx.db[Key].put(replace(rotated, on_demand=key.on_demand + 1)))
    return {"KeyId": key.id}


@op("ListKeyRotations", keys=access.of_request)
def list_key_rotations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The rotations that were made, or all key material: also the first, and what awaits its rotation."""
    key = _rotatable(finding.need(ctx, req["KeyId"], action="ListKeyRotations"))
    every = req.get("IncludeKeyMaterial") == "ALL_KEY_MATERIAL"
    found = [one for one in material.all_of(ctx, key) if every or (one.rotated and one.state in (CURRENT, NON_CURRENT))]
    return {"Rotations": [show_rotation(key, one) for one in found], "Truncated": False}
