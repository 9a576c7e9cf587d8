"""Trails by name or ARN, as they are seen from an account and a Region."""

from __future__ import annotations

import re

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of, by_noun
from cloudjar.services.cloudtrail.trails import errors
from cloudjar.services.cloudtrail.trails.records import Trail

_LEAST, _MOST = 3, 128
_WORD = re.compile(r"[A-Za-z0-9]")
_ALLOWED = re.compile(r"[A-Za-z0-9._-]+")
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")


def checked_name(name: str) -> str:
    """The name, when a trail may have it. Raises InvalidTrailNameException."""
    if len(name) < _LEAST:
        raise errors.invalid_name(
            f"Trail name too short. Minimum allowed length: {_LEAST} characters. Specified name length: {len(name)} "
            "characters."
        )
    if len(name) > _MOST:
        raise errors.invalid_name(
            f"Trail name too long. Maximum allowed length: {_MOST} characters. Specified name length: {len(name)} "
            "characters."
        )
    if not _WORD.match(name[0]):
        raise errors.invalid_name("Trail name must starts with a letter or number.")
    if not _WORD.match(name[-1]):
        raise errors.invalid_name("Trail name must ends with a letter or number.")
    if not _ALLOWED.fullmatch(name):
        raise errors.invalid_name(
            "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), "
            "hyphens (-), and underscores (_)."
        )
    if re.search(r"[._-]{2}", name):
        raise errors.invalid_name("Trail name cannot have adjacent periods, underscores, or dashes.")
    if _ADDRESS.fullmatch(name):
        raise errors.invalid_name("Trail name must not be in IP address format.")
    return name


def organization_of(ctx: Ctx, account: str) -> str:
    """The id of the organization that an account is in; "" when it is in none."""
    ctx.world.load("organizations")
    declared = by_noun("organizations", "account")
    held = None if declared is None else ctx.db.find(declared.type, account)
    return "" if held is None else str(held.org)


def find(ctx: Ctx, text: str) -> Trail | None:
    """A trail by its name in this Region, or by its ARN from anywhere: an account's own and its organization's."""
    if not text.startswith("arn:"):
        return ctx.db[Trail].get(text)
    arn = arns.parse(text)
    if arn is None or arn.service != "cloudtrail" or arn.type != "trail":
        return None
    held = ctx.db.at(arn.account, arn.region)[Trail].get(arn.name)
    return held if held is not None and _sees(ctx, held) else None


def _sees(ctx: Ctx, trail: Trail) -> bool:
    if trail.account == ctx.account:
        return True
    return bool(trail.organization) and trail.organization == organization_of(ctx, ctx.account)


def need(ctx: Ctx, named: str | None) -> Trail:
    """The same. Raises InvalidTrailNameException, CloudTrailARNInvalidException or TrailNotFoundException."""
    text = named or ""  # a list may hold nothing
    if text.startswith("arn:"):
        arn = arns.parse(text)
        if arn is None or arn.service != "cloudtrail" or arn.type != "trail" or not arn.name:
            raise errors.invalid_arn(text)
        checked_name(arn.name)
        whole = text
    else:
        whole = arns.make("cloudtrail", ctx.region, ctx.account, f"trail/{checked_name(text)}")
    held = find(ctx, text)
    if held is None:
        raise errors.unknown(whole, ctx.account)
    return held


def need_own(ctx: Ctx, text: str) -> Trail:
    """A trail that may be changed from here: its owner's, in its home Region."""
    held = need(ctx, text)
    if held.account != ctx.account:
        raise errors.unknown(arn_of(held), ctx.account)
    if held.region != ctx.region:
        raise errors.not_home(arn_of(held), held.region)
    return held


def seen(ctx: Ctx, *, shadows: bool) -> list[Trail]:
    """The trails of this Region; with `shadows` also those of other Regions that log here, and the organization's."""
    found = ctx.db[Trail].all()
    if not shadows:
        return found
    return [*found, *(trail for trail in shadowing(ctx) if trail not in found)]


def shadowing(ctx: Ctx) -> list[Trail]:
    """Trails from elsewhere that log this account in this Region."""
    mine = organization_of(ctx, ctx.account)
    found = []
    for trail in ctx.db.everywhere(Trail):
        if trail.account == ctx.account:
            if trail.region != ctx.region and trail.multi_region:
                found.append(trail)
        elif trail.organization and trail.organization == mine and (trail.multi_region or trail.region == ctx.region):
            found.append(trail)
    return found
