"""Containers and virtual machines side by side: each machine has its driver, its own wish or the jar's default.

Both drivers keep their machines in the same folders, over the same volumes; a folder says what its machine is. What
concerns no machine (volumes nobody runs on, snapshots, images) is the container driver's, for both.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.home import Home
from cloudjar.planes.compute.images import ImageStore
from cloudjar.planes.compute.inside import Ears, Line
from cloudjar.planes.compute.port import Disk, MachineSpec, Seen
from cloudjar.planes.compute.usage import DiskUse, Usage
from cloudjar.planes.compute.vm import VmCompute

DRIVERS = ("container", "vm")


class MixedCompute(ContainerCompute):
    """Both drivers; implements `ComputePort`, and `Inside` for its containers. `name` is the default's."""

    def __init__(
        self,
        tag: str,
        state_dir: Path,
        images: ImageStore | None = None,
        *,
        default: str = "container",
        authority: Path | None = None,
    ) -> None:
        super().__init__(tag, state_dir, images, authority=authority)
        self.name = default
        self._vms = VmCompute(tag, state_dir, self.store, authority=authority)

    def _is_vm(self, machine_id: str) -> bool:
        """What the machine was last started as."""
        spec = self._home(machine_id).spec()
        return spec is not None and spec.driver == "vm"

    def look(self, machine_id: str) -> Seen | None:
        """By the machine's driver."""
        return self._vms.look(machine_id) if self._is_vm(machine_id) else super().look(machine_id)

    def powered_off(self, machine_id: str) -> bool:
        """By the machine's driver."""
        return self._vms.powered_off(machine_id) if self._is_vm(machine_id) else super().powered_off(machine_id)

    def start(self, spec: MachineSpec) -> None:
        """Boot the machine under the driver that its spec names, else under the default; never two at once."""
        driver = spec.driver or self.name
        if driver not in DRIVERS:
            raise PlaneError(f"there is no compute driver {driver!r} for machines. Try: {' or '.join(DRIVERS)}")
        seen = self._home(spec.id).spec()
        if seen is not None and (seen.driver or "container") != driver:
            self.stop(spec.id)
        settled = replace(spec, driver=driver)
        if driver == "vm":
            self._vms.start(settled)
        else:
            super().start(settled)

    def stop(self, machine_id: str, *, force: bool = False) -> None:
        """By the machine's driver."""
        if self._is_vm(machine_id):
            self._vms.stop(machine_id, force=force)
        else:
            super().stop(machine_id, force=force)

    def reboot(self, machine_id: str) -> None:
        """By the machine's driver."""
        if self._is_vm(machine_id):
            self._vms.reboot(machine_id)
        else:
            super().reboot(machine_id)

    def interrupt(self, machine_id: str) -> None:
        """By the machine's driver."""
        if self._is_vm(machine_id):
            self._vms.interrupt(machine_id)
        else:
            super().interrupt(machine_id)

    def renew(self, spec: MachineSpec) -> None:
        """By the machine's driver."""
        if self._is_vm(spec.id):
            self._vms.renew(spec)
        else:
            super().renew(spec)

    def remove(self, machine_id: str) -> None:
        """By the machine's driver."""
        if self._is_vm(machine_id):
            self._vms.remove(machine_id)
        else:
            super().remove(machine_id)

    def console(self, machine_id: str) -> bytes:
        """By the machine's driver."""
        return self._vms.console(machine_id) if self._is_vm(machine_id) else super().console(machine_id)

    def usage(self, machine_id: str) -> Usage | None:
        """By the machine's driver."""
        return self._vms.usage(machine_id) if self._is_vm(machine_id) else super().usage(machine_id)

    def disk_use(self, machine_id: str) -> dict[str, DiskUse]:
        """Containers' alone: QEMU opens files, which no block device of the host's is behind."""
        return {} if self._is_vm(machine_id) else super().disk_use(machine_id)

    def attach(self, machine_id: str, disk: Disk) -> None:
        """By the machine's driver."""
        if self._is_vm(machine_id):
            self._vms.attach(machine_id, disk)
        else:
            super().attach(machine_id, disk)

    def detach(self, machine_id: str, volume_id: str, *, force: bool = False) -> bool:
        """By the machine's driver."""
        if self._is_vm(machine_id):
            return self._vms.detach(machine_id, volume_id, force=force)
        return super().detach(machine_id, volume_id, force=force)

    def grow_volume(self, volume_id: str, size_gib: int) -> None:
        """By the driver of whoever runs with it."""
        if self._vms.user_of(volume_id):
            self._vms.grow_volume(volume_id, size_gib)
        else:
            super().grow_volume(volume_id, size_gib)

    def remove_volume(self, volume_id: str) -> None:
        """Refused while a machine of either kind runs with it."""
        self._vms.refuse_used(volume_id)
        super().remove_volume(volume_id)

    def take_snapshot(self, snapshot_id: str, volume_id: str) -> None:
        """By the driver of whoever runs with it."""
        if self._vms.user_of(volume_id):
            self._vms.take_snapshot(snapshot_id, volume_id)
        else:
            super().take_snapshot(snapshot_id, volume_id)

    def meter(self, tell: Callable[[], None], clock: Callable[[], float]) -> None:
        """Each minute while a machine of either kind runs."""
        super().meter(tell, clock)
        self._vms.meter(tell, clock)

    def watch(self, ended: Callable[[str], None]) -> None:
        """Tell of machines of both kinds."""
        super().watch(ended)
        self._vms.watch(ended)

    def prepare_image(self, key: str) -> None:
        """Build the image, and where virtual machines are the default what those boot."""
        if self.name == "vm":
            self._vms.prepare_image(key)
        else:
            super().prepare_image(key)

    def answers(self, machine_id: str, address: str) -> bool:
        """A virtual machine's own network cannot be looked at from outside: it answers while its processors run."""
        return self._vms.runs(machine_id) if self._is_vm(machine_id) else super().answers(machine_id, address)

    def has_console(self, machine_id: str) -> bool:
        """By the machine's driver."""
        return self._vms.has_console(machine_id) if self._is_vm(machine_id) else super().has_console(machine_id)

    def open_console(self, machine_id: str, ears: Ears) -> Line:
        """By the machine's driver."""
        if self._is_vm(machine_id):
            return self._vms.open_console(machine_id, ears)
        return super().open_console(machine_id, ears)

    def _entered(self, machine_id: str) -> Home:
        if self._is_vm(machine_id):
            raise PlaneError(f"{machine_id} is a virtual machine, in which nothing can be run from outside. Try: ssh")
        return super()._entered(machine_id)
