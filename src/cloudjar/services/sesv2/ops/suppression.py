"""Addresses that are not written to any more.

https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import accounts, errors, identities
from cloudjar.kit.mailing.records import Suppressed
from cloudjar.kit.operation import op
from cloudjar.services.sesv2 import listing


def _shown(held: Suppressed) -> dict[str, Any]:
    at = datetime.fromtimestamp(held.at, UTC)
    return {"EmailAddress": held.address, "Reason": held.reason, "LastUpdateTime": at}


def _whole(req: dict[str, Any]) -> None:
    if req.get("TenantName"):
        raise errors.not_built("sesv2", "TenantName")


@op("PutSuppressedDestination")
@errors.in_v2
def put_suppressed_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Write to an address no more."""
    _whole(req)
    address = identities.checked(req["EmailAddress"]).lower()
    if not identities.is_address(address):
        raise errors.invalid(f"Invalid email address<{address}>.")
    table = ctx.db[Suppressed]
    held = Suppressed(address=address, reason=req["Reason"], at=ctx.now.timestamp())
    known = table.get(address)
    if known is None:
        table.add(held)
    else:
        table.put(replace(known, reason=held.reason, at=held.at))
    return {}


@op("GetSuppressedDestination")
@errors.in_v2
def get_suppressed_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Why and since when an address is not written to."""
    _whole(req)
    return {"SuppressedDestination": _shown(ctx.db[Suppressed].need(req["EmailAddress"].lower()))}


@op("DeleteSuppressedDestination")
@errors.in_v2
def delete_suppressed_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Write to an address again."""
    _whole(req)
    ctx.db[Suppressed].drop(ctx.db[Suppressed].need(req["EmailAddress"].lower()))
    return {}


@op("ListSuppressedDestinations")
@errors.in_v2
def list_suppressed_destinations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Addresses that are not written to, by reason and time."""
    _whole(req)
    reasons, start, end = req.get("Reasons"), req.get("StartDate"), req.get("EndDate")
    found = [
        _shown(held) for held in ctx.db[Suppressed].all()
        if (not reasons or held.reason in reasons)
        and (start is None or held.at >= start.timestamp()) and (end is None or held.at <= end.timestamp())
    ]  # fmt: skip
    return listing.page("ListSuppressedDestinations", req, "SuppressedDestinationSummaries", found)


@op("PutAccountSuppressionAttributes")
@errors.in_v2
def put_account_suppression_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """For what reasons addresses are not written to."""
    if req.get("ValidationAttributes"):
        raise errors.not_built("sesv2", "ValidationAttributes")
    accounts.put(ctx, replace(accounts.of(ctx), suppresses=tuple(req.get("SuppressedReasons") or ())))
    return {}
