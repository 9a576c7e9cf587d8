"""What costs money: alarms and dashboards while they are there. Custom metrics are billed by `kit.custom_metrics`.

https://aws.amazon.com/cloudwatch/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.cloudwatch.records import Alarm, Dashboard


@meters(Alarm)
def alarm_months(alarm: Alarm) -> Iterable[Meter]:
    """An alarm for each metric that it watches, dearer when it looks more often than each minute."""
    judged = alarm.judged
    if judged is None:
        return (Meter("AmazonCloudWatch", "CW:CompositeAlarmMonitorUsage", "", "Alarms"),)
    watched = sum(query.metric is not None for query in judged.queries) or 1
    kind = "CW:HighResAlarmMonitorUsage" if judged.period < 60 else "CW:AlarmMonitorUsage"
    return (Meter("AmazonCloudWatch", kind, "", "Alarms", Decimal(watched)),)


@meters(Dashboard)
def dashboard_months(_: Dashboard) -> Iterable[Meter]:
    """Each dashboard."""
    return (Meter("AmazonCloudWatch", "DashboardsUsageHour", "", "Dashboards"),)
