"""Metric filters, and trying a pattern.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.logs import errors
from cloudjar.services.logs.finding import millis
from cloudjar.services.logs.patterns.filter import compiled
from cloudjar.services.logs.patterns.scanner import number
from cloudjar.services.logs.records import LogGroup, MetricFilter, Transformation

MOST, MOST_REGEX = 100, 5
"""Filters of a group, and how many of them may have regular expressions."""


@op("PutMetricFilter")
def put_metric_filter(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a filter, or change it; it looks at events that come from now on."""
    for member in ("applyOnTransformedLogs", "fieldSelectionCriteria", "emitSystemFieldDimensions"):
        if req.get(member):
            raise errors.not_built(f"The parameter {member}")
    group = ctx.db[LogGroup].need(req["logGroupName"])
    if group.group_class != "STANDARD":
        raise errors.not_for_class("PutMetricFilter", group.group_class)
    pattern = compiled(req["filterPattern"])
    if pattern.regexes > 2:
        raise errors.invalid("Invalid filter pattern: more than 2 regular expressions")
    for selector in _selectors(req["metricTransformations"][0]):
        pattern.value("{}", selector)  # raises for what is no selector
    table, key = ctx.db[MetricFilter], f"{group.name}:{req['filterName']}"
    made = MetricFilter(
        key=key,
        group=group.name,
        name=req["filterName"],
        pattern=req["filterPattern"],
        transformation=_transformation(req["metricTransformations"][0]),
        created=ctx.now,
    )
    others = [one for one in table.all(group=group.name) if one.key != key]
    with_regex = sum(compiled(one.pattern).regexes > 0 for one in others) + (pattern.regexes > 0)
    if len(others) >= MOST or with_regex > MOST_REGEX:
        raise errors.limit()
    held = table.get(key)
    if held is None:
        table.add(made)
    else:
        table.put(replace(made, account=held.account, region=held.region))
    return {}


def _selectors(given: dict[str, Any]) -> list[str]:
    found = [given["metricValue"], *(given.get("dimensions") or {}).values()]
    return [selector for selector in found if selector.startswith("$")]


def _transformation(given: dict[str, Any]) -> Transformation:
    value, dimensions = given["metricValue"], given.get("dimensions") or {}
    if not value.startswith("$") and number(value) is None:
        raise errors.invalid(f"Invalid metric transformation: '{value}' is neither a number nor a selector")
    if given["metricNamespace"].startswith("AWS/"):
        raise errors.invalid("Invalid metric transformation: namespaces that begin with AWS/ are reserved")
    if dimensions and given.get("defaultValue") is not None:
        raise errors.invalid(
            "Invalid metric transformation: dimensions and default value are mutually exclusive properties."
        )
    if len(dimensions) > 3:
        raise errors.invalid("Invalid metric transformation: more than 3 dimensions")
    if any(not selector.startswith("$") for selector in dimensions.values()):
        raise errors.invalid("Invalid metric transformation: a dimension's value must be a selector")
    return Transformation(
        name=given["metricName"],
        namespace=given["metricNamespace"],
        value=value,
        default=given.get("defaultValue"),
        dimensions=dict(dimensions),
        unit=given.get("unit") or "",
    )


@op("DeleteMetricFilter")
def delete_metric_filter(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a filter; its metric stays."""
    group = ctx.db[LogGroup].need(req["logGroupName"])
    ctx.db[MetricFilter].drop(ctx.db[MetricFilter].need(f"{group.name}:{req['filterName']}"))
    return {}


@op("DescribeMetricFilters")
def describe_metric_filters(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Filters of a group, or of all, by name or by metric."""
    if bool(req.get("metricName")) != bool(req.get("metricNamespace")):
        raise errors.invalid("metricName and metricNamespace must be specified together.")
    if req.get("logGroupName"):
        found = ctx.db[MetricFilter].all(group=ctx.db[LogGroup].need(req["logGroupName"]).name)
    else:
        found = ctx.db[MetricFilter].all()
    wanted = (req.get("metricNamespace"), req.get("metricName"))
    shown = [
        _show(one)
        for one in found
        if one.name.startswith(req.get("filterNamePrefix") or "")
        and (not wanted[1] or (one.transformation.namespace, one.transformation.name) == wanted)
    ]
    return {"metricFilters": shown}


def _show(one: MetricFilter) -> dict[str, Any]:
    """AWS's MetricFilter."""
    made = one.transformation
    return {
        "applyOnTransformedLogs": False,
        "creationTime": millis(one.created),
        "filterName": one.name,
        "filterPattern": one.pattern,
        "logGroupName": one.group,
        "metricTransformations": [
            {
                "defaultValue": made.default,
                "dimensions": made.dimensions or None,
                "metricName": made.name,
                "metricNamespace": made.namespace,
                "metricValue": made.value,
                "unit": made.unit or "None",
            }
        ],
    }


@op("TestMetricFilter", writes=False)
def test_metric_filter(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Which of some messages a pattern matches, and what it takes out of them."""
    pattern = compiled(req["filterPattern"])
    matches = []
    for i, message in enumerate(req["logEventMessages"], 1):
        values = pattern.match(message)
        if values is not None:
            matches.append({"eventNumber": i, "eventMessage": message, "extractedValues": values})
    return {"matches": matches}
