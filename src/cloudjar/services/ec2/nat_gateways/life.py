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
from cloudjar.services.ec2 import traffic_bill
from cloudjar.services.ec2.addresses import public
from cloudjar.services.ec2.addresses.records import ElasticIp
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.nat_gateways.records import NatGateway
from cloudjar.services.ec2.network_interfaces import making
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
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
_PURGE = "purge"


@reconciler(NatGateway)
def converge(step: Step, gateway: NatGateway | None) -> None:
    """One step towards what is wanted."""
    if gateway is None:
        return
    if gateway.state == "pending":
        with step.world.state.database.transaction():
            _begin(step.ctx, step.db[NatGateway].need(gateway.id))
    elif gateway.state == "deleting":
        traffic_bill.read_last(step, gateway.vpc_id)
        with step.world.state.database.transaction():
            _end(step.ctx, step.db[NatGateway].need(gateway.id))
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
