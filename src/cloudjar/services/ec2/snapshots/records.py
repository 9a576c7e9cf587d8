"""What is stored of a snapshot."""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Quota, Record, record


@record(
    "ec2",
    "snapshot",
    index=("volume_id", "parent_id", "image_id"),
    missing=("InvalidSnapshot.NotFound", "The snapshot '{key}' does not exist."),
    quotas=(
        Quota(
            ("ebs", "L-309BACF6"),
            ("SnapshotLimitExceeded", "The maximum number of snapshots ({limit}) has been reached."),
        ),
    ),
    parent=("ec2/image", "image_id"),
    arn_account=False,
    everywhere=True,
)
class Snapshot(Record, frozen=True, kw_only=True):
    """A volume at one instant; `size` in GiB is the volume's, `blocks` of 512 KiB are what it adds to its parent."""

    id: str
    volume_id: str
    size: int
    state: str = "pending"
    state_message: str = ""
    description: str = ""
    started: datetime
    completed: datetime | None = None
    copied_from: str = ""
    """The snapshot on the host that this one is a copy of."""
    parent_id: str = ""
    """The snapshot before it, of the same volume."""
    measured: bool = False
    blocks: int = 0
    all_blocks: int = 0
    image_key: str = ""
    """What boots from it; empty for a plain disk."""
    image_id: str = ""
    """The AMI that it was made for."""
    encrypted: bool = False
    kms_key_id: str = ""
    data_key: bytes = b""
    sealed_for: str = ""
    """The volume or snapshot that the data key was made for."""
    public: bool = False
    shared_with: tuple[str, ...] = ()
    tags: dict[str, str] = {}
