"""What costs money: a load balancer by the hour, and capacity units by what its nodes carry.

A capacity unit is the largest of several dimensions; of them only bytes are counted (one gigabyte an hour), which new
connections and rules outweigh only at tens of thousands an hour (README.md).

https://aws.amazon.com/elasticloadbalancing/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.quantities import Owner, Quantities, Reading, Tally, collects
from cloudjar.kit.usage import Meter, meters
from cloudjar.planes.proxy.port import ProxyPort
from cloudjar.services.elbv2.records import LoadBalancer, Reservation

OPERATIONS = {"app": "LoadBalancing:Application", "net": "LoadBalancing:Network"}
_EVERY = timedelta(hours=6)


@meters(LoadBalancer)
def hours(balancer: LoadBalancer) -> Iterable[Meter]:
    """The load balancer, for as long as it is there."""
    return (Meter("AWSELB", "LoadBalancerUsage", OPERATIONS[balancer.kind], "Hrs"),)


@meters(Reservation)
def reserved(held: Reservation) -> Iterable[Meter]:
    """Units that are reserved, used or not."""
    if not held.units:
        return ()
    return (Meter("AWSELB", "ReservedLCUUsage", OPERATIONS[held.kind], "LCU-Hrs", Decimal(held.units)),)


def next_reading(now: datetime) -> datetime:
    """When counters are read by themselves: fixed hours, so that what a month used is in that month."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + ((now - midnight) // _EVERY + 1) * _EVERY


def read(world: World, owner: Owner, node: str) -> None:
    """Count what a node of a load balancer (`owner.resource` is its ARN) has carried. Raises `PlaneError`."""
    proxies: ProxyPort = world.ports["proxy"]
    quantities: Quantities = world.ports["quantities"]
    kind = "net" if ":loadbalancer/net/" in owner.resource else "app"

    def take() -> Reading | None:
        found = proxies.carried(node)
        return None if found is None else Reading(found.born, {"received": found.received})

    quantities.read(owner, node, take, {"received": Tally("AWSELB", "LCUUsage", OPERATIONS[kind], "LCU-Hrs")})


@collects
def read_all(world: World) -> None:
    """Every node of every load balancer."""
    with world.state.database.lock:
        found = Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(LoadBalancer)
    for balancer in found:
        for zone in balancer.zones:
            read(world, Owner(balancer.account, balancer.region, balancer.arn), zone.node)
