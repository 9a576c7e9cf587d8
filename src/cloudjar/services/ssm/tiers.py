"""Which tier a parameter is of.

https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
"""

from __future__ import annotations

from cloudjar.kit.context import Ctx
from cloudjar.services.ssm import errors
from cloudjar.services.ssm.records import ADVANCED, INTELLIGENT, STANDARD, Parameter, Setting
from cloudjar.services.ssm.values import SIZES

DEFAULT_TIER = "/ssm/parameter-store/default-parameter-tier"
COUNTS = {STANDARD: 10_000, ADVANCED: 100_000}
"""Parameters of an account in a region."""


def choose(ctx: Ctx, asked: str, size: int, has_policies: bool, before: Parameter | None) -> str:
    """The tier of a parameter that is put; raises for what a tier cannot have, and when it is full."""
    was = before.tier if before is not None else ""
    tier = asked or _default(ctx)
    needed = size > SIZES[STANDARD] or has_policies
    if tier == INTELLIGENT:
        full = not was and _is_full(ctx, STANDARD)
        tier = ADVANCED if was == ADVANCED or needed or full else STANDARD
    if tier == STANDARD and was == ADVANCED:
        if asked:
            raise errors.no_downgrade()
        tier = ADVANCED
    if tier == STANDARD and has_policies:
        raise errors.invalid("Parameter policies can only be used with parameters of the advanced-parameter tier.")
    if tier != was and _is_full(ctx, tier):
        raise errors.too_many(tier, COUNTS[tier])
    return tier


def _default(ctx: Ctx) -> str:
    setting = ctx.db[Setting].get(DEFAULT_TIER)
    return setting.value if setting is not None else STANDARD


def _is_full(ctx: Ctx, tier: str) -> bool:
    return ctx.db[Parameter].count(tier=tier) >= COUNTS[tier]
