"""Status checks: whether an instance can be reached, asked of its host whenever somebody wants to know.

AWS asks the instance's interface by ARP; here the guest's own network is looked at: whether it holds its address, and
whether the guest is not frozen. That an instance is impaired is kept, with the time since when.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.instances.reached import CHECK, is_reached
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.instances.search import STATUS_FILTERS
from cloudjar.services.ec2.instances.views import show_state
from cloudjar.services.ec2.lookup import Row, narrow, need_all
from cloudjar.services.ec2.scheduled_events.scheduling import events_of, show_event
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.spec import regions

_NO_DATA: dict[str, Any] = {"Status": "not-applicable", "Details": None}


@op("DescribeInstanceStatus")
def describe_instance_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Status checks; only running instances unless asked for all."""
    wanted = req.get("InstanceIds")
    items = need_all(ctx, Instance, wanted) if wanted else ctx.db[Instance].all()
    if not req.get("IncludeAllInstances"):
        items = [vm for vm in items if vm.state == "running"]
    rows = [Row(vm.tags, show_status(ctx, vm)) for vm in items]
    return {"InstanceStatuses": narrow(req, STATUS_FILTERS, rows)}


def show_status(ctx: Ctx, vm: Instance) -> dict[str, Any]:
    """AWS's InstanceStatus. The instance check fails when its guest is dead or deaf, the system and disk checks when
    the host does not answer; an instance that is not running has no data."""
    guest = system = _NO_DATA
    if vm.state == "running":
        try:
            passed = is_reached(ctx.world.ports["compute"], vm)
            _note(ctx, vm, passed=passed)
            guest, system = _check(ctx, vm, passed=passed), _check(ctx, vm, passed=True)
        except PlaneError:
            guest = system = _check(ctx, vm, passed=False)
    zone = regions.zone(vm.zone, vm.account)
    return {
        "AvailabilityZone": vm.zone,
        "AvailabilityZoneId": zone.id if zone is not None else None,
        "Events": [show_event(event) for event in events_of(ctx, vm.id)],
        "InstanceId": vm.id,
        "InstanceState": show_state(vm.state),
        "InstanceStatus": guest,
        "SystemStatus": system,
        "AttachedEbsStatus": system,
    }


def _check(ctx: Ctx, vm: Instance, *, passed: bool) -> dict[str, Any]:
    detail: dict[str, Any] = {"Name": "reachability", "Status": "passed" if passed else "failed"}
    if not passed:
        detail["ImpairedSince"] = vm.impaired or ctx.now
    return {"Status": "ok" if passed else "impaired", "Details": [detail]}


def _note(ctx: Ctx, vm: Instance, *, passed: bool) -> None:
    """Have it kept that the instance is impaired, or no longer: reading does not write, its reconciler does."""
    if passed is (vm.impaired is not None):
        with ctx.world.state.database.transaction():
            ctx.wake(vm, purpose=CHECK)
