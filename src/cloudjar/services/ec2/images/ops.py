"""AMIs: describe, deregister, protect, disable, deprecate.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.allowed import chosen
from cloudjar.services.ec2.images.catalogue import find_image, need_image, told
from cloudjar.services.ec2.images.records import OwnImage
from cloudjar.services.ec2.images.views import FILTERS
from cloudjar.services.ec2.lookup import Row, narrow
from cloudjar.services.ec2.snapshots.locking import is_locked
from cloudjar.services.ec2.snapshots.making import remove
from cloudjar.services.ec2.snapshots.records import Snapshot
from cloudjar.services.ec2.snapshots.sharing import account_ids
from cloudjar.spec import images


@op("DescribeImages")
def describe_images(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Images by id, owner, who may run them, and filters."""
    wanted = req.get("ImageIds")
    found = [need_image(ctx, i) for i in dict.fromkeys(wanted)] if wanted else _all(ctx)
    rows = [Row(one.own.tags if one.own and one.own.account == ctx.account else {}, one.facts) for one in found]
    owners = req.get("Owners")
    if owners:
        rows = [row for row in rows if _owned(ctx, row.view, owners)]
    users = req.get("ExecutableUsers")
    if users:
        rows = [row for row in rows if _executable(ctx, row.view, users)]
    if not wanted and not req.get("IncludeDisabled"):
        rows = [row for row in rows if row.view["State"] != "disabled"]
    if not wanted and not req.get("IncludeDeprecated"):
        rows = [row for row in rows if not _is_deprecated(ctx, row.view)]
    return {"Images": narrow(req, FILTERS, rows)}


def _all(ctx: Ctx) -> list[Any]:
    own = [image.id for image in ctx.db.everywhere(OwnImage) if image.region == ctx.region]
    ids = [*own, *(image.id for image in images.catalogue(ctx.region))]
    known, decided = (find_image(ctx, image_id) for image_id in ids), chosen(ctx)
    return [shown for one in known if one is not None and (shown := told(ctx, decided, one)) is not None]


def _is_deprecated(ctx: Ctx, view: dict[str, Any]) -> bool:
    """To others than its owner."""
    after = view.get("DeprecationTime")
    return bool(after) and view["OwnerId"] != ctx.account and str(after) <= f"{ctx.now:%Y-%m-%dT%H:%M:%S}"


def _owned(ctx: Ctx, view: dict[str, Any], owners: list[str]) -> bool:
    own = [ctx.account if owner == "self" else owner for owner in owners]
    return view["OwnerId"] in own or view.get("ImageOwnerAlias") in own


def _executable(ctx: Ctx, view: dict[str, Any], users: list[str]) -> bool:
    account_ids(user for user in users if user not in ("self", "all"))
    if view["Public"]:
        return "all" in users
    image = ctx.db.find(OwnImage, view["ImageId"])
    named = {ctx.account if user == "self" else user for user in users}
    return image is not None and bool(named & set(image.shared_with))


def own_image(ctx: Ctx, image_id: str) -> OwnImage:
    """An image of the caller's account; raises AuthFailure for somebody else's that he can see."""
    image = need_image(ctx, image_id)
    if image.own is None or image.own.account != ctx.account:
        raise AwsError("AuthFailure", f"Not authorized for image:{image.id}", 403)
    return image.own


@op("DeregisterImage")
def deregister_image(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The image can be launched no more; its snapshots stay, unless they are asked to go too."""
    image = own_image(ctx, req["ImageId"])
    if image.protected:
        raise AwsError("OperationNotPermitted", f"The image '{image.id}' is protected from deregistration.")
    ctx.db[OwnImage].drop(image)
    if not req.get("DeleteAssociatedSnapshots"):
        return {"Return": True}
    needed = {key for other in ctx.db[OwnImage].all() for key in other.snapshots}
    results = []
    for snapshot_id in sorted(image.snapshots):
        snapshot = ctx.db[Snapshot].get(snapshot_id)
        if snapshot is None or snapshot_id in needed:
            results.append({"SnapshotId": snapshot_id, "ReturnCode": "skipped"})
            continue
        if is_locked(ctx, snapshot):
            results.append({"SnapshotId": snapshot_id, "ReturnCode": "client-error"})
            continue
        remove(ctx, snapshot)
        results.append({"SnapshotId": snapshot_id, "ReturnCode": "success"})
    return {"Return": True, "DeleteSnapshotResults": results}


@op("EnableImageDeregistrationProtection")
def enable_image_deregistration_protection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Protect an image from being deregistered."""
    errors.refuse(req, "WithCooldown")
    ctx.db[OwnImage].put(replace(own_image(ctx, req["ImageId"]), protected=True))
    return {"Return": "true"}


@op("DisableImageDeregistrationProtection")
def disable_image_deregistration_protection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take the protection away."""
    ctx.db[OwnImage].put(replace(own_image(ctx, req["ImageId"]), protected=False))
    return {"Return": "true"}


@op("DisableImage")
def disable_image(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Nobody can launch it, and nobody it was shared with sees it, until it is enabled."""
    ctx.db[OwnImage].put(replace(own_image(ctx, req["ImageId"]), disabled=True, public=False, shared_with=()))
    return {"Return": True}


@op("EnableImage")
def enable_image(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """It can be launched again; it has to be shared anew."""
    ctx.db[OwnImage].put(replace(own_image(ctx, req["ImageId"]), disabled=False))
    return {"Return": True}


@op("EnableImageDeprecation")
def enable_image_deprecation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """From an instant on others do not find it by searching."""
    at = req["DeprecateAt"]
    if at <= ctx.now:
        raise errors.invalid_parameter(at, "deprecateAt", "It must be in the future.")
    ctx.db[OwnImage].put(replace(own_image(ctx, req["ImageId"]), deprecated=at))
    return {"Return": True}


@op("DisableImageDeprecation")
def disable_image_deprecation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Others find it for good."""
    ctx.db[OwnImage].put(replace(own_image(ctx, req["ImageId"]), deprecated=None))
    return {"Return": True}


