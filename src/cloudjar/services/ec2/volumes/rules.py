"""What a volume may be: sizes, types, performance.

https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cloudjar.services.ec2 import errors

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
_RATIOS = {"gp3": 500, "io1": 50, "io2": 1000}
"""Most IOPS per GiB."""
_BASE_THROUGHPUT, _MOST_THROUGHPUT = 125, 2000
_DEVICE = re.compile(r"/dev/(sd|xvd)[a-z]([a-z]|[1-9]|1[0-5])?|xvd[a-z][a-z]?|sd[a-z]|/dev/xvd[b-d][a-z]")


class Shape(NamedTuple):
    """What a volume is: `size` in GiB, `throughput` in MiB/s."""

    size: int
    type: str
    iops: int
    throughput: int


def shape(size: int, kind: str, iops: int | None = None, throughput: int | None = None) -> Shape:
    """A checked shape; what is not given is the type's own."""
    return Shape(size, kind, performance(kind, size, iops), _throughput(kind, size, iops, throughput))


def bootable(kind: str) -> None:
    """Refuse the types that cannot be root volumes."""
    if kind not in _BOOTABLE:
        raise errors.invalid_parameter(kind, "volumeType", "This type cannot be a root volume.")


def _throughput(kind: str, size: int, iops: int | None, asked: int | None) -> int:
    if kind != "gp3":
        if asked:
            raise errors.combination(f"The parameter throughput is not supported for {kind} volumes.")
        return 0
    if asked is None:
        return _BASE_THROUGHPUT
    if not _BASE_THROUGHPUT <= asked <= _MOST_THROUGHPUT:
        low = asked < _BASE_THROUGHPUT
        raise errors.invalid_value(
            f"Throughput of {asked} MiBps is too {'low; minimum' if low else 'high; maximum'} is "
            f"{_BASE_THROUGHPUT if low else _MOST_THROUGHPUT} MiBps."
        )
    ratio = asked / (iops or 3000)
    if ratio > 0.25:
        raise errors.invalid_value(
            f"Throughput (MiBps) to iops ratio of {ratio:.6f} is too high; maximum is 0.250000 MiBps per iops."
        )
    return asked


def device_name(name: str) -> str:
    """A device name that EBS takes: ``/dev/sdf``, ``/dev/xvdba``; raises InvalidParameterValue."""
    if not _DEVICE.fullmatch(name):
        raise errors.invalid_parameter(name, "device", f"{name} is not a valid EBS device name.")
    return name


def point(name: str) -> str:
    """The place behind a device name: ``/dev/sdf`` and ``/dev/xvdf`` are one."""
    return name.removeprefix("/dev/").replace("xvd", "sd", 1)


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
    ratio, most_ratio = iops / size, _RATIOS[kind]
    if ratio > most_ratio and not (kind == "gp3" and iops <= 3000):
        raise errors.invalid_value(
            f"Iops to volume size ratio of {ratio:.6f} is too high; maximum is {most_ratio}."
        )
    return iops
