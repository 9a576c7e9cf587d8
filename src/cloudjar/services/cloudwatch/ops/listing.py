"""Listing metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec

from cloudjar.base.errors import AwsError
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric
from cloudjar.kit.operation import op
from cloudjar.services.cloudwatch import errors, views
from cloudjar.store.points import key_of

_PAGE = 500
_LISTED = timedelta(days=14)
_RECENT = {"PT3H": timedelta(hours=3)}
_MOST_FILTERS = 10

Place = tuple[str, str, str]


@op("ListMetrics", pages=False)
def list_metrics(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Metrics with data in the last two weeks (or three hours), by name; 500 at a time."""
    if req.get("OwningAccount") not in (None, ctx.account):
        raise errors.value("The account that owns the metrics is not linked to this monitoring account.")
    wanted = [(d["Name"], d.get("Value")) for d in req.get("Dimensions") or ()]
    if len(wanted) > _MOST_FILTERS:
        raise errors.value(f"The collection Dimensions must not have a size greater than {_MOST_FILTERS}.")
    since = (ctx.now - _RECENT.get(req.get("RecentlyActive") or "", _LISTED)).timestamp()
    after = _place(req.get("NextToken"))
    stored = metrics.points(ctx.world).listed(
        ctx.account,
        ctx.region,
        namespace=req.get("Namespace"),
        name=req.get("MetricName"),
        dimensions=wanted,
        since=since,
        after=after,
        limit=_PAGE + 1,
    )
    found = {place_of(m): m for s in stored if (m := Metric(s.namespace, s.name, s.dimensions))}
    found.update(_derived(ctx, req, wanted, since, after))
    places = sorted(found)
    answer: dict[str, Any] = {"Metrics": [views.metric(found[place]) for place in places[:_PAGE]]}
    if len(places) > _PAGE:
        answer["NextToken"] = _token(places[_PAGE - 1])
    return answer


def _derived(
    ctx: Ctx, req: dict[str, Any], wanted: Iterable[tuple[str, str | None]], since: float, after: Place | None
) -> dict[Place, Metric]:
    """What services derive, narrowed in the same way."""
    namespace, name = req.get("Namespace"), req.get("MetricName")
    found = {}
    for space, source in metrics.sources(ctx.world):
        if namespace is not None and namespace != space:
            continue
        for metric in source.metrics(ctx.world, ctx.account, ctx.region, since):
            place = place_of(metric)
            if name in (None, metric.name) and _has(metric, wanted) and (after is None or place > after):
                found[place] = metric
    return found


def _has(metric: Metric, wanted: Iterable[tuple[str, str | None]]) -> bool:
    held = dict(metric.dimensions)
    return all(name in held and value in (None, held[name]) for name, value in wanted)


def place_of(metric: Metric) -> Place:
    """Where a metric stands in the list."""
    return (metric.namespace, metric.name, key_of(metric.dimensions))


def _token(place: Place) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _place(token: str | None) -> Place | None:
    if not token:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(token.encode()), type=tuple[str, str, str])
    except (ValueError, msgspec.MsgspecError):
        raise AwsError("InvalidParameterValue", "Invalid nextToken", 400) from None
