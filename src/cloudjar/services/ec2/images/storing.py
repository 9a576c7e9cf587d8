"""Images as single objects in buckets, and images of such objects.

An object is a part with everything that is known of the image (JSON), then a stream for each of its snapshots
(`planes/compute/moving.py`): only Cloudjar reads it, as only EC2 reads AWS's.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-store-restore.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, record
from cloudjar.planes.compute.moving import Parts, framed, mover
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.landing import landed
from cloudjar.services.ec2.images.making import check_name
from cloudjar.services.ec2.images.records import ImageDisk, OwnImage
from cloudjar.services.ec2.lookup import Row, by_path, narrow, need
from cloudjar.services.ec2.snapshots.importing import pieces_of
from cloudjar.services.ec2.snapshots.records import Snapshot

REMEMBERED = timedelta(days=31)
"""How long a task is told of."""
_VIA = "ec2.amazonaws.com"
_FILTERS = by_path({"bucket": "Bucket", "image-id": "AmiId", "task-state": "StoreTaskState"})
_MAGIC = "cloudjar-image-1"


@record("ec2", "store-image-task", index=("image_id",))
class StoreTask(Record, frozen=True, kw_only=True):
    """An image on its way into a bucket, as whoever asked for it."""

    id: str
    image_id: str
    bucket: str
    caller: Caller
    object_tags: dict[str, str] = {}
    started: datetime
    state: str = "InProgress"
    failure: str = ""

    @property
    def key(self) -> str:
        """The object's."""
        return f"{self.image_id}.bin"


@record("ec2", "restore-image-task")
class RestoreTask(Record, frozen=True, kw_only=True):
    """An image on its way out of a bucket; `snapshots` are the new ones, in the order of their streams."""

    id: str
    image_id: str
    bucket: str
    key: str
    caller: Caller
    snapshots: tuple[str, ...]


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of an image before its snapshots; `snapshots` are those of its disks, each once."""

    magic: str
    image: OwnImage
    snapshots: tuple[str, ...]
    sizes: tuple[int, ...]
    keys: tuple[str, ...]
    """What boots from each (`Snapshot.image_key`)."""


@op("CreateStoreImageTask")
def create_store_image_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Put an image of one's own into a bucket of the Region, as one object."""
    image = need(ctx, OwnImage, req["ImageId"])
    if image.state != "available":
        raise AwsError("InvalidAMIID.Unavailable", f"The image {image.id} is {image.state}.")
    for key in image.snapshots:
        snapshot = ctx.db[Snapshot].get(key)
        if snapshot is None or snapshot.archived:
            raise AwsError("InvalidRequest", f"The snapshot {key} of {image.id} cannot be read.")
        if snapshot.encrypted:
            raise errors.not_built("Storing an image with encrypted snapshots")
    if any(one.state == "InProgress" for one in ctx.db[StoreTask].all(image_id=image.id)):
        raise AwsError("InvalidRequest", f"The image {image.id} is being stored already.")
    _look_at(ctx, req["Bucket"])
    task = StoreTask(
        id=ctx.new_id("store-image"),
        image_id=image.id,
        bucket=req["Bucket"],
        caller=ctx.caller,
        object_tags={str(tag["Key"]): str(tag.get("Value") or "") for tag in req.get("S3ObjectTags") or ()},
        started=ctx.now,
    )
    return {"ObjectKey": ctx.db[StoreTask].add(task).key}


def _look_at(ctx: Ctx, bucket: str) -> None:
    """Whether there is a bucket that the caller may look at; S3 says so by a status alone."""
    try:
        ctx.call("s3", "HeadBucket", {"Bucket": bucket}, via=_VIA)
    except AwsError as error:
        if error.status == 404:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist") from error
        raise AwsError("AccessDenied", f"The bucket {bucket} cannot be used: access denied", 403) from error


@op("DescribeStoreImageTasks")
def describe_store_image_tasks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What became of images that were to be stored in the last 31 days."""
    wanted = set(req.get("ImageIds") or ())
    tasks = [one for one in ctx.db[StoreTask].all() if not wanted or one.image_id in wanted]
    recent = [one for one in tasks if ctx.now - one.started <= REMEMBERED]
    shown = narrow(req, _FILTERS, [Row({}, _show(one)) for one in sorted(recent, key=lambda one: one.started)])
    return {"StoreImageTaskResults": shown}


def _show(task: StoreTask) -> dict[str, Any]:
    return {
        "AmiId": task.image_id,
        "Bucket": task.bucket,
        "ProgressPercentage": 100 if task.state == "Completed" else 0,
        "S3objectKey": task.key,
        "StoreTaskFailureReason": task.failure or None,
        "StoreTaskState": task.state,
        "TaskStartTime": task.started,
    }


@reconciler(StoreTask)
def store(step: Step, task: StoreTask | None) -> None:
    """Write the object, then hand it to S3 as who asked for it."""
    if task is None or task.state != "InProgress":
        return
    step.world.load("s3")
    try:
        with landed(step, _writing(step, task)) as body:
            asked = {"Bucket": task.bucket, "Key": task.key, "Body": body}
            if task.object_tags:
                asked["Tagging"] = urlencode(task.object_tags)
            step.ctx.call("s3", "PutObject", asked, caller=task.caller, via=_VIA)
    except (AwsError, PlaneError) as error:
        _end(step, "Failed", error.message if isinstance(error, AwsError) else str(error))
        return
    _end(step, "Completed", "")


def _end(step: Step, state: str, failure: str) -> None:
    step.change(StoreTask, lambda now: replace(now, state=state, failure=failure))


def _writing(step: Step, task: StoreTask) -> Callable[[Callable[[bytes], None]], None]:
    """What writes the object: what the image is said to be, and its snapshots."""
    with step.world.state.database.lock:
        image = step.db[OwnImage].need(task.image_id)
        found = [step.db[Snapshot].need(key) for key in sorted(image.snapshots)]
    said = Stored(magic=_MAGIC, image=replace(image, shared_with=(), public=False),
                  snapshots=tuple(one.id for one in found), sizes=tuple(one.size for one in found),
                  keys=tuple(one.image_key for one in found))  # fmt: skip

    def write(feed: Callable[[bytes], None]) -> None:
        feed(framed(msgspec.json.encode(said)))
        for snapshot in found:
            mover(step.port("compute")).write_out(snapshot.id, feed)

    return write


@op("CreateRestoreImageTask")
def create_restore_image_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make an image of an object that one was stored as; it is pending until its snapshots are there."""
    place = {"Bucket": req["Bucket"], "Key": req["ObjectKey"]}
    head = ctx.call("s3", "GetObject", {**place, "Range": "bytes=0-65535"}, via=_VIA)
    try:
        said = msgspec.json.decode(Parts(pieces_of(head["Body"])).part(), type=Stored)
    except (PlaneError, msgspec.DecodeError):
        said = None
    if said is None or said.magic != _MAGIC:
        raise AwsError("InvalidRequest", f"The object {req['ObjectKey']} is not a stored image.")
    made = {old: ctx.new_id("snap") for old in said.snapshots}
    image = ctx.db[OwnImage].add(
        replace(
            said.image,
            id=ctx.new_id("ami"),
            name=check_name(ctx, req.get("Name") or said.image.name),
            state="pending",
            created=ctx.now,
            disks=tuple(_disk(disk, made) for disk in said.image.disks),
            deprecated=None, disabled=False, protected=False, client_token="",
        )
    )  # fmt: skip
    for old, size, system in zip(said.snapshots, said.sizes, said.keys, strict=True):
        ctx.db[Snapshot].add(
            Snapshot(id=made[old], volume_id="vol-ffffffff", size=size, started=ctx.now, arrival="awaited",
                     image_key=system, image_id=image.id, description=f"Restored for {image.id}")
        )  # fmt: skip
    ctx.db[RestoreTask].add(
        RestoreTask(id=ctx.new_id("restore-image"), image_id=image.id, bucket=req["Bucket"], key=req["ObjectKey"],
                    caller=ctx.caller, snapshots=tuple(made[old] for old in said.snapshots))
    )  # fmt: skip
    return {"ImageId": image.id}


def _disk(disk: ImageDisk, made: dict[str, str]) -> ImageDisk:
    return replace(disk, snapshot_id=made[disk.snapshot_id]) if disk.snapshot_id else disk


@reconciler(RestoreTask)
def restore(step: Step, task: RestoreTask | None) -> None:
    """Read the object and make its snapshots; an image that cannot be is failed."""
    if task is None:
        return
    step.world.load("s3")
    try:
        found = step.ctx.call("s3", "GetObject", {"Bucket": task.bucket, "Key": task.key}, caller=task.caller, via=_VIA)
        stream = Parts(pieces_of(found["Body"]))
        stream.part()
        for key in task.snapshots:
            mover(step.port("compute")).bring_in(key, stream)
    except (AwsError, PlaneError):
        _settle(step, task, "failed", "error")
        return
    _settle(step, task, "", "")


def _settle(step: Step, task: RestoreTask, image: str, snapshot: str) -> None:
    """The end of a task: its snapshots are here, or in error like the image."""
    with step.world.state.database.transaction():
        for key in task.snapshots:
            one = step.db[Snapshot].get(key)
            if one is not None:
                step.db[Snapshot].put(replace(one, arrival="here", state=snapshot or one.state))
        made = step.db[OwnImage].get(task.image_id)
        if made is not None and image:
            step.db[OwnImage].put(replace(made, state=image))
        now = step.db[RestoreTask].get(task.id)
        if now is not None:
            step.db[RestoreTask].drop(now)
