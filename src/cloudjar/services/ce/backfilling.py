"""Backfills of cost allocation tags: since switches count for all that is asked about, there is nothing to do but to
keep that somebody asked, and when AWS would have been done.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_StartCostAllocationTagBackfill.html
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ce import errors
from cloudjar.services.ce.records import Backfill

_TAKES, _AGAIN = timedelta(hours=4), timedelta(hours=24)
_MONTHS = 12
_FORM = "%Y-%m-%dT%H:%M:%SZ"


@op("StartCostAllocationTagBackfill")
def start_cost_allocation_tag_backfill(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Ask for one from the first of a month of the last twelve on; once a day."""
    try:
        since = datetime.fromisoformat(req["BackfillFrom"].replace("Z", "+00:00"))
    except ValueError:
        raise errors.invalid("BackfillFrom is not valid.") from None
    ago = (ctx.now.year - since.year) * 12 + ctx.now.month - since.month
    if since.day != 1 or not 0 <= ago <= _MONTHS:
        raise errors.invalid(f"BackfillFrom must be the first day of a month within the last {_MONTHS} months.")
    if any(ctx.now - one.asked < _AGAIN for one in ctx.db[Backfill].all()):
        raise AwsError(
            "BackfillLimitExceededException",
            "A request to backfill is already in progress. Once the previous request is complete, you can create "
            "another request.", 400,
        )  # fmt: skip
    made = ctx.db[Backfill].add(Backfill(id=ids.uuid4(), since=since, asked=ctx.now, done=ctx.now + _TAKES))
    return {"BackfillRequest": _shown(made, ctx.now)}


@op("ListCostAllocationTagBackfillHistory")
def list_cost_allocation_tag_backfill_history(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, the newest first."""
    found = sorted(ctx.db[Backfill].all(), key=lambda one: one.asked, reverse=True)
    return {"BackfillRequests": [_shown(one, ctx.now) for one in found]}


def _shown(one: Backfill, now: datetime) -> dict[str, str]:
    over = one.done <= now
    shown = {
        "BackfillFrom": one.since.strftime(_FORM),
        "RequestedAt": one.asked.strftime(_FORM),
        "BackfillStatus": "SUCCEEDED" if over else "PROCESSING",
        "LastUpdatedAt": (one.done if over else one.asked).strftime(_FORM),
    }
    return {**shown, "CompletedAt": one.done.strftime(_FORM)} if over else shown
