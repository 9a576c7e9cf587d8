"""Making keys, looking at them, switching them on and off, and letting them go.

https://docs.aws.amazon.com/kms/latest/developerguide/create-keys.html
https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import access, errors, finding, managed, material, policies
from cloudjar.services.kms.life import LIFE
from cloudjar.services.kms.ops.tags import checked as checked_tags
from cloudjar.services.kms.records import (
    DISABLED,
    ENABLED,
    LEAVING,
    PENDING_DELETION,
    PENDING_IMPORT,
    PENDING_REPLICA_DELETION,
    Key,
    Material,
)
from cloudjar.services.kms.specs import ENCRYPT, SPECS, SYMMETRIC
from cloudjar.services.kms.views import show_key

_WINDOW = 30


@op("CreateKey", keys=access.creating)
def create_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A key with material of KMS's own, or one that waits for the import of its material."""
    origin = _origin(req)
    spec = _spec(req)
    usage = _usage(req, spec)
    key_id = f"mrk-{ids.entropy(16).hex()}" if req.get("MultiRegion") else ids.uuid4()
    policy, named = new_policy(ctx, req, finding.key_arn(ctx, key_id))
    key = Key(
        id=key_id,
        spec=spec,
        usage=usage,
        origin=origin,
        state=ENABLED if origin == "AWS_KMS" else PENDING_IMPORT,
        made=ctx.now,
        policy=policy,
        principals=named,
        description=req.get("Description") or "",
        tags=checked_tags(req.get("Tags") or ()),
        multi_region="PRIMARY" if req.get("MultiRegion") else "",
        primary=ctx.region if req.get("MultiRegion") else "",
    )
    if origin == "AWS_KMS":
        first = ctx.db[Material].add(material.new(ctx, ctx.account, key_id, spec, 1))
        key = replace(key, material=first.id)
    return {"KeyMetadata": show_key(ctx, ctx.db[Key].add(key))}


def new_policy(ctx: Ctx, req: dict[str, Any], arn: str) -> tuple[str, dict[str, str]]:
    """The policy of a key to be made and the ids of whom it names."""
    if req.get("Policy") is None:
        return policies.default(ctx.account), {}
    named = policies.checked(ctx, req["Policy"], arn, bypass=bool(req.get("BypassPolicyLockoutSafetyCheck")))
    return str(req["Policy"]), named


def _origin(req: dict[str, Any]) -> str:
    origin = str(req.get("Origin") or "AWS_KMS")
    if req.get("CustomKeyStoreId") or req.get("XksKeyId") or origin not in ("AWS_KMS", "EXTERNAL"):
        raise errors.not_built("A custom key store (CloudHSM or external)")
    return origin


def _spec(req: dict[str, Any]) -> str:
    if req.get("KeySpec") and req.get("CustomerMasterKeySpec"):
        raise errors.validation(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. "
            "CustomerMasterKeySpec is deprecated."
        )
    spec = str(req.get("KeySpec") or req.get("CustomerMasterKeySpec") or SYMMETRIC)
    if spec not in SPECS:
        raise errors.unsupported(f"KeySpec {spec} is not supported in this region.")
    return spec


def _usage(req: dict[str, Any], spec: str) -> str:
    usage = req.get("KeyUsage")
    if usage is None and spec != SYMMETRIC:
        raise errors.validation(
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
        )
    chosen = str(usage or ENCRYPT)
    if chosen not in SPECS[spec].usages:
        raise errors.validation(f"KeyUsage {chosen} is not compatible with KeySpec {spec}")
    return chosen


@op("DescribeKey", keys=access.of_request)
def describe_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A key's metadata. An AWS alias that has no key yet gets one."""
    text = req["KeyId"].removeprefix(f"arn:aws:kms:{ctx.region}:{ctx.account}:")
    service = managed.service_of(text)
    if service and finding.find(ctx, text) is None:
        managed.make(ctx, service)
    return {"KeyMetadata": show_key(ctx, finding.need(ctx, req["KeyId"], alias=True))}


@op("ListKeys", keys=access.of_request)
def list_keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every key of the account in this Region; no other account's are shared with it here."""
    if "SELF" not in (req.get("ResourceOwners") or ("SELF",)):
        return {"Keys": [], "Truncated": False}
    return {"Keys": [{"KeyId": key.id, "KeyArn": arn_of(key)} for key in ctx.db[Key].all()], "Truncated": False}


@op("EnableKey", keys=access.of_request)
def enable_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A disabled key can be used again."""
    key = _with_material(finding.need(ctx, req["KeyId"], action="EnableKey"))
    if key.state == DISABLED:
        LIFE.move(ctx, key, ENABLED)
    return {}


@op("DisableKey", keys=access.of_request)
def disable_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A key that cannot be used until it is enabled."""
    key = _with_material(finding.need(ctx, req["KeyId"], action="DisableKey"))
    if key.state == ENABLED:
        LIFE.move(ctx, key, DISABLED)
    return {}


def _with_material(key: Key) -> Key:
    if key.state not in (ENABLED, DISABLED):
        raise errors.state(arn_of(key), finding.in_words(key.state))
    return key


@op("UpdateKeyDescription", keys=access.of_request)
def update_key_description(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another description."""
    key = finding.staying(finding.need(ctx, req["KeyId"], action="UpdateKeyDescription"))
    ctx.db[Key].put(replace(key, description=req["Description"]))
    return {}


@op("ScheduleKeyDeletion", keys=access.of_request)
def schedule_key_deletion(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The key rests for 7 to 30 days, then it and its material are gone. A primary key waits for its replicas first."""
    days = int(req.get("PendingWindowInDays") or _WINDOW)
    if not 7 <= days <= _WINDOW:
        raise errors.validation(f"PendingWindowInDays must be between 7 and {_WINDOW}.")
    key = finding.staying(finding.need(ctx, req["KeyId"], action="ScheduleKeyDeletion"))
    if key.multi_region == "PRIMARY" and key.replicas:
        moved = LIFE.move(ctx, key, PENDING_REPLICA_DELETION, window=days)
    else:
        moved = LIFE.move(ctx, key, PENDING_DELETION, window=days, deletion=ctx.now + timedelta(days=days))
    return {
        "KeyId": arn_of(moved),
        "DeletionDate": moved.deletion,
        "KeyState": moved.state,
        "PendingWindowInDays": days,
    }


@op("CancelKeyDeletion", keys=access.of_request)
def cancel_key_deletion(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The key stays, disabled."""
    key = finding.need(ctx, req["KeyId"], action="CancelKeyDeletion")
    if key.state not in LEAVING:
        raise errors.state(arn_of(key), "not pending deletion")
    generations = material.all_of(ctx, key)
    complete = bool(generations) and all(one.sealed for one in generations if one.state != "PENDING_ROTATION")
    LIFE.move(ctx, key, DISABLED if complete else PENDING_IMPORT, deletion=None, window=0)
    return {"KeyId": arn_of(key)}
