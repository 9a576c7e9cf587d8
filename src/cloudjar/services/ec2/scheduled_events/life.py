"""Events come by the clock; a stop brings forward what would have moved the instance to another host."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.auth.authorize import Authorizer
from cloudjar.base.caller import Caller, root
from cloudjar.kit import faults, incidents
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import Db
from cloudjar.kit.events import hears
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import Grant, keys_of_resource
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.scheduled_events.records import TABLE, ScheduledEvent
from cloudjar.services.ec2.scheduled_events.scheduling import carry_out, finish, schedule, show_event
from cloudjar.services.ec2.spot.interrupting import interrupt

REMEMBERED = timedelta(days=7)
"""How long an event is listed that is over."""


@hears("aws.ec2", "EC2 Instance State-change Notification")
def instance_changed(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """An instance went down: its events look whether they are still needed."""
    if detail["state"] in ("stopped", "terminated"):
        for event in Db(world.state, account, region)[ScheduledEvent].all(instance_id=detail["instance-id"]):
            world.state.wakes.wake(TABLE, account, region, event.id)


@reconciler(ScheduledEvent)
def converge(step: Step, _: ScheduledEvent | None) -> None:
    """One look at an event."""
    with step.world.state.database.transaction():
        event = step.db[ScheduledEvent].get(step.key)
        if event is not None:
            _look(step.ctx, event)


def _look(ctx: Ctx, event: ScheduledEvent) -> None:
    if event.done is not None:
        if ctx.now >= event.done + REMEMBERED:
            ctx.db[ScheduledEvent].drop(event)
        else:
            ctx.wake(event, purpose="forget", at=event.done + REMEMBERED)
        return
    vm = ctx.db[Instance].get(event.instance_id)
    if vm is None or not vm.alive:
        finish(ctx, event, "canceled")
    elif vm.state == "stopped" and event.code != "instance-reboot":
        finish(ctx, event, "completed")  # it starts again on another host
    elif ctx.now >= event.start:
        carry_out(ctx, event)
    else:
        ctx.wake(event, purpose="start", at=event.start)


class _Incidents:
    """What the command line can have happen to instances, of whatever account and Region."""

    def interrupt(self, world: World, instance_id: str, seconds: float) -> dict[str, Any]:
        """See `kit.incidents`."""
        with world.state.database.transaction():
            ctx, vm = _found(world, instance_id)
            request = interrupt(ctx, vm, within=timedelta(seconds=seconds))
            assert request.notice is not None
            return {"instance": vm.id, "action": request.behavior, "due": request.notice.due.isoformat()}

    def schedule(self, world: World, instance_id: str, code: str, seconds: float) -> dict[str, Any]:
        """See `kit.incidents`."""
        with world.state.database.transaction():
            ctx, vm = _found(world, instance_id)
            event = schedule(ctx, vm, code, ctx.now + timedelta(seconds=seconds))
            shown = {name: str(value) for name, value in show_event(event).items() if value is not None}
            return {"instance": vm.id, **shown}


def _found(world: World, instance_id: str) -> tuple[Ctx, Instance]:
    vm = Db(world.state, "", "").find(Instance, instance_id)
    if vm is None:
        raise ValueError(f"there is no instance {instance_id}")
    return Ctx(world, vm.account, vm.region, root(vm.account)), vm


incidents.declare(_Incidents())


@faults.interrupts
def interrupt_for(ctx: Ctx, role: Caller, instance_id: str, within: timedelta) -> None:
    """What AWS FIS does to spot instances. No operation of EC2's does it: so the role's right to is asked for here."""
    vm = need(ctx, Instance, instance_id)
    ports = ctx.world.ports
    keys = keys_of_resource("ec2", "instance", vm)
    may = Grant("ec2:SendSpotInstanceInterruptions", arn_of(vm), keys)
    asking = Ctx(ctx.world, vm.account, vm.region, role)
    Authorizer(ports["identity"], ctx.world.sealer, ports["organization"])(asking, "ec2", [may])
    interrupt(ctx, vm, within=within, experiment=True)
