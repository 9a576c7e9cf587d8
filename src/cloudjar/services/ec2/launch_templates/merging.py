"""What a launch asks for that names a launch template: the template's data, and what the request says above it.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-launch-templates.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.launch_templates.finding import DEFAULT, need_template, need_version
from cloudjar.services.ec2.launch_templates.records import LaunchTemplate, LaunchTemplateVersion

Data = dict[str, Any]

_RENAMED = {"RamDiskId": "RamdiskId", "ElasticGpuSpecifications": "ElasticGpuSpecification"}
"""Members of a template that a launch spells otherwise."""
_FOR_REQUESTS = frozenset(("spot-instances-request",))
_NOT_OF_LAUNCH = ("InstanceRequirements",)
_SUBNETS = ("SubnetId", "SecurityGroupIds", "SecurityGroups", "PrivateIpAddress")
PARAMETER = "resolve:ssm:"


def named_version(ctx: Ctx, asked: Mapping[str, Any]) -> tuple[LaunchTemplate, LaunchTemplateVersion]:
    """The version that a LaunchTemplateSpecification names; without a number the default one."""
    template = need_template(ctx, asked)
    return template, need_version(ctx, template, asked.get("Version") or DEFAULT)


def complete(ctx: Ctx, req: Data) -> Data:
    """A launch request with what its template says. One that cannot be found is left to the launch to refuse.

    Runs before the caller is asked what he may do, for it says on what: the template's image, subnet, role.
    """
    asked = req.get("LaunchTemplate")
    if asked:
        try:
            _, version = named_version(ctx, asked)
        except AwsError:
            return req
        req = merged(for_launch(version.data, spot=bool(req.get("InstanceMarketOptions"))), req)
    image = req.get("ImageId") or ""
    return {**req, "ImageId": _parameter(ctx, image)} if image.startswith(PARAMETER) else req


def for_launch(data: Mapping[str, Any], *, spot: bool = False) -> Data:
    """A template's data as members of RunInstances; tags for a spot request are for who makes one (`spot`: the launch
    does, if not the template)."""
    left_out = frozenset() if spot or data.get("InstanceMarketOptions") else _FOR_REQUESTS
    found = {_RENAMED.get(name, name): value for name, value in data.items() if name not in _NOT_OF_LAUNCH}
    specified = [t for t in data.get("TagSpecifications") or () if t.get("ResourceType") not in left_out]
    return {**found, "TagSpecifications": specified} if specified else found


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Data:
    """`base` with the members of `over` above it. Devices are merged by name, tags by type and key; any other member
    is taken whole from one of the two."""
    found = {**base, **{name: value for name, value in over.items() if value is not None}}
    if base.get("BlockDeviceMappings") and over.get("BlockDeviceMappings"):
        found["BlockDeviceMappings"] = _devices(base["BlockDeviceMappings"], over["BlockDeviceMappings"])
    if base.get("TagSpecifications") and over.get("TagSpecifications"):
        found["TagSpecifications"] = _tags(base["TagSpecifications"], over["TagSpecifications"])
    if base.get("NetworkInterfaces") and not over.get("NetworkInterfaces") and over.get("SubnetId"):
        raise errors.combination(
            "Network interfaces and an instance-level subnet ID may not be specified on the same request"
        )
    if over.get("NetworkInterfaces"):  # an interface of the request stands for what the template says of the network
        for name in _SUBNETS:
            if name in base and name not in over:
                found.pop(name, None)
    return found


def _devices(base: Iterable[Data], over: Iterable[Data]) -> list[Data]:
    found = {device.get("DeviceName"): device for device in base}
    for device in over:
        before = found.get(device.get("DeviceName"), {})
        if device.get("Ebs") and before.get("Ebs") and not device.get("NoDevice"):
            device = {**before, **device, "Ebs": {**before["Ebs"], **device["Ebs"]}}
        found[device.get("DeviceName")] = device
    return list(found.values())


def _tags(base: Iterable[Data], over: Iterable[Data]) -> list[Data]:
    found: dict[str, dict[str, Data]] = {}
    for spec in base:
        found.setdefault(spec.get("ResourceType", ""), {}).update({t.get("Key", ""): t for t in spec.get("Tags") or ()})
    asked: list[Data] = []
    for spec in over:
        held = found.pop(spec.get("ResourceType", ""), {})
        given = {t.get("Key") for t in spec.get("Tags") or ()}
        kept = [tag for key, tag in held.items() if key not in given]
        asked.append({**spec, "Tags": [*kept, *(spec.get("Tags") or ())]})
    left = [{"ResourceType": kind, "Tags": list(held.values())} for kind, held in found.items()]
    return [*left, *asked]


def _parameter(ctx: Ctx, image: str) -> str:
    """The image that a parameter of Systems Manager names, read with the caller's own permission."""
    name = image.removeprefix(PARAMETER)
    answer = ctx.call("ssm", "GetParameters", {"Names": [name]}, via="ec2.amazonaws.com")
    if not answer.get("Parameters"):
        raise errors.invalid_parameter(image, "imageId", f"The parameter {name} does not exist.")
    return str(answer["Parameters"][0]["Value"])


_NEUTRAL = frozenset(
    ("LaunchTemplate", "MinCount", "MaxCount", "ClientToken", "DryRun", "TagSpecifications", "ImageId")
)


def launch_keys(ctx: Ctx, req: Mapping[str, Any]) -> dict[str, str]:
    """``ec2:LaunchTemplate`` and whether all that the launch uses is the template's own."""
    asked = req.get("LaunchTemplate")
    if not asked:
        return {"ec2:IsLaunchTemplateResource": "false"}
    try:
        template, version = named_version(ctx, asked)
    except AwsError:
        return {"ec2:IsLaunchTemplateResource": "false"}
    data = for_launch(version.data)
    image = data.get("ImageId") or ""
    own = all(data.get(name) == value for name, value in req.items() if name not in _NEUTRAL and value is not None)
    own = own and (image.startswith(PARAMETER) or req.get("ImageId") == image)
    return {
        "ec2:LaunchTemplate": ctx.arn(template),
        "ec2:IsLaunchTemplateResource": "true" if own else "false",
    }
