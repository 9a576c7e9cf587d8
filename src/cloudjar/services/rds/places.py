"""Where an instance is: its subnet group, subnet, zone, security groups, and the interface there."""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import interfaces
from cloudjar.kit.context import Ctx
from cloudjar.services.rds import errors
from cloudjar.services.rds.records import DbInstance, Member, SubnetGroup

OWNER = "amazon-rds"
DESCRIPTION = "RDSNetworkInterface"
DEFAULT = "default"


class Place(NamedTuple):
    """Where a new instance will be."""

    group: SubnetGroup
    subnet: Member
    security_groups: tuple[str, ...]
    public: bool


def members(ctx: Ctx, ids: list[str], vpc_id: str = "") -> tuple[str, tuple[Member, ...]]:
    """(VPC, subnets) of ids that a request names. Raises what AWS raises when they make no subnet group."""
    wanted = list(dict.fromkeys(ids))
    found = [ctx.find("ec2", "subnet", one) for one in wanted]
    unknown = [one for one, subnet in zip(wanted, found, strict=True) if subnet is None]
    if unknown:
        raise AwsError("InvalidSubnet", f"Some input subnets in :[{', '.join(unknown)}] are invalid.")
    subnets: list[Any] = list(found)
    vpcs = {subnet.vpc_id for subnet in subnets}
    if len(vpcs) > 1:
        raise AwsError("InvalidSubnet", "Subnets are not all in the same VPC.")
    if vpc_id and vpcs != {vpc_id}:
        raise errors.invalid("The new Subnets are not in the same Vpc as the existing subnet group")
    zones = sorted({subnet.zone for subnet in subnets})
    if len(zones) < 2:
        raise AwsError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. "
            f"Current AZ coverage: {', '.join(zones)}. Add subnets to cover at least 2 AZs.",
        )
    return vpcs.pop(), tuple(Member(id=subnet.id, zone=subnet.zone) for subnet in subnets)


def chosen(ctx: Ctx, req: dict[str, Any]) -> Place:
    """Where a request wants an instance; raises what AWS raises when it cannot be there."""
    group = group_of(ctx, req.get("DBSubnetGroupName"))
    subnet = _subnet(ctx, group, req.get("AvailabilityZone"))
    has_gateway = interfaces.lender(ctx).has_internet_gateway(ctx, group.vpc_id)
    public = req.get("PubliclyAccessible")
    if public is None:
        public = has_gateway
    if public:
        refuse_unreachable(ctx, group.vpc_id)
    return Place(group, subnet, security_groups(ctx, group.vpc_id, req.get("VpcSecurityGroupIds")), public)


def refuse_unreachable(ctx: Ctx, vpc_id: str) -> None:
    """A public instance needs a way out, and names that resolve."""
    front = "Cannot create a publicly accessible DBInstance."
    if not interfaces.lender(ctx).has_internet_gateway(ctx, vpc_id):
        raise errors.network(
            f"{front}  The specified VPC has no internet gateway attached.Update the VPC and then try again"
        )
    vpc: Any = ctx.find("ec2", "vpc", vpc_id)
    if not (vpc.dns_support and vpc.dns_hostnames):
        raise errors.network(
            f"{front} The specified VPC does not support DNS resolution, DNS hostnames, or both. "
            "Update the VPC and then try again"
        )


def security_groups(ctx: Ctx, vpc_id: str, given: Any) -> tuple[str, ...]:
    """Security groups of a VPC; its default one when none is given."""
    try:
        return interfaces.lender(ctx).groups_of(ctx, vpc_id, given or ())
    except AwsError as e:
        raise errors.invalid(f"Invalid security group , groupId= {', '.join(given)}, groupName=.") from e


def plug(ctx: Ctx, db: DbInstance) -> DbInstance:
    """The instance with an interface of its own, in its subnet."""
    lent = interfaces.lender(ctx).lend(
        ctx, db.machine, db.subnet_id, db.groups, description=DESCRIPTION, owner=OWNER, public=db.public
    )
    return replace(db, interface_id=lent.id)


def unplug(ctx: Ctx, db: DbInstance) -> None:
    """Give the interface back."""
    interfaces.lender(ctx).take_back(ctx, db.interface_id)


def regroup(ctx: Ctx, db: DbInstance, groups: tuple[str, ...], *others: str) -> DbInstance:
    """The instance, and `others` of its interfaces, behind other security groups, from now on."""
    for interface in (db.interface_id, *others):
        interfaces.lender(ctx).regroup(ctx, interface, groups)
    return replace(db, groups=groups)


def expose(ctx: Ctx, db: DbInstance, public: bool, *others: str) -> DbInstance:
    """The instance, and `others` of its interfaces, with public addresses or without, from now on."""
    if public:
        refuse_unreachable(ctx, db.vpc_id)
    for interface in (db.interface_id, *others):
        interfaces.lender(ctx).expose(ctx, interface, public)
    return replace(db, public=public)


def address(ctx: Ctx, db: DbInstance, *, inside: bool) -> str:
    """What its name means inside its VPC or elsewhere; "" when it is not there."""
    lent = interfaces.lender(ctx).look(ctx, db.interface_id)
    if lent is None:
        return ""
    return lent.public if db.public and not inside and lent.public else lent.private


def group_of(ctx: Ctx, name: str | None) -> SubnetGroup:
    """The subnet group that a request names, or the default VPC's."""
    if name and name.lower() != DEFAULT:
        return ctx.db[SubnetGroup].need(name.lower())
    vpc_id, subnets = interfaces.lender(ctx).default_subnets(ctx)
    if len({zone for _, zone in subnets}) < 2:
        raise errors.network("No default subnet detected in VPC. Please specify a DB subnet group.")
    inside = tuple(Member(id=subnet, zone=zone) for subnet, zone in subnets)
    seen = ctx.db[SubnetGroup].get(DEFAULT)
    if seen is not None and seen.vpc_id == vpc_id:
        return ctx.db[SubnetGroup].put(replace(seen, subnets=inside))
    made = SubnetGroup(name=DEFAULT, description=DEFAULT, vpc_id=vpc_id, subnets=inside)
    return ctx.db[SubnetGroup].put(made) if seen is not None else ctx.db[SubnetGroup].add(made)


def _subnet(ctx: Ctx, group: SubnetGroup, zone: str | None) -> Member:
    there = [s for s in group.subnets if ctx.find("ec2", "subnet", s.id) is not None and zone in (None, s.zone)]
    if zone and not there:
        raise errors.network(
            f"Availability zones '{zone}' do not match the Availability Zones of the DB subnet group '{group.name}'."
        )
    lit = [s for s in there if not ctx.world.faults.is_dark(s.zone, ctx.account)]
    if not lit:
        raise AwsError(
            "InsufficientDBInstanceCapacity", "The specified DB instance class isn't available in the group's zones."
        )
    return lit[0]
