"""What a group launches from: a launch configuration, a launch template, several types of one, or an instance.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-templates.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.autoscaling import errors, linked_role, mixing
from cloudjar.services.autoscaling.records import Group, LaunchConfiguration

_SOURCES = ("LaunchConfigurationName", "LaunchTemplate", "MixedInstancesPolicy", "InstanceId")
_NOTHING: dict[str, Any] = {
    "launch_configuration": "", "template_id": "", "template_name": "", "template_version": "", "mixed": None,
}  # fmt: skip
_MALFORMED = "You must use a valid fully-formed launch template."


def of_request(ctx: Ctx, req: Mapping[str, Any], role: str, before: Group | None) -> dict[str, Any]:
    """The fields of a group that say what it launches from; nothing when an update says nothing of it."""
    given = [name for name in _SOURCES if req.get(name)]
    if not given and before is not None:
        return {}
    if len(given) != 1:
        raise errors.invalid(
            "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or "
            "MixedInstancesPolicy parameter."
        )
    caller = ctx.as_role(role, service=linked_role.PRINCIPAL, session_name="AutoScaling")
    subnet = (req.get("VPCZoneIdentifier") or ",".join(before.subnets if before else ())).partition(",")[0].strip()
    match given[0]:
        case "LaunchConfigurationName":
            name = ctx.db[LaunchConfiguration].need(req["LaunchConfigurationName"]).name
            return {**_NOTHING, "launch_configuration": name}
        case "InstanceId":
            return {**_NOTHING, "launch_configuration": copied(ctx, req["AutoScalingGroupName"], req, caller).name}
        case "LaunchTemplate":
            found = named(ctx, req["LaunchTemplate"], caller, subnet)
            return {**_NOTHING, **{field: found[member] for member, field in _FIELDS.items()}}
    return {**_NOTHING, "mixed": _mixed(ctx, req, before, caller, subnet)}


_FIELDS = {
    "LaunchTemplateId": "template_id", "LaunchTemplateName": "template_name", "Version": "template_version",
}  # fmt: skip


def _mixed(
    ctx: Ctx, req: Mapping[str, Any], before: Group | None, caller: Caller, subnet: str
) -> dict[str, Any]:
    known = before.mixed if before else None
    given = req["MixedInstancesPolicy"]
    policy = mixing.checked(given, known)
    if known is not None and not given.get("LaunchTemplate"):
        return {**policy, "LaunchTemplate": known["LaunchTemplate"]}
    template = policy["LaunchTemplate"]
    overrides = template.get("Overrides") or []
    spec = template["LaunchTemplateSpecification"]
    if not given["LaunchTemplate"].get("LaunchTemplateSpecification"):
        spec = {name: value for name, value in spec.items() if name != "LaunchTemplateName"}  # by its id
    own = named(ctx, spec, caller, subnet, imaged=_own_images(overrides))
    spelt = []
    for override in overrides:
        its = override.get("LaunchTemplateSpecification")
        spelt.append({**override, "LaunchTemplateSpecification": named(ctx, its, caller, subnet)} if its else override)
    return {**policy, "LaunchTemplate": {"LaunchTemplateSpecification": own, "Overrides": spelt}}


def _own_images(overrides: list[dict[str, Any]]) -> bool:
    return bool(overrides) and all(o.get("ImageId") or o.get("LaunchTemplateSpecification") for o in overrides)


def named(
    ctx: Ctx, given: Mapping[str, Any], caller: Caller, subnet: str, *, imaged: bool = False
) -> dict[str, str]:
    """A template of a request, whole: it must be there, say what to launch, and whoever asks must be allowed to."""
    by_id, by_name = given.get("LaunchTemplateId"), given.get("LaunchTemplateName")
    if bool(by_id) == bool(by_name):
        raise errors.invalid("Valid requests must contain either launchTemplateId or LaunchTemplateName")
    which = {"LaunchTemplateId": by_id} if by_id else {"LaunchTemplateName": by_name}
    version = given.get("Version") or "$Default"
    try:
        asked = {**which, "Versions": [version]}
        versions = ctx.call("ec2", "DescribeLaunchTemplateVersions", asked, caller=caller)["LaunchTemplateVersions"]
    except AwsError as error:
        raise errors.invalid(f"{_MALFORMED} {error.message}") from None
    if not versions:
        raise errors.invalid(f"{_MALFORMED} The specified launch template version {version} does not exist.")
    if not imaged and not versions[0]["LaunchTemplateData"].get("ImageId"):
        raise errors.invalid(f"{_MALFORMED} The request must contain the parameter ImageId")
    _may_launch(ctx, {"LaunchTemplate": {**which, "Version": version}}, subnet, str(by_id or by_name))
    found = versions[0]
    return {
        "LaunchTemplateId": found["LaunchTemplateId"],
        "LaunchTemplateName": found["LaunchTemplateName"],
        "Version": given.get("Version") or "",
    }


def _may_launch(ctx: Ctx, params: Mapping[str, Any], subnet: str, what: str) -> None:
    """Whoever has a group launch something must be allowed to launch it, and to pass its role."""
    where = {"SubnetId": subnet} if subnet else {}
    asked = {**params, **where, "MinCount": 1, "MaxCount": 1, "DryRun": True}
    try:
        ctx.call("ec2", "RunInstances", asked, via=linked_role.PRINCIPAL)
    except AwsError as error:
        if error.code == "UnauthorizedOperation":
            raise AwsError("AccessDenied", f"You are not authorized to use launch template: {what}", 403) from None
        if error.code != "DryRunOperation":
            raise errors.invalid(f"{_MALFORMED} {error.message}") from None


# -- from an instance
def copied(ctx: Ctx, name: str, req: Mapping[str, Any], caller: Caller) -> LaunchConfiguration:
    """A new launch configuration like an instance, but for what the request says otherwise."""
    instance_id = req["InstanceId"]
    if ctx.db[LaunchConfiguration].get(name) is not None:
        raise errors.configuration_exists(name)
    try:
        found = ctx.call("ec2", "DescribeInstances", {"InstanceIds": [instance_id]}, caller=caller)
    except AwsError:
        found = {"Reservations": []}
    if not found["Reservations"]:
        raise errors.invalid(f"Invalid Instance ID(s): [{instance_id}] specified")
    spec = _like(found["Reservations"][0]["Instances"][0])
    asked = {"InstanceId": instance_id, "Attribute": "userData"}
    data = ctx.call("ec2", "DescribeInstanceAttribute", asked, caller=caller).get("UserData") or {}
    if data.get("Value"):
        spec["UserData"] = data["Value"]
    profile = spec.get("IamInstanceProfile")
    if profile and not req.get("IamInstanceProfile"):  # one that is named by the request is asked for by the table
        passed = {"ImageId": spec["ImageId"], "InstanceType": spec["InstanceType"]}
        _may_launch(ctx, {**passed, "IamInstanceProfile": {"Arn": profile}}, "", instance_id)
    own = {k: v for k, v in req.items() if v is not None and k in _CONFIGURATION}
    made = LaunchConfiguration(name=name, uuid=ids.uuid4(), spec={**spec, **own}, created=ctx.now)
    return ctx.db[LaunchConfiguration].add(made)


_CONFIGURATION = (
    "ImageId", "KeyName", "SecurityGroups", "UserData", "InstanceType", "BlockDeviceMappings", "InstanceMonitoring",
    "IamInstanceProfile", "EbsOptimized", "AssociatePublicIpAddress", "MetadataOptions",
)  # fmt: skip


def _like(vm: Mapping[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "ImageId": vm["ImageId"],
        "InstanceType": vm["InstanceType"],
        "SecurityGroups": [group["GroupId"] for group in vm.get("SecurityGroups") or ()],
        "EbsOptimized": bool(vm.get("EbsOptimized")),
        "InstanceMonitoring": {"Enabled": (vm.get("Monitoring") or {}).get("State") == "enabled"},
    }
    if vm.get("KeyName"):
        spec["KeyName"] = vm["KeyName"]
    if vm.get("IamInstanceProfile"):
        spec["IamInstanceProfile"] = vm["IamInstanceProfile"]["Arn"]
    return spec
