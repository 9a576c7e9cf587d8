"""What is stored of a snapshot."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from cloudjar.kit.record import Quota, Record, record


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """Why a snapshot cannot be deleted. `days` count from `counted`, or from when it is complete; `until` is an
    instant that was named instead. `cool_off` is until when a lock in compliance mode can still be taken back."""

    mode: str
    created: datetime
    counted: datetime
    days: int
    until: datetime | None = None
    cool_off_hours: int = 0
    cool_off: datetime | None = None


class Tiering(msgspec.Struct, frozen=True, kw_only=True):
    """The tier of a snapshot that was ever archived, and what was last done about it, from `started` to `ends`."""

    tier: str = "standard"
    operation: str
    started: datetime
    ends: datetime
    archived: datetime | None = None
    days: int = 0
    """For how long a temporary restore was asked for."""
    expires: datetime | None = None
    """Until when a snapshot of the archive is restored."""


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
    arrival: str = ""
    """Of data that comes from elsewhere: ``awaited``, or ``here``."""
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
    lock: Lock | None = None
    tiering: Tiering | None = None
    tags: dict[str, str] = {}

    @property
    def archived(self) -> bool:
        """Whether its data is in the archive, restored for a while or not."""
        return self.tiering is not None and self.tiering.tier == "archive"

    @property
    def lock_start(self) -> datetime | None:
        """When the lock's days begin: not before the snapshot is complete."""
        if self.lock is None or self.completed is None:
            return None
        return max(self.lock.counted, self.completed)

    @property
    def lock_end(self) -> datetime | None:
        """Until when the lock holds; None without a lock, and while the end is not known."""
        if self.lock is None:
            return None
        start = self.lock_start
        return self.lock.until or (start + timedelta(days=self.lock.days) if start else None)

    def lock_state(self, now: datetime) -> str:
        """``governance``, ``compliance``, ``compliance-cooloff``, ``expired``; empty without a lock."""
        if self.lock is None:
            return ""
        end = self.lock_end
        if end is not None and now >= end:
            return "expired"
        cooling = self.lock.mode == "compliance" and self.lock.cool_off is not None and now < self.lock.cool_off
        return "compliance-cooloff" if cooling else self.lock.mode


@record("ec2", "public-access", key="name")
class PublicAccess(Record, frozen=True, kw_only=True):
    """Whether an account lets its snapshots and images be shared with everybody in a Region; as a new account does."""

    name: str = "public-access"
    snapshots: str = "unblocked"
    images: str = "block-new-sharing"


@record(
    "ec2",
    "fast-snapshot-restore",
    index=("snapshot_id",),
    quotas=(
        Quota(
            ("ebs", "L-631ECBD3"),
            ("FastSnapshotRestoreLimitExceeded", "You have reached the limit of {limit} fast snapshot restores."),
            counts=lambda one: one.state != "disabled",
        ),
    ),
)
class FastRestore(Record, frozen=True, kw_only=True):
    """A snapshot whose volumes are to be fast from the start in a zone; `size` in GiB is the snapshot's."""

    id: str
    snapshot_id: str
    owner: str
    zone: str
    size: int
    state: str = "enabling"
    reason: str
    enabling: datetime | None = None
    optimizing: datetime | None = None
    enabled: datetime | None = None
    disabling: datetime | None = None
    disabled: datetime | None = None
