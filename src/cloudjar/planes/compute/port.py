"""What the product asks of the compute plane: machines that exist, run, stop and speak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from cloudjar.planes.compute.usage import DiskUse, Usage

Seen = Literal["up", "down"]


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """A disk of a machine; `volume_id` names its data, which outlives the machine unless removed."""

    volume_id: str
    device: str = "/dev/xvda"
    size_gib: int = 8
    snapshot: str = ""
    """Snapshot that a volume which does not exist yet is made of; empty: of the image (root), or of zeroes."""


class MachineSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a driver must know to make a machine; equal specs make equal machines."""

    id: str
    image: str
    """Image key of the catalogue (`debian-12`, `ubuntu-24.04`, ...) or of an image made by `snapshot`."""
    network: str
    """Name of the prepared network namespace that the machine's process tree joins."""
    vcpus: float
    memory_mib: int
    hostname: str
    root: Disk
    resolver: str = ""
    """Address of the VPC's resolver for ``/etc/resolv.conf``; empty leaves the image's own file alone."""
    domain: str = ""
    """Search domain for ``/etc/resolv.conf`` (``<region>.compute.internal``)."""
    fallbacks: tuple[str, ...] = ()
    """Further resolvers, for when the first one does not answer."""
    time_servers: tuple[str, ...] = ()
    """NTP servers that the network names to the machine."""
    disks: tuple[Disk, ...] = ()
    """Further volumes; each is a block device of the guest."""
    cpu_share: float = 1.0
    """Fraction of `vcpus` the machine may use steadily (burstable types run below 1 when out of credits)."""
    driver: str = ""
    """``container`` or ``vm`` where both are at hand; empty: the installation's default."""
    follows_image: bool = False
    """The root is `image`, whichever it was before, at each boot: only what lies in folders of the volume's own (as
    ``/var/lib/containers``) outlives a change of it. For machines that are one service, whose image is its program."""


class ImageInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An image that the driver can or cannot run on this host."""

    key: str
    ready: bool
    """Built and cached: a launch will not have to wait for it."""
    available: bool
    """Can be made ready on this host, as far as is known."""
    why_not: str = ""
    """What could not be reached or is missing, and what to try; empty when available."""


class ComputePort(Protocol):
    """Machines by id. Every call is idempotent and blocking; failures raise `PlaneError`."""

    name: str
    """``sim``, ``container`` or ``vm``: shown by status, doctor and console output."""

    def look(self, machine_id: str) -> Seen | None:
        """What is there now: None when no trace of the machine exists."""
        ...

    def powered_off(self, machine_id: str) -> bool:
        """Whether the machine is down because its own guest said so, and not since told to be."""
        ...

    def start(self, spec: MachineSpec) -> None:
        """Create the machine if it does not exist and boot it; its disk is kept from an earlier run."""
        ...

    def stop(self, machine_id: str, *, force: bool = False) -> None:
        """Shut the guest down (power-off when it does not obey, or at once with `force`); keeps the disk."""
        ...

    def reboot(self, machine_id: str) -> None:
        """Restart the guest's init; same namespace, same disk."""
        ...

    def interrupt(self, machine_id: str) -> None:
        """Send a running machine's processors a non-maskable interrupt; raises where it has no kernel of its own."""
        ...

    def renew(self, spec: MachineSpec) -> None:
        """Tell a running machine what `spec` says of names and time (resolvers, domain, time servers), and nothing
        else of it; one that is down hears it at its next start."""
        ...

    def remove(self, machine_id: str) -> None:
        """Remove the machine and every trace of it but volumes."""
        ...

    def make_volume(self, disk: Disk) -> None:
        """Make a volume's data, of its snapshot or of zeroes, unless it exists."""
        ...

    def grow_volume(self, volume_id: str, size_gib: int) -> None:
        """Make a volume larger, also under a running guest; never smaller. Nothing when it was not made yet."""
        ...

    def remove_volume(self, volume_id: str) -> None:
        """Remove a volume's data; refuses while a running machine has it."""
        ...

    def attach(self, machine_id: str, disk: Disk) -> None:
        """Give a running machine one more block device. Nothing when it is down: its next start brings it."""
        ...

    def detach(self, machine_id: str, volume_id: str, *, force: bool = False) -> bool:
        """Take a block device from a machine. False while its guest has it mounted, unless `force`d."""
        ...

    def take_snapshot(self, snapshot_id: str, volume_id: str) -> None:
        """Copy a volume as it is at one instant, under a running guest too; unless the snapshot exists."""
        ...

    def copy_snapshot(self, snapshot_id: str, source_id: str) -> None:
        """Make a snapshot of another one's data, unless it exists."""
        ...

    def remove_snapshot(self, snapshot_id: str) -> None:
        """Remove a snapshot's data; volumes made of it stay."""
        ...

    def changed_blocks(self, snapshot_id: str, since: str = "") -> int:
        """How many blocks of 512 KiB a snapshot holds, or holds otherwise than the snapshot `since`."""
        ...

    def usage(self, machine_id: str) -> Usage | None:
        """What a machine has used since its boot; None when it does not run."""
        ...

    def disk_use(self, machine_id: str) -> dict[str, DiskUse]:
        """The counters of a running machine's disks, by volume; those that the driver cannot tell apart are left
        out."""
        ...

    def limit_cpu(self, machine_id: str, share: float) -> None:
        """Let a machine use this share of its CPUs (`MachineSpec.cpu_share`), at once and after its next boot."""
        ...

    def meter(self, tell: Callable[[], None], clock: Callable[[], float]) -> None:
        """From now on call `tell`, from any thread, when it is worth asking for `usage`: each minute while machines
        run. `clock` gives AWS time (Unix seconds), in which simulated machines run."""
        ...

    def watch(self, ended: Callable[[str], None]) -> None:
        """From now on call `ended(machine id)`, from any thread, when a machine went down, by itself or when told."""
        ...

    def console(self, machine_id: str) -> bytes:
        """What the guest wrote to its console since it was created, newest 64 KiB."""
        ...

    def machines(self) -> dict[str, Seen]:
        """Every machine of this installation that has any trace on the host."""
        ...

    def images(self) -> dict[str, ImageInfo]:
        """The catalogue, by key."""
        ...

    def prepare_image(self, key: str) -> None:
        """Build and cache an image now (minutes); progress goes to the log. Raises `PlaneError` with the cause."""
        ...
