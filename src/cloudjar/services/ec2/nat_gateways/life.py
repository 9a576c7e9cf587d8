"""The life of a NAT gateway: it gets its interface and its address, or says why not; when deleted it gives them back.

https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Machine, Step, reconciler
from cloudjar.services.ec2 import readings, traffic_bill
from cloudjar.services.ec2.addresses import public
from cloudjar.services.ec2.addresses.records import ElasticIp
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.nat_gateways import counting
from cloudjar.services.ec2.nat_gateways.records import NatAddress, NatGateway
from cloudjar.services.ec2.network_interfaces import making
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface, PrivateAddress
from cloudjar.services.ec2.subnets.records import Subnet

LIFE = Machine(
    NatGateway,
    start="pending",
    moves="""
    pending   -> available | failed | deleting
    available -> deleting
    failed    -> deleted
    deleting  -> deleted
""",
)
REMEMBERED = timedelta(hours=1)
"""How long a gateway that is gone, or never came, can still be described."""
_PURGE, _DRAINED = "purge", "drained"
_COMING = ("associating", "assigning")


@reconciler(NatGateway)
def converge(step: Step, gateway: NatGateway | None) -> None:
    """One step towards what is wanted."""
    if gateway is None:
        return
    if step.wake.purpose == readings.SAMPLE:
        counting.count(step.world, gateway)
        return
    if gateway.state == "pending":
        with step.world.state.database.transaction():
            _begin(step.ctx, step.db[NatGateway].need(gateway.id))
    elif gateway.state == "available":
        _readdress(step, gateway)
    elif gateway.state == "deleting":
        traffic_bill.read_last(step, gateway.vpc_id)
        with step.world.state.database.transaction():
            _end(step.ctx, step.db[NatGateway].need(gateway.id))
            counting.forget(step.ctx, gateway.id)
    elif gateway.state in ("failed", "deleted"):
        _forget(step, gateway)


def _begin(ctx: Ctx, gateway: NatGateway) -> None:
    if gateway.state != "pending":
        return
    failure = _obstacle(ctx, gateway)
    if failure is not None:
        LIFE.move(ctx, gateway, "failed", failure_code=failure.code, failure_message=failure.message)
        return
    try:
        changes = _provide(ctx, gateway)
    except AwsError as error:  # the addresses of the subnet have run out since
        LIFE.move(ctx, gateway, "failed", failure_code=error.code, failure_message=_FULL)
        return
    LIFE.move(ctx, gateway, "available", **changes)


def _readdress(step: Step, gateway: NatGateway) -> None:
    """Give the addresses that are asked for, and take those whose connections have had their time."""
    if any(address.status in _COMING for address in gateway.addresses):
        with step.world.state.database.transaction():
            _give(step.ctx, step.db[NatGateway].need(gateway.id))
    ends = [address.until for address in gateway.addresses if address.until is not None]
    if ends and min(ends) > step.ctx.now:
        step.again(_DRAINED, min(ends))
    elif ends:
        with step.world.state.database.transaction():
            _take(step.ctx, step.db[NatGateway].need(gateway.id))


def _give(ctx: Ctx, gateway: NatGateway) -> None:
    if gateway.state != "available":
        return
    given = tuple(_given(ctx, gateway, a) if a.status in _COMING else a for a in gateway.addresses)
    ctx.db[NatGateway].put(replace(gateway, addresses=given))


def _given(ctx: Ctx, gateway: NatGateway, address: NatAddress) -> NatAddress:
    """One more address of the gateway's interface, with its Elastic IP in front; or why not."""
    elastic = ctx.db[ElasticIp].get(address.allocation_id) if address.allocation_id else None
    if address.allocation_id and (elastic is None or elastic.association_id):
        why = f"Elastic IP address {address.allocation_id} could not be associated with this NAT gateway"
        return replace(address, status="failed", failure=why)
    eni = ctx.db[NetworkInterface].need(gateway.interface_id)
    subnet = ctx.db[Subnet].need(gateway.subnet_id)
    taken = making.taken_addresses(ctx.db, subnet.id)
    try:
        ip = making.claim(subnet, address.private_ip, taken) if address.private_ip else (
            making.draw(subnet, taken, 1, making.reserved(ctx.db, subnet.id))[0])  # fmt: skip
    except AwsError as error:
        return replace(address, status="failed", failure=error.message)
    eni = ctx.db[NetworkInterface].put(replace(eni, addresses=(*eni.addresses, PrivateAddress(ip=ip))))
    address = replace(address, private_ip=ip, status="succeeded")
    if elastic is None:
        return address
    elastic = public.associate(ctx, elastic, eni, ip)
    return replace(address, public_ip=elastic.ip, association_id=elastic.association_id)


def _take(ctx: Ctx, gateway: NatGateway) -> None:
    """Take the addresses away whose time is over."""
    if gateway.state != "available":
        return
    gone = [a for a in gateway.addresses if a.until is not None and a.until <= ctx.now]
    for address in gone:
        eni = public.clear(ctx, ctx.db[NetworkInterface].need(gateway.interface_id), address.private_ip)
        kept = tuple(one for one in eni.addresses if one.ip != address.private_ip)
        ctx.db[NetworkInterface].put(replace(eni, addresses=kept))
    ctx.db[NatGateway].put(replace(gateway, addresses=tuple(a for a in gateway.addresses if a not in gone)))


_FULL = "Subnet has insufficient free addresses to create this NAT gateway"


def _obstacle(ctx: Ctx, gateway: NatGateway) -> AwsError | None:
    """Why the gateway cannot come to be; None when it can."""
    if gateway.connectivity == "private":
        return None
    if not ctx.db[InternetGateway].count(vpc_id=gateway.vpc_id):
        return AwsError("Gateway.NotAttached", f"Network {gateway.vpc_id} has no Internet gateway attached")
    for address in gateway.addresses:
        elastic = ctx.db[ElasticIp].get(address.allocation_id) if address.allocation_id else None
        if address.allocation_id and elastic is None:
            return AwsError(
                "InvalidAllocationID.NotFound",
                f"Elastic IP address {address.allocation_id} could not be associated with this NAT gateway",
            )
        if elastic is not None and elastic.association_id:
            return AwsError("Resource.AlreadyAssociated", f"Elastic IP address {elastic.id} is already associated")
    return None


def _provide(ctx: Ctx, gateway: NatGateway) -> dict[str, Any]:
    """The interface in the subnet, with the Elastic IPs in front of its addresses."""
    subnet = ctx.db[Subnet].need(gateway.subnet_id)
    first, *others = gateway.addresses
    eni = making.make_interface(
        ctx,
        subnet,
        primary=first.private_ip,
        secondary=[a.private_ip for a in others if a.private_ip],
        secondary_count=sum(not a.private_ip for a in others),
        description=f"Interface for NAT Gateway {gateway.id}",
        interface_type="nat_gateway",
        requester_id="amazon-nat-gateway",
        groupless=True,
    )
    eni = ctx.db[NetworkInterface].put(replace(eni, source_dest_check=False))
    eni = making.attach(ctx, eni, gateway.id, 1, powered=True, instance_owner="amazon-aws")
    addresses = [replace(a, private_ip=ip.ip) for a, ip in zip(gateway.addresses, eni.addresses, strict=True)]
    for i, address in enumerate(addresses):
        if address.allocation_id:
            elastic = public.associate(ctx, ctx.db[ElasticIp].need(address.allocation_id), eni, address.private_ip)
            addresses[i] = replace(address, public_ip=elastic.ip, association_id=elastic.association_id)
    return {"interface_id": eni.id, "addresses": tuple(addresses)}


def _end(ctx: Ctx, gateway: NatGateway) -> None:
    if gateway.state != "deleting":
        return
    eni = ctx.db[NetworkInterface].get(gateway.interface_id) if gateway.interface_id else None
    if eni is not None:
        making.remove(ctx, eni)
    LIFE.move(ctx, gateway, "deleted", deleted=ctx.now)


def _forget(step: Step, gateway: NatGateway) -> None:
    if step.wake.purpose != _PURGE:
        step.again(_PURGE, step.world.clock.now() + REMEMBERED)
        return
    with step.world.state.database.transaction():
        fresh = step.db[NatGateway].get(gateway.id)
        if fresh is not None:
            step.db[NatGateway].drop(fresh)
