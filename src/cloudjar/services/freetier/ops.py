"""What Free Tier is asked.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_Operations_AWS_Free_Tier.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import account_credits, accounts
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.freetier import activities, filtering, offers, plans
from cloudjar.services.freetier.activities import CREDIT, Activity
from cloudjar.services.freetier.records import Watch


def _watch(ctx: Ctx) -> Watch:
    """An account that asks is watched from then on."""
    found = ctx.db[Watch].get(ctx.account)
    if found is None:
        with ctx.world.state.database.transaction():
            found = ctx.db[Watch].add(Watch(id=ctx.account))
    return found


@op("GetFreeTierUsage")
def get_free_tier_usage(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """How much of what is free was used this month, and will have been at its end."""
    _watch(ctx)
    wanted = filtering.compiled(req.get("filter"))
    rows = [_shown(one) for one in offers.used(ctx.world, ctx.account)]
    return {"freeTierUsages": [row for row in rows if wanted(row)]}


def _shown(one: offers.Used) -> dict[str, Any]:
    return {
        "service": one.service,
        "operation": one.operation,
        "usageType": one.usage_type,
        "region": "global",
        "actualUsageAmount": float(one.actual),
        "forecastedUsageAmount": float(one.forecast),
        "limit": float(one.limit),
        "unit": one.unit,
        "description": one.description,
        "freeTierType": one.kind,
    }


@op("GetAccountPlanState")
def get_account_plan_state(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The plan, and on the free one what is left of it."""
    _watch(ctx)
    found = plans.plan(ctx)
    shown: dict[str, Any] = {
        "accountId": ctx.account,
        "accountPlanType": found.kind,
        "accountPlanStatus": found.status,
    }
    if found.credits is not None:
        shown["accountPlanRemainingCredits"] = {"amount": float(round(found.credits, 2)), "unit": "USD"}
        shown["accountPlanExpirationDate"] = found.ends
    return shown


@op("UpgradeAccountPlan")
def upgrade_account_plan(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """From the free plan to the paid one; there is no way back."""
    account = accounts.described(ctx.db, ctx.account)
    if req["accountPlanType"] != "PAID":
        raise AwsError("ValidationException", "An account can only be upgraded to the PAID plan.", 400)
    if account.plan != "free":
        raise AwsError("ValidationException", "The account is on the PAID plan.", 400)
    account_credits.sign_up(ctx.db, account)
    accounts.save(ctx.db, replace(account, plan="paid"))
    return {"accountId": ctx.account, "accountPlanType": "PAID", "accountPlanStatus": "ACTIVE"}


@op("ListAccountActivities")
def list_account_activities(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What earns credits, and whether it was done; nothing for accounts that never had the free plan."""
    earned = _earned(ctx)
    if earned is None:
        return {"activities": []}
    wanted = req.get("filterActivityStatuses")
    rows = [_activity(one, earned) for one in activities.ACTIVITIES]
    return {"activities": [row for row in rows if not wanted or row["status"] in wanted]}


@op("GetAccountActivity")
def get_account_activity(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One of them."""
    earned = _earned(ctx)
    for one in activities.ACTIVITIES:
        if earned is not None and one.id == req["activityId"]:
            return {
                **_activity(one, earned),
                "description": one.description,
                "instructionsUrl": one.page,
                "estimatedTimeToCompleteInMinutes": one.minutes,
                "completedAt": earned.get(one.id),
            }
    raise AwsError("ResourceNotFoundException", f"There is no activity {req['activityId']}.", 404)


def _earned(ctx: Ctx) -> Mapping[str, Any] | None:
    if accounts.described(ctx.db, ctx.account).plan != "free":
        return None
    return _watch(ctx).earned


def _activity(one: Activity, earned: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "activityId": one.id,
        "title": one.title,
        "reward": {"credit": {"amount": float(CREDIT), "unit": "USD"}},
        "status": "COMPLETED" if one.id in earned else "NOT_STARTED",
    }
