"""What capacity costs that is no instance on demand: room that is kept, hosts, the fee of dedicated instances.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-pricing-billing.html
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.commitments import RESERVATION, Terms, commits
from cloudjar.kit.usage import Meter, fees, meters
from cloudjar.services.ec2.capacity_reservations.records import CapacityReservation
from cloudjar.services.ec2.hosts.records import DedicatedFee, Host
from cloudjar.services.ec2.reserved_instances.records import ReservedInstances
from cloudjar.spec import prices, regions

RESERVED = "RunInstances:Reserved"
"""How the fees of Reserved Instances stand on the bill: no usage is under this operation."""
FEE = Meter("AmazonEC2", "DedicatedUsage-region-fee", "", "Hrs")


@meters(CapacityReservation)
def unused_room(one: CapacityReservation) -> Iterable[Meter]:
    """What is reserved and not used costs what it would cost running; what is used is billed as the instance."""
    free = one.total - one.used
    if one.state != "active" or free <= 0:
        return ()
    usage = "UnusedDed" if one.tenancy == "dedicated" else "UnusedBox"
    return (Meter("AmazonEC2", f"{usage}:{one.type}", "RunInstances", "Hrs", Decimal(free)),)


@meters(ReservedInstances)
def reserved_hours(held: ReservedInstances) -> Iterable[Meter]:
    """What every hour of the term costs, used or not."""
    hourly = Decimal(held.hourly) * held.count
    if held.state != "active" or not hourly:
        return ()
    return (Meter("AmazonEC2", f"HeavyUsage:{held.type}", RESERVED, prices.RECURRING, hourly),)


@fees(ReservedInstances)
def reserved_upfront(held: ReservedInstances) -> Iterable[Meter]:
    """What is due when a purchase becomes active; it is not due again for what it is modified to."""
    due = Decimal(held.fee)
    if held.state != "active" or not due:
        return ()
    return (Meter("AmazonEC2", f"HeavyUsage:{held.type}", RESERVED, prices.ONCE, due),)


@commits(ReservedInstances)
def reserved_terms(held: ReservedInstances) -> Terms | None:
    """What lowers the price of usage that matches it, while it is active."""
    if held.state != "active":
        return None
    zone = regions.zone(held.zone, held.account) if held.zone else None
    return Terms(
        arn=f"arn:aws:ec2:{held.region}:{held.account}:reserved-instances/{held.id}",
        kind=RESERVATION,
        fee=("AmazonEC2", f"HeavyUsage:{held.type}", RESERVED),
        type=held.type,
        region=held.region,
        zone=zone.id if zone is not None else "",
        count=held.count,
        upfront=Decimal(held.fixed) * held.count,
        hourly=Decimal(held.hourly) * held.count,
        due=Decimal(held.fee),
        seconds=held.seconds,
        option=held.option,
        cls=held.cls,
        start=held.start,
        end=held.end,
    )


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
