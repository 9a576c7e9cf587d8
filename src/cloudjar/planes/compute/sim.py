"""Machines in memory: for tests, and for hosts without root. Instant, deterministic, and says what it is.

The object is the host: a test that crashes the server hands the same object to the reborn one, and
`to_dict` / `from_dict` carry it through a process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.console import newest
from cloudjar.planes.compute.foreign.systems import Taken
from cloudjar.planes.compute.leasing import renewed
from cloudjar.planes.compute.moving import Parts, framed
from cloudjar.planes.compute.port import Disk, ImageInfo, MachineSpec, Seen
from cloudjar.planes.compute.recipes import RECIPES
from cloudjar.planes.compute.sim_inside import SimInside, SimJob
from cloudjar.planes.compute.sim_metering import SimMetering


class SimMachine(msgspec.Struct, kw_only=True):
    """A machine that exists only here."""

    spec: MachineSpec
    up: bool = False
    boots: int = 0
    console: str = ""
    powered_off: bool = False


class SimVolume(msgspec.Struct, kw_only=True):
    """A volume: what it was made of, how large it is, how many boots it has seen, what was written to its blocks."""

    image: str = ""
    size_gib: int
    boots: int = 0
    blocks: dict[str, str] = {}
    mounted: bool = False


class SimHost(msgspec.Struct, kw_only=True):
    """Everything that outlives a crash of the server."""

    machines: dict[str, SimMachine] = {}
    volumes: dict[str, SimVolume] = {}
    snapshots: dict[str, SimVolume] = {}
    built: set[str] = set()
    jobs: dict[str, SimJob] = {}


class SimCompute(SimInside, SimMetering):
    """The ``sim`` driver; implements `ComputePort`. `fail` makes coming calls raise."""

    name = "sim"

    def __init__(self, host: SimHost | None = None) -> None:
        SimMetering.__init__(self)
        super().__init__()
        self.host = host or SimHost(built={"debian-12"})
        self.calls: list[tuple[str, str]] = []
        self._failures: list[tuple[str, str]] = []
        self._ended: Callable[[str], None] = lambda _: None

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> SimCompute:
        """The host as `to_dict` gave it."""
        return cls(msgspec.convert(raw, SimHost))

    def to_dict(self) -> dict[str, Any]:
        """The host as plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self.host)
        return plain

    def fail(self, method: str, why: str, times: int = 1) -> None:
        """Make the next `times` calls of `method` raise `PlaneError(why)`, changing nothing."""
        self._failures += [(method, why)] * times

    def power_off(self, machine_id: str) -> None:
        """As if somebody had said ``poweroff`` inside the guest."""
        machine = self.host.machines[machine_id]
        machine.up, machine.powered_off = False, True
        self._unmount(machine)
        self._say(machine, "power off, asked for by the guest")
        self._ended(machine_id)

    def write(self, volume_id: str, block: int, what: str) -> None:
        """As if a guest had written to a block of 512 KiB."""
        volume = self.host.volumes[volume_id]
        volume.blocks = {**volume.blocks, str(block): what}

    def read(self, volume_id: str, block: int) -> str:
        """What a guest would read there."""
        return self.host.volumes[volume_id].blocks.get(str(block), "")

    def mount(self, volume_id: str, *, mounted: bool = True) -> None:
        """As if somebody had said ``mount``, or ``umount``, inside the guest."""
        self.host.volumes[volume_id].mounted = mounted

    def devices(self, machine_id: str) -> dict[str, str]:
        """The block devices of a machine besides its root: device name -> volume."""
        machine = self.host.machines.get(machine_id)
        return {disk.device: disk.volume_id for disk in machine.spec.disks} if machine else {}

    def watch(self, ended: Callable[[str], None]) -> None:
        """Tell of machines that are powered off from inside."""
        self._ended = ended

    def look(self, machine_id: str) -> Seen | None:
        """Up, down, or None when there is no such machine."""
        self._called("look", machine_id)
        machine = self.host.machines.get(machine_id)
        if machine is None:
            return None
        return "up" if machine.up else "down"

    def powered_off(self, machine_id: str) -> bool:
        """True when `power_off` was its end."""
        self._called("powered_off", machine_id)
        machine = self.host.machines.get(machine_id)
        return machine is not None and machine.powered_off

    def start(self, spec: MachineSpec) -> None:
        """Boot, making machine and volume as needed."""
        self._called("start", spec.id)
        machine = self.host.machines.get(spec.id)
        if machine and machine.up:
            return
        volume = self.host.volumes.get(spec.root.volume_id)
        if volume is None and spec.root.snapshot:
            volume = self._make(spec.root)
        elif volume is None:
            self._need_image(spec.image)
            volume = SimVolume(image=spec.image, size_gib=spec.root.size_gib)
            self.host.volumes[spec.root.volume_id] = volume
        if not volume.image:
            raise PlaneError(f"volume {spec.root.volume_id} has no system on it to boot")
        for disk in spec.disks:
            self._make(disk)
        volume.size_gib = max(volume.size_gib, spec.root.size_gib)
        volume.boots += 1
        machine = machine or SimMachine(spec=spec)
        machine.spec, machine.up, machine.boots = spec, True, machine.boots + 1
        machine.powered_off = False
        self.host.machines[spec.id] = machine
        self._say(machine, f"boot {machine.boots} of {spec.hostname} from {volume.image}")

    def stop(self, machine_id: str, *, force: bool = False) -> None:
        """Shut down; nothing happens to a machine that is down or unknown."""
        self._called("stop", machine_id)
        machine = self.host.machines.get(machine_id)
        if machine:
            machine.powered_off = False
        if machine and machine.up:
            machine.up = False
            self._unmount(machine)
            self._say(machine, "power cut" if force else "shut down in order")

    def reboot(self, machine_id: str) -> None:
        """Boot again on the same disk."""
        self._called("reboot", machine_id)
        machine = self.host.machines.get(machine_id)
        if machine is None:
            raise PlaneError(f"machine {machine_id} does not exist on this host")
        machine.up, machine.boots = True, machine.boots + 1
        self.host.volumes[machine.spec.root.volume_id].boots += 1
        self._unmount(machine)
        self._say(machine, f"boot {machine.boots} of {machine.spec.hostname}")

    def interrupt(self, machine_id: str) -> None:
        """Note it on the console of a machine that is up."""
        self._called("interrupt", machine_id)
        machine = self.host.machines.get(machine_id)
        if machine and machine.up:
            self._say(machine, "NMI received for unknown reason")

    def renew(self, spec: MachineSpec) -> None:
        """Tell a machine that is up its names and time servers."""
        self._called("renew", spec.id)
        machine = self.host.machines.get(spec.id)
        if machine and machine.up:
            machine.spec = renewed(machine.spec, spec)

    def remove(self, machine_id: str) -> None:
        """Forget the machine; its volumes stay."""
        self._called("remove", machine_id)
        self.host.machines.pop(machine_id, None)

    def make_volume(self, disk: Disk) -> None:
        """Make a volume of its snapshot or of nothing, unless it exists."""
        self._called("make_volume", disk.volume_id)
        self._make(disk)

    def _make(self, disk: Disk) -> SimVolume:
        seen = self.host.volumes.get(disk.volume_id)
        if seen is None:
            source = self._snapshot(disk.snapshot) if disk.snapshot else SimVolume(size_gib=0)
            size = max(disk.size_gib, source.size_gib)
            seen = SimVolume(image=source.image, size_gib=size, blocks=dict(source.blocks))
            self.host.volumes[disk.volume_id] = seen
        return seen

    def grow_volume(self, volume_id: str, size_gib: int) -> None:
        """Make a volume larger, never smaller."""
        self._called("grow_volume", volume_id)
        volume = self.host.volumes.get(volume_id)
        if volume is not None:
            volume.size_gib = max(volume.size_gib, size_gib)

    def remove_volume(self, volume_id: str) -> None:
        """Forget a volume; refuses while a running machine uses it."""
        self._called("remove_volume", volume_id)
        if any(m.up and _uses(m.spec, volume_id) for m in self.host.machines.values()):
            raise PlaneError(f"volume {volume_id} is in use: stop or remove its machine first")
        self.host.volumes.pop(volume_id, None)

    def attach(self, machine_id: str, disk: Disk) -> None:
        """Give a running machine a volume."""
        self._called("attach", disk.volume_id)
        self._make(disk)
        machine = self.host.machines.get(machine_id)
        if machine and machine.up:
            machine.spec = replace(machine.spec, disks=(*_others(machine.spec, disk.volume_id), disk))

    def detach(self, machine_id: str, volume_id: str, *, force: bool = False) -> bool:
        """Take a volume from a machine; False while it is mounted there."""
        self._called("detach", volume_id)
        machine = self.host.machines.get(machine_id)
        if machine is None or not _uses(machine.spec, volume_id):
            return True
        volume = self.host.volumes.get(volume_id)
        if volume and volume.mounted and machine.up and not force:
            return False
        if volume:
            volume.mounted = False
        machine.spec = replace(machine.spec, disks=_others(machine.spec, volume_id))
        return True

    def take_snapshot(self, snapshot_id: str, volume_id: str) -> None:
        """Copy a volume as it is now."""
        self._called("take_snapshot", snapshot_id)
        volume = self.host.volumes.get(volume_id)
        if volume is None:
            raise PlaneError(f"volume {volume_id} does not exist on this host")
        copied = SimVolume(image=volume.image, size_gib=volume.size_gib, blocks=dict(volume.blocks))
        self.host.snapshots.setdefault(snapshot_id, copied)

    def copy_snapshot(self, snapshot_id: str, source_id: str) -> None:
        """Another snapshot of the same data."""
        self._called("copy_snapshot", snapshot_id)
        self.host.snapshots.setdefault(snapshot_id, self._snapshot(source_id))

    def remove_snapshot(self, snapshot_id: str) -> None:
        """Forget a snapshot."""
        self._called("remove_snapshot", snapshot_id)
        self.host.snapshots.pop(snapshot_id, None)

    def changed_blocks(self, snapshot_id: str, since: str = "") -> int:
        """Blocks that were ever written, or that differ from another snapshot."""
        mine = self._snapshot(snapshot_id).blocks
        other = self.host.snapshots.get(since)
        theirs = other.blocks if other else {}
        return sum(1 for block in mine.keys() | theirs.keys() if mine.get(block) != theirs.get(block))

    def write_out(self, snapshot_id: str, feed: Callable[[bytes], None]) -> None:
        """What it was made of and what was written to it, as one part (`moving.Moving`)."""
        feed(framed(msgspec.json.encode(self._snapshot(snapshot_id))))
        feed(framed(b""))

    def bring_in(self, snapshot_id: str, stream: Parts) -> None:
        """A snapshot of what `write_out` fed."""
        self._called("bring_in", snapshot_id)
        try:
            self.host.snapshots[snapshot_id] = msgspec.json.decode(stream.part(), type=SimVolume)
        except msgspec.DecodeError as bad:
            raise PlaneError(f"this is no stream of snapshots: {bad}") from bad
        stream.part()

    def from_disk(self, snapshot_id: str, size_gib: int, pieces: Iterable[bytes]) -> None:
        """A snapshot whose one block is all the bytes, in hex digits of their SHA-256."""
        self._called("from_disk", snapshot_id)
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        self.host.snapshots[snapshot_id] = SimVolume(size_gib=size_gib, blocks={"0": digest.hexdigest()})

    def take_system(self, snapshot_id: str, form: str, pieces: Iterable[bytes]) -> Taken:
        """An image that is named by all the bytes; those that begin with ``broken`` have no system."""
        self._called("take_system", f"{snapshot_id} {form}")
        body = b"".join(pieces)
        if body.startswith(b"broken"):
            raise PlaneError("the disk has no system to boot: this one is simulated")
        key = f"import-{hashlib.sha256(body).hexdigest()[:12]}"
        self.host.built.add(key)
        self.host.snapshots[snapshot_id] = SimVolume(image=key, size_gib=8)
        return Taken(key, 8, len(body))

    def take_disk(self, snapshot_id: str, form: str, pieces: Iterable[bytes]) -> int:
        """As `from_disk`, whatever the form."""
        self._called("take_disk", f"{snapshot_id} {form}")
        body = b"".join(pieces)
        if not body:
            raise PlaneError("a disk of 0 bytes cannot be taken in")
        size = -(-len(body) // (1 << 30))
        self.from_disk(snapshot_id, size, [body])
        return size

    def give_disk(self, snapshot_id: str, form: str, feed: Callable[[bytes], None]) -> None:
        """What the snapshot is, in words."""
        self._called("give_disk", snapshot_id)
        feed(f"simulated {form} of ".encode() + msgspec.json.encode(self._snapshot(snapshot_id)))

    def _snapshot(self, snapshot_id: str) -> SimVolume:
        if snapshot_id not in self.host.snapshots:
            raise PlaneError(f"snapshot {snapshot_id} is not on this host")
        return self.host.snapshots[snapshot_id]

    def console(self, machine_id: str) -> bytes:
        """What happened to the machine, each line saying that it is simulated."""
        self._called("console", machine_id)
        machine = self.host.machines.get(machine_id)
        return newest(machine.console.encode()) if machine else b""

    def machines(self) -> dict[str, Seen]:
        """Every machine, by id."""
        return {name: "up" if m.up else "down" for name, m in sorted(self.host.machines.items())}

    def images(self) -> dict[str, ImageInfo]:
        """The whole catalogue, which a simulated host can simulate, and what was imported."""
        known = [*RECIPES, *(key for key in sorted(self.host.built) if key not in RECIPES)]
        return {key: ImageInfo(key=key, ready=key in self.host.built, available=True) for key in known}

    def prepare_image(self, key: str) -> None:
        """Mark an image as built."""
        self._called("prepare_image", key)
        if key not in RECIPES:
            raise PlaneError(f"there is no image {key!r} in the catalogue: {', '.join(RECIPES)}")
        self.host.built.add(key)

    @property
    def jobs(self) -> dict[str, SimJob]:
        """By machine and job."""
        return self.host.jobs

    def _up(self, machine_id: str) -> bool:
        machine = self.host.machines.get(machine_id)
        return machine is not None and machine.up

    def _need_image(self, key: str) -> None:
        if key not in self.host.built:
            raise PlaneError(f"image {key} is not built on this host. Try: prepare it first")

    def _called(self, method: str, subject: str) -> None:
        self.calls.append((method, subject))
        for index, (name, why) in enumerate(self._failures):
            if name == method:
                del self._failures[index]
                raise PlaneError(why)

    def _unmount(self, machine: SimMachine) -> None:
        for disk in machine.spec.disks:
            if disk.volume_id in self.host.volumes:
                self.host.volumes[disk.volume_id].mounted = False

    @staticmethod
    def _say(machine: SimMachine, what: str) -> None:
        machine.console += f"[simulated machine {machine.spec.id}] {what}\n"


def _uses(spec: MachineSpec, volume_id: str) -> bool:
    return volume_id in (spec.root.volume_id, *(disk.volume_id for disk in spec.disks))


def _others(spec: MachineSpec, volume_id: str) -> tuple[Disk, ...]:
    return tuple(disk for disk in spec.disks if disk.volume_id != volume_id)
