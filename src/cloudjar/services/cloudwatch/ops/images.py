"""GetMetricWidgetImage: a widget as a picture.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricWidgetImage.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.cloudwatch import drawing, errors, queries, widgets
from cloudjar.services.cloudwatch.drawing import Curve
from cloudjar.services.cloudwatch.ops.data import label_of
from cloudjar.services.cloudwatch.queries import Asker


@op("GetMetricWidgetImage")
def get_metric_widget_image(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What the widget shows now, as PNG."""
    if req.get("OutputFormat") not in (None, "png"):
        raise errors.not_built(f"The output format {req['OutputFormat']}")
    widget = widgets.read(req["MetricWidget"], ctx.now)
    asked = queries.read([line.query for line in widget.lines], "MetricWidget.metrics", ctx.account)
    start, end = widget.start.timestamp(), widget.end.timestamp()
    asker = Asker(ctx.world, ctx.account, ctx.region, asked, start, end)
    curves: list[Curve] = []
    for query, line in zip(asked, widget.lines, strict=True):
        if not line.visible:
            continue
        for number, one in enumerate(asker.result(query.id)):
            color = line.color if not number else widgets.color(len(curves))
            points = sorted(one.values.items())
            curves.append(Curve(label_of(query, one), color, line.right, one.period or query.period, points))
    return {"MetricWidgetImage": drawing.draw(widget, curves)}
