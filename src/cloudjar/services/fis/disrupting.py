"""Connectivity disrupted as AWS FIS does it: the subnet gets a network ACL of the experiment's, and its own back after.

https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#disrupt-connectivity
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, ip_network
from typing import Any, Protocol

from cloudjar.base.errors import AwsError

_TAG = "managedByFIS"
_LAST = 32767


class Asks(Protocol):
    """What is needed of an action under way."""

    @property
    def ids(self) -> list[str]: ...
    @property
    def experiment(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, str]: ...

    def ec2(self, operation: str, **asked: Any) -> dict[str, Any]: ...


def break_off(doing: Asks) -> dict[str, str]:
    """Put a network ACL before each subnet; subnet -> the ACL that was there."""
    undo = {}
    for subnet in doing.ec2("DescribeSubnets", SubnetIds=doing.ids)["Subnets"]:
        undo[subnet["SubnetId"]] = _cut(doing, subnet)
    return undo


def mend(doing: Asks, undo: Mapping[str, str]) -> None:
    """Give each subnet its ACL back, and remove the experiment's."""
    for subnet, before in undo.items():
        acl, association = _standing(doing, subnet)
        if acl["NetworkAclId"] != before and _is_ours(doing, acl):
            doing.ec2("ReplaceNetworkAclAssociation", AssociationId=association, NetworkAclId=before)
            doing.ec2("DeleteNetworkAcl", NetworkAclId=acl["NetworkAclId"])


def _cut(doing: Asks, subnet: Mapping[str, Any]) -> str:
    acl, association = _standing(doing, subnet["SubnetId"])
    tags = [{"Key": _TAG, "Value": doing.experiment}, {"Key": "replaces", "Value": acl["NetworkAclId"]}]
    if _is_ours(doing, acl):  # cut off in between: it was done
        return next(str(tag["Value"]) for tag in acl["Tags"] if tag["Key"] == "replaces")
    made = doing.ec2(
        "CreateNetworkAcl",
        VpcId=subnet["VpcId"],
        ClientToken=f"{doing.experiment}-{subnet['SubnetId'][-8:]}",
        TagSpecifications=[{"ResourceType": "network-acl", "Tags": tags}],
    )["NetworkAcl"]["NetworkAclId"]
    for entry in _entries(doing, subnet, acl):
        try:
            doing.ec2("CreateNetworkAclEntry", NetworkAclId=made, **entry)
        except AwsError as error:
            if error.code != "NetworkAclEntryAlreadyExists":
                raise
    doing.ec2("ReplaceNetworkAclAssociation", AssociationId=association, NetworkAclId=made)
    return str(acl["NetworkAclId"])


def _standing(doing: Asks, subnet: str) -> tuple[dict[str, Any], str]:
    """The ACL before a subnet now, and the association."""
    wanted = [{"Name": "association.subnet-id", "Values": [subnet]}]
    acl: dict[str, Any] = doing.ec2("DescribeNetworkAcls", Filters=wanted)["NetworkAcls"][0]
    found = next(one for one in acl["Associations"] if one["SubnetId"] == subnet)
    return acl, found["NetworkAclAssociationId"]


def _is_ours(doing: Asks, acl: Mapping[str, Any]) -> bool:
    return {"Key": _TAG, "Value": doing.experiment} in acl.get("Tags", [])


def _entries(doing: Asks, subnet: Mapping[str, Any], acl: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rules that are left, numbered anew, for both directions; an ACL without rules denies everything."""
    scope = doing.parameters["scope"]
    if scope == "all":
        return
    own = sorted(
        (entry for entry in acl["Entries"] if entry["RuleNumber"] < _LAST and entry.get("CidrBlock")),
        key=lambda entry: int(entry["RuleNumber"]),
    )
    for egress in (False, True):
        kept = [entry for entry in own if entry["Egress"] == egress]
        if scope == "vpc":
            rules = [{**entry, "CidrBlock": narrow} for entry in kept for narrow in _within(doing, subnet, entry)]
        else:
            rules = [*_denials(doing, subnet, egress), *kept]
        for number, rule in enumerate(rules, 1):
            yield {**rule, "RuleNumber": number}


def _within(doing: Asks, subnet: Mapping[str, Any], entry: Mapping[str, Any]) -> list[str]:
    """What of a rule's block is inside the VPC."""
    vpc = doing.ec2("DescribeVpcs", VpcIds=[subnet["VpcId"]])["Vpcs"][0]
    blocks = [IPv4Network(one["CidrBlock"]) for one in vpc["CidrBlockAssociationSet"]]
    mine = IPv4Network(entry["CidrBlock"])
    return [str(mine if mine.subnet_of(block) else block) for block in blocks if mine.overlaps(block)]


def _denials(doing: Asks, subnet: Mapping[str, Any], egress: bool) -> list[dict[str, Any]]:
    """A denial for each subnet of the VPC's other zones."""
    found = doing.ec2("DescribeSubnets", Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])["Subnets"]
    others = {ip_network(one["CidrBlock"]) for one in found if one["AvailabilityZone"] != subnet["AvailabilityZone"]}
    return [
        {"CidrBlock": str(block), "Egress": egress, "Protocol": "-1", "RuleAction": "deny"}
        for block in sorted(others, key=str)
    ]
