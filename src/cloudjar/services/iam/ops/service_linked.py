"""Service-linked roles: made by their service or in its name, changed by nobody.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.kit import linked_roles
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, op
from cloudjar.kit.record import arn_of
from cloudjar.services.iam import errors, names, trust
from cloudjar.services.iam.records import DeletionTask, Role
from cloudjar.services.iam.views import role_of

_NAME = "AWSServiceRoleFor"


class Linked(NamedTuple):
    """What a service calls its role and allows it; `suffix`: whether there may be several."""

    name: str
    policy: str
    suffix: bool = False


# Names and policies as each service's guide gives them.
LINKED = {
    "autoscaling.amazonaws.com": Linked("AutoScaling", "AutoScalingServiceRolePolicy", suffix=True),
    "ecs.amazonaws.com": Linked("ECS", "AmazonECSServiceRolePolicy"),
    "ecs.application-autoscaling.amazonaws.com": Linked(
        "ApplicationAutoScaling_ECSService", "AWSApplicationAutoscalingECSServicePolicy"
    ),
    "ec2.application-autoscaling.amazonaws.com": Linked(
        "ApplicationAutoScaling_EC2SpotFleetRequest", "AWSApplicationAutoscalingEC2SpotFleetRequestPolicy"
    ),
    "dynamodb.application-autoscaling.amazonaws.com": Linked(
        "ApplicationAutoScaling_DynamoDBTable", "AWSApplicationAutoscalingDynamoDBTablePolicy"
    ),
    "events.amazonaws.com": Linked("CloudWatchEvents", "CloudWatchEventsServiceRolePolicy"),
    "elasticloadbalancing.amazonaws.com": Linked("ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"),
    "elasticache.amazonaws.com": Linked("ElastiCache", "ElastiCacheServiceRolePolicy"),
    "elasticfilesystem.amazonaws.com": Linked("AmazonElasticFileSystem", "AmazonElasticFileSystemServiceRolePolicy"),
    "eks.amazonaws.com": Linked("AmazonEKS", "AmazonEKSServiceRolePolicy"),
    "eks-nodegroup.amazonaws.com": Linked("AmazonEKSNodegroup", "AWSServiceRoleForAmazonEKSNodegroup"),
    "rds.amazonaws.com": Linked("RDS", "AmazonRDSServiceRolePolicy"),
    "replication.dynamodb.amazonaws.com": Linked("DynamoDBReplication", "DynamoDBReplicationServiceRolePolicy"),
    "spot.amazonaws.com": Linked("EC2Spot", "AWSEC2SpotServiceRolePolicy"),
    "spotfleet.amazonaws.com": Linked("EC2SpotFleet", "AWSEC2SpotFleetServiceRolePolicy"),
    "ec2fleet.amazonaws.com": Linked("EC2Fleet", "AWSEC2FleetServiceRolePolicy"),
    "transitgateway.amazonaws.com": Linked("VPCTransitGateway", "AWSVPCTransitGatewayServiceRolePolicy"),
    "organizations.amazonaws.com": Linked("Organizations", "AWSOrganizationsServiceTrustPolicy"),
    "config.amazonaws.com": Linked("Config", "AWSConfigServiceRolePolicy"),
    "guardduty.amazonaws.com": Linked("AmazonGuardDuty", "AmazonGuardDutyServiceRolePolicy"),
    "cloudtrail.amazonaws.com": Linked("CloudTrail", "CloudTrailServiceRolePolicy"),
    "route53resolver.amazonaws.com": Linked("Route53Resolver", "Route53ResolverServiceRolePolicy"),
    "servicequotas.amazonaws.com": Linked("ServiceQuotas", "ServiceQuotasServiceRolePolicy"),
    "support.amazonaws.com": Linked("Support", "AWSSupportServiceRolePolicy"),
    "trustedadvisor.amazonaws.com": Linked("TrustedAdvisor", "AWSTrustedAdvisorServiceRolePolicy"),
    "compute-optimizer.amazonaws.com": Linked("ComputeOptimizer", "ComputeOptimizerServiceRolePolicy"),
    "backup.amazonaws.com": Linked("Backup", "AWSBackupServiceLinkedRolePolicyForBackup"),
    "batch.amazonaws.com": Linked("Batch", "BatchServiceRolePolicy"),
}


def _target(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """The role that would be made, with the condition key that grants are usually narrowed by. A service needs nobody's
    leave for its own (Trusted Advisor's is there without anybody having made it)."""
    service = req["AWSServiceName"]
    if ctx.caller.kind == "service" and ctx.caller.service == service:
        return []
    linked = LINKED.get(service)
    name = _role_name(linked, req) if linked is not None else "*"
    text = arns.make("iam", "", ctx.account, f"role/aws-service-role/{service}/{name}")
    return [Grant("iam:CreateServiceLinkedRole", text, {"iam:awsservicename": service})]


def _role_name(linked: Linked, req: dict[str, Any]) -> str:
    suffix = req.get("CustomSuffix")
    return f"{_NAME}{linked.name}" + (f"_{suffix}" if suffix else "")


@op("CreateServiceLinkedRole", access=_target)
def create_service_linked_role(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The role of a service, with the policy that AWS wrote for it."""
    service = req["AWSServiceName"]
    linked = LINKED.get(service)
    if linked is None:
        raise errors.invalid_input(f"Service-linked roles are not known for {service}.")
    if req.get("CustomSuffix") and not linked.suffix:
        raise errors.invalid_input(f"Custom suffix is not allowed for {service}")
    name = _role_name(linked, req)
    if names.find(ctx, Role, name) is not None:
        raise errors.invalid_input(
            f"Service role name {name} has been taken in this account, please try a different suffix."
        )
    return {"Role": role_of(_add(ctx, service, name, linked.policy, req.get("Description") or ""))}


def _add(ctx: Ctx, service: str, name: str, policy: str, description: str) -> Role:
    statement = {"Effect": "Allow", "Principal": {"Service": [service]}, "Action": ["sts:AssumeRole"]}
    return ctx.db[Role].add(
        Role(
            name=name,
            folded=name.lower(),
            id=names.new_id(Role),
            path=f"/aws-service-role/{service}/",
            created=ctx.now.replace(microsecond=0),
            trust=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            description=description,
            attached=(f"arn:aws:iam::aws:policy/aws-service-role/{policy}",),
            linked_service=service,
        )
    )


@op("DeleteServiceLinkedRole")
def delete_service_linked_role(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete the role; AWS does it in the background, here it is done when the call returns."""
    role = names.need(ctx, Role, req["RoleName"])
    if not role.linked_service:
        raise errors.invalid_input(f"Role {role.name} is not a service-linked role.")
    used = linked_roles.usage_of(ctx, role.linked_service, arn_of(role))
    if not used:
        ctx.db[Role].drop(role)
        trust.rename(ctx, arn_of(role), role.id)
    usage = [(each.region, each.resources) for each in used]
    task = ctx.db[DeletionTask].add(DeletionTask(id=f"task{role.path}{role.name}/{ids.uuid4()}", usage=usage))
    return {"DeletionTaskId": task.id}


@op("GetServiceLinkedRoleDeletionStatus")
def get_service_linked_role_deletion_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a deletion was done: nobody deletes a role that its service still needs."""
    task = ctx.db[DeletionTask].need(req["DeletionTaskId"])
    if not task.usage:
        return {"Status": "SUCCEEDED"}
    listed = [{"Region": region, "Resources": list(resources)} for region, resources in task.usage]
    why = "The role could not be deleted because it is in use by resources of its service."
    return {"Status": "FAILED", "Reason": {"Reason": why, "RoleUsageList": listed}}
