"""``AWS/Usage``: how often each operation was called, by the minute; derived from what the audit counts anyway. And how
much of quotas is used (`counts`).

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Usage-Metrics.html
"""

from __future__ import annotations

from collections.abc import Iterable

from cloudjar.kit import metrics
from cloudjar.kit.audit import Audit
from cloudjar.kit.context import World
from cloudjar.kit.metrics import Metric, Point
from cloudjar.services.cloudwatch import counts
from cloudjar.spec import usage_metrics

NAMESPACE, CALLS = usage_metrics.NAMESPACE, usage_metrics.CALLS
SERVICES = {
    "cloudtrail": "CloudTrail",
    "cloudwatch": "CloudWatch",
    "ec2": "EC2",
    "kms": "KMS",
    "logs": "Logs",
    "scheduler": "Scheduler",
}
"""Who publishes its calls on AWS, with the name that the dimension ``Service`` has for it."""
_NAMES = {shown: service for service, shown in SERVICES.items()}
_PLACES = {"Class", "Resource", "Service", "Type"}


def metric(service: str, operation: str) -> Metric:
    """The metric of an operation of one of `SERVICES`."""
    return Metric(
        NAMESPACE,
        CALLS,
        (("Class", "None"), ("Resource", operation), ("Service", SERVICES[service]), ("Type", "API")),
    )


def _of(metric: Metric) -> tuple[str, str] | None:
    """(service, operation) that a metric is about; None when it is about no calls."""
    held = dict(metric.dimensions)
    if metric.name != CALLS or set(held) != _PLACES or (held["Class"], held["Type"]) != ("None", "API"):
        return None
    service = _NAMES.get(held["Service"])
    return None if service is None else (service, held["Resource"])


class Uses:
    """Implements `kit.metrics.Source`."""

    service = "cloudwatch"

    def metrics(self, world: World, account: str, region: str, since: float) -> Iterable[Metric]:
        """One for each operation that was called, and for each quota of which something was used."""
        audit: Audit = world.ports["audit"]
        made = [metric(*called) for called in audit.called(account, region, since) if called[0] in SERVICES]
        return [*made, *counts.metrics(world, account, region, since)]

    def step(self, world: World, account: str, region: str, metric: Metric) -> int:  # noqa: ARG002 the port's
        """A minute: a call tells nobody, so that who watches looks whether there were any."""
        return 60 if _of(metric) is not None or counts.code_of(metric) is not None else 0

    def read(
        self, world: World, account: str, region: str, metric: Metric, start: float, stop: float
    ) -> Iterable[Point]:
        """A point for each minute that had calls and is over; each call is a sample of one."""
        quota, found = counts.code_of(metric), _of(metric)
        if quota is not None:
            return counts.read(world, account, region, quota, start, stop)
        if found is None:
            return []
        now = world.clock.now().timestamp()
        audit: Audit = world.ports["audit"]
        made = audit.calls(account, region, *found, start, min(stop, now // 60 * 60))
        return [Point(float(at), "None", calls, calls, 1.0, 1.0, ((1.0, calls),)) for at, calls in made]


metrics.derives(NAMESPACE, Uses())
