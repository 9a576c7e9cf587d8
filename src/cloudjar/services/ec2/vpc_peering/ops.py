"""VPC peering: asked for, accepted, rejected, deleted; between accounts and regions of one jar.

https://docs.aws.amazon.com/vpc/latest/peering/create-vpc-peering-connection.html
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import describe, need
from cloudjar.services.ec2.vpc_peering.finding import change, looked_at, peerings_of, places
from cloudjar.services.ec2.vpc_peering.life import open_for
from cloudjar.services.ec2.vpc_peering.records import Peering, Side
from cloudjar.services.ec2.vpc_peering.views import FILTERS, show_options, show_peering
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.services.ec2.vpcs.records import Vpc

_FAILED = "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"
_CLASSIC = ("AllowEgressFromLocalClassicLinkToRemoteVpc", "AllowEgressFromLocalVpcToRemoteClassicLink")


def _asked_keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Condition keys of a connection that is not made yet."""
    owner, region = req.get("PeerOwnerId") or ctx.account, req.get("PeerRegion") or ctx.region
    return {
        "ec2:AccepterVpc": arns.make("ec2", region, owner, f"vpc/{req.get('PeerVpcId') or ''}"),
        "ec2:RequesterVpc": arns.make("ec2", ctx.region, ctx.account, f"vpc/{req['VpcId']}"),
    }


@op("CreateVpcPeeringConnection", keys=_asked_keys)
def create_vpc_peering_connection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Ask the owner of another VPC; what cannot be is answered all the same, and fails at once afterwards."""
    vpc = need(ctx, Vpc, req["VpcId"])
    if not req.get("PeerVpcId"):
        raise errors.missing_one("peerVpcId")
    owner, region = req.get("PeerOwnerId") or ctx.account, req.get("PeerRegion") or ctx.region
    if (owner, region) == (ctx.account, ctx.region):
        need(ctx, Vpc, req["PeerVpcId"])
    asked = Side(account=ctx.account, region=ctx.region, vpc_id=vpc.id)
    requester = looked_at(ctx.db, asked)
    accepter = looked_at(ctx.db, Side(account=owner, region=region, vpc_id=req["PeerVpcId"]))
    fits = _fits(requester, accepter)
    if fits:
        _refuse_second(ctx, vpc.id, accepter.vpc_id)
        _within_outstanding(ctx)
    item = Peering(
        id=ctx.new_id("pcx"),
        state="pending-acceptance" if fits else "failed",
        message=f"Pending Acceptance by {owner}" if fits else _FAILED,
        requester=requester,
        accepter=accepter,
        expires=ctx.now + open_for(ctx),
    )
    mine = ctx.db[Peering].add(replace(item, tags=tags.specified(req, "vpc-peering-connection")))
    for account, where in places(item) if fits else ():
        if (account, where) != (ctx.account, ctx.region):
            ctx.db.at(account, where)[Peering].add(item)
    return {"VpcPeeringConnection": show_peering(mine, "initiating-request", f"Initiating Request to {owner}")}


def _fits(one: Side, other: Side) -> bool:
    """Whether two VPCs are two, are there, and have no address in common."""
    if not other.cidrs or one.vpc_id == other.vpc_id:
        return False
    return not any(ip_network(a).overlaps(ip_network(b)) for a in one.cidrs for b in other.cidrs)


def _refuse_second(ctx: Ctx, one: str, other: str) -> None:
    for peering in peerings_of(ctx.db, one):
        if peering.other(one).vpc_id == other:
            raise AwsError(
                "VpcPeeringConnectionAlreadyExists",
                f"There is already an active vpc peering connection between {one} and {other}: {peering.id}",
            )


def _within_outstanding(ctx: Ctx) -> None:
    limit = ctx.limit("vpc", "L-DC9F7029")
    mine = [one for one in ctx.db[Peering].all() if one.state == "pending-acceptance"]
    open_now = sum((one.requester.account, one.requester.region) == (ctx.account, ctx.region) for one in mine)
    if limit is not None and open_now >= limit:
        raise AwsError(
            "OutstandingVpcPeeringConnectionLimitExceeded",
            "The maximum number of outstanding VPC peering connection requests has been reached.",
        )


def _pending(ctx: Ctx, key: str | None, verb: str) -> Peering:
    """The request that a call names; only the accepter answers it."""
    if not key:
        raise errors.missing_one("vpcPeeringConnectionId")
    item = need(ctx, Peering, key)
    side = item.accepter
    if (side.account, side.region) != (ctx.account, ctx.region):
        raise AwsError(
            "OperationNotPermitted",
            f"User {ctx.account} cannot {verb} peering {item.id}"
            + (f" in region {ctx.region}" if side.account == ctx.account else ""),
        )
    if item.state != "pending-acceptance":
        raise AwsError(
            "InvalidStateTransition",
            f"Invalid state transition for {item.id}, attempted to transition from {item.state} to "
            f"{'active' if verb == 'accept' else 'rejected'}",
        )
    return item


@op("AcceptVpcPeeringConnection")
def accept_vpc_peering_connection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The connection becomes active; packets pass once both sides have routes."""
    item = _pending(ctx, req.get("VpcPeeringConnectionId"), "accept")
    requester, accepter = looked_at(ctx.db, item.requester), looked_at(ctx.db, item.accepter)
    if not requester.cidrs or not _fits(requester, accepter):
        return {"VpcPeeringConnection": show_peering(change(ctx, item, state="failed", message=_FAILED))}
    _refuse_second(ctx, accepter.vpc_id, requester.vpc_id)
    for side in (requester, accepter):
        _within_active(ctx.at(side.account, side.region), side.vpc_id)
    item = change(ctx, item, state="active", message="Active", requester=requester, accepter=accepter)
    return {"VpcPeeringConnection": show_peering(item, "provisioning", "Provisioning")}


def _within_active(ctx: Ctx, vpc_id: str) -> None:
    limit = ctx.limit("vpc", "L-7E9ECCDB")
    if limit is not None and len(peerings_of(ctx.db, vpc_id)) >= limit:
        raise AwsError(
            "ActiveVpcPeeringConnectionPerVpcLimitExceeded",
            f"The maximum number of active VPC peering connections has been reached for {vpc_id}.",
        )


@op("RejectVpcPeeringConnection")
def reject_vpc_peering_connection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The accepter does not want it."""
    change(ctx, _pending(ctx, req["VpcPeeringConnectionId"], "reject"), state="rejected", message="Inactive")
    return {"Return": True}


@op("DeleteVpcPeeringConnection")
def delete_vpc_peering_connection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End a connection from either side, or withdraw a request; routes through it become black holes."""
    item = need(ctx, Peering, req["VpcPeeringConnectionId"])
    withdrawn = item.state == "pending-acceptance" and item.requester.account == ctx.account
    if item.state != "active" and not withdrawn:
        raise AwsError(
            "InvalidStateTransition",
            f"Invalid state transition for {item.id}, attempted to transition from {item.state} to deleting",
        )
    end(ctx, item)
    return {"Return": True}


def end(ctx: Ctx, item: Peering) -> None:
    """What deleting does; also when one of the VPCs goes."""
    change(ctx, item, state="deleted", message=f"Deleted by {ctx.account}")


@op("DescribeVpcPeeringConnections")
def describe_vpc_peering_connections(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Connections that the account asked for or was asked for, by id or filter."""
    found = describe(ctx, req, Peering, "VpcPeeringConnectionIds", show_peering, FILTERS)
    return {"VpcPeeringConnections": found}


@op("ModifyVpcPeeringConnectionOptions")
def modify_vpc_peering_connection_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether the other VPC resolves names to private addresses; each side decides for itself."""
    item = need(ctx, Peering, req["VpcPeeringConnectionId"])
    if item.state != "active":
        raise AwsError("OperationNotPermitted", f"Peering {item.id} is not active. Peering options can be added only "
                       "to active peerings.")  # fmt: skip
    answer: dict[str, Any] = {}
    for name in ("requester", "accepter"):
        member = f"{name.capitalize()}PeeringConnectionOptions"
        if req.get(member) is not None:
            item = _with_options(ctx, item, name, req[member])
            answer[member] = show_options(getattr(item, name))
    if not answer:
        raise errors.missing("At least one of accepterPeeringConnectionOptions and requesterPeeringConnectionOptions "
                             "must be specified")  # fmt: skip
    return answer


def _with_options(ctx: Ctx, item: Peering, name: str, options: Mapping[str, Any]) -> Peering:
    side: Side = getattr(item, name)
    if (side.account, side.region) != (ctx.account, ctx.region):
        raise AwsError(
            "OperationNotPermitted", f"User {ctx.account} cannot modify the {name}'s options of peering {item.id}"
        )
    errors.refuse(options, *_CLASSIC, "AllowMultipathResilience", "MultipathResilienceMode")
    wanted = options.get("AllowDnsResolutionFromRemoteVpc")
    if wanted and not ctx.db[Vpc].need(side.vpc_id).dns_hostnames:
        raise errors.invalid_value(f"DNS hostnames are not enabled for {side.vpc_id}, of peering {item.id}.")
    return change(ctx, item, **{name: replace(side, dns_from_remote=bool(wanted))})
