"""What EC2 refuses a group: told in an activity, and tried again, less and less often."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.autoscaling import activities
from cloudjar.services.autoscaling.launching import Place
from cloudjar.services.autoscaling.records import Activity, Group

_PAUSES = (10, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds between attempts."""


def may_try(ctx: Ctx, group: Group) -> bool:
    """Whether the pause after the last refusal is over."""
    return group.retry_at is None or group.retry_at <= ctx.now


def no_launch(ctx: Ctx, group: Group, cause: str, place: Place, error: AwsError, *, again: bool = True) -> None:
    """A launch was refused; `again`: it was the last place to try, so there is a pause now."""
    message = f"{error.message} Launching EC2 instance failed."
    activity = activities.begin(
        ctx,
        group,
        f"Launching a new EC2 instance.  Status Reason: {message}",
        cause,
        zone=place.zone,
        subnet=place.subnet,
    )
    activities.end(ctx, activity.id, "Failed", message, kind="launch")
    if again:
        _pause(ctx, group)


def not_now(ctx: Ctx, group: Group, activity_id: str, error: AwsError) -> None:
    """A step of an activity was refused: it goes on, and says why."""
    activity = ctx.db[Activity].get(activity_id)
    if activity is not None:
        ctx.db[Activity].put(replace(activity, message=error.message))
    _pause(ctx, group)


def _pause(ctx: Ctx, group: Group) -> None:
    seconds = _PAUSES[min(group.failures, len(_PAUSES) - 1)]
    later = ctx.now + timedelta(seconds=seconds)
    ctx.db[Group].put(replace(group, failures=group.failures + 1, retry_at=later))
