"""VPC peering connections in AWS's words."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import tags
from cloudjar.services.ec2.lookup import by_path
from cloudjar.services.ec2.vpc_peering.records import Peering, Side


def _side_filters(name: str) -> dict[str, str]:
    member = f"{name.capitalize()}VpcInfo"
    return {
        f"{name}-vpc-info.cidr-block": f"{member}.CidrBlock",
        f"{name}-vpc-info.owner-id": f"{member}.OwnerId",
        f"{name}-vpc-info.vpc-id": f"{member}.VpcId",
    }


FILTERS = by_path(
    {
        **_side_filters("accepter"),
        **_side_filters("requester"),
        "expiration-time": "ExpirationTime",
        "status-code": "Status.Code",
        "status-message": "Status.Message",
        "vpc-peering-connection-id": "VpcPeeringConnectionId",
    }
)


def show_peering(item: Peering, state: str = "", message: str = "") -> dict[str, Any]:
    """AWS's VpcPeeringConnection; `state` and `message` in place of its own, for an answer that begins a change."""
    return {
        "AccepterVpcInfo": _side(item, item.accepter),
        "ExpirationTime": item.expires if item.state == "pending-acceptance" else None,
        "RequesterVpcInfo": _side(item, item.requester),
        "Status": {"Code": state or item.state, "Message": message or item.message},
        "Tags": tags.as_list(item.tags),
        "VpcPeeringConnectionId": item.id,
    }


def _side(item: Peering, side: Side) -> dict[str, Any]:
    """AWS's VpcPeeringConnectionVpcInfo: the accepter's blocks are told once it has accepted."""
    shown: dict[str, Any] = {"OwnerId": side.account, "Region": side.region, "VpcId": side.vpc_id}
    known = side is item.requester or item.state not in ("pending-acceptance", "failed", "rejected", "expired")
    if known and side.cidrs:
        shown["CidrBlock"] = side.cidrs[0]
        shown["CidrBlockSet"] = [{"CidrBlock": cidr} for cidr in side.cidrs]
        shown["Ipv6CidrBlockSet"] = [{"Ipv6CidrBlock": cidr} for cidr in side.ipv6_cidrs]
    if item.state == "active" or side is item.requester:
        shown["PeeringOptions"] = show_options(side)
    return shown


def show_options(side: Side) -> dict[str, Any]:
    """AWS's PeeringConnectionOptions; ClassicLink is gone."""
    return {
        "AllowDnsResolutionFromRemoteVpc": side.dns_from_remote,
        "AllowEgressFromLocalClassicLinkToRemoteVpc": False,
        "AllowEgressFromLocalVpcToRemoteClassicLink": False,
    }
