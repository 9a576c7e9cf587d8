"""What a request for a Spot Fleet says, in the words of EC2 Fleet.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SpotFleetRequestConfigData.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.fleets import asking
from cloudjar.services.ec2.fleets.records import Goal, Source

STRATEGIES = {
    "lowestPrice": "lowest-price",
    "diversified": "diversified",
    "capacityOptimized": "capacity-optimized",
    "capacityOptimizedPrioritized": "capacity-optimized-prioritized",
    "priceCapacityOptimized": "price-capacity-optimized",
    "prioritized": "prioritized",
}
_NOT_LAUNCHED = ("InstanceRequirements", "SecurityGroups", "SpotPrice", "TagSpecifications", "WeightedCapacity")


def goal(ctx: Ctx, asked: Mapping[str, Any]) -> Goal:
    """What RequestSpotFleet asks for; raises what AWS raises for contradictions."""
    errors.refuse(asked, "Context", "LoadBalancersConfig", "ReplaceUnhealthyInstances")
    kind = asked.get("Type") or "maintain"
    if kind == "instant":
        raise errors.invalid_parameter(kind, "type", "Valid values are request and maintain.")
    behavior = asked.get("InstanceInterruptionBehavior") or "terminate"
    if behavior == "hibernate":
        raise AwsError("UnsupportedHibernationConfiguration", "The images of this Region have no agent to hibernate.")
    if asked.get("ValidUntil") is not None and asked["ValidUntil"] <= ctx.now:
        raise errors.invalid_parameter(asked["ValidUntil"], "validUntil", "It must be in the future.")
    rebalance = (asked.get("SpotMaintenanceStrategies") or {}).get("CapacityRebalance") or {}
    total, demand = capacities(asked["TargetCapacity"], asked.get("OnDemandTargetCapacity") or 0)
    budget = {"spot": asked.get("SpotMaxTotalPrice"), "on-demand": asked.get("OnDemandMaxTotalPrice")}
    return Goal(
        type=kind,
        total=total,
        on_demand=demand,
        spot=total - demand,
        default="spot",
        unit=asked.get("TargetCapacityUnitType") or "units",
        spot_strategy=STRATEGIES[asked.get("AllocationStrategy") or "lowestPrice"],
        on_demand_strategy=STRATEGIES[asked.get("OnDemandAllocationStrategy") or "lowestPrice"],
        pools=int(asked.get("InstancePoolsToUseCount") or 1),
        behavior=behavior,
        max_price=asked.get("SpotPrice") or "",
        budget={market: price for market, price in budget.items() if price},
        excess="no-termination" if asked.get("ExcessCapacityTerminationPolicy") == "noTermination" else "termination",
        expiry_terminates=bool(asked.get("TerminateInstancesWithExpiration")),
        valid_from=asked.get("ValidFrom"),
        valid_until=asked.get("ValidUntil"),
        rebalance=rebalance.get("ReplacementStrategy") or "",
        delay=asking.delay(rebalance),
        shown={name: asked[name] for name in ("SpotMaintenanceStrategies",) if asked.get(name)},
    )


def capacities(total: int, demand: int) -> tuple[int, int]:
    """The capacity in all and on demand."""
    if not 0 <= total <= asking.MOST:
        raise errors.invalid_parameter(total, "targetCapacity", f"It must be between 0 and {asking.MOST}.")
    if not 0 <= demand <= total:
        raise errors.combination("OnDemandTargetCapacity must be between 0 and TargetCapacity.")
    return total, demand


def sources(ctx: Ctx, asked: Mapping[str, Any]) -> tuple[Source, ...]:
    """Launch specifications or launch templates: one kind of them."""
    specs, configs = asked.get("LaunchSpecifications") or (), asked.get("LaunchTemplateConfigs") or ()
    if bool(specs) == bool(configs):
        raise errors.combination("Specify either LaunchSpecifications or LaunchTemplateConfigs.")
    if specs:
        return tuple(_of_specification(spec) for spec in specs)
    found = asking.sources(ctx, [_config(config) for config in configs])
    return tuple(_reworded(source, config) for source, config in zip(found, configs, strict=True))


def _config(config: Mapping[str, Any]) -> dict[str, Any]:
    named = config.get("LaunchTemplateSpecification") or {}
    overrides = [_override(one) for one in config.get("Overrides") or ()]
    return {"LaunchTemplateSpecification": named, "Overrides": overrides}


def _override(given: Mapping[str, Any]) -> dict[str, Any]:
    """A Spot Fleet calls the most that is paid SpotPrice."""
    found = {name: value for name, value in given.items() if name != "SpotPrice"}
    return {**found, "MaxPrice": given["SpotPrice"]} if given.get("SpotPrice") else found


def _reworded(source: Source, config: Mapping[str, Any]) -> Source:
    asked = {**source.asked, "Overrides": list(config.get("Overrides") or ())}
    return Source(launch=source.launch, overrides=source.overrides, asked=asked)


def _of_specification(spec: Mapping[str, Any]) -> Source:
    if not spec.get("ImageId"):
        raise errors.missing_one("LaunchSpecifications.ImageId")
    errors.refuse(spec, "AddressingType")
    launch = {name: value for name, value in spec.items() if name not in _NOT_LAUNCHED}
    groups = [group["GroupId"] for group in spec.get("SecurityGroups") or () if group.get("GroupId")]
    if groups:
        launch["SecurityGroupIds"] = groups
    if spec.get("TagSpecifications"):
        launch["TagSpecifications"] = list(spec["TagSpecifications"])
    own = {"WeightedCapacity": "WeightedCapacity", "SpotPrice": "MaxPrice", "InstanceRequirements":
           "InstanceRequirements", "InstanceType": "InstanceType"}  # fmt: skip
    override = {to: spec[name] for name, to in own.items() if spec.get(name) is not None}
    asking.check_override(override)
    return Source(launch=launch, overrides=(override,), asked=dict(spec))


def role(ctx: Ctx, given: str) -> str:
    """The IamFleetRole: a role of this account that Spot Fleet may have; raises InvalidSpotFleetRequestConfig."""
    parsed = arns.parse(given)
    name = given.rpartition("/")[2]
    ours = parsed is not None and parsed.account == ctx.account and parsed.resource.startswith("role/")
    if not ours or ctx.find("iam", "role", name) is None:
        raise AwsError("InvalidSpotFleetRequestConfig", "Parameter: SpotFleetRequestConfig.IamFleetRole is invalid.")
    return given
