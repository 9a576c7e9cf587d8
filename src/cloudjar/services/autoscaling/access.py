"""What authorisation asks of Auto Scaling: whose group an instance is in, and condition keys.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import by_arn, finds, request_keys
from cloudjar.kit.record import Record
from cloudjar.services.autoscaling.records import Group, LaunchConfiguration, Member


@finds("autoscaling:group-of-instance")
def group_of(ctx: Ctx, instance_id: str) -> Record | None:
    """The group that has the instance."""
    member = ctx.db[Member].get(instance_id)
    return None if member is None else ctx.db[Group].get(member.group)


@finds("autoscaling:group-of-policy")
def group_of_policy(ctx: Ctx, policy: str) -> Record | None:
    """The group that a policy's ARN names."""
    _, found, end = policy.partition(":autoScalingGroupName/")
    return ctx.db[Group].get(end.partition(":policyName/")[0]) if found else None


@by_arn("autoscaling", "autoScalingGroup")
def group_by_arn(ctx: Ctx, arn: arns.Arn) -> Record | None:
    """Its name is the ARN's end."""
    return ctx.db[Group].get(arn.resource.partition("autoScalingGroupName/")[2])


@by_arn("autoscaling", "launchConfiguration")
def configuration_by_arn(ctx: Ctx, arn: arns.Arn) -> Record | None:
    """Its name is the ARN's end."""
    return ctx.db[LaunchConfiguration].get(arn.resource.partition("launchConfigurationName/")[2])


@request_keys("autoscaling")
def of_request(ctx: Ctx, operation: str, req: dict[str, Any]) -> dict[str, Any]:
    """Condition keys that requests about groups and launch configurations bring."""
    metadata = req.get("MetadataOptions") or {}
    template = req.get("LaunchTemplate")
    told = {
        "autoscaling:MinSize": req.get("MinSize"),
        "autoscaling:MaxSize": req.get("MaxSize"),
        "autoscaling:LaunchConfigurationName": req.get("LaunchConfigurationName"),
        "autoscaling:ImageId": req.get("ImageId"),
        "autoscaling:InstanceType": req.get("InstanceType"),
        "autoscaling:MetadataHttpEndpoint": metadata.get("HttpEndpoint"),
        "autoscaling:MetadataHttpTokens": metadata.get("HttpTokens"),
        "autoscaling:MetadataHttpPutResponseHopLimit": metadata.get("HttpPutResponseHopLimit"),
        "autoscaling:ForceDelete": req.get("ForceDelete"),
        "autoscaling:VPCZoneIdentifiers": [s for s in (req.get("VPCZoneIdentifier") or "").split(",") if s],
        "autoscaling:TargetGroupARNs": req.get("TargetGroupARNs") or [],
        "autoscaling:TrafficSourceIdentifiers": [s["Identifier"] for s in req.get("TrafficSources") or ()],
        "autoscaling:LoadBalancerNames": req.get("LoadBalancerNames") or [],
        "autoscaling:LaunchTemplateVersionSpecified": None if template is None else bool(template.get("Version")),
    }
    return {name: _text(value) for name, value in told.items() if value not in (None, [], "")}


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, list) else str(value)
