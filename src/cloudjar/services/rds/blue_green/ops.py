"""Blue/green deployments: made, shown, switched over, deleted."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors as common
from cloudjar.services.rds.blue_green import environments, errors, making, views
from cloudjar.services.rds.blue_green.records import (
    AVAILABLE,
    CHECKING,
    COMPLETED,
    DELETING,
    FAILED,
    SWITCHING,
    Deployment,
)
from cloudjar.services.rds.records import DbInstance

_TIMEOUT, _LONGEST = 300, 3600
"""Seconds that a switchover may take unless something is said, and at most."""


@op("CreateBlueGreenDeployment")
def create_blue_green_deployment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another instance that follows the source, and is to take its place."""
    if req.get("TargetDBClusterParameterGroupName"):
        raise common.combination("TargetDBClusterParameterGroupName is for a source that is a DB cluster.")
    return {"BlueGreenDeployment": views.show(ctx, making.begin(ctx, req))}


@op("DescribeBlueGreenDeployments")
def describe_blue_green_deployments(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One deployment, or all."""
    name = req.get("BlueGreenDeploymentIdentifier")
    found = [_need(ctx, name)] if name else sorted(ctx.db[Deployment].all(), key=lambda one: (one.created, one.id))
    getters = {
        "blue-green-deployment-identifier": lambda one: one.id,
        "blue-green-deployment-name": lambda one: one.name,
        "source": lambda one: views.source(ctx, one),
        "target": lambda one: views.target(ctx, one),
    }
    shown = filters.apply(req.get("Filters"), getters, found)
    return {"BlueGreenDeployments": [views.show(ctx, one) for one in shown]}


def _need(ctx: Ctx, name: str) -> Deployment:
    return ctx.db[Deployment].need(name.lower())


@op("SwitchoverBlueGreenDeployment", writes=True)
def switchover_blue_green_deployment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have the green environment take the blue one's place and names."""
    item = _need(ctx, req["BlueGreenDeploymentIdentifier"])
    timeout = req.get("SwitchoverTimeout") or _TIMEOUT
    if timeout > _LONGEST:
        raise common.invalid(f"Invalid switchover timeout: {timeout}. It must be between 30 and {_LONGEST} seconds.")
    if item.state not in (AVAILABLE, FAILED):
        raise errors.state(f"Blue/green deployment {item.id} is in the state {item.state} and can't be switched over.")
    if why := environments.broken(ctx, item):
        raise errors.state(f"Blue/green deployment {item.id} can't be switched over. {why}")
    for db in environments.members(ctx, item):
        if db.state != "available":
            raise errors.state(f"DB instance {db.id} is not in available state")
    going = replace(item, state=SWITCHING, step=CHECKING, details="", begun=ctx.now, timeout=timeout)
    return {"BlueGreenDeployment": views.show(ctx, ctx.db[Deployment].put(going))}


@op("DeleteBlueGreenDeployment")
def delete_blue_green_deployment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget a deployment, with its green environment if that is asked for and has not taken over."""
    item = _need(ctx, req["BlueGreenDeploymentIdentifier"])
    if item.state in (SWITCHING, DELETING):
        raise errors.state(f"Blue/green deployment {item.id} is in the state {item.state} and can't be deleted.")
    if req.get("DeleteTarget"):
        if item.state == COMPLETED:
            raise errors.state("DeleteTarget can't be specified when the status is SWITCHOVER_COMPLETED.")
        greens = [environments.member(ctx, pair.target) for pair in item.pairs]
        there = [db for db in greens if db is not None]
        if any(db.protected for db in there):
            raise common.combination(
                "Cannot delete protected DB Instance, please disable deletion protection and try again."
            )
        for db in there:
            ctx.db[DbInstance].put(replace(db, state="deleting", keeps_backups=False))
    gone = ctx.db[Deployment].put(replace(item, state=DELETING, deleted=ctx.now))
    return {"BlueGreenDeployment": views.show(ctx, gone)}
