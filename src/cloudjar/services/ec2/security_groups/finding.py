"""Finding the group that a request means: by id, or by name in the default VPC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import check_form, need
from cloudjar.services.ec2.prefix_lists.references import prefix_list
from cloudjar.services.ec2.security_groups.records import SecurityGroup
from cloudjar.services.ec2.security_groups.rules import Peer
from cloudjar.services.ec2.security_groups.within import used_elsewhere
from cloudjar.services.ec2.vpc_peering.finding import active_peering, peerings_of
from cloudjar.services.ec2.vpcs.making import need_default_vpc


def group_of(ctx: Ctx, req: Mapping[str, Any]) -> SecurityGroup:
    """The group that GroupId or GroupName names; raises InvalidGroup.NotFound and its kind."""
    if req.get("GroupId"):
        return need(ctx, SecurityGroup, req["GroupId"])
    if not req.get("GroupName"):
        raise errors.missing("The request must contain the parameter groupName or groupId")
    return named_group(ctx, req["GroupName"])


def named_group(ctx: Ctx, name: str) -> SecurityGroup:
    """A group of the default VPC by its name."""
    vpc = need_default_vpc(ctx)
    found = [group for group in ctx.db[SecurityGroup].all(name=name) if group.vpc_id == vpc.id]
    if not found:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC '{vpc.id}'")
    return found[0]


class Finder:
    """What the permissions of a group's rules name (`rules.Peers`)."""

    def __init__(self, ctx: Ctx, group: SecurityGroup) -> None:
        self._ctx = ctx
        self._group = group

    def prefix_list(self, key: str) -> Peer:
        """A prefix list of the account, or one of AWS's."""
        return Peer(prefix_list=prefix_list(self._ctx, key).id)

    def group(self, pair: Mapping[str, Any]) -> Peer:
        """A group of the same VPC, or of one that is peered with it in the same region."""
        owner = pair.get("UserId") or self._ctx.account
        found = self._named(pair, owner)
        if found.vpc_id == self._group.vpc_id or self._together(found):
            return Peer(group=found.id)
        peering = active_peering(self._ctx, self._group.vpc_id, found.vpc_id, pair.get("VpcPeeringConnectionId"))
        if peering is None:
            raise AwsError(
                "InvalidGroup.NotFound", "You have specified two resources that belong to different networks."
            )
        return Peer(group=found.id, owner=found.account, vpc=found.vpc_id, peering=peering.id)

    def _together(self, found: SecurityGroup) -> bool:
        """Whether one of the two is used in the other's VPC."""
        db = self._ctx.db
        return used_elsewhere(db, found.id, self._group.vpc_id) or used_elsewhere(db, self._group.id, found.vpc_id)

    def _named(self, pair: Mapping[str, Any], owner: str) -> SecurityGroup:
        if pair.get("GroupId"):
            if owner == self._ctx.account:
                return self._own(pair["GroupId"])
            found = self._ctx.db.at(owner, self._ctx.region)[SecurityGroup].get(pair["GroupId"])
            if found is None or not active_peering(self._ctx, self._group.vpc_id, found.vpc_id):
                raise AwsError("InvalidGroup.NotFound", f"The security group '{pair['GroupId']}' does not exist")
            return found
        if pair.get("GroupName") and owner == self._ctx.account:
            return named_group(self._ctx, pair["GroupName"])
        raise errors.missing("A security group pair must contain a group ID or name")

    def _own(self, key: str) -> SecurityGroup:
        """By id; one of another account that is peered need not be said to be."""
        check_form(SecurityGroup, key)
        found = self._ctx.db[SecurityGroup].get(key)
        for peering in peerings_of(self._ctx.db, self._group.vpc_id) if found is None else ():
            side = peering.other(self._group.vpc_id)
            found = found or self._ctx.db.at(side.account, side.region)[SecurityGroup].get(key)
        return found or need(self._ctx, SecurityGroup, key)
