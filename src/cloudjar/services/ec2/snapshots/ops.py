"""Snapshots: create, describe, copy, delete.

https://docs.aws.amazon.com/ebs/latest/userguide/ebs-snapshots.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.records import OwnImage
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import Row, check_form, narrow, need
from cloudjar.services.ec2.snapshots import finding
from cloudjar.services.ec2.snapshots.life import announce
from cloudjar.services.ec2.snapshots.locking import refuse_locked
from cloudjar.services.ec2.snapshots.making import remove, take
from cloudjar.services.ec2.snapshots.records import Snapshot
from cloudjar.services.ec2.snapshots.views import FILTERS, show_created, show_of_image, show_snapshot
from cloudjar.services.ec2.volumes import keys
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.spec import images, regions


@op("CreateSnapshot")
def create_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A snapshot of one volume, attached or not."""
    errors.refuse(req, "OutpostArn")
    volume = need(ctx, Volume, req["VolumeId"])
    if not volume.ready:
        raise AwsError("IncorrectState", f"The volume '{volume.id}' is 'creating'.")
    given = tags.specified(req, "snapshot")
    return show_created(take(ctx, volume, description=req.get("Description") or "", tags=given))


@op("CreateSnapshots")
def create_snapshots(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Snapshots of all volumes of an instance, or of all but some."""
    errors.refuse(req, "OutpostArn")
    wanted = req["InstanceSpecification"]
    vm = need(ctx, Instance, wanted.get("InstanceId") or "")
    left_out = set(wanted.get("ExcludeDataVolumeIds") or ())
    volumes = ctx.db[Volume].all(instance_id=vm.id)
    for volume_id in left_out:
        if all(volume.id != volume_id or volume.device == vm.root_device for volume in volumes):
            raise errors.invalid_parameter(volume_id, "excludeDataVolumeId", "It is not a data volume of the instance.")
    if wanted.get("ExcludeBootVolume"):
        left_out |= {volume.id for volume in volumes if volume.device == vm.root_device}
    given = tags.specified(req, "snapshot")
    made = []
    for volume in volumes:
        if volume.id not in left_out:
            copied = volume.tags if req.get("CopyTagsFromSource") == "volume" else {}
            made.append(take(ctx, volume, description=req.get("Description") or "", tags={**copied, **given}))
    return {"Snapshots": [show_created(one) for one in made]}


@op("DescribeSnapshots")
def describe_snapshots(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One's own snapshots, those that others share, and those behind the public images."""
    wanted = req.get("SnapshotIds")
    if wanted and req.get("MaxResults"):
        raise errors.combination("The parameter snapshotIds cannot be used with the parameter maxResults")
    rows = _named(ctx, wanted) if wanted else _seen(ctx)
    owners = [ctx.account if owner == "self" else owner for owner in req.get("OwnerIds") or ()]
    if owners:
        rows = [row for row in rows if row.view["OwnerId"] in owners or row.view.get("OwnerAlias") in owners]
    users = req.get("RestorableByUserIds")
    if users:
        rows = [row for row in rows if _restorable(ctx, row.view, users)]
    return {"Snapshots": narrow(req, FILTERS, rows)}


def _seen(ctx: Ctx) -> list[Row]:
    found = [one for one in ctx.db.everywhere(Snapshot) if one.region == ctx.region]
    shown = [_row(ctx, one) for one in found if finding.may_use(ctx, one)]
    return shown + [Row({}, show_of_image(image)) for image in images.catalogue(ctx.region)]


def _row(ctx: Ctx, snapshot: Snapshot) -> Row:
    """Somebody else's tags are his own business."""
    mine = snapshot.account == ctx.account
    view = show_snapshot(snapshot)
    return Row(snapshot.tags if mine else {}, view if mine else {**view, "Tags": None})


def _named(ctx: Ctx, wanted: list[str]) -> list[Row]:
    public = {image.snapshot_id: image for image in images.catalogue(ctx.region)}
    rows = []
    for snapshot_id in dict.fromkeys(wanted):
        check_form(Snapshot, snapshot_id)
        image = public.get(snapshot_id)
        found = finding.visible(ctx, snapshot_id) if image is None else None
        rows.append(_row(ctx, found) if found else Row({}, show_of_image(public[snapshot_id])))
    return rows


def _restorable(ctx: Ctx, view: dict[str, Any], users: list[str]) -> bool:
    if view.get("OwnerAlias") == "amazon":
        return "all" in users
    snapshot = ctx.db.find(Snapshot, view["SnapshotId"])
    if snapshot is None:
        return False
    given = {*snapshot.shared_with, *(("all",) if finding.is_public(ctx, snapshot) else ()), snapshot.account}
    return bool(given & {ctx.account if user == "self" else user for user in users})


@op("CopySnapshot")
def copy_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A copy here of a snapshot of this or another Region, encrypted anew when that is asked for."""
    errors.refuse(req, "DestinationOutpostArn", "CompletionDurationMinutes", "DestinationAvailabilityZone")
    region = req["SourceRegion"]
    if region not in {one.name for one in regions.regions()}:
        raise errors.invalid_parameter(region, "sourceRegion", "There is no such Region.")
    source = finding.usable(ctx, req["SourceSnapshotId"], region)
    given = tags.specified(req, "snapshot")
    made = copied(ctx, source, req, description=req.get("Description") or "", given=given)
    return {"SnapshotId": made.id, "Tags": tags.as_list(given) if given else None}


def copied(
    ctx: Ctx, source: Snapshot, req: dict[str, Any], *, description: str, given: dict[str, str], image_id: str = ""
) -> Snapshot:
    """A pending copy of a snapshot, under the key that `req` wants (``Encrypted``, ``KmsKeyId``)."""
    here = source.region == ctx.region and source.account == ctx.account
    key = keys.wanted(ctx, req, source_encrypted=source.encrypted, source_key=source.kms_key_id if here else "")
    keys.unlock(ctx.at(ctx.account, source.region), source.sealed_for, source.kms_key_id, source.data_key)
    snapshot_id = ctx.new_id("snap")
    sealed = keys.seal(ctx, key, snapshot_id)
    return ctx.db[Snapshot].add(
        Snapshot(
            id=snapshot_id,
            # AWS gives copies a volume that never was.
            volume_id="vol-ffffffff",
            size=source.size,
            description=description,
            started=ctx.now,
            copied_from=source.id,
            parent_id=source.id if here and source.kms_key_id == sealed.key_id else "",
            image_key=source.image_key,
            image_id=image_id,
            encrypted=bool(key),
            kms_key_id=sealed.key_id,
            data_key=sealed.data_key,
            sealed_for=snapshot_id if key else "",
            tags=given,
        )
    )


@op("DeleteSnapshot")
def delete_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a snapshot that no AMI needs; others and volumes made of it keep their data."""
    check_form(Snapshot, req["SnapshotId"])
    snapshot = finding.own(ctx, req["SnapshotId"])
    for image in ctx.db[OwnImage].all():
        if snapshot.id in image.snapshots:
            raise AwsError("InvalidSnapshot.InUse", f"The snapshot {snapshot.id} is currently in use by {image.id}")
    refuse_locked(ctx, snapshot)
    remove(ctx, snapshot)
    announce(ctx, snapshot, "deleteSnapshot")
    return {}
