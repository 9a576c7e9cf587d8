"""Cost Anomaly Detection: monitors, subscriptions, and what was found.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_CreateAnomalyMonitor.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ce import anomaly_views, errors
from cloudjar.services.ce.anomaly_finding import NAMING
from cloudjar.services.ce.anomaly_records import NO_MONITOR, NO_SUBSCRIPTION, Anomaly, Monitor, Subscription
from cloudjar.services.ce.asking import Asking

_MOST_DIMENSIONAL, _MOST_CUSTOM, _MOST_SUBSCRIPTIONS, _MOST_SUBSCRIBERS = 1, 500, 500, 10
_DAYS_BACK = 90
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_IMPACTS = ("ANOMALY_TOTAL_IMPACT_ABSOLUTE", "ANOMALY_TOTAL_IMPACT_PERCENTAGE")


def monitor_of(ctx: Ctx, arn: str) -> Monitor:
    """The monitor of an ARN; raises UnknownMonitorException."""
    found = ctx.db[Monitor].get(arn.rpartition("/")[2])
    if found is None or ctx.arn(found) != arn:
        raise AwsError(*NO_MONITOR, 400)
    return found


def subscription_of(ctx: Ctx, arn: str) -> Subscription:
    """The subscription of an ARN; raises UnknownSubscriptionException."""
    found = ctx.db[Subscription].get(arn.rpartition("/")[2])
    if found is None or ctx.arn(found) != arn:
        raise AwsError(*NO_SUBSCRIPTION, 400)
    return found


def _full(what: str) -> AwsError:
    return AwsError("LimitExceededException", f"Limit exceeded on {what} creation", 400)


@op("CreateAnomalyMonitor")
def create_anomaly_monitor(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Watch every service (or linked account), or what a filter admits, from the next midnight on."""
    given = req["AnomalyMonitor"]
    kind, dimension, wanted = given["MonitorType"], given.get("MonitorDimension"), given.get("MonitorSpecification")
    if kind == "DIMENSIONAL":
        if dimension not in NAMING or wanted:
            raise errors.invalid("A dimensional monitor needs the dimension SERVICE or LINKED_ACCOUNT, and no filter.")
    elif not wanted or dimension:
        raise errors.invalid("A custom monitor needs a specification, and no dimension.")
    else:
        Asking(ctx).keep(wanted)
    table = ctx.db[Monitor]
    held = sum(1 for one in table.all() if one.kind == kind and one.dimension == (dimension or ""))
    if held >= (_MOST_DIMENSIONAL if kind == "DIMENSIONAL" else _MOST_CUSTOM):
        raise _full("dimensional spend monitor" if kind == "DIMENSIONAL" else "custom spend monitor")
    made = table.add(Monitor(
        id=ids.uuid4(), name=given["MonitorName"], kind=kind, dimension=dimension or "", filter=wanted, made=ctx.now,
        changed=ctx.now, tags=tags.from_list(req.get("ResourceTags") or ()),
    ))  # fmt: skip
    return {"MonitorArn": ctx.arn(made)}


@op("UpdateAnomalyMonitor")
def update_anomaly_monitor(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give it another name."""
    found = monitor_of(ctx, req["MonitorArn"])
    ctx.db[Monitor].put(replace(found, name=req.get("MonitorName") or found.name, changed=ctx.now))
    return {"MonitorArn": req["MonitorArn"]}


@op("DeleteAnomalyMonitor")
def delete_anomaly_monitor(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """With what it found; subscriptions forget it."""
    found = monitor_of(ctx, req["MonitorArn"])
    for anomaly in ctx.db[Anomaly].all(monitor=found.id):
        ctx.db[Anomaly].drop(anomaly)
    for one in ctx.db[Subscription].all():
        if req["MonitorArn"] in one.monitors:
            ctx.db[Subscription].put(replace(one, monitors=tuple(m for m in one.monitors if m != req["MonitorArn"])))
    ctx.db[Monitor].drop(found)
    return {}


@op("GetAnomalyMonitors")
def get_anomaly_monitors(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """All of them, or those of a list."""
    wanted = req.get("MonitorArnList")
    found = [monitor_of(ctx, arn) for arn in wanted] if wanted else ctx.db[Monitor].all()
    found.sort(key=lambda one: (one.made, one.id))
    return {"AnomalyMonitors": [anomaly_views.monitor(ctx, one) for one in found]}


def _subscribed(ctx: Ctx, one: Subscription, given: Mapping[str, Any]) -> Subscription:
    """A subscription with what a request says of it, checked."""
    changed: dict[str, Any] = {}
    if given.get("MonitorArnList") is not None:
        changed["monitors"] = tuple(ctx.arn(monitor_of(ctx, arn)) for arn in given["MonitorArnList"])
    if given.get("Subscribers") is not None:
        changed["subscribers"] = tuple(_subscriber(to) for to in given["Subscribers"])
    if given.get("Frequency"):
        changed["frequency"] = given["Frequency"]
    if given.get("SubscriptionName"):
        changed["name"] = given["SubscriptionName"]
    if given.get("Threshold") is not None and given.get("ThresholdExpression"):
        raise errors.invalid("Threshold and ThresholdExpression cannot be given together.")
    if given.get("Threshold") is not None:
        values = [f"{given['Threshold']:g}"]
        changed["threshold"] = {
            "Dimensions": {"Key": _IMPACTS[0], "Values": values, "MatchOptions": ["GREATER_THAN_OR_EQUAL"]}
        }
    if given.get("ThresholdExpression"):
        _check_threshold(given["ThresholdExpression"], deep=False)
        changed["threshold"] = given["ThresholdExpression"]
    made = replace(one, **changed)
    _check(made)
    return made


def _check(one: Subscription) -> None:
    if not one.monitors:
        raise errors.invalid("A subscription needs at least one monitor.")
    if not 1 <= len(one.subscribers) <= _MOST_SUBSCRIBERS:
        raise errors.invalid(f"A subscription has between 1 and {_MOST_SUBSCRIBERS} subscribers.")
    wanted = "SNS" if one.frequency == "IMMEDIATE" else "EMAIL"
    if any(kind != wanted for kind, _ in one.subscribers):
        raise errors.invalid(f"Invalid frequency: {one.frequency} is for subscribers of the type {wanted}.")
    if one.threshold is None:
        raise errors.invalid("One of Threshold and ThresholdExpression must be given.")


def _subscriber(given: Mapping[str, Any]) -> tuple[str, str]:
    kind, address = given.get("Type") or "", (given.get("Address") or "").strip()
    if kind == "SNS":
        arn = arns.parse(address)
        good = arn is not None and arn.service == "sns" and bool(arn.region) and not address.endswith(".fifo")
    else:
        good = kind == "EMAIL" and _ADDRESS.fullmatch(address) is not None
    if not good:
        raise errors.invalid(f"The address {address} is not valid for the subscriber type {kind}.")
    return kind, address


def _check_threshold(expression: Mapping[str, Any], *, deep: bool) -> None:
    """Two levels at most: And or Or of what an anomaly's impact is at least."""
    parts = expression.get("And") or expression.get("Or")
    if parts and not deep and set(expression) in ({"And"}, {"Or"}):
        for part in parts:
            _check_threshold(part, deep=True)
        return
    said = expression.get("Dimensions") or {}
    values = said.get("Values") or []
    number = len(values) == 1 and re.fullmatch(r"\d+(\.\d+)?", values[0]) is not None
    if said.get("Key") not in _IMPACTS or not number or said.get("MatchOptions") != ["GREATER_THAN_OR_EQUAL"]:
        raise errors.invalid(
            f"A threshold compares {_IMPACTS[0]} or {_IMPACTS[1]} by GREATER_THAN_OR_EQUAL with one number."
        )


@op("CreateAnomalySubscription")
def create_anomaly_subscription(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have somebody told: e-mail daily or weekly, a topic of each anomaly at once."""
    if ctx.db[Subscription].count() >= _MOST_SUBSCRIPTIONS:
        raise _full("subscription")
    empty = Subscription(
        id=ids.uuid4(), name="", monitors=(), subscribers=(), frequency="",
        tags=tags.from_list(req.get("ResourceTags") or ()),
    )  # fmt: skip
    made = ctx.db[Subscription].add(_subscribed(ctx, empty, req["AnomalySubscription"]))
    return {"SubscriptionArn": ctx.arn(made)}


@op("UpdateAnomalySubscription")
def update_anomaly_subscription(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change what is given of it."""
    found = subscription_of(ctx, req["SubscriptionArn"])
    ctx.db[Subscription].put(_subscribed(ctx, found, req))
    return {"SubscriptionArn": req["SubscriptionArn"]}


@op("DeleteAnomalySubscription")
def delete_anomaly_subscription(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Nobody is told by it any more."""
    ctx.db[Subscription].drop(subscription_of(ctx, req["SubscriptionArn"]))
    return {}


@op("GetAnomalySubscriptions")
def get_anomaly_subscriptions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """All of them, those of a list, those of a monitor."""
    wanted, monitor = req.get("SubscriptionArnList"), req.get("MonitorArn")
    found = [subscription_of(ctx, arn) for arn in wanted] if wanted else ctx.db[Subscription].all()
    if monitor:
        monitor_of(ctx, monitor)
        found = [one for one in found if monitor in one.monitors]
    found.sort(key=lambda one: (one.name, one.id))
    return {"AnomalySubscriptions": [anomaly_views.subscription(ctx, one) for one in found]}


_COMPARED: Mapping[str, Callable[[float, float, float], bool]] = {
    "EQUAL": lambda value, start, _: value == start,
    "GREATER_THAN_OR_EQUAL": lambda value, start, _: value >= start,
    "LESS_THAN_OR_EQUAL": lambda value, start, _: value <= start,
    "GREATER_THAN": lambda value, start, _: value > start,
    "LESS_THAN": lambda value, start, _: value < start,
    "BETWEEN": lambda value, start, end: start <= value <= end,
}


@op("GetAnomalies")
def get_anomalies(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What was found in the last ninety days and overlaps an interval."""
    start, end = _interval(ctx, req["DateInterval"])
    monitor, impact, feedback = req.get("MonitorArn"), req.get("TotalImpact"), req.get("Feedback")
    held: Sequence[Anomaly] = ctx.db[Anomaly].all()
    if monitor:
        held = ctx.db[Anomaly].all(monitor=monitor_of(ctx, monitor).id)
    found = [one for one in held if one.end >= start and one.start <= end and feedback in (None, one.feedback)]
    if impact:
        compare = _COMPARED[impact["NumericOperator"]]
        if impact["NumericOperator"] == "BETWEEN" and impact.get("EndValue") is None:
            raise errors.invalid("EndValue must be given for BETWEEN.")
        limits = impact["StartValue"], impact.get("EndValue") or 0.0
        found = [one for one in found if compare(float(one.impact), *limits)]
    found.sort(key=lambda one: (one.start, one.id))
    return {"Anomalies": [anomaly_views.shown(ctx, one) for one in found]}


def _interval(ctx: Ctx, given: Mapping[str, str]) -> tuple[datetime, datetime]:
    dates = []
    for text in (given["StartDate"], given.get("EndDate") or f"{ctx.now:%Y-%m-%d}"):
        try:
            dates.append(datetime.strptime(text[:10], "%Y-%m-%d").replace(tzinfo=UTC))
        except ValueError:
            raise errors.invalid(f"Invalid date: {text}") from None
    if dates[0] > dates[1]:
        raise errors.invalid(errors.ORDER)
    if dates[0] < ctx.now - timedelta(days=_DAYS_BACK + 1):
        raise errors.invalid(f"Start date must be in the last {_DAYS_BACK} days.")
    return dates[0], dates[1]


@op("ProvideAnomalyFeedback")
def provide_anomaly_feedback(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Say of an anomaly whether it was one."""
    found = ctx.db[Anomaly].get(req["AnomalyId"])
    if found is None:
        raise errors.invalid(f"The anomaly {req['AnomalyId']} does not exist.")
    ctx.db[Anomaly].put(replace(found, feedback=req["Feedback"]))
    return {"AnomalyId": found.id}
