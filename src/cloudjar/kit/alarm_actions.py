"""What alarms set off in other services: each service says what its ARNs mean as an alarm's action.

A hook gets the context of the alarm's account and region (its caller is nobody in particular: a hook says itself as
whom it acts), the alarm, and the action's ARN. It raises `AwsError` when the action failed; that is told in the
alarm's history. Actions of services without a hook fail there too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from cloudjar.kit.context import Ctx


class Alarm(NamedTuple):
    """An alarm as its actions see it: `value` is the newest datapoint that was evaluated, None when there was none;
    `message` is what a notification says, as JSON-ready data, `subject` and `letter` what it says to people."""

    name: str
    arn: str
    state: str
    reason: str
    value: float | None
    threshold: float | None
    dimensions: dict[str, str]
    message: dict[str, Any]
    subject: str = ""
    letter: str = ""


Act = Callable[[Ctx, Alarm, str], None]
_ACTS: dict[str, Act] = {}


def acts(service: str) -> Callable[[Act], Act]:
    """Decorator: what an ARN of this service does as an alarm's action (``autoscaling``, ``sns``, ``lambda``)."""

    def declare(function: Act) -> Act:
        _ACTS[service] = function
        return function

    return declare


def action(ctx: Ctx, service: str) -> Act | None:
    """The hook of a service, which is loaded when it is not yet."""
    if service not in _ACTS:
        ctx.world.load(service)
    return _ACTS.get(service)
