"""Attach and detach: checked here, done by the volume's reconciler on the running machine.

https://docs.aws.amazon.com/ebs/latest/userguide/ebs-attaching-volume.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.volumes import keys, rules
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.services.ec2.volumes.views import show_attachment

SHARED_LIMIT = 28
"""Volumes and interfaces that a Nitro instance holds together, where its type says nothing else."""


@op("AttachVolume")
def attach_volume(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give an instance a volume of its zone under a device name."""
    volume = need(ctx, Volume, req["VolumeId"])
    vm = need(ctx, Instance, req["InstanceId"])
    device = rules.device_name(req["Device"])
    if volume.instance_id:
        raise AwsError("VolumeInUse", f"{volume.id} is already attached to an instance")
    if volume.state != "available":
        raise AwsError("IncorrectState", f"{volume.id} is not 'available'.")
    if vm.state not in ("running", "stopped"):
        raise AwsError("IncorrectState", f"Instance '{vm.id}' is not 'running'.")
    if volume.zone != vm.zone:
        raise AwsError(
            "InvalidVolume.ZoneMismatch",
            f"The volume '{volume.id}' is not in the same availability zone as instance '{vm.id}'",
        )
    _free_point(ctx, vm, volume, device)
    keys.unlock(ctx, volume.id, volume.kms_key_id, volume.data_key)
    granted = keys.grant(ctx, volume.id, volume.kms_key_id)
    changed = replace(
        volume, instance_id=vm.id, device=device, attachment="attaching", attached=ctx.now, grant_id=granted
    )
    return show_attachment(ctx.db[Volume].put(changed))


def _free_point(ctx: Ctx, vm: Instance, volume: Volume, device: str) -> None:
    """Raise when the device name is taken, the instance is full, or the machine could not boot from the volume."""
    others = ctx.db[Volume].all(instance_id=vm.id)
    if any(rules.point(other.device) == rules.point(device) for other in others):
        raise errors.invalid_value(
            f"Invalid value '{device}' for unixDevice. Attachment point {device} is already in use"
        )
    if len(others) + len(ctx.db[NetworkInterface].all(instance_id=vm.id)) >= SHARED_LIMIT:
        raise AwsError("AttachmentLimitExceeded", f"The attachment limit of instance '{vm.id}' has been reached.")
    if rules.point(device) == rules.point(vm.root_device) and not volume.image_key:
        raise errors.not_built("Booting from a volume without a system")


@op("DetachVolume")
def detach_volume(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take a volume from its instance; one that the guest has mounted is waited for."""
    volume = need(ctx, Volume, req["VolumeId"])
    if not volume.instance_id:
        raise AwsError("IncorrectState", f"Volume '{volume.id}' is in the 'available' state.")
    vm = need(ctx, Instance, req.get("InstanceId") or volume.instance_id)
    device = req.get("Device") or volume.device
    if vm.id != volume.instance_id or rules.point(device) != rules.point(volume.device):
        raise AwsError(
            "InvalidAttachment.NotFound",
            f"The volume '{volume.id}' is not attached to instance '{vm.id}' as '{device}'",
        )
    if rules.point(volume.device) == rules.point(vm.root_device) and vm.state != "stopped":
        raise AwsError("OperationNotPermitted", f"Unable to detach root volume '{volume.id}' from instance '{vm.id}'")
    if volume.attachment == "attaching":
        raise AwsError("IncorrectState", f"Volume '{volume.id}' is in the 'attaching' state.")
    forced = volume.forced or bool(req.get("Force"))
    changed = ctx.db[Volume].put(replace(volume, attachment="detaching", forced=forced))
    return show_attachment(changed)
