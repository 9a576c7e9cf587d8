"""Replacing the root volume of a running instance: by its state at the launch, a snapshot, an image or a volume.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.catalogue import need_image, unavailable
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.services.ec2.root_volumes.records import ReplaceRootTask, Source
from cloudjar.services.ec2.snapshots.finding import usable
from cloudjar.services.ec2.snapshots.records import Snapshot
from cloudjar.services.ec2.volumes import keys, rules
from cloudjar.services.ec2.volumes.planning import NewDisk, make_disk
from cloudjar.services.ec2.volumes.quota import check_storage
from cloudjar.services.ec2.volumes.records import Volume

_FILTERS = by_path({"instance-id": "InstanceId"})


@op("CreateReplaceRootVolumeTask")
def create_replace_root_volume_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a running instance boot from another root volume; its interfaces, data volumes and id stay."""
    errors.refuse(req, "VolumeInitializationRate")
    if sum(1 for name in ("SnapshotId", "ImageId", "VolumeId") if req.get(name)) > 1:
        raise errors.combination("Only one of SnapshotId, ImageId and VolumeId may be specified.")
    vm = need(ctx, Instance, req["InstanceId"])
    if vm.state != "running":
        raise AwsError("IncorrectInstanceState", f"The instance '{vm.id}' is not in the 'running' state.")
    past = ctx.db[ReplaceRootTask].all(instance_id=vm.id)
    if any(task.open for task in past):
        raise AwsError("IncorrectInstanceState", f"The root volume of '{vm.id}' is being replaced already.")
    old = _root(ctx, vm)
    done = sorted((task for task in past if task.state == "succeeded"), key=lambda task: task.started)
    launch = done[0].launch if done else _made_of(ctx, old)
    if req.get("VolumeId"):
        new = _named(ctx, vm, req["VolumeId"])
    else:
        new = _new(ctx, vm, old, _source(ctx, vm, req, launch, {one.old_volume for one in done} | {old.id}))
    made = ctx.db[ReplaceRootTask].add(
        ReplaceRootTask(
            id=ctx.new_id("replacevol"),
            instance_id=vm.id,
            started=ctx.now,
            image_id=req.get("ImageId") or "",
            snapshot_id=req.get("SnapshotId") or "",
            old_volume=old.id,
            new_volume=new.id,
            made=not req.get("VolumeId"),
            delete_old=bool(req.get("DeleteReplacedRootVolume")),
            launch=launch,
            client_token=req.get("ClientToken") or "",
            tags=tags.specified(req, "replace-root-volume-task"),
        )
    )
    return {"ReplaceRootVolumeTask": show_task(made)}


def _root(ctx: Ctx, vm: Instance) -> Volume:
    volumes = ctx.db[Volume].all(instance_id=vm.id)
    return next(one for one in volumes if rules.point(one.device) == rules.point(vm.root_device))


def _made_of(ctx: Ctx, root: Volume) -> Source:
    snapshot = ctx.db.find(Snapshot, root.source) if root.source else None
    size = snapshot.size if snapshot else root.size
    return Source(snapshot_id=root.snapshot_id, own=bool(root.source), image_key=root.image_key, size=size)


def _source(ctx: Ctx, vm: Instance, req: dict[str, Any], launch: Source, lineage: set[str]) -> Source:
    """What the new volume is to be made of; raises for what the instance could not boot, or is not its own past."""
    if req.get("ImageId"):
        image = need_image(ctx, req["ImageId"])
        if image.architecture != vm.architecture:
            raise errors.invalid_value(
                f"The architecture '{image.architecture}' of the image does not match that of the instance, "
                f"'{vm.architecture}'."
            )
        if why := unavailable(ctx, image):
            raise AwsError("InvalidAMIID.Unavailable", f"The image {image.id} cannot be used: {why}")
        root = image.disks[0]
        own = image.own is not None and bool(root.snapshot_id)
        return Source(snapshot_id=root.snapshot_id, own=own, image_key=image.key, size=root.size)
    if req.get("SnapshotId"):
        snapshot = usable(ctx, req["SnapshotId"])
        if snapshot.volume_id not in lineage or snapshot.copied_from:
            raise errors.invalid_value(
                f"The snapshot '{snapshot.id}' was not created from a root volume of the instance '{vm.id}'."
            )
        return Source(snapshot_id=snapshot.id, own=True, image_key=snapshot.image_key, size=snapshot.size)
    return launch


def _new(ctx: Ctx, vm: Instance, old: Volume, source: Source) -> Volume:
    """The replacement: of the old one's type, at least as large, not attached yet."""
    snapshot = usable(ctx, source.snapshot_id) if source.own else None
    size = max(old.size, source.size)
    check_storage(ctx, old.type, size)
    key = old.kms_key_id if old.encrypted else keys.wanted(
        ctx, {}, source_encrypted=bool(snapshot and snapshot.encrypted),
        source_key=snapshot.kms_key_id if snapshot and snapshot.account == ctx.account else "",
    )  # fmt: skip
    disk = NewDisk(
        old.device, size, old.type, old.iops, old.throughput, source.snapshot_id, snapshot, key,
        old.delete_on_termination,
    )  # fmt: skip
    made = make_disk(ctx, disk, instance_id="", zone=vm.zone, image_key=source.image_key, tags={})
    return ctx.db[Volume].put(replace(made, device="", attachment="", attached=None))


def _named(ctx: Ctx, vm: Instance, volume_id: str) -> Volume:
    """A volume that somebody has prepared, with a system on it."""
    volume = need(ctx, Volume, volume_id)
    if volume.instance_id:
        raise AwsError("VolumeInUse", f"{volume.id} is already attached to an instance")
    if volume.state != "available":
        raise AwsError("IncorrectState", f"{volume.id} is not 'available'.")
    if volume.zone != vm.zone:
        raise AwsError(
            "InvalidVolume.ZoneMismatch",
            f"The volume '{volume.id}' is not in the same availability zone as instance '{vm.id}'",
        )
    if not volume.image_key:
        raise errors.not_built("Booting from a volume without a system")
    keys.unlock(ctx, volume.id, volume.kms_key_id, volume.data_key)
    return ctx.db[Volume].put(replace(volume, grant_id=keys.grant(ctx, volume.id, volume.kms_key_id)))


@op("DescribeReplaceRootVolumeTasks")
def describe_replace_root_volume_tasks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replacements by id and filters, as long as their instances are told of."""
    shown = describe(ctx, req, ReplaceRootTask, "ReplaceRootVolumeTaskIds", show_task, _FILTERS)
    return {"ReplaceRootVolumeTasks": shown}


def show_task(task: ReplaceRootTask) -> dict[str, Any]:
    """AWS's ReplaceRootVolumeTask."""
    return {
        "ReplaceRootVolumeTaskId": task.id,
        "InstanceId": task.instance_id,
        "TaskState": task.state,
        "StartTime": f"{task.started:%Y-%m-%dT%H:%M:%SZ}",
        "CompleteTime": f"{task.completed:%Y-%m-%dT%H:%M:%SZ}" if task.completed else None,
        "ImageId": task.image_id or None,
        "SnapshotId": task.snapshot_id or None,
        "DeleteReplacedRootVolume": task.delete_old,
        "Tags": tags.as_list(task.tags),
    }
