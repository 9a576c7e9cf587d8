"""Elastic IPs that go from one account to another: offered for seven days, accepted or not.

https://docs.aws.amazon.com/vpc/latest/userguide/transfer-EIPs-intro-ec2.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.addresses.records import AddressTransfer, ElasticIp, PublicIp
from cloudjar.services.ec2.lookup import check_form, need
from cloudjar.services.ec2.snapshots.sharing import account_ids

OPEN = timedelta(days=7)
REMEMBERED = timedelta(days=14)
"""How long the account that gave an address away can see that it was accepted."""


def _status(ctx: Ctx, offer: AddressTransfer) -> str:
    """``pending``, ``accepted``; empty when its time is over."""
    if offer.accepted is not None:
        return "accepted" if ctx.now < offer.accepted + REMEMBERED else ""
    return "pending" if ctx.now < offer.expires else ""


def _show(offer: AddressTransfer, status: str) -> dict[str, Any]:
    return {
        "AddressTransferStatus": status,
        "AllocationId": offer.allocation_id,
        "PublicIp": offer.ip,
        "TransferAccountId": offer.to,
        "TransferOfferAcceptedTimestamp": offer.accepted,
        "TransferOfferExpirationTimestamp": offer.expires,
    }


@op("EnableAddressTransfer")
def enable_address_transfer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Offer an address to an account, in the place of an earlier offer."""
    elastic = need(ctx, ElasticIp, req["AllocationId"])
    [account] = account_ids([req["TransferAccountId"]])
    if account == ctx.account:
        raise errors.invalid_parameter(account, "transferAccountId", "The address is this account's own.")
    _withdraw(ctx, elastic.id)
    offer = AddressTransfer(allocation_id=elastic.id, ip=elastic.ip, to=account, expires=ctx.now + OPEN)
    return {"AddressTransfer": _show(ctx.db[AddressTransfer].add(offer), "pending")}


def _withdraw(ctx: Ctx, allocation_id: str) -> AddressTransfer | None:
    """Forget what was offered or given; the offer, when it was still open."""
    found = ctx.db[AddressTransfer].get(allocation_id)
    if found is None:
        return None
    ctx.db[AddressTransfer].drop(found)
    return found if _status(ctx, found) == "pending" else None


@op("DisableAddressTransfer")
def disable_address_transfer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take an offer back."""
    elastic = need(ctx, ElasticIp, req["AllocationId"])
    offer = _withdraw(ctx, elastic.id)
    if offer is None:
        raise AwsError("InvalidTransfer.NotFound", f"There is no pending transfer of address '{elastic.id}'.")
    return {"AddressTransfer": _show(offer, "disabled")}


@op("AcceptAddressTransfer")
def accept_address_transfer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take an address over that was offered; it must be in front of nothing, and comes without its tags."""
    if blocks.address(req["Address"]) is None:
        raise AwsError("InvalidAddress.Malformed", f"Invalid IPv4 address: {req['Address']}")
    given = tags.specified(req, "elastic-ip")
    found = ctx.db.everywhere(AddressTransfer, ip=req["Address"])
    offer = next((o for o in found if (o.to, o.region, _status(ctx, o)) == (ctx.account, ctx.region, "pending")), None)
    if offer is None:
        raise AwsError("InvalidTransfer.NotFound", f"There is no pending transfer of address '{req['Address']}'.")
    source = ctx.db.at(offer.account, offer.region)
    elastic, held = source[ElasticIp].need(offer.allocation_id), source[PublicIp].need(offer.ip)
    if elastic.association_id:
        raise AwsError("AddressAssociated", f"The address '{offer.ip}' is associated with a resource.")
    source[ElasticIp].drop(elastic)
    source[PublicIp].drop(held)
    ctx.db[ElasticIp].add(ElasticIp(id=elastic.id, ip=elastic.ip, tags=given))
    ctx.db[PublicIp].add(PublicIp(ip=held.ip, elastic=True, in_use=False))
    return {"AddressTransfer": _show(source[AddressTransfer].put(replace(offer, accepted=ctx.now)), "accepted")}


@op("DescribeAddressTransfers")
def describe_address_transfers(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What the account has offered, and what of it was accepted lately."""
    wanted = req.get("AllocationIds") or ()
    for key in wanted:
        check_form(ElasticIp, key)
    shown = []
    for offer in ctx.db[AddressTransfer].all():
        status = _status(ctx, offer)
        if status and (not wanted or offer.allocation_id in wanted):
            shown.append(_show(offer, status))
    return {"AddressTransfers": shown}
