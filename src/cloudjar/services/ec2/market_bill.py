"""What capacity costs that is no instance on demand: room that is kept, hosts, the fee of dedicated instances.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-pricing-billing.html
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.ec2.capacity_reservations.records import CapacityReservation
from cloudjar.services.ec2.hosts.records import DedicatedFee, Host

FEE = Meter("AmazonEC2", "DedicatedUsage-region-fee", "", "Hrs")


@meters(CapacityReservation)
def unused_room(one: CapacityReservation) -> Iterable[Meter]:
    """What is reserved and not used costs what it would cost running; what is used is billed as the instance."""
    free = one.total - one.used
    if one.state != "active" or free <= 0:
        return ()
    usage = "UnusedDed" if one.tenancy == "dedicated" else "UnusedBox"
    return (Meter("AmazonEC2", f"{usage}:{one.type}", "RunInstances", "Hrs", Decimal(free)),)


@meters(Host)
def host_hours(host: Host) -> Iterable[Meter]:
    """A host, from its allocation to its release, whatever runs on it."""
    if host.state != "available":
        return ()
    return (Meter("AmazonEC2", f"HostUsage:{host.family}", "RunInstances", "Hrs"),)


@meters(DedicatedFee)
def region_fee(fee: DedicatedFee) -> Iterable[Meter]:
    """While there is a dedicated instance in the region."""
    return (FEE,) if fee.running else ()
