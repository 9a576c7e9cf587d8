"""What happens by itself: released hosts are forgotten, and the fee of a region with dedicated instances follows them.

https://aws.amazon.com/ec2/pricing/dedicated-instances/
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.kit.context import World
from cloudjar.kit.db import Db
from cloudjar.kit.events import hears
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ec2.hosts.records import FEE, FEE_TABLE, DedicatedFee, Host
from cloudjar.services.ec2.instances.records import Instance

REMEMBERED = timedelta(hours=1)
"""How long a released host is listed."""


@reconciler(Host)
def converge(step: Step, host: Host | None) -> None:
    """Forget a host some time after its release."""
    if host is None or host.released is None:
        return
    if step.ctx.now < host.released + REMEMBERED:
        step.again("forget", host.released + REMEMBERED)
        return
    with step.world.state.database.transaction():
        step.db[Host].drop(host)


@hears("aws.ec2", "EC2 Instance State-change Notification")
def instance_changed(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """A dedicated instance came or went: whether there is any is looked at."""
    vm = Db(world.state, account, region)[Instance].get(detail["instance-id"])
    if vm is not None and vm.tenancy == "dedicated":
        world.state.wakes.wake(FEE_TABLE, account, region, FEE)


@reconciler(DedicatedFee)
def count(step: Step, _: DedicatedFee | None) -> None:
    """Store whether a dedicated instance runs."""
    with step.world.state.database.transaction():
        table = step.db[DedicatedFee]
        held = table.get(step.key)
        runs = any(vm.tenancy == "dedicated" for vm in step.db[Instance].all(state="running"))
        if held is None:
            table.add(DedicatedFee(name=step.key, running=runs))
        elif held.running != runs:
            table.put(DedicatedFee(name=step.key, running=runs, account=held.account, region=held.region))
