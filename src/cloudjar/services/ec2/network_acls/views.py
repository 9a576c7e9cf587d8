"""Network ACLs in AWS's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.kit import tags
from cloudjar.kit.db import Db
from cloudjar.services.ec2.lookup import Row, by_path
from cloudjar.services.ec2.network_acls.records import AclEntry, NetworkAcl
from cloudjar.services.ec2.subnets.records import Subnet

LAST = 32767
"""The number of the entry that closes every list: shown as ``*`` by the console, and not to be removed."""

_NAMES = {"6": "tcp", "17": "udp", "1": "icmp"}


def _protocols(row: Row) -> list[str]:
    numbers = [entry["Protocol"] for entry in row.view["Entries"]]
    return numbers + [_NAMES[number] for number in numbers if number in _NAMES]


FILTERS = {
    **by_path(
        {
            "association.association-id": "Associations[].NetworkAclAssociationId",
            "association.network-acl-id": "Associations[].NetworkAclId",
            "association.subnet-id": "Associations[].SubnetId",
            "default": "IsDefault",
            "entry.cidr": "Entries[].CidrBlock",
            "entry.egress": "Entries[].Egress",
            "entry.icmp.code": "Entries[].IcmpTypeCode.Code",
            "entry.icmp.type": "Entries[].IcmpTypeCode.Type",
            "entry.ipv6-cidr": "Entries[].Ipv6CidrBlock",
            "entry.port-range.from": "Entries[].PortRange.From",
            "entry.port-range.to": "Entries[].PortRange.To",
            "entry.rule-action": "Entries[].RuleAction",
            "entry.rule-number": "Entries[].RuleNumber",
            "network-acl-id": "NetworkAclId",
            "owner-id": "OwnerId",
            "vpc-id": "VpcId",
        }
    ),
    "entry.protocol": _protocols,
}


def obeying(db: Db) -> dict[str, list[Subnet]]:
    """Subnets by the network ACL that they obey."""
    found: dict[str, list[Subnet]] = {}
    for subnet in db[Subnet].all():
        found.setdefault(subnet.network_acl_id, []).append(subnet)
    return found


def show_network_acl(acl: NetworkAcl, subnets: Mapping[str, list[Subnet]]) -> dict[str, Any]:
    """AWS's NetworkAcl; egress entries first, each direction closed by the entry that denies the rest."""
    return {
        "Associations": [
            {
                "NetworkAclAssociationId": subnet.network_acl_association_id,
                "NetworkAclId": acl.id,
                "SubnetId": subnet.id,
            }
            for subnet in subnets.get(acl.id, ())
        ],
        "Entries": [_entry(entry) for entry in _ordered(acl)],
        "IsDefault": acl.is_default,
        "NetworkAclId": acl.id,
        "OwnerId": acl.account,
        "Tags": tags.as_list(acl.tags),
        "VpcId": acl.vpc_id,
    }


def _ordered(acl: NetworkAcl) -> list[AclEntry]:
    found: list[AclEntry] = []
    for egress in (True, False):
        found += sorted((e for e in acl.entries if e.egress is egress), key=lambda e: e.number)
        found.append(AclEntry(number=LAST, egress=egress, allow=False, protocol="-1", cidr="0.0.0.0/0"))
    return found


def _entry(entry: AclEntry) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "CidrBlock": entry.cidr or None,
        "Ipv6CidrBlock": entry.cidr6 or None,
        "Egress": entry.egress,
        "Protocol": entry.protocol,
        "RuleAction": "allow" if entry.allow else "deny",
        "RuleNumber": entry.number,
    }
    if entry.protocol in ("1", "58"):
        shown["IcmpTypeCode"] = {"Type": entry.from_port, "Code": entry.to_port}
    elif entry.protocol in ("6", "17"):
        shown["PortRange"] = {"From": entry.from_port, "To": entry.to_port}
    return shown
