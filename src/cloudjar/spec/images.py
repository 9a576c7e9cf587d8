"""The public machine images that the catalogue has, as DescribeImages answers them.

Owners, names, devices and users are what the publishers use, so that the usual filters find them. Ids and
serials are the catalogue's own: an id follows from the name and the region and never changes.

https://wiki.debian.org/Cloud/AmazonEC2Image, https://documentation.ubuntu.com/aws/,
https://docs.aws.amazon.com/linux/al2023/ug/
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

DEBIAN = "136693071363"
CANONICAL = "099720109477"
AMAZON = "137112412989"

X86, ARM = "x86_64", "arm64"


class Release(NamedTuple):
    """A release of an operating system, for every architecture and region.

    `key` is the compute plane's name of it; `arch` says how the publisher writes each architecture; `name` and
    `description` have ``{arch}`` and ``{serial}``; `created` is the day of the serial.
    """

    key: str
    owner: str
    name: str
    description: str
    serial: str
    created: str
    arch: dict[str, str]
    root_device: str
    user: str
    imds_v2: bool = False


RELEASES = (
    Release(
        key="debian-12",
        owner=DEBIAN,
        name="debian-12-{arch}-{serial}",
        description="Debian 12 ({serial})",
        serial="20260907-2593",
        created="2026-09-07T06:14:52.000Z",
        arch={X86: "amd64", ARM: "arm64"},
        root_device="/dev/xvda",
        user="admin",
    ),
    Release(
        key="ubuntu-24.04",
        owner=CANONICAL,
        name="ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-{arch}-server-{serial}",
        description="Canonical, Ubuntu, 24.04, {arch} noble image",
        serial="20260911",
        created="2026-09-11T08:31:07.000Z",
        arch={X86: "amd64", ARM: "arm64"},
        root_device="/dev/sda1",
        user="ubuntu",
    ),
    Release(
        key="al2023",
        owner=AMAZON,
        name="al2023-ami-{serial}-kernel-6.1-{arch}",
        description="Amazon Linux 2023 AMI {serial} {arch} HVM kernel-6.1",
        serial="2023.12.20260930.0",
        created="2026-09-30T21:08:20.000Z",
        arch={X86: X86, ARM: ARM},
        root_device="/dev/xvda",
        user="ec2-user",
        imds_v2=True,
    ),
)


def derived_id(prefix: str, *what: str) -> str:
    """An id that follows from what it names: ``ami-`` and 17 hex digits."""
    return f"{prefix}-{sha256(' '.join(what).encode()).hexdigest()[:17]}"


class Image(NamedTuple):
    """One image in one region."""

    release: Release
    architecture: str
    region: str

    @property
    def key(self) -> str:
        """The compute plane's name of the operating system."""
        return self.release.key

    @property
    def name(self) -> str:
        """The AMI name that filters match."""
        return self._say(self.release.name)

    @property
    def description(self) -> str:
        """The publisher's description."""
        return self._say(self.release.description)

    @property
    def id(self) -> str:
        """``ami-...``, different in every region."""
        return derived_id("ami", self.region, self.name)

    @property
    def snapshot_id(self) -> str:
        """The snapshot of the root device."""
        return derived_id("snap", self.region, self.name)

    @property
    def user(self) -> str:
        """Who signs in with the key pair."""
        return self.release.user

    @property
    def root_device(self) -> str:
        """``/dev/xvda`` or ``/dev/sda1``."""
        return self.release.root_device

    def _say(self, text: str) -> str:
        return text.format(arch=self.release.arch[self.architecture], serial=self.release.serial)

    def facts(self) -> dict[str, Any]:
        """The image as DescribeImages answers it (`Image` of the EC2 model)."""
        ebs = {
            "DeleteOnTermination": True,
            "SnapshotId": self.snapshot_id,
            "VolumeSize": 8,
            "VolumeType": "gp3",
            "Iops": 3000,
            "Throughput": 125,
            "Encrypted": False,
        }
        mappings: list[dict[str, Any]] = [{"DeviceName": self.root_device, "Ebs": ebs}]
        if self.release.owner == CANONICAL:
            mappings += [{"DeviceName": f"/dev/sd{c}", "VirtualName": f"ephemeral{i}"} for i, c in enumerate("bc")]
        found = {
            "Architecture": self.architecture,
            "BlockDeviceMappings": mappings,
            "BootMode": "uefi-preferred" if self.architecture == X86 else "uefi",
            "CreationDate": self.release.created,
            "Description": self.description,
            "EnaSupport": True,
            "Hypervisor": "xen",
            "ImageId": self.id,
            "ImageLocation": f"amazon/{self.name}",
            "ImageOwnerAlias": "amazon",
            "ImageType": "machine",
            "Name": self.name,
            "OwnerId": self.release.owner,
            "PlatformDetails": "Linux/UNIX",
            "Public": True,
            "RootDeviceName": self.root_device,
            "RootDeviceType": "ebs",
            "SriovNetSupport": "simple",
            "State": "available",
            "UsageOperation": "RunInstances",
            "VirtualizationType": "hvm",
        }
        return found | ({"ImdsSupport": "v2.0"} if self.release.imds_v2 else {})


@cache
def catalogue(region: str) -> tuple[Image, ...]:
    """The public images of a region, of both architectures; which of them the host can run, the plane says."""
    return tuple(Image(release, arch, region) for release in RELEASES for arch in release.arch)


@cache
def _by_id(region: str) -> dict[str, Image]:
    return {image.id: image for image in catalogue(region)}


def by_id(region: str, image_id: str) -> Image | None:
    """The public image of an id in a region; None when it has no such image."""
    return _by_id(region).get(image_id)


def find(region: str, key: str, architecture: str = X86) -> Image:
    """The image of an operating system; KeyError when the catalogue has none."""
    for image in catalogue(region):
        if (image.key, image.architecture) == (key, architecture):
            return image
    raise KeyError(f"{key} {architecture}")
