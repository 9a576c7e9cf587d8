"""Which quotas have a metric in CloudWatch's namespace ``AWS/Usage``, and what that metric is called.

Names of dimensions are those of the services' guides (RK where none was at hand: recollection). Rates of calls have one
where the service publishes its calls and the quota names an operation.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Service-Quota-Integration.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html#rds-metrics-usage
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from cloudjar.spec import instance_types, quotas

NAMESPACE = "AWS/Usage"
CALLS, RESOURCES = "CallCount", "ResourceCount"
Code = tuple[str, str]
"""Service code and quota code."""


class UsageMetric(NamedTuple):
    """A metric of ``AWS/Usage`` by its dimensions."""

    name: str
    service: str
    kind: str
    resource: str
    group: str = "None"

    @property
    def dimensions(self) -> tuple[tuple[str, str], ...]:
        """By name."""
        return (("Class", self.group), ("Resource", self.resource), ("Service", self.service), ("Type", self.kind))

    @property
    def statistic(self) -> str:
        """What Service Quotas recommends."""
        return "Sum" if self.name == CALLS else "Maximum"


def _counted(service: str, resource: str, group: str = "None") -> UsageMetric:
    return UsageMetric(RESOURCES, service, "Resource", resource, group)


CLASSES = {
    "L-1216C47A": "Standard/OnDemand", "L-74FC7D96": "F/OnDemand", "L-DB2E81BA": "G/OnDemand",
    "L-1945791B": "Inf/OnDemand", "L-417A185B": "P/OnDemand", "L-7295265B": "X/OnDemand",
    "L-6E869C2A": "DL/OnDemand", "L-2C3B7624": "Trn/OnDemand", "L-43DA4232": "HighMem/OnDemand",
    "L-F7808C92": "HPC/OnDemand",
    "L-34B43A08": "Standard/Spot", "L-88CF9481": "F/Spot", "L-3819A6DF": "G/Spot", "L-B5D1601B": "Inf/Spot",
    "L-7212CCBC": "P/Spot", "L-C4BD4855": "P5/Spot", "L-E3A00192": "X/Spot", "L-85EED4F7": "DL/Spot",
    "L-6B0D517C": "Trn/Spot",
}  # fmt: skip
"""EC2's quotas of virtual CPUs -> the dimension ``Class`` of what is used of them."""

COUNTED: dict[Code, UsageMetric] = {
    ("elasticloadbalancing", "L-53DA6B97"): _counted("Elastic Load Balancing", "ApplicationLoadBalancersPerRegion"),
    ("elasticloadbalancing", "L-69A177A2"): _counted("Elastic Load Balancing", "NetworkLoadBalancersPerRegion"),
    ("elasticloadbalancing", "L-B22855CB"): _counted("Elastic Load Balancing", "TargetGroupsPerRegion"),
    ("autoscaling", "L-CDE20ADC"): _counted("AutoScaling", "NumberOfAutoScalingGroup"),
    ("autoscaling", "L-6B80B8FA"): _counted("AutoScaling", "NumberOfLaunchConfiguration"),
    ("rds", "L-7B6409FD"): _counted("RDS", "DBInstances"),
    ("rds", "L-48C6BF61"): _counted("RDS", "DBSubnetGroups"),
    ("rds", "L-DE55804A"): _counted("RDS", "DBParameterGroups"),
    ("rds", "L-9FA33840"): _counted("RDS", "OptionGroups"),
    ("rds", "L-272F1212"): _counted("RDS", "ManualSnapshots"),
    ("rds", "L-A59F4C87"): _counted("RDS", "EventSubscriptions"),
    ("rds", "L-952B80B8"): _counted("RDS", "DBClusters"),
    ("sns", "L-61103206"): _counted("SNS", "ApproximateNumberOfTopics"),
    ("firehose", "L-14BB0BE7"): _counted("Firehose", "DeliveryStreams"),
}
"""Quotas of how many things there may be, each of which is a record."""
CPUS: dict[Code, UsageMetric] = {("ec2", code): _counted("EC2", "vCPU", name) for code, name in CLASSES.items()}

_PUBLISHERS = {"monitoring": "CloudWatch", "scheduler": "Scheduler", "kms": "KMS"}
_RATE = re.compile(r"(?:Rate of )?([A-Z][A-Za-z]+) request(?:s| rate)")


@cache
def metrics() -> dict[Code, UsageMetric]:
    """Every quota that has a metric."""
    found = {**COUNTED, **CPUS}
    for service, name in _PUBLISHERS.items():
        for quota in quotas.quotas(service):
            named = _RATE.fullmatch(quota.name)
            if named is not None:
                found[service, quota.code] = UsageMetric(CALLS, name, "API", named[1])
    return found


@cache
def quotas_by_dimensions() -> dict[tuple[str, tuple[tuple[str, str], ...]], Code]:
    """The quota that a metric (its name and dimensions) is used of."""
    return {(metric.name, metric.dimensions): code for code, metric in metrics().items()}


def cpu_class(usage_type: str) -> str:
    """The class of what an instance's usage type (``BoxUsage:t3.micro``) uses; "" of what counts against no quota."""
    head, _, kind = usage_type.partition(":")
    if head not in ("BoxUsage", "SpotUsage", "DedicatedUsage") or not instance_types.exists(kind):
        return ""
    code = instance_types.spot_quota(kind) if head == "SpotUsage" else instance_types.vcpu_quota(kind)
    return CLASSES.get(code or "", "")
