"""What recommendations are to be made by.

https://docs.aws.amazon.com/compute-optimizer/latest/APIReference/API_PutRecommendationPreferences.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.compute_optimizer import errors, preferring
from cloudjar.services.compute_optimizer.records import Preference
from cloudjar.services.compute_optimizer.seeing import opted_in

_KINDS = ("Ec2Instance", "AutoScalingGroup")
_CHOICES = {
    "lookBackPeriod": "LookBackPeriodPreference", "utilizationPreferences": "UtilizationPreferences",
    "preferredResources": "PreferredResources",
}  # fmt: skip
"""Member -> its name where preferences are deleted."""
_ABSENT = {
    "enhancedInfrastructureMetrics": "Inactive", "inferredWorkloadTypes": "Inactive",
    "externalMetricsPreference": None, "savingsEstimationMode": "BeforeDiscounts",
}  # fmt: skip
"""What is not there, with the value that says so."""


def _keys(_: Ctx, req: dict[str, Any]) -> dict[str, str]:
    return {"compute-optimizer:ResourceType": req["resourceType"]}


def _scope(ctx: Ctx, req: dict[str, Any]) -> tuple[str, str, str]:
    """Kind, scope and value of a request; the account's, where it names none."""
    kind, scope = req["resourceType"], req.get("scope") or {}
    if kind not in _KINDS:
        raise errors.invalid(f"Resource type {kind} is not supported: choose from {sorted(_KINDS)}")
    name, value = scope.get("name") or "AccountId", scope.get("value") or ctx.account
    if name == "AccountId" and value == ctx.account:
        return kind, name, value
    if name == "ResourceArn" and kind == "AutoScalingGroup" and preferring.is_group(value):
        return kind, name, value
    raise errors.invalid(f"Scope {name} {value} is not supported for {kind}.")


@op("PutRecommendationPreferences", keys=_keys)
def put_recommendation_preferences(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Choose for the account in this Region, or for one Auto Scaling group; what is not named stays as it was."""
    opted_in(ctx)
    kind, scope, value = _scope(ctx, req)
    for member, nothing in _ABSENT.items():
        if req.get(member) not in (None, nothing):
            raise errors.invalid(f"{member} {req[member]} is not supported.")
    given = {member: req[member] for member in _CHOICES if req.get(member)}
    if not given:
        raise errors.invalid("At least one recommendation preference must be specified.")
    _check(given)
    place = preferring.key(kind, scope, value)
    held = ctx.db[Preference].get(place)
    if held is None:
        ctx.db[Preference].add(Preference(id=place, kind=kind, scope=scope, value=value, chosen=given))
    else:
        ctx.db[Preference].put(replace(held, chosen={**held.chosen, **given}))
    return {}


def _check(given: dict[str, Any]) -> None:
    if given.get("lookBackPeriod") not in (None, *preferring.DAYS):
        raise errors.invalid("A look-back period of 93 days requires enhanced infrastructure metrics.")
    for one in given.get("utilizationPreferences") or ():
        parameters = one.get("metricParameters") or {}
        if one.get("metricName") == "MemoryUtilization" and parameters.get("threshold"):
            raise errors.invalid("A threshold cannot be specified for MemoryUtilization.")
        memory = ("PERCENT_10", "PERCENT_20", "PERCENT_30")
        if one.get("metricName") == "MemoryUtilization" and parameters.get("headroom", "PERCENT_20") not in memory:
            raise errors.invalid(f"The headroom of MemoryUtilization must be one of {list(memory)}.")
    for one in given.get("preferredResources") or ():
        if one.get("includeList") and one.get("excludeList"):
            raise errors.invalid("Specify either includeList or excludeList.")


@op("GetRecommendationPreferences", keys=_keys)
def get_recommendation_preferences(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What was chosen for a kind of resource, everywhere or in one scope."""
    opted_in(ctx)
    found = [one for one in ctx.db[Preference].all() if one.kind == req["resourceType"]]
    if req.get("scope"):
        _, scope, value = _scope(ctx, req)
        found = [one for one in found if (one.scope, one.value) == (scope, value)]
    shown = [
        {"scope": {"name": one.scope, "value": one.value}, "resourceType": one.kind, **one.chosen} for one in found
    ]
    return {"recommendationPreferencesDetails": shown}


@op("DeleteRecommendationPreferences", keys=_keys)
def delete_recommendation_preferences(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take back what was chosen, by name."""
    opted_in(ctx)
    held = ctx.db[Preference].get(preferring.key(*_scope(ctx, req)))
    if held is None:
        raise errors.missing("The recommendation preference was not found.")
    names = set(req["recommendationPreferenceNames"])
    left = {member: value for member, value in held.chosen.items() if _CHOICES[member] not in names}
    if left:
        ctx.db[Preference].put(replace(held, chosen=left))
    else:
        ctx.db[Preference].drop(held)
    return {}


@op("GetEffectiveRecommendationPreferences")
def get_effective_recommendation_preferences(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What recommendations of an instance or an Auto Scaling group are made by."""
    opted_in(ctx)
    arn = req["resourceArn"]
    group = preferring.is_group(arn)
    if not group and not _is_instance(arn):
        raise errors.invalid(f"{arn} is neither an instance nor an Auto Scaling group.")
    found = preferring.effective(ctx, "AutoScalingGroup" if group else "Ec2Instance", arn if group else "").chosen
    return {"enhancedInfrastructureMetrics": "Inactive", **found}


def _is_instance(arn: str) -> bool:
    found = arns.parse(arn)
    return found is not None and found.resource.startswith("instance/")
