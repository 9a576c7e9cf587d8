"""Block public access: whether snapshots and images of an account may be shared with everybody in a Region.

https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.snapshots.records import PublicAccess

_UNBLOCKED = "unblocked"
_SAID = {"snapshots": "snapshots", "images": "AMIs"}


def chosen(ctx: Ctx) -> PublicAccess:
    """What the account has decided here; at first what a new account has."""
    return ctx.db[PublicAccess].get("public-access") or PublicAccess()


def refuse_blocked(ctx: Ctx, what: str) -> None:
    """Raise OperationNotPermitted when `what` (``snapshots``, ``images``) may not be shared with everybody anew."""
    if getattr(chosen(ctx), what) != _UNBLOCKED:
        raise AwsError(
            "OperationNotPermitted",
            f"You can't publicly share {_SAID[what]} because block public access for {_SAID[what]} is enabled for "
            "this account in this Region.",
        )


def _change(ctx: Ctx, **what: str) -> PublicAccess:
    table = ctx.db[PublicAccess]
    changed = replace(chosen(ctx), **what)
    return table.add(changed) if table.get(changed.name) is None else table.put(changed)


@op("EnableSnapshotBlockPublicAccess")
def enable_snapshot_block_public_access(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No new public sharing; or none at all, also of what was public before."""
    if req["State"] == _UNBLOCKED:
        raise errors.invalid_parameter(_UNBLOCKED, "State", "Use DisableSnapshotBlockPublicAccess.")
    return {"State": _change(ctx, snapshots=req["State"]).snapshots}


@op("DisableSnapshotBlockPublicAccess")
def disable_snapshot_block_public_access(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """What was shared with everybody is public again."""
    return {"State": _change(ctx, snapshots=_UNBLOCKED).snapshots}


@op("GetSnapshotBlockPublicAccessState")
def get_snapshot_block_public_access_state(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """How it stands."""
    return {"State": chosen(ctx).snapshots, "ManagedBy": "account"}


@op("EnableImageBlockPublicAccess")
def enable_image_block_public_access(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No new public images; those that there are stay public."""
    changed = _change(ctx, images=req["ImageBlockPublicAccessState"])
    return {"ImageBlockPublicAccessState": changed.images}


@op("DisableImageBlockPublicAccess")
def disable_image_block_public_access(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """Images may be made public."""
    return {"ImageBlockPublicAccessState": _change(ctx, images=_UNBLOCKED).images}


@op("GetImageBlockPublicAccessState")
def get_image_block_public_access_state(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """How it stands."""
    return {"ImageBlockPublicAccessState": chosen(ctx).images, "ManagedBy": "account"}
