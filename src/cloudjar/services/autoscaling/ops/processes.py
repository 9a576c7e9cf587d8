"""Processes of a group, suspended and resumed.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors, rules
from cloudjar.services.autoscaling.records import Group
from cloudjar.services.autoscaling.rules import PROCESSES


def _named(req: dict[str, Any]) -> tuple[str, ...]:
    """The processes of a request; none means all."""
    given = tuple(req.get("ScalingProcesses") or PROCESSES)
    unknown = [name for name in given if name not in PROCESSES]
    if unknown:
        raise errors.invalid(f"Invalid scaling processes: [{', '.join(unknown)}]")
    return given


@op("SuspendProcesses")
def suspend_processes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The group does not do these things any more."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    when = f"{ctx.now:%Y-%m-%dT%H:%M:%SZ}"
    new = tuple(f"{name}@{when}" for name in _named(req) if not rules.suspended(group, name))
    ctx.db[Group].put(replace(group, suspended=tuple(sorted((*group.suspended, *new)))))
    return {}


@op("ResumeProcesses")
def resume_processes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The group does them again, beginning with what it has missed."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    again = _named(req)
    left = tuple(entry for entry in group.suspended if entry.partition("@")[0] not in again)
    ctx.db[Group].put(replace(group, suspended=left))
    return {}
