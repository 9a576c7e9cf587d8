"""What happened to alarms.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.cloudwatch.records import History
from cloudjar.services.cloudwatch.telling import KEPT


@op("DescribeAlarmHistory")
def describe_alarm_history(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Thirty days of history, newest first unless asked otherwise; also of alarms that are gone."""
    name, kinds = req.get("AlarmName"), req.get("AlarmTypes") or ["MetricAlarm"]
    held = ctx.db[History].all(alarm=name) if name else ctx.db[History].all()
    start, end, type_ = req.get("StartDate"), req.get("EndDate"), req.get("HistoryItemType")
    found = [
        item
        for item in held
        if item.at > ctx.now - KEPT
        and (item.kind in kinds or (name and not req.get("AlarmTypes")))
        and type_ in (None, item.type)
        and (start is None or item.at >= start)
        and (end is None or item.at <= end)
    ]
    found.sort(key=lambda item: item.id, reverse=req.get("ScanBy") != "TimestampAscending")
    return {"AlarmHistoryItems": [_show(item) for item in found]}


def _show(item: History) -> dict[str, Any]:
    return {
        "AlarmName": item.alarm,
        "AlarmType": item.kind,
        "Timestamp": item.at,
        "HistoryItemType": item.type,
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    }
