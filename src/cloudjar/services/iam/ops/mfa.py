"""Virtual MFA devices.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html
"""

from __future__ import annotations

import io
from typing import Any, NamedTuple

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.caller import root
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import errors, mfa_rules, names, rules
from cloudjar.services.iam.mfa import ROOT_DEVICE, MfaDevice, MfaUse, note_use, purpose, use_of
from cloudjar.services.iam.records import User
from cloudjar.services.iam.views import user_of
from cloudjar.spec import quotas

_ROOT_NAME = "root"


class _Holder(NamedTuple):
    """Who has a device, or is to have it."""

    id: str
    name: str


def _holder(ctx: Ctx, name: str | None) -> _Holder:
    """The user of a request, or the caller. The root user calls himself ``root``: AWS has his devices enabled in the
    console, which is not here yet."""
    if ctx.caller.kind == "root" and (not name or (name == _ROOT_NAME and names.find(ctx, User, name) is None)):
        return _Holder(ctx.account, _ROOT_NAME)
    user = names.user_or_caller(ctx, name)
    return _Holder(user.id, user.name)


def _held(ctx: Ctx, req: dict[str, Any]) -> tuple[_Holder, MfaDevice]:
    """A device that the user of a request has."""
    holder = _holder(ctx, req.get("UserName"))
    device = ctx.db[MfaDevice].get(req["SerialNumber"])
    if device is None or device.user_id != holder.id:
        raise errors.no_such_entity("MFA Device invalid for user.")
    return holder, device


@op("CreateVirtualMFADevice")
def create_virtual_mfa_device(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A device with a seed of its own, shown this once; it counts when it is enabled."""
    name, path = req["VirtualMFADeviceName"], req.get("Path") or "/"
    if len(name) > mfa_rules.LONGEST_NAME:
        raise errors.validation(
            f"1 validation error detected: Value '{name}' at 'virtualMFADeviceName' failed to satisfy constraint: "
            f"Member must have length less than or equal to {mfa_rules.LONGEST_NAME}"
        )
    arn = arns.make("iam", "", ctx.account, f"mfa{path}{name}")
    if ctx.db[MfaDevice].get(arn) is not None:
        raise errors.already_exists("MFADevice entity at the same path and name already exists.")
    seed = ids.entropy(mfa_rules.SEED_BYTES)
    given = rules.tags(req.get("Tags") or ())
    sealed = ctx.world.sealer.seal(seed, purpose(arn))
    ctx.db[MfaDevice].add(MfaDevice(arn=arn, name=name, path=path, seed=sealed, tags=given))
    alias = names.alias(ctx)
    return {
        "VirtualMFADevice": {
            "SerialNumber": arn,
            "Base32StringSeed": mfa_rules.base32(seed).encode(),
            "QRCodePNG": _qr_code(mfa_rules.uri(name, alias.alias if alias else ctx.account, seed)),
            "Tags": tags.as_list(given) or None,
        }
    }


def _qr_code(text: str) -> bytes:
    import segno

    picture = io.BytesIO()
    segno.make(text, micro=False).save(picture, kind="png", scale=4)
    return picture.getvalue()


@op("EnableMFADevice")
def enable_mfa_device(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give a device to a user who proves by two codes in a row that he has it."""
    holder = _holder(ctx, req["UserName"])
    device = ctx.db[MfaDevice].need(req["SerialNumber"])
    if device.user_id:
        raise errors.already_exists("MFA Device is already in use.")
    if holder.id == ctx.account and device.name != ROOT_DEVICE:
        raise errors.invalid_input(f"The device of the root user is called {ROOT_DEVICE}.")
    if ctx.db[MfaDevice].count(user_id=holder.id) >= quotas.IAM_MFA_DEVICES_PER_USER:
        raise errors.quota("MFADevicesPerUser", quotas.IAM_MFA_DEVICES_PER_USER)
    drift = _proven(ctx, req, device)
    enabled = ctx.now.replace(microsecond=0)
    ctx.db[MfaDevice].put(replace(device, user_id=holder.id, enabled=enabled, drift=drift))
    return {}


@op("ResyncMFADevice")
def resync_mfa_device(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Learn from two codes in a row how far a device's clock is off."""
    _, device = _held(ctx, req)
    ctx.db[MfaDevice].put(replace(device, drift=_proven(ctx, req, device)))
    return {}


def _proven(ctx: Ctx, req: dict[str, Any], device: MfaDevice) -> int:
    """The device's drift by two codes; uses them up. Raises InvalidAuthenticationCode."""
    seed = ctx.world.sealer.open(device.seed, purpose(device.arn))
    now = mfa_rules.step_at(ctx.world.clock.real())
    step = None
    if seed is not None:
        step = mfa_rules.consecutive_steps(seed, req["AuthenticationCode1"], req["AuthenticationCode2"], now)
    if step is None:
        raise AwsError("InvalidAuthenticationCode", "Authentication code for device is not valid.", 403)
    use = use_of(ctx.db, device.arn)
    note_use(ctx.db, replace(use, last_step=max(step, use.last_step), failures=0, failed_at=None))
    return mfa_rules.drift_of(step, now)


@op("DeactivateMFADevice")
def deactivate_mfa_device(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take a device from its user; it stays, with its seed."""
    _, device = _held(ctx, req)
    ctx.db[MfaDevice].put(replace(device, user_id="", enabled=None, drift=0))
    return {}


@op("DeleteVirtualMFADevice")
def delete_virtual_mfa_device(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a device that nobody has."""
    device = ctx.db[MfaDevice].need(req["SerialNumber"])
    if device.user_id:
        raise errors.delete_conflict("MFA VirtualDevice in use. Must deactivate first.")
    ctx.db[MfaDevice].drop(device)
    use = ctx.db[MfaUse].get(device.arn)
    if use is not None:
        ctx.db[MfaUse].drop(use)
    return {}


@op("ListMFADevices")
def list_mfa_devices(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A user's devices, or the caller's own."""
    holder = _holder(ctx, req.get("UserName"))
    return {"MFADevices": [_device(holder, device) for device in ctx.db[MfaDevice].all(user_id=holder.id)]}


def _device(holder: _Holder, device: MfaDevice) -> dict[str, Any]:
    return {"UserName": holder.name, "SerialNumber": device.arn, "EnableDate": device.enabled}


@op("GetMFADevice")
def get_mfa_device(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One of a user's devices; virtual ones have no certifications."""
    holder, device = _held(ctx, req)
    return _device(holder, device)


@op("ListVirtualMFADevices")
def list_virtual_mfa_devices(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's devices, with who has them; without their tags, as AWS's lists are."""
    asked = req.get("AssignmentStatus") or "Any"
    devices = [
        device for device in ctx.db[MfaDevice].all() if asked == "Any" or bool(device.user_id) == (asked == "Assigned")
    ]
    return {
        "VirtualMFADevices": [
            {"SerialNumber": device.arn, "EnableDate": device.enabled, "User": _user(ctx, device)} for device in devices
        ]
    }


def _user(ctx: Ctx, device: MfaDevice) -> dict[str, Any] | None:
    if device.user_id == ctx.account:
        return {"UserId": ctx.account, "Arn": root(ctx.account).arn}
    user = next(iter(ctx.db[User].all(id=device.user_id)), None) if device.user_id else None
    return user_of(user, whole=False) if user is not None else None


@op("TagMFADevice")
def tag_mfa_device(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, in place of those with the same keys."""
    device = ctx.db[MfaDevice].need(req["SerialNumber"])
    ctx.db[MfaDevice].put(replace(device, tags=rules.tags(req["Tags"], device.tags)))
    return {}


@op("UntagMFADevice")
def untag_mfa_device(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags by key; keys that are not there are passed over."""
    device = ctx.db[MfaDevice].need(req["SerialNumber"])
    ctx.db[MfaDevice].put(replace(device, tags=rules.without_tags(device.tags, req["TagKeys"])))
    return {}


@op("ListMFADeviceTags")
def list_mfa_device_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tags in the order of their keys."""
    return {"Tags": tags.as_list(ctx.db[MfaDevice].need(req["SerialNumber"]).tags), "IsTruncated": False}
