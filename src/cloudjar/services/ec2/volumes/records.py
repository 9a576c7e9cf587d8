"""What is stored of a volume, of its last change, and of a Region's defaults."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Record, record


class Modification(msgspec.Struct, frozen=True, kw_only=True):
    """The last change of a volume; `end` is when it is complete, known from the start of its optimizing."""

    state: str
    start: datetime
    end: datetime | None = None
    was: tuple[int, str, int, int]
    """Size, type, IOPS and throughput before; the volume itself has those of after."""


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
    source: str = ""
    """The snapshot on the host that its data is made of; empty for zeroes, and for an image of the catalogue."""
    copied_from: str = ""
    """The volume whose data it was made of."""
    image_key: str = ""
    """What boots from it; empty for a plain disk."""
    ready: bool = True
    """Made on the host; a root volume is made when its machine first starts."""
    encrypted: bool = False
    kms_key_id: str = ""
    data_key: bytes = b""
    """The volume's data key, wrapped by its KMS key."""
    grant_id: str = ""
    """The grant under which EC2 unwraps it while the volume is attached."""
    instance_id: str = ""
    device: str = ""
    attachment: str = ""
    """``attaching``, ``attached``, ``detaching``, ``busy``; empty while it is not attached."""
    forced: bool = False
    """Whether the detaching may not wait for the guest."""
    attached: datetime | None = None
    delete_on_termination: bool = False
    modification: Modification | None = None
    auto_enable_io: bool = False
    client_token: str = ""
    tags: dict[str, str] = {}

    @property
    def state(self) -> str:
        """``creating``, ``available``, ``in-use``."""
        if self.instance_id:
            return "in-use"
        return "available" if self.ready else "creating"


@record("ec2", "ebs-defaults", key="name")
class EbsDefaults(Record, frozen=True, kw_only=True):
    """What an account has decided for its new volumes in a Region."""

    name: str = "ebs"
    encrypted: bool = False
    kms_key_id: str = ""
