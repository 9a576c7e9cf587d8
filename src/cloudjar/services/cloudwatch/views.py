"""Records as AWS shows them."""

from __future__ import annotations

from typing import Any

from cloudjar.kit.metrics import Metric


def dimensions(pairs: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    """AWS's list of Dimension."""
    return [{"Name": name, "Value": value} for name, value in pairs]


def metric(item: Metric) -> dict[str, Any]:
    """AWS's Metric."""
    return {"Namespace": item.namespace, "MetricName": item.name, "Dimensions": dimensions(item.dimensions)}
