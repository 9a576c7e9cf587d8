"""CIDR reservations of subnets: blocks from which addresses are given out only by name.

https://docs.aws.amazon.com/vpc/latest/userguide/subnet-cidr-reservation.html
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.lookup import Row, by_path, in_pages, narrow, need
from cloudjar.services.ec2.subnets.records import CidrReservation, Subnet
from cloudjar.services.ec2.vpcs.making import op

_FILTERS = by_path({"reservationType": "ReservationType", "subnet-id": "SubnetId"})


@op("CreateSubnetCidrReservation")
def create_subnet_cidr_reservation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep a block of a subnet; what is in it already may stay."""
    subnet = need(ctx, Subnet, req["SubnetId"])
    found = CidrReservation(
        id=ctx.new_id("scr"),
        subnet_id=subnet.id,
        cidr=_block(ctx, subnet, req["Cidr"]),
        type=req["ReservationType"],
        description=req.get("Description") or "",
        tags=tags.specified(req, "subnet-cidr-reservation"),
    )
    return {"SubnetCidrReservation": _show(ctx.db[CidrReservation].add(found))}


def _block(ctx: Ctx, subnet: Subnet, text: str) -> str:
    """A block inside one of the subnet's, apart from its other reservations."""
    found = blocks.ipv6(text) if ":" in text else blocks.ipv4(text)
    if found is None:
        raise errors.invalid_parameter(text, "cidr", "This is not a valid CIDR block.")
    outer = subnet.ipv6_cidr if found.version == 6 else subnet.cidr
    whole = ip_network(outer) if outer else None
    if whole is None or found.prefixlen < whole.prefixlen or found.network_address not in whole:
        raise AwsError("InvalidSubnetCidrReservation.Range", f"The CIDR '{found}' is not within subnet '{subnet.id}'.")
    for other in ctx.db[CidrReservation].all(subnet_id=subnet.id):
        if ip_network(other.cidr).version == found.version and found.overlaps(ip_network(other.cidr)):
            raise AwsError(
                "InvalidSubnetCidrReservation.Conflict", f"The CIDR '{found}' conflicts with reservation '{other.id}'."
            )
    return str(found)


@op("DeleteSubnetCidrReservation")
def delete_subnet_cidr_reservation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Its addresses are given out again."""
    found = need(ctx, CidrReservation, req["SubnetCidrReservationId"])
    ctx.db[CidrReservation].drop(found)
    return {"DeletedSubnetCidrReservation": _show(found)}


@op("GetSubnetCidrReservations")
def get_subnet_cidr_reservations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The reservations of a subnet, by family."""
    subnet = need(ctx, Subnet, req["SubnetId"])
    rows = [Row(one.tags, _show(one)) for one in ctx.db[CidrReservation].all(subnet_id=subnet.id)]
    shown = sorted(narrow(req, _FILTERS, rows), key=lambda one: (":" in one["Cidr"], one["SubnetCidrReservationId"]))
    page = in_pages(req, "GetSubnetCidrReservations", "All", shown)
    found = page.pop("All")
    return {
        **page,
        "SubnetIpv4CidrReservations": [one for one in found if ":" not in one["Cidr"]],
        "SubnetIpv6CidrReservations": [one for one in found if ":" in one["Cidr"]],
    }


def _show(one: CidrReservation) -> dict[str, Any]:
    return {
        "Cidr": one.cidr,
        "Description": one.description or None,
        "OwnerId": one.account,
        "ReservationType": one.type,
        "SubnetCidrReservationId": one.id,
        "SubnetId": one.subnet_id,
        "Tags": tags.as_list(one.tags),
    }
