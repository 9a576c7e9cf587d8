"""What detailed monitoring costs: seven metrics an instance, while it runs.

https://aws.amazon.com/cloudwatch/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.ec2.metering.records import Load

_METRICS = Decimal(7)


@meters(Load)
def detailed_monitoring(load: Load) -> Iterable[Meter]:
    """Basic monitoring is free."""
    if load.open and load.detailed:
        return (Meter("AmazonCloudWatch", "CW:MetricMonitorUsage", "DetailedMonitoring", "Metrics", _METRICS),)
    return ()
