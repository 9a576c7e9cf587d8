"""Runs the actions of alarms and tells their history how it went.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/UsingAlarmActions.html
"""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import alarm_actions
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step
from cloudjar.kit.record import arn_of
from cloudjar.services.cloudwatch import notifying, telling
from cloudjar.services.cloudwatch.records import Alarm, Due

PRINCIPAL = "cloudwatch.amazonaws.com"
LINKED = "events.amazonaws.com"
ROLE = "AWSServiceRoleForCloudWatchEvents"
_SWF = re.compile(r"action/actions/AWS_EC2\.InstanceId\.(Stop|Terminate|Reboot|Recover)/1\.0")
_EC2 = {"stop": "StopInstances", "terminate": "TerminateInstances", "reboot": "RebootInstances",
        "recover": "RebootInstances"}  # fmt: skip
"""What an EC2 action calls. A machine that recovers here starts anew on the same host."""


def ec2_action(arn: str) -> str:
    """``stop``, ``terminate``, ``reboot`` or ``recover``; "" for an ARN that is no EC2 action."""
    parsed = arns.parse(arn)
    if parsed is None:
        return ""
    if parsed.service == "automate" and parsed.account == "ec2":
        return parsed.resource if parsed.resource in _EC2 else ""
    found = _SWF.fullmatch(parsed.resource) if parsed.service == "swf" else None
    return found[1].lower() if found else ""


def run(step: Step, alarm: Alarm) -> None:
    """Run what is due; what is due later is waited for."""
    now = step.world.clock.now()
    for due in alarm.due:
        if due.at > now:
            step.again("actions", due.at)
            continue
        for arn in due.arns:
            _run_one(step, alarm, due, arn)
        step.change(Alarm, lambda held, due=due: replace(held, due=tuple(d for d in held.due if d != due)))  # type: ignore[misc]  # bound


def _run_one(step: Step, alarm: Alarm, due: Due, arn: str) -> None:
    error = _act(step.ctx, alarm, due.state, arn, due.before)
    data: dict[str, Any] = {
        "actionState": "Failed" if error else "Succeeded",
        "stateUpdateTimestamp": round(due.changed.timestamp() * 1000),
        "notificationResource": arn,
    }
    if error:
        data["error"] = error
    summary = f"{'Failed to execute' if error else 'Successfully executed'} action {arn}"
    with step.world.state.database.transaction():
        telling.remember(step.ctx, alarm, "Action", summary, data)


def repeat(step: Step, alarm: Alarm) -> None:
    """Scaling policies are set off again at each evaluation for as long as the alarm goes on."""
    if not alarm.enabled:
        return
    for arn in alarm.alarm:
        parsed = arns.parse(arn)
        if parsed is not None and parsed.service == "autoscaling":
            _act(step.ctx, alarm, "ALARM", arn)


def _act(ctx: Ctx, alarm: Alarm, state: str, arn: str, before: str = "") -> str:
    """Run one action; what went wrong, or ""."""
    try:
        if ec2_action(arn):
            _ec2(ctx, alarm, ec2_action(arn))
            return ""
        parsed = arns.parse(arn)
        service = parsed.service if parsed is not None else ""
        hook = alarm_actions.action(ctx, service)
        if hook is not None:
            hook(ctx, notifying.seen(alarm, state, before), arn)
        else:
            return f"Cloudjar does not have the service of {arn} yet"
    except AwsError as error:
        return f"{error.code}: {error.message}"
    return ""


def _ec2(ctx: Ctx, alarm: Alarm, name: str) -> None:
    instance = notifying.dimensions(alarm).get("InstanceId", "")
    role = arns.make("iam", "", alarm.account, f"role/aws-service-role/{LINKED}/{ROLE}")
    caller: Caller = ctx.as_role(role, service=LINKED, source_arn=arn_of(alarm), session_name="CloudWatchAlarm")
    ctx.call("ec2", _EC2[name], {"InstanceIds": [instance]}, caller=caller)
