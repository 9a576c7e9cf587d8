"""DescribeLaunchTemplates, DescribeLaunchTemplateVersions, GetLaunchTemplateData."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.instances.views import around, show_instance
from cloudjar.services.ec2.launch_templates.finding import DEFAULT, LATEST, need_by_name, need_template, need_version
from cloudjar.services.ec2.launch_templates.merging import PARAMETER
from cloudjar.services.ec2.launch_templates.records import LaunchTemplate, LaunchTemplateVersion
from cloudjar.services.ec2.launch_templates.views import (
    TEMPLATE_FILTERS,
    VERSION_FILTERS,
    show_template,
    show_version,
)
from cloudjar.services.ec2.lookup import Row, narrow, need, need_all

View = dict[str, Any]


@op("DescribeLaunchTemplates")
def describe_launch_templates(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Templates by id, by name, or all."""
    if req.get("LaunchTemplateIds"):
        items = need_all(ctx, LaunchTemplate, req["LaunchTemplateIds"])
    elif req.get("LaunchTemplateNames"):
        items = [need_by_name(ctx, name) for name in dict.fromkeys(req["LaunchTemplateNames"])]
    else:
        items = ctx.db[LaunchTemplate].all()
    rows = [Row(item.tags, show_template(item)) for item in items]
    return {"LaunchTemplates": narrow(req, TEMPLATE_FILTERS, rows)}


@op("DescribeLaunchTemplateVersions")
def describe_launch_template_versions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Versions of one template, newest first; of all templates only ``$Latest`` and ``$Default``."""
    asked = req.get("Versions") or []
    if asked and (req.get("MinVersion") or req.get("MaxVersion")):
        raise errors.combination("Versions cannot be specified together with MinVersion or MaxVersion.")
    if req.get("LaunchTemplateId") or req.get("LaunchTemplateName"):
        template = need_template(ctx, req)
        chosen = [(template, version) for version in _of(ctx, template, req)]
    else:
        if not asked or not set(asked) <= {DEFAULT, LATEST}:
            raise errors.missing(
                "Without a launch template, only the versions '$Latest' and '$Default' can be described."
            )
        templates = ctx.db[LaunchTemplate].all()
        chosen = [(t, version) for t in templates for version in _named(ctx, t, asked)]
    views = [show_version(*pair) for pair in chosen]
    if req.get("ResolveAlias"):
        views = [_resolved(ctx, view) for view in views]
    return {"LaunchTemplateVersions": narrow(req, VERSION_FILTERS, [Row({}, view) for view in views])}


def _of(ctx: Ctx, template: LaunchTemplate, req: dict[str, Any]) -> list[LaunchTemplateVersion]:
    if req.get("Versions"):
        return _named(ctx, template, req["Versions"])
    low, high = int(req.get("MinVersion") or 1), int(req.get("MaxVersion") or template.made)
    found = ctx.db[LaunchTemplateVersion].all(template_id=template.id)
    found.sort(key=lambda version: -version.number)
    return [version for version in found if low <= version.number <= high]


def _named(ctx: Ctx, template: LaunchTemplate, asked: Iterable[str]) -> list[LaunchTemplateVersion]:
    found = {version.number: version for version in (need_version(ctx, template, text) for text in asked)}
    return list(found.values())


def _resolved(ctx: Ctx, view: View) -> View:
    """A version whose image is named by a parameter, with the image that the parameter names now."""
    data = view["LaunchTemplateData"]
    image = data.get("ImageId") or ""
    if not image.startswith(PARAMETER):
        return view
    name = image.removeprefix(PARAMETER)
    found = ctx.call("ssm", "GetParameters", {"Names": [name]}, via="ec2.amazonaws.com").get("Parameters")
    return {**view, "LaunchTemplateData": {**data, "ImageId": found[0]["Value"]}} if found else view


@op("GetLaunchTemplateData")
def get_launch_template_data(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What a template would have to say to launch an instance like this one."""
    vm = need(ctx, Instance, req["InstanceId"])
    view = show_instance(vm, around(ctx.db, ctx.account, ctx.region, [vm.id]))
    placed = {name: value for name, value in view["Placement"].items() if name != "AvailabilityZoneId" and value}
    options = {name: value for name, value in view["MetadataOptions"].items() if name != "State"}
    data: View = {
        "ImageId": vm.image_id,
        "InstanceType": vm.type,
        "KeyName": vm.key_name or None,
        "EbsOptimized": vm.ebs_optimized,
        "IamInstanceProfile": {"Arn": vm.profile.arn} if vm.profile else None,
        "BlockDeviceMappings": _devices(ctx, vm, view),
        "NetworkInterfaces": [_interface(eni) for eni in view["NetworkInterfaces"]],
        "Monitoring": {"Enabled": vm.monitoring},
        "Placement": placed,
        "DisableApiTermination": vm.termination_protected,
        "DisableApiStop": vm.stop_protected,
        "InstanceInitiatedShutdownBehavior": vm.shutdown_behavior,
        "UserData": base64.b64encode(vm.user_data).decode() if vm.user_data else None,
        "TagSpecifications": _tagged(vm),
        "CreditSpecification": {"CpuCredits": vm.credits} if vm.credits else None,
        "CpuOptions": view["CpuOptions"],
        "CapacityReservationSpecification": view["CapacityReservationSpecification"],
        "HibernationOptions": view["HibernationOptions"],
        "MetadataOptions": options,
        "EnclaveOptions": view["EnclaveOptions"],
        "PrivateDnsNameOptions": view["PrivateDnsNameOptions"],
        "MaintenanceOptions": view["MaintenanceOptions"],
    }
    return {"LaunchTemplateData": {name: value for name, value in data.items() if value is not None}}


def _tagged(vm: Instance) -> list[View] | None:
    own = {key: value for key, value in vm.tags.items() if not key.startswith("aws:")}
    return [{"ResourceType": "instance", "Tags": tags.as_list(own)}] if own else None


def _devices(ctx: Ctx, vm: Instance, view: View) -> list[View]:
    near = around(ctx.db, ctx.account, ctx.region, [vm.id])
    return [
        {
            "DeviceName": volume.device,
            "Ebs": {
                "DeleteOnTermination": volume.delete_on_termination,
                "Encrypted": volume.encrypted,
                "Iops": volume.iops or None,
                "SnapshotId": volume.snapshot_id or None,
                "Throughput": volume.throughput or None,
                "VolumeSize": volume.size,
                "VolumeType": volume.type,
            },
        }
        for volume in near.volumes.get(vm.id, ())
    ]


def _interface(eni: View) -> View:
    return {
        "AssociatePublicIpAddress": bool((eni.get("Association") or {}).get("PublicIp")),
        "DeleteOnTermination": eni["Attachment"]["DeleteOnTermination"],
        "Description": eni.get("Description") or "",
        "DeviceIndex": eni["Attachment"]["DeviceIndex"],
        "Groups": [group["GroupId"] for group in eni["Groups"]],
        "InterfaceType": "interface",
        "NetworkCardIndex": 0,
        "SubnetId": eni["SubnetId"],
    }
