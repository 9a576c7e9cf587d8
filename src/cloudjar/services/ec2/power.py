"""A zone or a host without power: whatever is in it is looked at when its power goes and when it comes back."""

from __future__ import annotations

from typing import Any

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.events import hears
from cloudjar.kit.faults import CHANGED, SOURCE
from cloudjar.services.ec2.instances.life import BOOT
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.spec import regions


@hears(SOURCE, CHANGED)
def power_changed(world: World, _: str, __: str, detail: dict[str, Any]) -> None:
    """Machines lose their power, or boot again as after a power cut; the network of the zone goes and comes."""
    db = Ctx(world, "", "", service_caller("cloudjar.internal", "")).db
    zone, instance = detail.get("zone", ""), detail.get("instance", "")
    for vm in db.everywhere(Instance):
        if vm.id == instance or (zone and _is(zone, vm.zone, vm.account)):
            world.state.wakes.wake("ec2/instance", vm.account, vm.region, vm.id, purpose=BOOT)
    if zone:
        places = {(s.account, s.region, s.vpc_id) for s in db.everywhere(Subnet) if _is(zone, s.zone, s.account)}
        for account, region, vpc_id in sorted(places):
            world.state.wakes.wake("ec2/vpc", account, region, vpc_id)


def _is(zone_id: str, name: str, account: str) -> bool:
    found = regions.zone(name, account)
    return found is not None and found.id == zone_id
