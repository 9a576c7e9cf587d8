"""What is stored of the replacement of a root volume."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Record, record


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What a root volume was made of at the launch: a snapshot or an image."""

    snapshot_id: str = ""
    own: bool = False
    """Whether the snapshot is a record; a public image's is not, its volume is made of the image itself."""
    image_key: str = ""
    size: int = 0


@record(
    "ec2",
    "replace-root-volume-task",
    index=("instance_id",),
    missing=(
        "InvalidReplaceRootVolumeTaskID.NotFound",
        "The replaceRootVolumeTask ID '{key}' does not exist",
    ),
    parent=("ec2/instance", "instance_id"),
)
class ReplaceRootTask(Record, frozen=True, kw_only=True):
    """A root volume that gives way to another one; carried out by its instance's reconciler."""

    id: str
    instance_id: str
    state: str = "pending"
    started: datetime
    completed: datetime | None = None
    image_id: str = ""
    snapshot_id: str = ""
    old_volume: str
    new_volume: str
    made: bool = True
    """The new volume was made for this; one that was named stays when nothing comes of it."""
    delete_old: bool = False
    swapped: bool = False
    """The records say already what boots next."""
    launch: Source
    """What the instance's first root volume was made of."""
    client_token: str = ""
    tags: dict[str, str] = {}

    @property
    def open(self) -> bool:
        """Whether something is still to be done."""
        return self.state in ("pending", "in-progress")
