"""What a volume may be: sizes, types, performance.

https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.catalogue import ROOT_GIB, Image

# type -> (least and most GiB, least and most IOPS or None where it cannot be chosen)
LIMITS: dict[str, tuple[int, int, tuple[int, int] | None]] = {
    "gp2": (1, 16384, None),
    "gp3": (1, 65536, (3000, 80000)),
    "io1": (4, 16384, (100, 64000)),
    "io2": (4, 65536, (100, 256000)),
    "st1": (125, 16384, None),
    "sc1": (125, 16384, None),
    "standard": (1, 1024, None),
}
_BOOTABLE = frozenset(("gp2", "gp3", "io1", "io2", "standard"))


class RootDisk(NamedTuple):
    """A checked root volume; `size` in GiB, `throughput` in MiB/s."""

    device: str
    size: int
    type: str
    iops: int
    throughput: int
    snapshot_id: str
    encrypted: bool
    delete_on_termination: bool


def root_disk(mappings: Sequence[dict[str, Any]], image: Image) -> RootDisk:
    """The root volume of a launch: the image's, changed by the request's mapping of the same device."""
    asked: dict[str, Any] = {}
    for mapping in mappings:
        if mapping.get("DeviceName") == image.root_device:
            asked = mapping.get("Ebs") or {}
        elif mapping.get("NoDevice") is None and not str(mapping.get("VirtualName", "")).startswith("ephemeral"):
            raise errors.not_built(f"A second volume at launch ({mapping.get('DeviceName')})")
    kind = asked.get("VolumeType") or "gp3"
    size = asked.get("VolumeSize") or ROOT_GIB
    if size < ROOT_GIB:
        raise AwsError(
            "InvalidBlockDeviceMapping",
            f"Volume of size {size}GB is smaller than snapshot '{image.snapshot_id}', expect size >= {ROOT_GIB}GB",
        )
    if kind not in _BOOTABLE:
        raise errors.invalid_parameter(kind, "volumeType", "This type cannot be a root volume.")
    encrypted = bool(asked.get("Encrypted"))
    if encrypted:
        raise errors.not_built("An encrypted volume")
    iops = performance(kind, size, asked.get("Iops"))
    throughput = asked.get("Throughput") or (125 if kind == "gp3" else 0)
    keep = asked.get("DeleteOnTermination")
    return RootDisk(
        image.root_device,
        size,
        kind,
        iops,
        throughput,
        image.snapshot_id,
        encrypted,
        True if keep is None else bool(keep),
    )


def performance(kind: str, size: int, iops: int | None) -> int:
    """IOPS of a volume, checked; `size` in GiB."""
    least, most, choice = LIMITS[kind]
    if not least <= size <= most:
        raise errors.invalid_value(
            f"Volume of {size}GiB is invalid. "
            f"The volume size for {kind} must be at least {least} GiB and at most {most} GiB."
        )
    if choice is None:
        if iops:
            raise errors.combination(f"The parameter iops is not supported for {kind} volumes.")
        return min(max(3 * size, 100), 16000) if kind == "gp2" else 0
    if iops is None:
        if kind == "gp3":
            return 3000
        raise errors.missing("The request must contain the parameter iops")
    if not choice[0] <= iops <= choice[1]:
        raise errors.invalid_value(
            f"Volume iops of {iops} is too {'low; minimum' if iops < choice[0] else 'high; maximum'} is "
            f"{choice[0] if iops < choice[0] else choice[1]}."
        )
    return iops
