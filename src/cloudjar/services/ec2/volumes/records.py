"""What is stored of a volume."""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record


@record(
    "ec2",
    "volume",
    index=("instance_id",),
    missing=("InvalidVolume.NotFound", "The volume '{key}' does not exist."),
    parent=("ec2/instance", "instance_id"),
)
class Volume(Record, frozen=True, kw_only=True):
    """A disk. `size` in GiB, `throughput` in MiB/s; `instance_id` is empty while it is not attached."""

    id: str
    zone: str
    size: int
    type: str
    iops: int
    throughput: int = 0
    created: datetime
    snapshot_id: str = ""
    encrypted: bool = False
    instance_id: str = ""
    device: str = ""
    attached: datetime | None = None
    delete_on_termination: bool = False
    tags: dict[str, str] = {}
