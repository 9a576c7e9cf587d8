"""Condition keys of instances and volumes, stored and about to be.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import finds, resource_keys
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2.images.catalogue import find_image
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.launch_templates.merging import launch_keys as template_keys
from cloudjar.services.ec2.network_interfaces.making import default_group
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.volumes.planning import NewDisk, planned_disks
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.services.ec2.vpcs.making import default_subnet, default_vpc, open_region
from cloudjar.spec import regions


@resource_keys("ec2", "instance")
def _instance(vm: Instance) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "ec2:Region": vm.region,
        "ec2:InstanceID": vm.id,
        "ec2:InstanceType": vm.type,
        "ec2:AvailabilityZone": vm.zone,
        "ec2:EbsOptimized": "true" if vm.ebs_optimized else "false",
        "ec2:Tenancy": vm.tenancy,
        "ec2:RootDeviceType": "ebs",
        "ec2:InstanceMarketType": "spot" if vm.spot_request_id else "on-demand",
        "ec2:InstanceMetadataTags": vm.metadata.tags,
        "ec2:MetadataHttpTokens": vm.metadata.tokens,
        "ec2:MetadataHttpEndpoint": vm.metadata.endpoint,
        "ec2:MetadataHttpPutResponseHopLimit": str(vm.metadata.hop_limit),
        **_zone_id(vm.zone, vm.account),
    }
    if vm.profile is not None:
        keys["ec2:InstanceProfile"] = vm.profile.arn
    return keys


@resource_keys("ec2", "volume")
def _volume(volume: Volume) -> dict[str, Any]:
    return {
        "ec2:Region": volume.region,
        "ec2:VolumeID": volume.id,
        "ec2:AvailabilityZone": volume.zone,
        **_disk_keys(volume.region, volume),
        **_zone_id(volume.zone, volume.account),
    }


def _zone_id(name: str, account: str) -> dict[str, Any]:
    zone = regions.zone(name, account)
    return {} if zone is None else {"ec2:AvailabilityZoneId": zone.id}


def launch_keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keys of what a launch makes and of its image, as far as they can be told; each resource gets its own of them."""
    options = req.get("MetadataOptions") or {}
    keys = {
        "ec2:InstanceType": req.get("InstanceType") or "m1.small",
        "ec2:EbsOptimized": "true" if req.get("EbsOptimized") else "false",
        "ec2:Tenancy": (req.get("Placement") or {}).get("Tenancy") or "default",
        "ec2:RootDeviceType": "ebs",
        "ec2:InstanceMarketType": (req.get("InstanceMarketOptions") or {}).get("MarketType") or "on-demand",
        "ec2:InstanceProfile": _profile_arn(ctx, req.get("IamInstanceProfile") or {}),
        "ec2:MetadataHttpTokens": options.get("HttpTokens") or "required",
        "ec2:MetadataHttpEndpoint": options.get("HttpEndpoint") or "enabled",
        "ec2:MetadataHttpPutResponseHopLimit": str(options.get("HttpPutResponseHopLimit") or 2),
        "ec2:InstanceMetadataTags": options.get("InstanceMetadataTags") or "disabled",
        **template_keys(ctx, req),
        **_image_keys(ctx, req),
        **_place_keys(ctx, req),
    }
    return {name: value for name, value in keys.items() if value is not None}


def _profile_arn(ctx: Ctx, asked: dict[str, Any]) -> str | None:
    """The ARN of the instance profile that a request names by either."""
    if asked.get("Arn") or not asked.get("Name"):
        return asked.get("Arn")
    found = ctx.find("iam", "instance-profile", asked["Name"])
    return None if found is None else arn_of(found)


def _image_keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The image and the volume that is made of it; nothing for an image that is not there: the launch says so."""
    image = find_image(ctx, req.get("ImageId") or "")
    if image is None:
        return {}
    keys = {
        "ec2:ImageID": image.id,
        "ec2:ImageType": "machine",
        "ec2:Owner": image.facts.get("ImageOwnerAlias") or image.facts["OwnerId"],
        "ec2:Public": "true" if image.public else "false",
    }
    try:
        disks = planned_disks(ctx, req.get("BlockDeviceMappings") or [], image)
    except AwsError:
        return keys
    return {**keys, **_disk_keys(ctx.region, disks[0])}


def _disk_keys(region: str, disk: NewDisk | Volume) -> dict[str, Any]:
    keys = {
        "ec2:VolumeSize": str(disk.size),
        "ec2:VolumeType": disk.type,
        "ec2:VolumeIops": str(disk.iops),
        "ec2:VolumeThroughput": str(disk.throughput),
        "ec2:Encrypted": "true" if disk.encrypted else "false",
    }
    if disk.snapshot_id:
        keys["ec2:ParentSnapshot"] = arns.make("ec2", region, "", f"snapshot/{disk.snapshot_id}")
    return keys


def _place_keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Where it will be: the subnet says."""
    plug = (req.get("NetworkInterfaces") or [{}])[0]
    subnet = _subnet(ctx, req, plug)
    if subnet is None:
        return {}
    public = plug.get("AssociatePublicIpAddress")
    return {
        "ec2:AvailabilityZone": subnet.zone,
        "ec2:AvailabilityZoneId": subnet.zone_id,
        "ec2:Subnet": arn_of(subnet),
        "ec2:Vpc": arns.make("ec2", subnet.region, subnet.account, f"vpc/{subnet.vpc_id}"),
        "ec2:AssociatePublicIpAddress": "true" if (subnet.map_public_ip if public is None else public) else "false",
    }


def _subnet(ctx: Ctx, req: dict[str, Any], plug: dict[str, Any]) -> Subnet | None:
    named = plug.get("SubnetId") or req.get("SubnetId")
    if plug.get("NetworkInterfaceId"):
        eni = ctx.db[NetworkInterface].get(plug["NetworkInterfaceId"])
        named = None if eni is None else eni.subnet_id
    if named:
        return ctx.db[Subnet].get(named)
    open_region(ctx)
    return default_subnet(ctx, (req.get("Placement") or {}).get("AvailabilityZone") or "")


def new_profile_keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The instance profile that an instance is to get."""
    arn = _profile_arn(ctx, req.get("IamInstanceProfile") or {})
    return {} if arn is None else {"ec2:NewInstanceProfile": arn}


@finds("ec2:default-subnet")
def _default_subnet(ctx: Ctx, _: str) -> str | None:
    open_region(ctx)
    subnet = default_subnet(ctx)
    return None if subnet is None else arn_of(subnet)


@finds("ec2:default-security-group")
def _default_group(ctx: Ctx, _: str) -> str | None:
    open_region(ctx)
    vpc = default_vpc(ctx)
    return None if vpc is None else arn_of(default_group(ctx.db, vpc.id))
