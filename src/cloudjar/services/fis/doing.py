"""What the actions do, with the experiment's role: `begin` each on its targets, `finish` it when its time is over.

Both may be cut off by a crash and are called again: what they ask of EC2 may be asked twice.
https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import faults
from cloudjar.kit.context import Ctx
from cloudjar.services.fis import disrupting, rules
from cloudjar.services.fis.faults import life as breaking


class Doing(NamedTuple):
    """One action under way."""

    ctx: Ctx
    role: Caller
    experiment: str
    name: str
    parameters: Mapping[str, str]
    arns: list[str]
    """Its targets'."""

    @property
    def ids(self) -> list[str]:
        """The ids at the ends of the targets' ARNs."""
        return [arn.rpartition("/")[2] for arn in self.arns]

    def ec2(self, operation: str, **asked: Any) -> dict[str, Any]:
        """Ask EC2 with the experiment's role."""
        return self.ctx.call("ec2", operation, asked, caller=self.role)


class Begun(NamedTuple):
    """How an action began: what has to be undone, and for how long it goes on ("" when it is over at once)."""

    undo: dict[str, str]
    duration: str = ""


def begin(doing: Doing, action: str) -> Begun:
    """Raises the `AwsError` with which the action fails."""
    return _BEGIN[action](doing)


def finish(doing: Doing, action: str, undo: Mapping[str, str]) -> None:
    """Bring back what was before; raises the `AwsError` with which that fails."""
    if action == "aws:network:disrupt-connectivity":
        disrupting.mend(doing, undo)
    elif action == "aws:ec2:stop-instances" and doing.parameters.get("startInstancesAfterDuration"):
        _start_again(doing)
    elif action.startswith("aws:fis:inject-api-"):
        breaking.end_all(doing.ctx, _tag(doing))


def _start_again(doing: Doing) -> None:
    try:
        doing.ec2("StartInstances", InstanceIds=doing.ids)
    except AwsError as error:
        gone = error.code in ("InvalidInstanceID.NotFound", "IncorrectInstanceState")
        if not gone or doing.parameters.get("completeIfInstancesTerminated") != "true":
            raise


def _stop(doing: Doing) -> Begun:
    doing.ec2("StopInstances", InstanceIds=doing.ids)
    return Begun({}, doing.parameters.get("startInstancesAfterDuration", ""))


def _reboot(doing: Doing) -> Begun:
    doing.ec2("RebootInstances", InstanceIds=doing.ids)
    return Begun({})


def _terminate(doing: Doing) -> Begun:
    doing.ec2("TerminateInstances", InstanceIds=doing.ids)
    return Begun({})


def _interrupt(doing: Doing) -> Begun:
    within = rules.duration(doing.parameters["durationBeforeInterruption"])
    for instance in doing.ids:
        faults.interrupt(doing.ctx, doing.role, instance, within)
    return Begun({})


def _wait(doing: Doing) -> Begun:
    return Begun({}, doing.parameters["duration"])


def _assert_alarms(doing: Doing) -> Begun:
    wanted = {word.strip() for word in doing.parameters["alarmStates"].split(",")}
    names = [_alarm(word.strip()) for word in doing.parameters["alarmArns"].split(",")]
    answer = doing.ctx.call("cloudwatch", "DescribeAlarms", {"AlarmNames": names}, caller=doing.role)
    found = {alarm["AlarmName"]: alarm["StateValue"] for alarm in answer.get("MetricAlarms", [])}
    for name in names:
        if found.get(name) not in wanted:
            raise AwsError("AlarmStateAssertion", f"Alarm {name} is in state {found.get(name, 'unknown')}.")
    return Begun({})


def _alarm(arn: str) -> str:
    parsed = arns.parse(arn)
    return arn if parsed is None else parsed.resource.removeprefix("alarm:")


def _disrupt(doing: Doing) -> Begun:
    return Begun(disrupting.break_off(doing), doing.parameters["duration"])


_FAILURES = {
    "internal": ("InternalError", "An internal error has occurred", 500),
    "throttle": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "unavailable": ("Unavailable", "The server is overloaded and can't handle the request.", 503),
}


def _fail_calls(kind: str) -> Callable[[Doing], Begun]:
    def begin_failing(doing: Doing) -> Begun:
        breaking.end_all(doing.ctx, _tag(doing))
        code, message, status = _FAILURES[kind]
        strike = faults.Strike(
            role="",
            service=doing.parameters["service"],
            operations=tuple(word.strip() for word in doing.parameters["operations"].split(",")),
            percentage=int(doing.parameters["percentage"]),
            code=code,
            message=message,
            status=status,
        )
        breaking.strike_all(doing.ctx, _tag(doing), doing.arns, strike)
        return Begun({}, doing.parameters["duration"])

    return begin_failing


def _tag(doing: Doing) -> str:
    return f"{doing.experiment}/{doing.name}"


_BEGIN: dict[str, Callable[[Doing], Begun]] = {
    "aws:cloudwatch:assert-alarm-state": _assert_alarms,
    "aws:ec2:reboot-instances": _reboot,
    "aws:ec2:send-spot-instance-interruptions": _interrupt,
    "aws:ec2:stop-instances": _stop,
    "aws:ec2:terminate-instances": _terminate,
    "aws:fis:inject-api-internal-error": _fail_calls("internal"),
    "aws:fis:inject-api-throttle-error": _fail_calls("throttle"),
    "aws:fis:inject-api-unavailable-error": _fail_calls("unavailable"),
    "aws:fis:wait": _wait,
    "aws:network:disrupt-connectivity": _disrupt,
}
