"""What may be set of a group when it is made and whenever it is changed.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.services.autoscaling import errors, rules
from cloudjar.services.autoscaling.records import Group

_PLAIN = {
    "DefaultCooldown": "cooldown",
    "HealthCheckGracePeriod": "grace",
    "NewInstancesProtectedFromScaleIn": "protect_new",
    "DefaultInstanceWarmup": "warmup",
    "Context": "context",
    "DeletionProtection": "deletion",
    "CapacityRebalance": "capacity_rebalance",
    "PlacementGroup": "placement_group",
}


def of_request(ctx: Ctx, req: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a group that a request changes."""
    rules.not_negative(req, "DefaultCooldown", "HealthCheckGracePeriod")
    changes = {field: req[member] for member, field in _PLAIN.items() if req.get(member) is not None}
    if changes.get("warmup") == -1:  # AWS's way to take it away
        changes["warmup"] = None
    if req.get("TerminationPolicies") is not None:
        changes["termination_policies"] = rules.policies(req["TerminationPolicies"])
    if req.get("MaxInstanceLifetime") is not None:
        changes["lifetime"] = rules.lifetime(req["MaxInstanceLifetime"])
    if req.get("HealthCheckType"):
        changes["health_check"] = rules.health_checks(req["HealthCheckType"])
    if req.get("InstanceMaintenancePolicy") is not None:
        changes["maintenance"] = maintenance(req["InstanceMaintenancePolicy"])
    group = changes.get("placement_group")
    if group and not _has_placement_group(ctx, group):
        raise errors.invalid(f"The Placement Group '{group}' is unknown.")
    return changes


def _has_placement_group(ctx: Ctx, name: str) -> bool:
    return ctx.find("ec2", "placement-group", name) is not None


def maintenance(given: Mapping[str, Any]) -> tuple[int, int] | None:
    """An instance maintenance policy; -1 takes it away."""
    least, most = given.get("MinHealthyPercentage"), given.get("MaxHealthyPercentage")
    if least == most == -1:
        return None
    if least is None or most is None or least == -1 or most == -1:
        raise errors.invalid("MinHealthyPercentage and MaxHealthyPercentage must both be specified, or both be cleared")
    if not 0 <= least <= 100 <= most <= 200:
        raise errors.invalid(
            "MinHealthyPercentage must be between 0 and 100, and MaxHealthyPercentage between 100 and 200"
        )
    if most - least > 100:
        raise errors.invalid("The difference between MinHealthyPercentage and MaxHealthyPercentage must not exceed 100")
    return int(least), int(most)


def check_deletion(group: Group, *, forced: bool) -> None:
    """Whether a group may be deleted so."""
    if group.deletion == "prevent-all-deletion" or (forced and group.deletion == "prevent-force-deletion"):
        raise errors.invalid(
            f"You cannot delete AutoScalingGroup {group.name} because its deletion protection is set to "
            f"{group.deletion}."
        )
