"""Records as Auto Scaling shows them."""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.autoscaling import rules
from cloudjar.services.autoscaling.records import Activity, Group, Hook, LaunchConfiguration, Member, WarmPool

KIND = "auto-scaling-group"


def show_configuration(item: LaunchConfiguration) -> dict[str, Any]:
    """AWS's LaunchConfiguration."""
    shown = {"KernelId": "", "RamdiskId": "", "KeyName": "", "UserData": "", "EbsOptimized": False,
             "SecurityGroups": [], "BlockDeviceMappings": [], "ClassicLinkVPCSecurityGroups": [],
             "InstanceMonitoring": {"Enabled": True}}  # fmt: skip
    return {
        **shown,
        **item.spec,
        "LaunchConfigurationName": item.name,
        "LaunchConfigurationARN": arn_of(item),
        "CreatedTime": item.created,
    }


def show_template(item: Group | Member) -> dict[str, str] | None:
    """AWS's LaunchTemplateSpecification of a group or an instance."""
    if not item.template_id:
        return None
    shown = {"LaunchTemplateId": item.template_id, "LaunchTemplateName": item.template_name}
    return {**shown, "Version": item.template_version} if item.template_version else shown


def show_group(
    group: Group, held: list[Member], target_groups: list[str], pool: WarmPool | None, *, instances: bool = True
) -> dict[str, Any]:
    """AWS's AutoScalingGroup."""
    return {
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": arn_of(group),
        "LaunchConfigurationName": group.launch_configuration or None,
        "LaunchTemplate": show_template(group),
        "MixedInstancesPolicy": _show_mixed(group),
        "MinSize": group.least,
        "MaxSize": group.most,
        "DesiredCapacity": group.desired,
        "DefaultCooldown": group.cooldown,
        "AvailabilityZones": list(group.zones),
        "LoadBalancerNames": [],
        "TargetGroupARNs": target_groups,
        "HealthCheckType": group.health_check,
        "HealthCheckGracePeriod": group.grace,
        "Instances": [show_member(m) for m in held if not m.warmed] if instances else [],
        "WarmPoolConfiguration": show_pool(pool) if pool is not None else None,
        "WarmPoolSize": sum(m.warmed for m in held) if pool is not None else None,
        "CreatedTime": group.created,
        "SuspendedProcesses": [
            {"ProcessName": name, "SuspensionReason": f"User suspended at {when}"}
            for name, _, when in (entry.partition("@") for entry in group.suspended)
        ],
        "VPCZoneIdentifier": ",".join(group.subnets),
        "PlacementGroup": group.placement_group or None,
        "DeletionProtection": group.deletion,
        "InstanceMaintenancePolicy": _show_maintenance(group),
        "CapacityRebalance": group.capacity_rebalance or None,
        "EnabledMetrics": [{"Metric": name, "Granularity": "1Minute"} for name in group.metrics],
        "Status": group.status or None,
        "Tags": show_tags(group),
        "TerminationPolicies": list(group.termination_policies),
        "NewInstancesProtectedFromScaleIn": group.protect_new,
        "ServiceLinkedRoleARN": group.role_arn,
        "MaxInstanceLifetime": group.lifetime or None,
        "DefaultInstanceWarmup": group.warmup,
        "Context": group.context or None,
        **rules.AS_IT_IS,
        "TrafficSources": [{"Identifier": arn, "Type": "elbv2"} for arn in target_groups],
    }


def _show_mixed(group: Group) -> dict[str, Any] | None:
    if group.mixed is None:
        return None
    template = group.mixed["LaunchTemplate"]
    overrides = [
        {**o, "LaunchTemplateSpecification": _spelt(o["LaunchTemplateSpecification"])}
        if o.get("LaunchTemplateSpecification")
        else o
        for o in template.get("Overrides") or ()
    ]
    own = {"LaunchTemplateSpecification": _spelt(template["LaunchTemplateSpecification"]), "Overrides": overrides}
    return {**group.mixed, "LaunchTemplate": own}


def _spelt(template: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in template.items() if value}


def _show_maintenance(group: Group) -> dict[str, int] | None:
    if group.maintenance is None:
        return None
    least, most = group.maintenance
    return {"MinHealthyPercentage": least, "MaxHealthyPercentage": most}


def show_pool(pool: WarmPool) -> dict[str, Any]:
    """AWS's WarmPoolConfiguration."""
    return {
        "MaxGroupPreparedCapacity": pool.prepared,
        "MinSize": pool.least,
        "PoolState": pool.state,
        "Status": pool.status or None,
        "InstanceReusePolicy": {"ReuseOnScaleIn": True} if pool.reuse else None,
    }


def show_tags(group: Group) -> list[dict[str, Any]]:
    """The tags of a group, in key order."""
    return [
        {
            "ResourceId": group.name,
            "ResourceType": KIND,
            "Key": key,
            "Value": group.tags[key],
            "PropagateAtLaunch": key in group.propagated,
        }
        for key in sorted(group.tags)
    ]


def show_member(member: Member) -> dict[str, Any]:
    """AWS's Instance."""
    return {
        "InstanceId": member.id,
        "InstanceType": member.type,
        "AvailabilityZone": member.zone,
        "LifecycleState": member.state,
        "HealthStatus": member.health,
        "LaunchConfigurationName": member.launch_configuration or None,
        "LaunchTemplate": show_template(member),
        "ImageId": member.image or None,
        "WeightedCapacity": str(member.weight) if member.weighed else None,
        "ProtectedFromScaleIn": member.protected,
    }


def show_detailed_member(member: Member) -> dict[str, Any]:
    """AWS's AutoScalingInstanceDetails, which spells health in capitals."""
    shown = {**show_member(member), "AutoScalingGroupName": member.group}
    return {**shown, "HealthStatus": member.health.upper()}


def show_hook(hook: Hook) -> dict[str, Any]:
    """AWS's LifecycleHook."""
    return {
        "LifecycleHookName": hook.name,
        "AutoScalingGroupName": hook.group,
        "LifecycleTransition": hook.transition,
        "NotificationTargetARN": hook.target or None,
        "RoleARN": hook.role or None,
        "NotificationMetadata": hook.metadata or None,
        "HeartbeatTimeout": hook.heartbeat,
        "GlobalTimeout": hook.longest,
        "DefaultResult": hook.default,
    }


def show_activity(activity: Activity) -> dict[str, Any]:
    """AWS's Activity."""
    return {
        "ActivityId": activity.id,
        "AutoScalingGroupName": activity.group,
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": activity.start,
        "EndTime": activity.end,
        "StatusCode": activity.status,
        "StatusMessage": activity.message or None,
        "Progress": activity.progress,
        "Details": activity.details,
        "AutoScalingGroupState": "Deleted" if activity.group_deleted else None,
        "AutoScalingGroupARN": activity.group_arn,
    }


def show_activities(ctx: Ctx, ids: list[str]) -> list[dict[str, Any]]:
    """Activities by their ids, in that order."""
    return [show_activity(ctx.db[Activity].need(each)) for each in ids]
