"""Allowed AMIs: which images of others an account may find and launch in a Region.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-allowed-amis.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, record
from cloudjar.services.ec2 import errors

_MOST_CRITERIA = 10
_MOST_PROVIDERS = 200


@record("ec2", "allowed-images", key="name")
class AllowedImages(Record, frozen=True, kw_only=True):
    """What an account has decided in a Region; criteria are as AWS's requests have them."""

    name: str = "allowed-images"
    state: str = "disabled"
    """enabled, audit-mode or disabled."""
    criteria: tuple[dict[str, Any], ...] = ()


def chosen(ctx: Ctx) -> AllowedImages:
    """The account's decision; at first none."""
    return ctx.db[AllowedImages].get("allowed-images") or AllowedImages()


def is_allowed(ctx: Ctx, decided: AllowedImages, facts: Mapping[str, Any]) -> bool:
    """Whether an image (as DescribeImages tells of it) meets one of the criteria; one's own always may be used."""
    if not decided.criteria or facts["OwnerId"] == ctx.account:
        return True
    return any(_meets(ctx, one, facts) for one in decided.criteria)


def _meets(ctx: Ctx, criterion: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    providers, names = criterion.get("ImageProviders"), criterion.get("ImageNames")
    if providers and not {facts["OwnerId"], facts.get("ImageOwnerAlias")} & set(providers):
        return False
    if names and not any(_fits(name, str(facts["Name"])) for name in names):
        return False
    if criterion.get("MarketplaceProductCodes"):
        return False  # no image has one
    marks = criterion.get("ImageWatermarks")
    if marks and not any(_marked(ctx, one, mark) for one in marks for mark in facts.get("ImageWatermarks") or ()):
        return False
    created = criterion.get("CreationDateCondition") or {}
    deprecated = criterion.get("DeprecationTimeCondition") or {}
    return _within(ctx, facts.get("CreationDate"), created.get("MaximumDaysSinceCreated")) and _within(
        ctx, facts.get("DeprecationTime"), deprecated.get("MaximumDaysSinceDeprecated"))


def _marked(ctx: Ctx, wanted: Mapping[str, Any], mark: Mapping[str, Any]) -> bool:
    """Whether a watermark is one of those that are wanted, in all that is said."""
    if wanted.get("WatermarkKey") and not _fits(wanted["WatermarkKey"], mark["WatermarkKey"]):
        return False
    if wanted.get("SourceImageRegion") not in (None, "", mark["SourceImageRegion"]):
        return False
    of_source = _within(ctx, mark["SourceImageCreationTime"], wanted.get("MaximumDaysSinceSourceImageCreated"))
    return of_source and _within(ctx, mark["WatermarkCreationTime"], wanted.get("MaximumDaysSinceWatermarkCreated"))


def _fits(pattern: str, name: str) -> bool:
    parts = ({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), name) is not None


def _within(ctx: Ctx, told: object, days: int | None) -> bool:
    """Whether an instant, if there is one, is no longer ago than so many days, if that is asked."""
    if days is None or not told:
        return True
    at = datetime.fromisoformat(str(told).replace("Z", "+00:00"))
    return ctx.now - (at if at.tzinfo else at.replace(tzinfo=UTC)) <= timedelta(days=days)


def _store(ctx: Ctx, **what: Any) -> AllowedImages:
    table, changed = ctx.db[AllowedImages], replace(chosen(ctx), **what)
    return table.add(changed) if table.get(changed.name) is None else table.put(changed)


@op("EnableAllowedImagesSettings")
def enable_allowed_images_settings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Hide what does not meet the criteria, or only say so."""
    return {"AllowedImagesSettingsState": _store(ctx, state=req["AllowedImagesSettingsState"]).state}


@op("DisableAllowedImagesSettings")
def disable_allowed_images_settings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Everything may be used; the criteria stay."""
    return {"AllowedImagesSettingsState": _store(ctx, state="disabled").state}


@op("GetAllowedImagesSettings")
def get_allowed_images_settings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """How it stands."""
    decided = chosen(ctx)
    return {"State": decided.state, "ImageCriteria": list(decided.criteria), "ManagedBy": "account"}


@op("ReplaceImageCriteriaInAllowedImagesSettings")
def replace_image_criteria_in_allowed_images_settings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Other criteria; an image needs to meet one of them, in all that it says."""
    criteria = req.get("ImageCriteria") or []
    for one in criteria:
        errors.refuse(one, "ScanResultCondition")
    providers = {name for one in criteria for name in one.get("ImageProviders") or ()}
    if len(criteria) > _MOST_CRITERIA or len(providers) > _MOST_PROVIDERS:
        raise errors.invalid_value(
            f"There can be at most {_MOST_CRITERIA} image criteria, with {_MOST_PROVIDERS} image providers."
        )
    _store(ctx, criteria=tuple(criteria))
    return {"ReturnValue": True}
