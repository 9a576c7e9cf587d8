"""Machines in memory: for tests, and for hosts without root. Instant, deterministic, and says what it is.

The object is the host: a test that crashes the server hands the same object to the reborn one, and
`to_dict` / `from_dict` carry it through a process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.console import newest
from cloudjar.planes.compute.port import ImageInfo, MachineSpec, Seen
from cloudjar.planes.compute.recipes import RECIPES


class SimMachine(msgspec.Struct, kw_only=True):
    """A machine that exists only here."""

    spec: MachineSpec
    up: bool = False
    boots: int = 0
    console: str = ""
    powered_off: bool = False


class SimVolume(msgspec.Struct, kw_only=True):
    """A volume: what it was made of, how large it is, and how many boots it has seen."""

    image: str
    size_gib: int
    boots: int = 0


class SimHost(msgspec.Struct, kw_only=True):
    """Everything that outlives a crash of the server."""

    machines: dict[str, SimMachine] = {}
    volumes: dict[str, SimVolume] = {}
    built: set[str] = set()


class SimCompute:
    """The ``sim`` driver; implements `ComputePort`. `fail` makes coming calls raise."""

    name = "sim"

    def __init__(self, host: SimHost | None = None) -> None:
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
        self._say(machine, "power off, asked for by the guest")
        self._ended(machine_id)

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
        if volume is None:
            self._need_image(spec.image)
            volume = SimVolume(image=spec.image, size_gib=spec.root.size_gib)
            self.host.volumes[spec.root.volume_id] = volume
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
            self._say(machine, "power cut" if force else "shut down in order")

    def reboot(self, machine_id: str) -> None:
        """Boot again on the same disk."""
        self._called("reboot", machine_id)
        machine = self.host.machines.get(machine_id)
        if machine is None:
            raise PlaneError(f"machine {machine_id} does not exist on this host")
        machine.up, machine.boots = True, machine.boots + 1
        self.host.volumes[machine.spec.root.volume_id].boots += 1
        self._say(machine, f"boot {machine.boots} of {machine.spec.hostname}")

    def remove(self, machine_id: str) -> None:
        """Forget the machine; its volumes stay."""
        self._called("remove", machine_id)
        self.host.machines.pop(machine_id, None)

    def remove_volume(self, volume_id: str) -> None:
        """Forget a volume; refuses while a running machine uses it."""
        self._called("remove_volume", volume_id)
        if any(m.up and m.spec.root.volume_id == volume_id for m in self.host.machines.values()):
            raise PlaneError(f"volume {volume_id} is in use: stop or remove its machine first")
        self.host.volumes.pop(volume_id, None)

    def console(self, machine_id: str) -> bytes:
        """What happened to the machine, each line saying that it is simulated."""
        self._called("console", machine_id)
        machine = self.host.machines.get(machine_id)
        return newest(machine.console.encode()) if machine else b""

    def machines(self) -> dict[str, Seen]:
        """Every machine, by id."""
        return {name: "up" if m.up else "down" for name, m in sorted(self.host.machines.items())}

    def images(self) -> dict[str, ImageInfo]:
        """The whole catalogue: a simulated host can simulate any image."""
        return {key: ImageInfo(key=key, ready=key in self.host.built, available=True) for key in RECIPES}

    def prepare_image(self, key: str) -> None:
        """Mark an image as built."""
        self._called("prepare_image", key)
        if key not in RECIPES:
            raise PlaneError(f"there is no image {key!r} in the catalogue: {', '.join(RECIPES)}")
        self.host.built.add(key)

    def _need_image(self, key: str) -> None:
        if key not in self.host.built:
            raise PlaneError(f"image {key} is not built on this host. Try: prepare it first")

    def _called(self, method: str, subject: str) -> None:
        self.calls.append((method, subject))
        for index, (name, why) in enumerate(self._failures):
            if name == method:
                del self._failures[index]
                raise PlaneError(why)

    @staticmethod
    def _say(machine: SimMachine, what: str) -> None:
        machine.console += f"[simulated machine {machine.spec.id}] {what}\n"
