"""What security groups hold in a VPC: its own, and those of other VPCs that are used there too."""

from __future__ import annotations

from cloudjar.kit.db import Db
from cloudjar.services.ec2.security_groups.records import GroupVpc, SecurityGroup, SecurityGroupRule


def used_elsewhere(db: Db, group_id: str, vpc_id: str) -> bool:
    """Whether a group of another VPC may be worn in this one."""
    one = db[GroupVpc].get(f"{group_id}/{vpc_id}")
    return one is not None and one.usable


def groups_in(db: Db, vpc_id: str) -> list[SecurityGroup]:
    """The groups that may be worn in a VPC."""
    shared = [db[SecurityGroup].get(one.group_id) for one in db[GroupVpc].all(vpc_id=vpc_id) if one.usable]
    return db[SecurityGroup].all(vpc_id=vpc_id) + [group for group in shared if group is not None]


def rules_in(db: Db, vpc_id: str) -> list[SecurityGroupRule]:
    """Their rules. One that names a group which is not worn here lets nobody in, as the kernel would read it too."""
    here = {group.id for group in groups_in(db, vpc_id)}
    found = db[SecurityGroupRule].all(vpc_id=vpc_id)
    for one in db[GroupVpc].all(vpc_id=vpc_id):
        # The peering connections of a group's own VPC lead nowhere from here.
        found += [rule for rule in db[SecurityGroupRule].all(group_id=one.group_id) if one.usable and not rule.peering]
    return [rule for rule in found if rule.peering or not rule.peer_group or rule.peer_group in here]
