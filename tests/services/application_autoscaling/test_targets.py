"""Scalable targets: what can be registered, what is shown, who may."""

from __future__ import annotations

import json
from typing import Any

from tests.services.application_autoscaling.conftest import SHOP, Shops
from tests.services.ec2.asking import refused

SUSPENDED = {
    "DynamicScalingInSuspended": True, "DynamicScalingOutSuspended": False, "ScheduledScalingSuspended": False,
}  # fmt: skip


def test_a_target_is_registered_changed_and_forgotten(shops: Shops) -> None:
    arn = shops.register(1, 4, Tags={"team": "a"})
    assert arn.startswith("arn:aws:application-autoscaling:eu-west-3:000000000000:scalable-target/")
    again = shops.api.register_scalable_target(**SHOP, MaxCapacity=6, SuspendedState=SUSPENDED)
    assert again["ScalableTargetARN"] == arn
    (shown,) = shops.api.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (shown["MinCapacity"], shown["MaxCapacity"], shown["ScalableTargetARN"]) == (1, 6, arn)
    assert shown["SuspendedState"] == SUSPENDED
    assert shown["RoleARN"].endswith(
        "role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
        "AWSServiceRoleForApplicationAutoScaling_ECSService"
    )
    assert shops.api.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "a"}
    shops.api.tag_resource(ResourceARN=arn, Tags={"stage": "test"})
    shops.api.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert shops.api.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"stage": "test"}
    shops.api.deregister_scalable_target(**SHOP)
    assert shops.api.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    assert refused(shops.api.deregister_scalable_target, **SHOP) == (
        "ObjectNotFoundException",
        "No scalable target registered for service namespace: ecs, resource ID: service/shop/web, scalable dimension: "
        "ecs:service:DesiredCount.",
    )
    assert refused(shops.api.list_tags_for_resource, ResourceARN=arn)[0] == "ResourceNotFoundException"
    assert shops.copies == 2


def test_what_cannot_be_scaled_is_refused(shops: Shops) -> None:
    register = shops.api.register_scalable_target
    bounds = {"MinCapacity": 1, "MaxCapacity": 2}
    message = "Unsupported service namespace, resource type or scalable dimension"
    for wrong in (
        {"ResourceId": "table/a"},
        {"ServiceNamespace": "ec2"},
        {"ServiceNamespace": "rds", "ResourceId": "cluster:a", "ScalableDimension": "rds:cluster:ReadReplicaCount"},
    ):
        assert refused(register, **{**SHOP, **wrong}, **bounds) == ("ValidationException", message)
    assert "does not exist" in refused(register, **{**SHOP, "ResourceId": "service/shop/none"}, **bounds)[1]
    assert refused(register, **SHOP, MinCapacity=1)[0] == "ValidationException"
    assert refused(register, **SHOP, MinCapacity=3, MaxCapacity=2) == (
        "ValidationException", "Maximum capacity cannot be less than minimum capacity",
    )  # fmt: skip
    custom = {"ServiceNamespace": "custom-resource", "ResourceId": "https://example.com/prod/a",
              "ScalableDimension": "custom-resource:ResourceType:Property"}  # fmt: skip
    assert refused(register, **custom, **bounds)[0] == "NotImplemented"


def test_a_policy_may_be_about_one_target(shops: Shops) -> None:
    iam = shops.jar.client("iam")
    arn = shops.register()
    iam.create_user(UserName="ann")
    allowed: dict[str, Any] = {
        "Effect": "Allow", "Action": "application-autoscaling:*", "Resource": arn,
        "Condition": {"StringEquals": {"application-autoscaling:service-namespace": "ecs"}},
    }  # fmt: skip
    text = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=text)
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = shops.jar.client("application-autoscaling", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    ann.register_scalable_target(**SHOP, MaxCapacity=5)
    other = {**SHOP, "ResourceId": "service/shop/other"}
    assert refused(ann.register_scalable_target, **other, MinCapacity=1, MaxCapacity=2)[0] == "AccessDeniedException"


def test_the_role_stays_while_a_target_needs_it(shops: Shops) -> None:
    iam = shops.jar.client("iam")
    arn = shops.register()
    name = "AWSServiceRoleForApplicationAutoScaling_ECSService"
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    told = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    assert told["Status"] == "FAILED"
    assert told["Reason"]["RoleUsageList"] == [{"Region": "eu-west-3", "Resources": [arn]}]
