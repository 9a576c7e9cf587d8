"""Describe, stop, start, reboot, terminate.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.capacity_reservations.matching import recount
from cloudjar.services.ec2.instances.life import begin_end, begin_start
from cloudjar.services.ec2.instances.plug_filters import PLUGS, PREFIX
from cloudjar.services.ec2.instances.quota import refuse_start as refuse_more
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.instances.search import INSTANCE_FILTERS
from cloudjar.services.ec2.instances.standing import stand_again
from cloudjar.services.ec2.instances.views import around, show_reservations, show_state
from cloudjar.services.ec2.lookup import Row, need_all
from cloudjar.services.ec2.metering import life as metering
from cloudjar.services.ec2.network_interfaces.views import show_interface
from cloudjar.services.ec2.spot.guarding import refuse_start, refuse_stop
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.services.ec2.volumes.rules import point
from cloudjar.services.ec2.vpcs.making import op

StateChange = dict[str, Any]


@op("DescribeInstances")
def describe_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Reservations with the instances that the ids and filters admit."""
    wanted = req.get("InstanceIds")
    if wanted and req.get("MaxResults"):
        raise errors.combination("The parameter instancesSet cannot be used with the parameter maxResults")
    items = need_all(ctx, Instance, wanted) if wanted else ctx.db[Instance].all()
    items.sort(key=lambda vm: (vm.created, vm.reservation_id, vm.launch_index))
    near = around(ctx.db, ctx.account, ctx.region, wanted)
    reservations = show_reservations(items, near)
    if not req.get("Filters"):
        return {"Reservations": reservations}
    by_id = {vm.id: vm for vm in items}
    plugged = any(str(one.get("Name")).startswith(PREFIX) for one in req["Filters"])

    def enis(instance_id: str) -> list[dict[str, Any]]:
        """An instance's interfaces, whole, for the filters that ask about them."""
        return [show_interface(eni, near.scene) for eni in near.interfaces.get(instance_id, ()) if plugged]

    filters.apply(req["Filters"], INSTANCE_FILTERS, ())
    kept = []
    for reservation in reservations:
        views = reservation["Instances"]
        rows = [Row(by_id[view["InstanceId"]].tags, {**view, "_": reservation, PLUGS: enis(view["InstanceId"])})
                for view in views]  # fmt: skip
        admitted = {row.view["InstanceId"] for row in filters.apply(req["Filters"], INSTANCE_FILTERS, rows)}
        if admitted:
            kept.append({**reservation, "Instances": [view for view in views if view["InstanceId"] in admitted]})
    return {"Reservations": kept}


def _each(ctx: Ctx, req: dict[str, Any], change: Callable[[Instance], Instance]) -> list[StateChange]:
    """Apply a change to every named instance; all are checked before any is touched (one transaction)."""
    changes = []
    for vm in need_all(ctx, Instance, req["InstanceIds"]):
        after = change(vm)
        changes.append(
            {"InstanceId": vm.id, "CurrentState": show_state(after.state), "PreviousState": show_state(vm.state)}
        )
    return changes


@op("StopInstances")
def stop_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Stop; the disk stays, a lent public address goes. With `Force` or `SkipOsShutdown` the guest is not asked."""
    forced = bool(req.get("Force") or req.get("SkipOsShutdown"))

    def stop(vm: Instance) -> Instance:
        if req.get("Hibernate"):
            raise AwsError(
                "UnsupportedHibernationConfiguration",
                f"The instance '{vm.id}' was not launched with hibernation enabled and cannot hibernate.",
            )
        if vm.state == "stopping" and forced and not vm.forced:
            return ctx.db[Instance].put(replace(vm, forced=True))
        if vm.state in ("stopped", "stopping"):
            return vm
        _expect(vm, ("pending", "running"), "stopped")
        refuse_stop(ctx, vm)
        if vm.stop_protected:
            raise AwsError(
                "OperationNotPermitted",
                f"The instance '{vm.id}' may not be stopped. Modify its 'disableApiStop' instance attribute and try "
                "again.",
            )
        return begin_end(ctx, vm, terminate=False, forced=forced)

    return {"StoppingInstances": _each(ctx, req, stop)}


@op("StartInstances")
def start_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Start what is stopped; the same disk, a new public address."""

    def start(vm: Instance) -> Instance:
        if vm.state in ("pending", "running"):
            return vm
        _expect(vm, ("stopped",), "started")
        refuse_start(ctx, vm)
        ctx.world.faults.refuse_dark(vm.zone, vm.account, vm.type)
        _need_root(ctx, vm)
        host, kept = stand_again(ctx, vm)
        refuse_more(ctx, vm, reserved=bool(kept))
        started = begin_start(ctx, ctx.db[Instance].put(replace(vm, host_id=host, capacity_reservation_id=kept)))
        recount(ctx, kept)
        return started

    return {"StartingInstances": _each(ctx, req, start)}


def _need_root(ctx: Ctx, vm: Instance) -> None:
    volumes = ctx.db[Volume].all(instance_id=vm.id)
    if all(point(volume.device) != point(vm.root_device) for volume in volumes):
        raise errors.invalid_value(
            f"Invalid value '{vm.id}' for instanceId. Instance does not have a volume attached at root "
            f"({vm.root_device})"
        )


@op("RebootInstances")
def reboot_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Restart the guest; everything else stays."""
    for vm in need_all(ctx, Instance, req["InstanceIds"]):
        _expect(vm, ("running", "pending"), "rebooted")
        if vm.state == "running":
            ctx.db[Instance].put(replace(vm, reboots=vm.reboots + 1))
    return {}


@op("TerminateInstances")
def terminate_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Terminate; protected instances refuse, and then nothing is terminated."""

    def terminate(vm: Instance) -> Instance:
        if not vm.alive:
            return vm
        if vm.termination_protected:
            raise AwsError(
                "OperationNotPermitted",
                f"The instance '{vm.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute "
                "and try again.",
            )
        return begin_end(ctx, vm, terminate=True)

    return {"TerminatingInstances": _each(ctx, req, terminate)}


def _expect(vm: Instance, states: tuple[str, ...], verb: str) -> None:
    if vm.state not in states:
        raise AwsError(
            "IncorrectInstanceState",
            f"The instance '{vm.id}' is not in a state from which it can be {verb}."
            if vm.alive
            else f"This instance '{vm.id}' is not in a state from which it can be {verb}.",
        )


@op("MonitorInstances")
def monitor_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Detailed monitoring on."""
    return {"InstanceMonitorings": _monitor(ctx, req, on=True)}


@op("UnmonitorInstances")
def unmonitor_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Detailed monitoring off."""
    return {"InstanceMonitorings": _monitor(ctx, req, on=False)}


def _monitor(ctx: Ctx, req: dict[str, Any], *, on: bool) -> list[dict[str, Any]]:
    answer = []
    for vm in need_all(ctx, Instance, req["InstanceIds"]):
        metering.wake(ctx, ctx.db[Instance].put(replace(vm, monitoring=on)))
        state = ("pending" if on else "disabling") if vm.monitoring != on else ("enabled" if on else "disabled")
        answer.append({"InstanceId": vm.id, "Monitoring": {"State": state}})
    return answer
