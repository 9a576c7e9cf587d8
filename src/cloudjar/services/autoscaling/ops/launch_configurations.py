"""Launch configurations: made, listed, deleted; never changed.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-configurations.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors, linked_role, origin
from cloudjar.services.autoscaling.records import Group, LaunchConfiguration
from cloudjar.services.autoscaling.views import show_configuration

_NOT_BUILT = ("ClassicLinkVPCId", "ClassicLinkVPCSecurityGroups", "KernelId", "RamdiskId", "SpotPrice")


@op("CreateLaunchConfiguration")
def create_launch_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep how instances are to be launched; whether EC2 will have it so shows at the first launch."""
    for member in _NOT_BUILT:
        if req.get(member):
            raise errors.not_built(f"The parameter {member} of a launch configuration")
    if req.get("PlacementTenancy") not in (None, "", "default"):
        raise errors.not_built("A PlacementTenancy other than default")
    name = req["LaunchConfigurationName"]
    if ctx.db[LaunchConfiguration].get(name) is not None:
        raise errors.configuration_exists(name)
    if req.get("InstanceId"):
        caller = ctx.as_role(linked_role.make(ctx), service=linked_role.PRINCIPAL, session_name="AutoScaling")
        origin.copied(ctx, name, req, caller)
        return {}
    for member in ("ImageId", "InstanceType"):
        if not req.get(member):
            raise errors.invalid("Valid requests must contain either the InstanceID parameter or both the ImageId "
                                 "and InstanceType parameters.")  # fmt: skip
    spec = {key: value for key, value in req.items() if key != "LaunchConfigurationName" and value is not None}
    made = LaunchConfiguration(name=name, uuid=ids.uuid4(), spec=spec, created=ctx.now)
    ctx.db[LaunchConfiguration].add(made)
    return {}


@op("DescribeLaunchConfigurations")
def describe_launch_configurations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Those that are named and there, or all."""
    wanted = req.get("LaunchConfigurationNames")
    found = [c for c in ctx.db[LaunchConfiguration].all() if not wanted or c.name in wanted]
    return {"LaunchConfigurations": [show_configuration(item) for item in found]}


@op("DeleteLaunchConfiguration")
def delete_launch_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete it; no group may be using it."""
    item = ctx.db[LaunchConfiguration].need(req["LaunchConfigurationName"])
    for group in ctx.db[Group].all():
        if group.launch_configuration == item.name:
            raise errors.in_use(
                f"Cannot delete launch configuration {item.name} because it is attached to AutoScalingGroup "
                f"{group.name}"
            )
    ctx.db[LaunchConfiguration].drop(item)
    return {}
