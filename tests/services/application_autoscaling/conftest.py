"""A dimension that a test offers: how many copies a shop has, which the test keeps itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import scalable
from cloudjar.kit.context import Ctx
from tests.jar import TestJar

DIMENSION = "ecs:service:DesiredCount"
SHOP = {"ServiceNamespace": "ecs", "ResourceId": "service/shop/web", "ScalableDimension": DIMENSION}


class Shops(NamedTuple):
    """A jar, Application Auto Scaling, CloudWatch, and what the shops have."""

    jar: TestJar
    api: Any
    cloudwatch: Any
    counts: dict[str, int]
    callers: list[str]

    def register(self, least: int = 1, most: int = 10, **more: Any) -> str:
        """The shop is scaled."""
        made = self.api.register_scalable_target(**SHOP, MinCapacity=least, MaxCapacity=most, **more)
        return str(made["ScalableTargetARN"])

    @property
    def copies(self) -> int:
        """What the shop has."""
        return self.counts["service/shop/web"]

    def loaded(self, value: float, minutes: int) -> None:
        """A load that is the same for some minutes."""
        for _ in range(minutes):
            self.cloudwatch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Load", "Value": value}])
            self.jar.advance(minutes=1)

    def activities(self, **more: Any) -> list[dict[str, Any]]:
        """The newest first."""
        found: list[dict[str, Any]] = self.api.describe_scaling_activities(ServiceNamespace="ecs", **more)[
            "ScalingActivities"
        ]
        return found


@pytest.fixture
def shops(jar: TestJar) -> Iterator[Shops]:
    """One shop with two copies."""
    counts = {"service/shop/web": 2}
    callers: list[str] = []

    def read(_: Ctx, caller: Caller, resource: str) -> int | None:
        return counts.get(resource)

    def write(_: Ctx, caller: Caller, resource: str, capacity: int) -> None:
        if capacity == 7:
            raise AwsError("InvalidParameterException", "Seven copies are one too many.")
        callers.append(caller.arn)
        counts[resource] = capacity

    def metric(resource: str, label: str) -> dict[str, Any]:
        return {"Namespace": "Shop", "MetricName": "Load", "Statistic": "Average", "Period": 60}

    scalable.offers(
        scalable.Dimension(
            name=DIMENSION, resource=re.compile(r"service/[a-z]+/[a-z]+"), noun="desired count",
            principal="ecs.application-autoscaling.amazonaws.com",
            role="AWSServiceRoleForApplicationAutoScaling_ECSService", quota="L-782A3EE2", read=read, write=write,
            metrics={"ECSServiceAverageCPUUtilization": metric},
        )
    )  # fmt: skip
    yield Shops(jar, jar.client("application-autoscaling"), jar.client("cloudwatch"), counts, callers)
    scalable.withdraws(DIMENSION)
