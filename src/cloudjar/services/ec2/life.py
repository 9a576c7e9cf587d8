"""The VPC's reconciler: whatever changes in a VPC, the host is brought to what its records say."""

from __future__ import annotations

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.ec2 import traffic_bill
from cloudjar.services.ec2.layout import lay_out
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.transit_gateways.records import TransitAttachment
from cloudjar.services.ec2.vpc_endpoint_services.leading import consumers
from cloudjar.services.ec2.vpc_peering.finding import peerings_of
from cloudjar.services.ec2.vpcs.records import Vpc


@reconciler(Vpc)
def converge(step: Step, vpc: Vpc | None) -> None:
    """Lay the VPC out as it is now; transit gateways learn its blocks. When it is only time to read its counters,
    nothing has changed: a year has 1,460 such times."""
    if step.wake.purpose != _METER:
        _bring(step)
    if vpc is not None:
        _meter(step, vpc)


def _bring(step: Step) -> None:
    lay_out(step, step.key)
    for item in step.db[TransitAttachment].all(vpc_id=step.key):
        if item.live and item.mine:
            with step.world.state.database.transaction():
                step.world.state.wakes.wake("ec2/transit-gateway", item.gateway_owner, item.region, item.gateway_id)
    _tell_peers(step)
    _tell_consumers(step)


_METER = "meter"


def _meter(step: Step, vpc: Vpc) -> None:
    """What passes the VPC's edges is counted from time to time, for as long as the host has it."""
    if step.wake.purpose == _METER:
        traffic_bill.read(step.world, vpc)
    elif step.world.state.wakes.expects(step.wake, _METER):
        return
    if any(eni.powered for eni in step.db[NetworkInterface].all(vpc_id=vpc.id)):
        step.again(_METER, traffic_bill.next_reading(step.world.clock.now()))


def _tell_peers(step: Step) -> None:
    """Peered VPCs have names and members of groups of this one in them: when those change, they are laid out again."""
    done, key = step.world.laid_out, f"told {step.key}"
    with step.world.state.database.transaction():
        peers = [peering.other(step.key) for peering in peerings_of(step.db, step.key)]
        vpc = step.db[Vpc].get(step.key) if peers else None
        if vpc is None:
            done.pop(key, None)
            return
        enis = [eni for eni in step.db[NetworkInterface].all(vpc_id=vpc.id) if eni.powered]
        told = hash((vpc.dns_support, vpc.dns_hostnames, *((e.id, e.groups, e.addresses, e.ipv6) for e in enis)))
        if done.get(key) != told:
            done[key] = told
            for side in peers:
                step.world.state.wakes.wake("ec2/vpc", side.account, side.region, side.vpc_id)


def _tell_consumers(step: Step) -> None:
    """Endpoints of other VPCs lead to load balancers' nodes in this one: when those change, their VPCs are laid out."""
    done, front = step.world.laid_out, f"leads {step.key} "
    with step.world.state.database.transaction():
        found = consumers(step.db, step.key)
        for (account, region, vpc_id), told in found.items():
            if done.get(front + vpc_id) != told:
                done[front + vpc_id] = told
                step.world.state.wakes.wake("ec2/vpc", account, region, vpc_id)


@on_boot("ec2")
def at_start(world: World) -> None:
    """Wake every VPC that should have a place on the host, and every one that has a place and should not.

    A VPC that no record knows is woken too: its reconciler removes it, and tries again when the host fails.
    """
    db = Ctx(world, "", "", service_caller("cloudjar.internal", "")).db
    live = {eni.vpc_id for eni in db.everywhere(NetworkInterface) if eni.powered}
    present = _present(world)
    strangers = set(present)
    for vpc in db.everywhere(Vpc):
        strangers.discard(vpc.id)
        if vpc.id in live or vpc.id in present:
            world.state.wakes.wake("ec2/vpc", vpc.account, vpc.region, vpc.id)
    for vpc_id in strangers:
        world.state.wakes.wake("ec2/vpc", "", "", vpc_id)


def _present(world: World) -> set[str]:
    network: NetworkPort = world.ports["network"]
    try:
        return set(network.vpcs())
    except PlaneError:
        return set()
