"""StartLogging, StopLogging and GetTrailStatus.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.cloudtrail.access import reading
from cloudjar.services.cloudtrail.trails import destinations, finding, runs
from cloudjar.services.cloudtrail.trails.records import Status, Trail


@op("StartLogging")
def start_logging(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Deliver from now on; nothing changes when it does already."""
    held = finding.need_own(ctx, req["Name"])
    if not held.run:
        runs.start(ctx, held)
    return {}


@op("StopLogging")
def stop_logging(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Deliver what was logged until now, and no more."""
    held = finding.need_own(ctx, req["Name"])
    if held.run:
        runs.stop(ctx, held)
    return {}


@op("GetTrailStatus", access=reading("cloudtrail:GetTrailStatus", "Name"))
def get_trail_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether it logs, and how its deliveries went in this Region."""
    held = finding.need(ctx, req["Name"])
    arn = destinations.trail_arn(held)
    return _shown(held, ctx.db[Status].get(arn) or Status(trail=arn))


def _shown(trail: Trail, status: Status) -> dict[str, Any]:
    return {
        "IsLogging": bool(trail.run),
        "LatestDeliveryError": status.error or None,
        "LatestNotificationError": status.notice_error or None,
        "LatestDeliveryTime": status.delivered,
        "LatestNotificationTime": status.noticed,
        "StartLoggingTime": trail.started,
        "StopLoggingTime": trail.stopped,
        "LatestCloudWatchLogsDeliveryError": status.log_error or None,
        "LatestCloudWatchLogsDeliveryTime": status.logged,
        "LatestDigestDeliveryTime": status.digested,
        "LatestDigestDeliveryError": status.digest_error or None,
        "LatestDeliveryAttemptTime": _text(status.attempted),
        "LatestNotificationAttemptTime": _text(status.notice_attempted),
        "LatestNotificationAttemptSucceeded": _text(status.noticed),
        "LatestDeliveryAttemptSucceeded": _text(status.delivered),
        "TimeLoggingStarted": _text(trail.started),
        "TimeLoggingStopped": _text(trail.stopped),
    }


def _text(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time is not None else ""
