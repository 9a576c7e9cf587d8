"""What a request for an EC2 Fleet says, as a goal and its sources; raises what AWS raises for contradictions.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFleet.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.fleets.records import Goal, Source
from cloudjar.services.ec2.launch_templates.finding import need_template, need_version
from cloudjar.spec import instance_types

ON_DEMAND, SPOT = "on-demand", "spot"
MOST = 10_000
"""The capacity of one fleet at most."""
LIGHTEST = 0.1


def goal(ctx: Ctx, req: Mapping[str, Any]) -> Goal:
    """What CreateFleet asks for."""
    errors.refuse(req, "ReservedCapacityOptions", "ReplaceUnhealthyInstances", "Context")
    kind = req.get("Type") or "maintain"
    spot, demand = req.get("SpotOptions") or {}, req.get("OnDemandOptions") or {}
    total, on_demand, spots, default = capacities(req["TargetCapacitySpecification"])
    behavior = spot.get("InstanceInterruptionBehavior") or "terminate"
    if behavior == "hibernate":
        raise AwsError("UnsupportedHibernationConfiguration", "The images of this Region have no agent to hibernate.")
    if behavior == "stop" and kind != "maintain":
        raise errors.combination("The interruption behavior 'stop' can be specified for fleets of type maintain only.")
    rebalance = (spot.get("MaintenanceStrategies") or {}).get("CapacityRebalance") or {}
    if rebalance and kind != "maintain":
        raise errors.combination("CapacityRebalance can be specified for fleets of type maintain only.")
    return Goal(
        type=kind,
        total=total,
        on_demand=on_demand,
        spot=spots,
        default=default,
        unit=req["TargetCapacitySpecification"].get("TargetCapacityUnitType") or "units",
        spot_strategy=spot.get("AllocationStrategy") or "lowest-price",
        on_demand_strategy=demand.get("AllocationStrategy") or "lowest-price",
        pools=_pools(spot),
        behavior=behavior,
        single={ON_DEMAND: _single(demand, kind), SPOT: _single(spot, kind)},
        budget={m: o["MaxTotalPrice"] for m, o in ((ON_DEMAND, demand), (SPOT, spot)) if o.get("MaxTotalPrice")},
        excess=req.get("ExcessCapacityTerminationPolicy") or "termination",
        expiry_terminates=bool(req.get("TerminateInstancesWithExpiration")),
        valid_from=req.get("ValidFrom"),
        valid_until=req.get("ValidUntil"),
        rebalance=rebalance.get("ReplacementStrategy") or "",
        delay=delay(rebalance),
        shown={name: req[name] for name in ("SpotOptions", "OnDemandOptions") if req.get(name)},
    )


def capacities(asked: Mapping[str, Any]) -> tuple[int, int, int, str]:
    """The capacity in all, on demand and of spot, and of which market the rest is."""
    total = int(asked["TotalTargetCapacity"])
    if not 0 <= total <= MOST:
        raise errors.invalid_parameter(total, "totalTargetCapacity", f"It must be between 0 and {MOST}.")
    default = asked.get("DefaultTargetCapacityType") or ON_DEMAND
    if default not in (ON_DEMAND, SPOT):
        raise errors.not_built(f"The value {default} of the parameter DefaultTargetCapacityType")
    demand, spots = int(asked.get("OnDemandTargetCapacity") or 0), int(asked.get("SpotTargetCapacity") or 0)
    rest = total - demand - spots
    if min(demand, spots) < 0 or rest < 0:
        raise errors.combination("The target capacities of the markets exceed the total target capacity.")
    return total, demand + (rest if default == ON_DEMAND else 0), spots + (rest if default == SPOT else 0), default


def delay(asked: Mapping[str, Any]) -> int:
    """How long an instance is kept whose replacement runs: needed by launch-before-terminate, and by nothing else."""
    value, strategy = asked.get("TerminationDelay"), asked.get("ReplacementStrategy")
    if strategy == "launch-before-terminate":
        if value is None:
            raise errors.missing("TerminationDelay is required with the strategy launch-before-terminate.")
        if not 120 <= value <= 7200:
            raise errors.invalid_parameter(value, "terminationDelay", "It must be between 120 and 7200 seconds.")
    elif value is not None:
        raise errors.combination("TerminationDelay is valid with the strategy launch-before-terminate only.")
    return int(value or 0)


def _pools(spot: Mapping[str, Any]) -> int:
    number = spot.get("InstancePoolsToUseCount")
    if number is not None and (spot.get("AllocationStrategy") or "lowest-price") != "lowest-price":
        raise errors.combination("InstancePoolsToUseCount is valid with the strategy lowest-price only.")
    if number is not None and number < 1:
        raise errors.invalid_parameter(number, "instancePoolsToUseCount", "It must be at least 1.")
    return int(number or 1)


def _single(options: Mapping[str, Any], kind: str) -> tuple[bool, bool, int]:
    found = (
        bool(options.get("SingleInstanceType")),
        bool(options.get("SingleAvailabilityZone")),
        int(options.get("MinTargetCapacity") or 0),
    )
    if any(found) and kind != "instant":
        raise errors.combination(
            "SingleInstanceType, SingleAvailabilityZone and MinTargetCapacity are valid for instant fleets only."
        )
    if found[2] and not (found[0] or found[1]):
        raise errors.combination("MinTargetCapacity needs SingleInstanceType or SingleAvailabilityZone.")
    return found


def sources(ctx: Ctx, configs: Sequence[Mapping[str, Any]]) -> tuple[Source, ...]:
    """What LaunchTemplateConfigs name, each template at the version that it has now."""
    if not configs:
        raise errors.missing_one("LaunchTemplateConfigs")
    return tuple(_source(ctx, config) for config in configs)


def _source(ctx: Ctx, config: Mapping[str, Any]) -> Source:
    asked = config.get("LaunchTemplateSpecification") or {}
    if not asked.get("Version"):
        raise errors.missing("The launch template version must be specified.")
    errors.refuse(asked, "LaunchTemplateSpecificationUserData")
    template = need_template(ctx, asked)
    version = need_version(ctx, template, asked["Version"])
    for override in config.get("Overrides") or ():
        check_override(override)
    named = {"LaunchTemplateId": template.id, "Version": str(version.number)}
    shown = {"LaunchTemplateId": template.id, "Version": asked["Version"]}
    if asked.get("LaunchTemplateName"):
        shown = {"LaunchTemplateName": template.name, "Version": asked["Version"]}
    return Source(
        launch={"LaunchTemplate": named},
        overrides=tuple(dict(override) for override in config.get("Overrides") or ()),
        asked={"LaunchTemplateSpecification": shown},
    )


def check_override(override: Mapping[str, Any]) -> None:
    """Raise for an override that no pool can come of."""
    kind = override.get("InstanceType")
    if kind and override.get("InstanceRequirements"):
        raise errors.combination("InstanceType and InstanceRequirements cannot be specified together.")
    if kind and not instance_types.exists(kind):
        raise errors.invalid_value(f"Invalid value '{kind}' for InstanceType.")
    weight = override.get("WeightedCapacity")
    if weight is not None and not LIGHTEST <= weight <= 999:
        raise errors.invalid_parameter(weight, "weightedCapacity", f"It must be between {LIGHTEST} and 999.")
