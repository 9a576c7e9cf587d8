"""Groups of schedules.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-group.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.scheduler import errors, finding, views
from cloudjar.services.scheduler.ops.tagging import given_tags
from cloudjar.services.scheduler.records import DEFAULT, DELETING, Group


@op("CreateScheduleGroup")
def create_schedule_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a group."""
    name, now = req["Name"], ctx.now.timestamp()
    if name == DEFAULT or ctx.db[Group].get(name) is not None:
        raise errors.conflict(f"Schedule group {name} already exists.")
    held = ctx.db[Group].add(Group(name=name, made=now, changed=now, tags=given_tags(req)))
    return {"ScheduleGroupArn": ctx.arn(held)}


@op("GetScheduleGroup")
def get_schedule_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One group."""
    return views.group(finding.group(ctx, req["Name"]))


@op("DeleteScheduleGroup")
def delete_schedule_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a group go, with its schedules."""
    if req["Name"] == DEFAULT:
        raise errors.invalid("The default schedule group cannot be deleted.")
    found = finding.group(ctx, req["Name"])
    if found.state == DELETING:
        raise errors.conflict(f"Schedule group {found.name} is being deleted.")
    ctx.db[Group].put(replace(found, state=DELETING, changed=ctx.now.timestamp()))
    return {}


@op("ListScheduleGroups")
def list_schedule_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Groups by name, the default one among them."""
    prefix = req.get("NamePrefix") or ""
    found = {group.name: group for group in ctx.db[Group].all()}
    found.setdefault(DEFAULT, finding.group(ctx, DEFAULT))
    return {"ScheduleGroups": [views.group(found[name]) for name in sorted(found) if name.startswith(prefix)]}
