"""Mixed instances policies: which types, and how many of them on demand. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-mixed-instances-groups.html
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from cloudjar.services.autoscaling import errors

ON_DEMAND, SPOT = "on-demand", "spot"
_STRATEGIES = {
    "OnDemandAllocationStrategy": ("prioritized", "lowest-price"),
    "SpotAllocationStrategy": (
        "lowest-price", "capacity-optimized", "capacity-optimized-prioritized", "price-capacity-optimized",
    ),
}  # fmt: skip
_DEFAULTS = {
    "OnDemandAllocationStrategy": "prioritized",
    "OnDemandBaseCapacity": 0,
    "OnDemandPercentageAboveBaseCapacity": 100,
    "SpotAllocationStrategy": "lowest-price",
}
_MOST_OVERRIDES = 40
_LARGEST_WEIGHT = 999


class Option(NamedTuple):
    """One way to launch: a type ("" is the template's own), what it counts, and what it is launched from."""

    type: str
    weight: int
    template: Mapping[str, Any]
    image: str = ""


def checked(given: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """A policy as it is kept: the request's over what there was (an update may name a part); defaults filled in.
    Raises ValidationError."""
    template = {**((before or {}).get("LaunchTemplate") or {}), **(given.get("LaunchTemplate") or {})}
    if not template.get("LaunchTemplateSpecification"):
        raise errors.invalid("LaunchTemplateSpecification must be specified in a MixedInstancesPolicy")
    told = {**((before or {}).get("InstancesDistribution") or {}), **(given.get("InstancesDistribution") or {})}
    distribution = {**_DEFAULTS, **{name: value for name, value in told.items() if value is not None}}
    if distribution.get("DistributionSegments"):
        raise errors.not_built("The member DistributionSegments of an instances distribution")
    for name, known in _STRATEGIES.items():
        if distribution[name] not in known:
            raise errors.invalid(f"Invalid {name}: {distribution[name]}. Must be one of {', '.join(known)}")
    if not 0 <= distribution["OnDemandPercentageAboveBaseCapacity"] <= 100:
        raise errors.invalid("OnDemandPercentageAboveBaseCapacity must be between 0 and 100")
    if distribution["OnDemandBaseCapacity"] < 0:
        raise errors.invalid("OnDemandBaseCapacity must not be negative")
    lowest = distribution["SpotAllocationStrategy"] == "lowest-price"
    if distribution.get("SpotInstancePools") and not lowest:
        raise errors.invalid("SpotInstancePools can only be specified with the lowest-price SpotAllocationStrategy")
    if lowest:
        distribution.setdefault("SpotInstancePools", 2)
    if not 1 <= distribution.get("SpotInstancePools", 1) <= 20:
        raise errors.invalid("SpotInstancePools must be between 1 and 20")
    _check_overrides(template.get("Overrides") or [])
    return {"LaunchTemplate": template, "InstancesDistribution": distribution}


def _check_overrides(overrides: Sequence[Mapping[str, Any]]) -> None:
    if len(overrides) > _MOST_OVERRIDES:
        raise errors.limit(f"You may only have {_MOST_OVERRIDES} overrides in a MixedInstancesPolicy.")
    for override in overrides:
        if override.get("InstanceRequirements"):
            raise errors.not_built("The choice of instance types by InstanceRequirements")
        weight = override.get("WeightedCapacity")
        if weight is not None and not (weight.isdigit() and 1 <= int(weight) <= _LARGEST_WEIGHT):
            raise errors.invalid(f"WeightedCapacity must be a whole number between 1 and {_LARGEST_WEIGHT}")
    weighed = [bool(override.get("WeightedCapacity")) for override in overrides]
    if any(weighed) and not all(weighed):
        raise errors.invalid("WeightedCapacity must be specified for all of the overrides, or for none")
    types = [(o.get("InstanceType"), (o.get("LaunchTemplateSpecification") or {}).get("Version")) for o in overrides]
    if len(set(types)) < len(types):
        raise errors.invalid("Duplicate instance types in the overrides of a MixedInstancesPolicy")


def options(policy: Mapping[str, Any]) -> list[Option]:
    """What may be launched, in the policy's order."""
    template = policy["LaunchTemplate"]
    own = template["LaunchTemplateSpecification"]
    overrides = template.get("Overrides") or [{}]
    return [
        Option(
            override.get("InstanceType") or "",
            int(override.get("WeightedCapacity") or 1),
            override.get("LaunchTemplateSpecification") or own,
            override.get("ImageId") or "",
        )
        for override in overrides
    ]


def on_demand(policy: Mapping[str, Any], capacity: int) -> int:
    """How much of a capacity is to be on demand; fractions go in its favour."""
    distribution = policy["InstancesDistribution"]
    base = min(capacity, int(distribution["OnDemandBaseCapacity"]))
    percent = int(distribution["OnDemandPercentageAboveBaseCapacity"])
    return base + math.ceil((capacity - base) * percent / 100)


def market(policy: Mapping[str, Any], desired: int, held_on_demand: int) -> str:
    """How the next instance of a group that is to have `desired` is bought."""
    return ON_DEMAND if held_on_demand < on_demand(policy, desired) else SPOT


def ordered(
    policy: Mapping[str, Any], bought: str, price: Callable[[str], float], held: Counter[str]
) -> list[Option]:
    """The options in the order in which to try them. `price` is of a type's hour, bought so; `held` counts the types
    that were bought so already. There is spare capacity of every type here, so what AWS decides by capacity is
    decided by the price, or by the order where the policy has one."""
    found = options(policy)
    distribution = policy["InstancesDistribution"]
    if bought == ON_DEMAND:
        prioritized = distribution["OnDemandAllocationStrategy"] == "prioritized"
    else:
        prioritized = distribution["SpotAllocationStrategy"] == "capacity-optimized-prioritized"
    if prioritized:
        return found
    found = sorted(found, key=lambda option: price(option.type) / option.weight)
    if bought == SPOT and distribution["SpotAllocationStrategy"] == "lowest-price":
        pools = distribution["SpotInstancePools"]
        return sorted(found[:pools], key=lambda option: held[option.type]) + found[pools:]
    return found
