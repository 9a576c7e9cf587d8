"""Condition keys of instances and volumes, stored and about to be.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import finds, resource_keys
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.network_interfaces.making import default_group
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.services.ec2.vpcs.making import default_subnet, default_vpc, open_region


@resource_keys("ec2", "instance")
def _instance(vm: Instance) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "ec2:Region": vm.region,
        "ec2:InstanceID": vm.id,
        "ec2:InstanceType": vm.type,
        "ec2:AvailabilityZone": vm.zone,
        "ec2:EbsOptimized": "true" if vm.ebs_optimized else "false",
        "ec2:Tenancy": "default",
        "ec2:RootDeviceType": "ebs",
        "ec2:MetadataHttpTokens": vm.metadata.tokens,
        "ec2:MetadataHttpEndpoint": vm.metadata.endpoint,
        "ec2:MetadataHttpPutResponseHopLimit": str(vm.metadata.hop_limit),
    }
    if vm.profile is not None:
        keys["ec2:InstanceProfile"] = vm.profile.arn
    return keys


@resource_keys("ec2", "volume")
def _volume(volume: Volume) -> dict[str, Any]:
    return {
        "ec2:Region": volume.region,
        "ec2:VolumeID": volume.id,
        "ec2:VolumeSize": str(volume.size),
        "ec2:VolumeType": volume.type,
        "ec2:VolumeIops": str(volume.iops),
        "ec2:AvailabilityZone": volume.zone,
        "ec2:Encrypted": "true" if volume.encrypted else "false",
    }


def launch_keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keys of an instance that is about to be, as far as the request says."""
    options = req.get("MetadataOptions") or {}
    keys = {
        "ec2:Region": ctx.region,
        "ec2:InstanceType": req.get("InstanceType") or "m1.small",
        "ec2:EbsOptimized": "true" if req.get("EbsOptimized") else "false",
        "ec2:Tenancy": (req.get("Placement") or {}).get("Tenancy") or "default",
        "ec2:RootDeviceType": "ebs",
        "ec2:InstanceProfile": (req.get("IamInstanceProfile") or {}).get("Arn"),
        "ec2:MetadataHttpTokens": options.get("HttpTokens") or "required",
        "ec2:MetadataHttpEndpoint": options.get("HttpEndpoint") or "enabled",
    }
    return {name: value for name, value in keys.items() if value is not None}


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
