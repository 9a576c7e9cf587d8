"""Pipes: made, changed, begun, ended.

https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_Operations.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.pipes import errors, settings, views
from cloudjar.services.pipes.life import LIFE, SECONDS
from cloudjar.services.pipes.ops.tagging import checked_tags
from cloudjar.services.pipes.records import (
    CREATE_FAILED,
    CREATING,
    DELETED,
    DELETING,
    RUNNING,
    START_FAILED,
    STARTING,
    STOPPED,
    STOPPING,
    UPDATE_FAILED,
    UPDATING,
    Pipe,
)

_MOST = 1_000
"""Pipes of an account in a Region."""
_BEGINS = (STOPPED, START_FAILED, UPDATE_FAILED)
_SETTLED = (RUNNING, STOPPED, CREATE_FAILED, UPDATE_FAILED, START_FAILED)


def _pipe(ctx: Ctx, name: str) -> Pipe:
    found = ctx.db[Pipe].get(name)
    if found is None:
        raise errors.no_pipe(name)
    return found


def _settled(ctx: Ctx, name: str) -> Pipe:
    """A pipe that is not on its way from one state to another; raises ConflictException."""
    found = _pipe(ctx, name)
    if found.state not in _SETTLED:
        raise errors.conflict(name, f"Pipe {name} is in state {found.state} and cannot be changed now.")
    return found


def _due(ctx: Ctx) -> float:
    return (ctx.now + timedelta(seconds=SECONDS)).timestamp()


def _move(ctx: Ctx, pipe: Pipe, to: str, **changes: Any) -> dict[str, Any]:
    moved = LIFE.move(ctx, pipe, to, due=_due(ctx), reason="", **changes)
    return views.brief(moved)


@op("CreatePipe")
def create_pipe(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a pipe; it is ready a little later."""
    name, now = req["Name"], ctx.now.timestamp()
    settings.check_built(req)
    source = settings.check_source(ctx, req["Source"])
    params = req.get("TargetParameters") or {}
    settings.check_target(req["Target"], params)
    if ctx.db[Pipe].get(name) is not None:
        raise errors.conflict(name, f"Pipe {name} already exists.")
    if len(ctx.db[Pipe].all()) >= _MOST:
        raise errors.limit(name)
    pipe = Pipe(
        name=name,
        description=req.get("Description") or "",
        desired=req.get("DesiredState") or RUNNING,
        state=CREATING,
        due=_due(ctx),
        source=req["Source"],
        source_params=settings.source_params(source, req["Target"], req.get("SourceParameters") or {}),
        target=req["Target"],
        target_params=params,
        role=req["RoleArn"],
        tags=checked_tags(req.get("Tags") or {}),
        made=now,
        changed=now,
    )
    return views.brief(ctx.db[Pipe].add(pipe))


@op("UpdatePipe")
def update_pipe(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change what is said of a pipe; parameters of a source or target are given whole."""
    settings.check_built(req)
    pipe = _settled(ctx, req["Name"])
    target = req.get("Target") or pipe.target
    params = req.get("TargetParameters", pipe.target_params)
    settings.check_target(target, params)
    given = req.get("SourceParameters") or {}
    kept = settings.source_params(pipe.source_arn, target, given, pipe.source_params)
    return _move(
        ctx,
        pipe,
        UPDATING,
        description=req.get("Description", pipe.description),
        desired=req.get("DesiredState") or pipe.desired,
        target=target,
        target_params=params,
        source_params=kept,
        role=req["RoleArn"],
        changed=ctx.now.timestamp(),
    )


@op("DescribePipe")
def describe_pipe(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One pipe."""
    return views.whole(_pipe(ctx, req["Name"]))


@op("DeletePipe")
def delete_pipe(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a pipe go; nothing is read any more."""
    return _move(ctx, _settled(ctx, req["Name"]), DELETING, desired=DELETED)


@op("StartPipe")
def start_pipe(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a pipe run."""
    pipe = _settled(ctx, req["Name"])
    if pipe.state not in _BEGINS:
        raise errors.conflict(pipe.name, f"Pipe {pipe.name} is in state {pipe.state} and cannot be started.")
    return _move(ctx, pipe, STARTING, desired=RUNNING, changed=ctx.now.timestamp())


@op("StopPipe")
def stop_pipe(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a pipe rest; what comes to its source waits there."""
    pipe = _settled(ctx, req["Name"])
    if pipe.state != RUNNING:
        raise errors.conflict(pipe.name, f"Pipe {pipe.name} is in state {pipe.state} and cannot be stopped.")
    return _move(ctx, pipe, STOPPING, desired=STOPPED, changed=ctx.now.timestamp())


@op("ListPipes")
def list_pipes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Pipes by name."""
    wanted = {"desired": req.get("DesiredState"), "state": req.get("CurrentState")}
    begins = {"name": req.get("NamePrefix"), "source": req.get("SourcePrefix"), "target": req.get("TargetPrefix")}
    found = [
        pipe
        for pipe in ctx.db[Pipe].all()
        if all(value in (None, getattr(pipe, name)) for name, value in wanted.items())
        and all(getattr(pipe, name).startswith(value or "") for name, value in begins.items())
    ]
    return {"Pipes": [views.summary(pipe) for pipe in sorted(found, key=lambda one: one.name)]}
