"""The life of a deployment: its green environment is made, one task after another; later it goes.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/blue-green-deployments-overview.html
"""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.kit.record import arn_of
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.rds import running
from cloudjar.services.rds.blue_green import environments, making, switching
from cloudjar.services.rds.blue_green.records import (
    ALL,
    AVAILABLE,
    BACKUPS,
    DELETING,
    DEPLOYMENT,
    INVALID,
    PROVISIONING,
    SERVING,
    SWITCHING,
    TOPOLOGY,
    UPGRADE,
    Deployment,
    Pair,
)
from cloudjar.services.rds.blue_green.telling import tell
from cloudjar.services.rds.records import Change, DbInstance

_READY = (
    "Blue/green deployment tasks completed. You can make more modifications to the green environment databases or "
    "switch over the deployment."
)


@reconciler(Deployment)
def converge(step: Step, item: Deployment | None) -> None:
    """One look; instances that it waits for wake it (`environments.notice`)."""
    if item is None:
        return
    match item.state:
        case "PROVISIONING":
            _provision(step, item)
        case "SWITCHOVER_IN_PROGRESS":
            switching.perform(step, item)
        case "DELETING":
            _delete(step, item)


# -- the green environment
def _provision(step: Step, item: Deployment) -> None:
    """Do what can be done of the tasks now."""
    with step.world.state.database.transaction():
        now = step.db[Deployment].get(item.id)
        if now is None or now.state != PROVISIONING:
            return
        if why := environments.broken(step.ctx, now):
            _give_up(step.ctx, now, why)
            return
        try:
            with step.world.state.database.transaction():
                _tasks(step.ctx, now)
        except AwsError as error:
            _give_up(step.ctx, now, str(error))


def _tasks(ctx: Ctx, item: Deployment) -> None:
    """From the task that is being done on, until one has to be waited for. In a transaction."""
    item = replace(item, task=item.task or item.tasks[0])
    while True:
        green = environments.member(ctx, item.pairs[0].target)
        if green is None or green.state != "available":
            break
        item, done = _task(ctx, item, green)
        if not done:
            break
        at = item.tasks.index(item.task) + 1
        if at == len(item.tasks):
            ready = ctx.db[Deployment].put(replace(item, state=AVAILABLE, task=ALL))
            tell(ctx, ready, "RDS-EVENT-0244", _READY, "creation")
            return
        item = replace(item, task=item.tasks[at], asked=False)
    if item != ctx.db[Deployment].get(item.id):
        ctx.db[Deployment].put(item)


def _task(ctx: Ctx, item: Deployment, green: DbInstance) -> tuple[Deployment, bool]:
    """One task, of a green instance that is available: whether it is done; if not, it has been asked for."""
    wanted = item.wanted
    if item.task == UPGRADE and green.version != wanted.version:
        if item.asked:
            raise AwsError("InvalidDBInstanceState", f"{green.id} could not be upgraded to {wanted.version}.")
        change = Change(
            version=wanted.version, major=wanted.major or None, parameter_group=wanted.parameter_group or None
        )
        return _ask(ctx, item, green, change), False
    if item.task == BACKUPS:
        blue = environments.member(ctx, item.pairs[0].source)
        days = blue.retention if blue is not None else 0
        if days and green.retention != days:
            return _ask(ctx, item, green, Change(retention=days)), False
    if item.task == TOPOLOGY:
        return _followers(ctx, item, green)
    return item, True


def _ask(ctx: Ctx, item: Deployment, green: DbInstance, change: Change) -> Deployment:
    ctx.db[DbInstance].put(replace(green, state="modifying", change=change))
    return replace(item, asked=True)


def _followers(ctx: Ctx, item: Deployment, green: DbInstance) -> tuple[Deployment, bool]:
    """Each replica of the blue instance has one of the green; those that are gone by now have none."""
    made: list[Pair] = [item.pairs[0]]
    done = True
    for pair in item.pairs[1:]:
        blue, there = environments.both(ctx, pair)
        if blue is None or blue.state == "deleting":
            continue
        if not pair.target:
            source = environments.member(ctx, green.resource_id)
            assert source is not None
            there = making.copied(ctx, blue, source, {"DBParameterGroupName": _group(item, blue, source)})
            made.append(replace(pair, target=there.resource_id, target_arn=arn_of(there)))
        else:
            made.append(pair)
        done = done and there is not None and there.state == "available"
    return replace(item, pairs=tuple(made)), done


def _group(item: Deployment, blue: DbInstance, source: DbInstance) -> str:
    """A replica's own parameter group, or that of the later major."""
    return source.parameter_group if item.wanted.major else blue.parameter_group


def _give_up(ctx: Ctx, item: Deployment, why: str) -> None:
    invalid = ctx.db[Deployment].put(replace(item, state=INVALID, details=why))
    tell(ctx, invalid, "RDS-EVENT-0245", f"Creation of blue/green deployment failed because {why}", "failure")


# -- the end
def _delete(step: Step, item: Deployment) -> None:
    """Once what is to go is gone; who was blue may be written to again."""
    greens = [environments.member(step.ctx, pair.target) for pair in item.pairs]
    if any(db is not None and db.state == "deleting" for db in greens):
        return  # whose life wakes this one
    if item.step == SERVING:
        host: ComputePort = step.port("compute")
        for pair in item.pairs:
            blue = environments.member(step.ctx, pair.source)
            if blue is not None and blue.state in ("available", "backing-up") and host.look(blue.machine) == "up":
                running.apply(environments.at(step, blue), blue, blue.running)
    with step.world.state.database.transaction():
        now = step.db[Deployment].get(item.id)
        if now is not None and now.state == DELETING:
            tell(step.ctx, now, "RDS-EVENT-0246", "Blue/green deployment deleted.", "deletion")
            step.db[Deployment].drop(now)


@on_boot("rds")
def at_start(world: World) -> None:
    """Look at those that something is being done about."""
    for one in Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(Deployment):
        if one.state in (PROVISIONING, SWITCHING, DELETING):
            world.state.wakes.wake(DEPLOYMENT, one.account, one.region, one.id, purpose="boot")
