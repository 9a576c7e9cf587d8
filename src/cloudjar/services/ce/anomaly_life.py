"""Monitors look once a day at the day before, and tell their subscribers.

https://docs.aws.amazon.com/cost-management/latest/userguide/ad-SNS.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import event_inputs, mailbox
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ce import anomaly_finding
from cloudjar.services.ce.anomaly_finding import Found
from cloudjar.services.ce.anomaly_records import Anomaly, Monitor, Subscription
from cloudjar.services.ce.anomaly_views import shown
from cloudjar.services.ce.asking import Asking

LOOK = "look"
PRINCIPAL = "costalerts.amazonaws.com"
_SENDER = "no-reply@costalerts.amazonaws.com"
_DAY = timedelta(days=1)


@reconciler(Monitor)
def watch(step: Step, monitor: Monitor | None) -> None:
    """At each midnight (UTC) the day that is over; the first look is at the midnight after it was made."""
    if monitor is None:
        return
    ctx = Ctx(step.world, monitor.account, "", step.ctx.caller)
    midnight = datetime.fromtimestamp(int(ctx.now.timestamp()) // 86400 * 86400, UTC)
    if step.wake.purpose == LOOK and (monitor.evaluated is None or monitor.evaluated < midnight):
        known = ctx.db[Anomaly].all(monitor=monitor.id)
        asking = Asking(ctx)
        asking.ledger.collect()
        found = anomaly_finding.look(asking, monitor, midnight - _DAY, known)
        with step.world.state.database.transaction():
            now = step.db[Monitor].get(monitor.id)
            if now is None:
                return
            kept = [_keep(ctx, now, one, midnight - _DAY) for one in found]
            step.db[Monitor].put(replace(now, evaluated=ctx.now))
            _tell(ctx, now, kept)
    step.again(LOOK, midnight + _DAY)


def _keep(ctx: Ctx, monitor: Monitor, found: Found, day: datetime) -> Anomaly:
    """A new anomaly, or one more day of that which ended the day before."""
    table = ctx.db[Anomaly]
    for one in table.all(monitor=monitor.id):
        if one.value == found.value and one.end == day - _DAY:
            return table.put(replace(
                one, end=day, actual=one.actual + found.actual, expected=one.expected + found.expected,
                most=max(one.most, found.actual - found.expected), score=found.score,
                top_score=max(one.top_score, found.score), causes=found.causes,
            ))  # fmt: skip
    return table.add(Anomaly(
        id=ids.uuid4(), monitor=monitor.id, value=found.value, start=day, end=day, actual=found.actual,
        expected=found.expected, most=found.actual - found.expected, score=found.score, top_score=found.score,
        causes=found.causes,
    ))  # fmt: skip


def passes(anomaly: Anomaly, expression: Mapping[str, Any] | None) -> bool:
    """Whether an anomaly is as large as a subscription wants."""
    if not expression:
        return True
    if expression.get("And"):
        return all(passes(anomaly, one) for one in expression["And"])
    if expression.get("Or"):
        return any(passes(anomaly, one) for one in expression["Or"])
    said = expression["Dimensions"]
    limit = Decimal(said["Values"][0])
    if said["Key"] == "ANOMALY_TOTAL_IMPACT_ABSOLUTE":
        return anomaly.impact >= limit
    return not anomaly.expected or anomaly.impact * 100 / anomaly.expected >= limit


def _tell(ctx: Ctx, monitor: Monitor, fresh: list[Anomaly]) -> None:
    """Single alerts and daily summaries of what the last day brought, weekly ones on Mondays; nothing is told twice in
    single alerts and weekly summaries."""
    arn = ctx.arn(monitor)
    for one in ctx.db[Subscription].all():
        if arn not in one.monitors:
            continue
        found = fresh
        if one.frequency == "WEEKLY":
            if ctx.now.weekday() != 0:
                continue
            found = [a for a in ctx.db[Anomaly].all(monitor=monitor.id) if a.end >= ctx.now - 7 * _DAY]
        if one.frequency != "DAILY":
            found = [anomaly for anomaly in found if anomaly.id not in one.told]
        found = [anomaly for anomaly in found if passes(anomaly, one.threshold)]
        if found:
            _send(ctx, monitor, one, found)
            ctx.db[Subscription].put(replace(one, told=(*one.told, *(a.id for a in found))[-500:]))


def _send(ctx: Ctx, monitor: Monitor, one: Subscription, found: list[Anomaly]) -> None:
    for kind, address in one.subscribers:
        if kind == "EMAIL":
            mailbox.deliver(ctx.world, _letter(ctx, monitor, address, found))
            continue
        for anomaly in found:
            _publish(ctx, monitor, one, address, anomaly)


def _letter(ctx: Ctx, monitor: Monitor, to: str, found: list[Anomaly]) -> mailbox.Mail:
    lines = [f"AWS Account {ctx.account}", "", f"Cost anomalies of the monitor {monitor.name}:", ""]
    for one in found:
        what = one.value or "all that is monitored"
        lines.append(
            f"{what}: ${one.impact:,.2f} more than expected since {one.start:%Y-%m-%d} "
            f"(${one.actual:,.2f} instead of ${one.expected:,.2f})"
        )
        lines += [f"  {cause[0]}, {cause[1]}, {cause[2]}, {cause[3]}: ${cause[4]:,.2f}" for cause in one.causes]
    subject = f"AWS Cost Management: cost anomalies detected by {monitor.name}"
    return mailbox.Mail(ctx.account, "", "email", _SENDER, to, subject, "\n".join(lines))


def _publish(ctx: Ctx, monitor: Monitor, one: Subscription, topic: str, anomaly: Anomaly) -> None:
    """The topic's policy must let the service publish; a topic that refuses, or is gone, is told nothing."""
    arn = arns.parse(topic)
    assert arn is not None  # seen to when it was subscribed
    about = shown(ctx, anomaly)
    message = event_inputs.dumped({
        "accountId": ctx.account,
        "anomalyId": anomaly.id,
        "anomalyStartDate": about["AnomalyStartDate"],
        "anomalyEndDate": about["AnomalyEndDate"],
        "anomalyScore": {name[0].lower() + name[1:]: value for name, value in about["AnomalyScore"].items()},
        "dimensionalValue": anomaly.value,
        "impact": {name[0].lower() + name[1:]: value for name, value in about["Impact"].items()},
        "monitorArn": ctx.arn(monitor),
        "monitorName": monitor.name,
        "monitorType": monitor.kind,
        "rootCauses": [
            {name[0].lower() + name[1:]: value for name, value in cause.items()} for cause in about["RootCauses"]
        ],
        "subscriptionId": one.id,
        "subscriptionName": one.name,
    })  # fmt: skip
    who = callers.service(PRINCIPAL, ctx.account, ctx.arn(one))
    params = {"TopicArn": topic, "Subject": "AWS Cost Anomaly Detection alert", "Message": message}
    try:
        ctx.at(ctx.account, arn.region).call("sns", "Publish", params, caller=who)
    except AwsError:
        return
