"""Dashboards: kept as they are put, once their structure is right.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.cloudwatch import errors
from cloudjar.services.cloudwatch.records import Dashboard

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_MOST_BYTES, _MOST_WIDGETS = 1 << 20, 500
_TYPES = ("alarm", "custom", "explorer", "log", "metric", "text", "trace", "xray")


@op("PutDashboard")
def put_dashboard(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a dashboard or replace its body; a body that is no dashboard's is refused."""
    name, body = req["DashboardName"], req["DashboardBody"]
    if not _NAME.fullmatch(name):
        raise errors.value(f"The value {name} for field DashboardName contains invalid characters. "
                           "It can only contain alphanumerics, dash (-) and underscore (_).")  # fmt: skip
    faults = list(_faults(body))
    if faults:
        raise AwsError(
            "DashboardInvalidInputError",
            f"The dashboard body is invalid, there are {len(faults)} validation errors.",
            400,
            members={"dashboardValidationMessages": [{"DataPath": path, "Message": why} for path, why in faults]},
        )
    known = ctx.db[Dashboard].get(name)
    if known is None:
        given = {tag["Key"]: tag["Value"] for tag in req.get("Tags") or ()}
        ctx.db[Dashboard].add(Dashboard(name=name, body=body, changed=ctx.now, tags=given))
    else:
        ctx.db[Dashboard].put(replace(known, body=body, changed=ctx.now))
    return {"DashboardValidationMessages": []}


def _faults(body: str) -> Iterator[tuple[str, str]]:
    """(path, what is wrong there)."""
    if len(body.encode()) > _MOST_BYTES:
        yield "", f"The dashboard body must not be larger than {_MOST_BYTES} bytes"
        return
    try:
        read = json.loads(body)
    except (ValueError, RecursionError) as why:
        yield "", f"Invalid JSON: {why}"
        return
    if not isinstance(read, dict):
        yield "/", "Should be object"
        return
    widgets = read.get("widgets")
    if not isinstance(widgets, list):
        yield "/widgets", "Should be array" if "widgets" in read else "Should have required property 'widgets'"
        return
    if len(widgets) > _MOST_WIDGETS:
        yield "/widgets", f"Should NOT have more than {_MOST_WIDGETS} items"
    for number, widget in enumerate(widgets):
        yield from _widget_faults(widget, f"/widgets/{number}")


def _widget_faults(widget: Any, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(widget, dict):
        yield path, "Should be object"
        return
    if widget.get("type") not in _TYPES:
        yield f"{path}/type", "Should match exactly one of the known widget types"
    for name, least, most in (("x", 0, 23), ("y", 0, None), ("width", 1, 24), ("height", 1, 1000)):
        value = widget.get(name)
        if value is None:
            continue
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or value < least or (most is not None and value > most):
            yield f"{path}/{name}", f"Should be integer from {least}" + (f" to {most}" if most is not None else "")
    properties = widget.get("properties")
    if not isinstance(properties, dict):
        yield f"{path}/properties", "Should have required property 'properties'"
        return
    if widget.get("type") == "metric" and not isinstance(properties.get("metrics", []), list):
        yield f"{path}/properties/metrics", "Should be array"
    if widget.get("type") == "text" and not isinstance(properties.get("markdown"), str):
        yield f"{path}/properties/markdown", "Should have required property 'markdown'"


@op("GetDashboard")
def get_dashboard(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A dashboard with its body."""
    found = ctx.db[Dashboard].need(req["DashboardName"])
    return {"DashboardArn": arn_of(found), "DashboardBody": found.body, "DashboardName": found.name}


@op("ListDashboards")
def list_dashboards(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Dashboards by name; all regions are one."""
    prefix = req.get("DashboardNamePrefix") or ""
    entries = [
        {"DashboardName": one.name, "DashboardArn": arn_of(one), "LastModified": one.changed, "Size": len(one.body)}
        for one in ctx.db[Dashboard].all()
        if one.name.startswith(prefix)
    ]
    return {"DashboardEntries": entries}


@op("DeleteDashboards")
def delete_dashboards(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete dashboards, all or none."""
    for one in [ctx.db[Dashboard].need(name) for name in dict.fromkeys(req["DashboardNames"])]:
        ctx.db[Dashboard].drop(one)
    return {}
