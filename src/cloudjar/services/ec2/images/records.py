"""What is stored of an AMI that an account has made."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Quota, Record, record


class ImageDisk(msgspec.Struct, frozen=True, kw_only=True):
    """A volume that a launch makes; of a snapshot, or empty. `size` in GiB, `throughput` in MiB/s."""

    device: str
    snapshot_id: str = ""
    size: int
    type: str = "gp3"
    iops: int = 0
    throughput: int = 0
    encrypted: bool = False
    delete_on_termination: bool = True


class Watermark(msgspec.Struct, frozen=True, kw_only=True):
    """A mark (`key`: ACCOUNT:NAME), and the image that it was first given to, and when."""

    key: str
    image_id: str
    region: str
    image_created: datetime
    created: datetime


@record(
    "ec2",
    "image",
    missing=("InvalidAMIID.NotFound", "The image id '[{key}]' does not exist"),
    quotas=(
        Quota(("ec2", "L-B665C33B"), ("ResourceLimitExceeded", "You have reached the limit of {limit} AMIs.")),
    ),
    arn_account=False,
    everywhere=True,
)
class OwnImage(Record, frozen=True, kw_only=True):
    """An AMI. The first of its disks is the root."""

    id: str
    name: str
    description: str = ""
    state: str = "pending"
    created: datetime
    architecture: str
    image_key: str
    """The compute plane's name of the system that the root volume lies on."""
    disks: tuple[ImageDisk, ...]
    source_instance_id: str = ""
    source_image_id: str = ""
    source_image_region: str = ""
    imds_support: str = ""
    boot_mode: str = "uefi-preferred"
    ena: bool = True
    disabled: bool = False
    protected: bool = False
    deprecated: datetime | None = None
    public: bool = False
    shared_with: tuple[str, ...] = ()
    client_token: str = ""
    supported_types: tuple[str, ...] = ()
    """Instance types, ``*`` for any text, that it is for (none: all), and that it is not for."""
    unsupported_types: tuple[str, ...] = ()
    watermarks: tuple[Watermark, ...] = ()
    tags: dict[str, str] = {}

    @property
    def root(self) -> ImageDisk:
        return self.disks[0]

    @property
    def snapshots(self) -> frozenset[str]:
        """The snapshots that a launch needs."""
        return frozenset(disk.snapshot_id for disk in self.disks if disk.snapshot_id)
