"""What a group may be: sizes, places, policies, names of processes. Raises ValidationError.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags as kit_tags
from cloudjar.kit.context import Ctx
from cloudjar.services.autoscaling import errors, linked_role
from cloudjar.services.autoscaling.records import DELETING, Group
from cloudjar.services.autoscaling.termination import POLICIES

PROCESSES = (
    "AZRebalance",
    "AddToLoadBalancer",
    "AlarmNotification",
    "HealthCheck",
    "InstanceRefresh",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
)
_NOT_BUILT = (
    "AvailabilityZoneDistribution",
    "AvailabilityZoneIds",
    "AvailabilityZoneImpairmentPolicy",
    "CapacityReservationSpecification",
    "InstanceLifecyclePolicy",
    "Operator",
    "SkipZonalShiftValidation",
)
AS_IT_IS: dict[str, dict[str, Any]] = {
    "AvailabilityZoneDistribution": {"CapacityDistributionStrategy": "balanced-best-effort"},
    "AvailabilityZoneImpairmentPolicy": {
        "ZonalShiftEnabled": False,
        "ImpairedZoneHealthCheckBehavior": "IgnoreUnhealthy",
    },
    "CapacityReservationSpecification": {"CapacityReservationPreference": "default"},
}
"""What every group has of members that are not built: asking for just that is asking for what is."""
_SHORTEST_LIFE, _LONGEST_LIFE = 86_400, 31_536_000


def refuse(req: Mapping[str, Any]) -> None:
    """Members that are not built are refused, never passed over. There are no Classic Load Balancers to name."""
    if req.get("LoadBalancerNames"):
        raise no_classic()
    for member in _NOT_BUILT:
        asked = req.get(member)
        if asked and (member not in AS_IT_IS or not asked.items() <= AS_IT_IS[member].items()):
            raise errors.not_built(f"The parameter {member} of an Auto Scaling group")
    if req.get("DesiredCapacityType") not in (None, "units"):
        raise errors.not_built("A DesiredCapacityType other than units")


def no_classic() -> AwsError:
    """Classic Load Balancers are none of this product: none is ever there."""
    return errors.invalid("Provided Load Balancers may not be valid. Please ensure they exist and try again.")


def health_checks(given: str) -> str:
    """Health check types as they are kept: ``EC2``, or what is heeded beside EC2's own checks."""
    named = [part.strip() for part in given.split(",") if part.strip()]
    if "VPC_LATTICE" in named or "EBS" in named:
        raise errors.not_built(f"The health check type {given}")
    if not named or any(name not in ("EC2", "ELB") for name in named):
        raise errors.invalid(f"Invalid health check type: {given}")
    return ",".join(name for name in dict.fromkeys(named) if name != "EC2") or "EC2"


def suspended(group: Group, process: str) -> bool:
    """Whether a process of a group is suspended."""
    return any(entry.partition("@")[0] == process for entry in group.suspended)


def alive(group: Group) -> Group:
    """The group, unless it is being deleted."""
    if group.status == DELETING:
        raise errors.deleting(group.name)
    return group


def sizes(least: int, most: int, desired: int) -> None:
    """min <= desired <= max, none of them negative."""
    if least < 0 or most < 0:
        raise errors.invalid("Min and max size must not be negative")
    if most < least:
        raise errors.invalid(f"Max bound, {most}, must be greater than or equal to min bound, {least}")
    if not least <= desired <= most:
        raise errors.invalid(
            f"Desired capacity:{desired} must be between the specified min size:{least} and max size:{most}"
        )


def desired(group: Group, wanted: int) -> None:
    """A desired capacity within a group's bounds."""
    if wanted > group.most:
        raise errors.invalid(
            f"New SetDesiredCapacity value {wanted} is above max value {group.most} for the AutoScalingGroup."
        )
    if wanted < group.least:
        raise errors.invalid(
            f"New SetDesiredCapacity value {wanted} is below min value {group.least} for the AutoScalingGroup."
        )


def policies(given: Iterable[str] | None) -> tuple[str, ...]:
    """Termination policies; functions of one's own are not built."""
    wanted = tuple(given or ("Default",))
    for policy in wanted:
        if policy.startswith("arn:"):
            raise errors.not_built("A termination policy of one's own")
        if policy not in POLICIES:
            raise errors.invalid(f"Invalid termination policy: {policy}")
    return wanted


def lifetime(given: int | None) -> int:
    """Seconds, a day at least; 0 for no limit."""
    if given and not _SHORTEST_LIFE <= given <= _LONGEST_LIFE:
        raise errors.invalid(
            f"MaxInstanceLifetime must be 0 or between {_SHORTEST_LIFE} and {_LONGEST_LIFE} seconds."
        )
    return given or 0


def not_negative(req: Mapping[str, Any], *members: str) -> None:
    """Durations are not negative."""
    for member in members:
        if (req.get(member) or 0) < 0:
            raise errors.invalid(f"{member} must not be negative")


def where(
    ctx: Ctx, zones: Iterable[str] | None, identifier: str | None, role_arn: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The zones and the subnets of a group."""
    subnets = tuple(part.strip() for part in (identifier or "").split(",") if part.strip())
    given = tuple(dict.fromkeys(zones or ()))
    if not subnets and not given:
        raise errors.invalid("At least one Availability Zone or VPC Subnet is required.")
    if not subnets:
        _check_zones(ctx, given, role_arn)
        return tuple(sorted(given)), ()
    found: list[Any] = []
    for subnet in subnets:
        item = ctx.find("ec2", "subnet", subnet)
        if item is None:
            raise errors.invalid(f"The subnet ID '{subnet}' does not exist")
        found.append(item)
    if len({item.vpc_id for item in found}) > 1:
        raise errors.invalid("The subnets of an Auto Scaling group must all be in the same VPC")
    theirs = {item.zone for item in found}
    if given and set(given) != theirs:
        raise errors.invalid("The availability zones of the specified subnets and the Auto Scaling group do not match")
    return tuple(sorted(theirs)), subnets


def _check_zones(ctx: Ctx, zones: tuple[str, ...], role_arn: str) -> None:
    caller = ctx.as_role(role_arn, service=linked_role.PRINCIPAL, session_name="AutoScaling")
    answer = ctx.call("ec2", "DescribeAvailabilityZones", {}, caller=caller)
    known = {zone["ZoneName"] for zone in answer["AvailabilityZones"]}
    wrong = [zone for zone in zones if zone not in known]
    if wrong:
        raise errors.invalid(f"Invalid availability zones: [{', '.join(wrong)}]")


def tags(given: Iterable[Mapping[str, Any]] | None, group: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Tags of a request about one group, and the keys that its instances get too."""
    found: dict[str, str] = {}
    propagated: list[str] = []
    for item in given or ():
        if item.get("ResourceId") not in (None, "", group):
            raise errors.invalid(f"The tag's resource {item['ResourceId']} is not the group {group}")
        if item.get("ResourceType") not in (None, "", "auto-scaling-group"):
            raise errors.invalid("The resource type of a tag must be auto-scaling-group")
        try:
            (key, value), = kit_tags.checked([item]).items()
        except AwsError as error:
            raise errors.invalid(error.message) from None
        if key in found:
            raise errors.invalid(f"Duplicate tag key '{key}' specified.")
        found[key] = value
        if item.get("PropagateAtLaunch"):
            propagated.append(key)
    if len(found) > kit_tags.LIMIT:
        raise errors.limit(f"The maximum number of tags per resource is {kit_tags.LIMIT}.")
    return found, tuple(propagated)
