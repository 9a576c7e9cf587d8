"""Network ACLs, their entries, and which subnets obey them.

https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.lookup import describe, need
from cloudjar.services.ec2.network_acls.records import AclEntry, NetworkAcl
from cloudjar.services.ec2.network_acls.views import FILTERS, obeying, show_network_acl
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.services.ec2.vpcs.records import Vpc

_NUMBERS = {"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58", "all": "-1"}
_LAST_FREE = 32766


@op("CreateNetworkAcl")
def create_network_acl(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An ACL that denies everything until it gets entries."""
    vpc = need(ctx, Vpc, req["VpcId"])
    acl = ctx.db[NetworkAcl].add(
        NetworkAcl(id=ctx.new_id("acl"), vpc_id=vpc.id, tags=tags.specified(req, "network-acl"))
    )
    return {"NetworkAcl": show_network_acl(acl, {}), "ClientToken": req.get("ClientToken")}


@op("DescribeNetworkAcls")
def describe_network_acls(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """ACLs by id or filter."""
    subnets = obeying(ctx.db)
    found = describe(ctx, req, NetworkAcl, "NetworkAclIds", lambda acl: show_network_acl(acl, subnets), FILTERS)
    return {"NetworkAcls": found}


@op("DeleteNetworkAcl")
def delete_network_acl(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove an ACL that no subnet obeys; never the default one."""
    acl = need(ctx, NetworkAcl, req["NetworkAclId"])
    if acl.is_default:
        raise errors.invalid_value(f"cannot delete default network ACL {acl.id}")
    if ctx.db[Subnet].count(network_acl_id=acl.id):
        raise errors.dependency("networkAcl", acl.id)
    ctx.db[NetworkAcl].drop(acl)
    return {}


@op("CreateNetworkAclEntry")
def create_network_acl_entry(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One more entry, under a number that is free in its direction."""
    acl = need(ctx, NetworkAcl, req["NetworkAclId"])
    entry = _entry(req)
    if _find(acl, entry.number, entry.egress) is not None:
        raise AwsError(
            "NetworkAclEntryAlreadyExists", f"The network acl entry identified by {entry.number} already exists."
        )
    limit = ctx.limit("vpc", "L-2AEEBF1A")
    if limit is not None and sum(1 for e in acl.entries if e.egress is entry.egress) >= limit:
        raise AwsError("NetworkAclEntryLimitExceeded", "The maximum number of network ACL entries has been reached.")
    ctx.db[NetworkAcl].put(replace(acl, entries=(*acl.entries, entry)))
    return {}


@op("ReplaceNetworkAclEntry")
def replace_network_acl_entry(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another entry under a number that is taken."""
    acl = need(ctx, NetworkAcl, req["NetworkAclId"])
    entry = _entry(req)
    old = _need_entry(acl, entry.number, entry.egress)
    ctx.db[NetworkAcl].put(replace(acl, entries=tuple(entry if e is old else e for e in acl.entries)))
    return {}


@op("DeleteNetworkAclEntry")
def delete_network_acl_entry(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove an entry by its number and direction."""
    acl = need(ctx, NetworkAcl, req["NetworkAclId"])
    old = _need_entry(acl, req["RuleNumber"], req["Egress"])
    ctx.db[NetworkAcl].put(replace(acl, entries=tuple(e for e in acl.entries if e is not old)))
    return {}


@op("ReplaceNetworkAclAssociation")
def replace_network_acl_association(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a subnet obey another ACL; a subnet always obeys exactly one."""
    acl = need(ctx, NetworkAcl, req["NetworkAclId"])
    found = ctx.db[Subnet].all(network_acl_association_id=req["AssociationId"])
    if not found:
        raise errors.no_association(req["AssociationId"])
    if found[0].vpc_id != acl.vpc_id:
        raise errors.different_networks(f"Network ACL {acl.id}", f"subnet {found[0].id}")
    key = ctx.new_id("aclassoc")
    ctx.db[Subnet].put(replace(found[0], network_acl_id=acl.id, network_acl_association_id=key))
    return {"NewAssociationId": key}


def _find(acl: NetworkAcl, number: int, egress: bool) -> AclEntry | None:
    return next((e for e in acl.entries if (e.number, e.egress) == (number, egress)), None)


def _need_entry(acl: NetworkAcl, number: int, egress: bool) -> AclEntry:
    found = _find(acl, number, egress)
    if found is None:
        direction = "egress" if egress else "ingress"
        raise AwsError(
            "InvalidNetworkAclEntry.NotFound",
            f"The {direction} network acl entry with rule number {number} does not exist in network acl {acl.id}",
        )
    return found


def _entry(req: Mapping[str, Any]) -> AclEntry:
    """The entry that a request describes."""
    number = req["RuleNumber"]
    if not 1 <= number <= _LAST_FREE:
        raise errors.invalid_parameter(number, "ruleNumber", "Rule numbers are 1 to 32766.")
    cidr, cidr6 = _peer(req)
    protocol = _protocol(str(req["Protocol"]))
    low, high = _range(req, protocol)
    return AclEntry(
        number=number,
        egress=req["Egress"],
        allow=req["RuleAction"] == "allow",
        protocol=protocol,
        cidr=cidr,
        cidr6=cidr6,
        from_port=low,
        to_port=high,
    )


def _peer(req: Mapping[str, Any]) -> tuple[str, str]:
    if req.get("CidrBlock"):
        return str(blocks.block(req["CidrBlock"], "cidrBlock")), ""
    if req.get("Ipv6CidrBlock"):
        found = blocks.ipv6(req["Ipv6CidrBlock"])
        if found is None:
            raise errors.invalid_parameter(
                req["Ipv6CidrBlock"], "ipv6CidrBlock", "This is not a valid IPv6 CIDR block."
            )
        return "", str(found)
    raise errors.missing("The request must contain the parameter cidrBlock or ipv6CidrBlock")


def _protocol(given: str) -> str:
    number = _NUMBERS.get(given.lower(), given)
    if number != "-1" and not (number.isdecimal() and int(number) < 256):
        raise errors.invalid_parameter(given, "protocol", "Unknown protocol.")
    return number


def _range(req: Mapping[str, Any], protocol: str) -> tuple[int, int]:
    """Ports of TCP and UDP, type and code of ICMP, -1 where they mean nothing."""
    if protocol in ("1", "58"):
        given = req.get("IcmpTypeCode")
        if given is None:
            raise errors.missing_one("icmpTypeCode")
        return given.get("Type", -1), given.get("Code", -1)
    if protocol not in ("6", "17"):
        return -1, -1
    given = req.get("PortRange") or {}
    low, high = given.get("From"), given.get("To")
    if low is None or high is None:
        raise errors.missing_one("portRange")
    if not 0 <= low <= high <= 65535:
        raise errors.invalid_parameter(f"{low}-{high}", "portRange", "This is not a valid port range.")
    return low, high
