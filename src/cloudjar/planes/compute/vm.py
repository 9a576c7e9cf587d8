"""Machines as virtual machines: a kernel of their own under QEMU, by the processor's help where there is one.

Volumes, snapshots, images and identities are those of the container driver: a volume is an upper layer over an image,
which here the guest's own first program lays. What runs is one QEMU process in the machine's namespace and
control group; it outlives the server, and what exists is read from the machine's folder and the kernel each time.
"""

from __future__ import annotations

import contextlib
import shlex
import socket
from pathlib import Path

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute import cgroups, console, container, disk, identity, vmnet, volumes
from cloudjar.planes.compute.bundle import resources
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.home import CONSOLE_MAX, Home
from cloudjar.planes.compute.images import ImageStore
from cloudjar.planes.compute.inside import Ears, Line
from cloudjar.planes.compute.leasing import renewed
from cloudjar.planes.compute.lines import FdLine
from cloudjar.planes.compute.port import Disk, MachineSpec, Seen
from cloudjar.planes.compute.process import need_tool, run
from cloudjar.planes.compute.usage import Usage
from cloudjar.planes.compute.vmdisks import may_be_mounted
from cloudjar.planes.compute.vmimage import VmImage, archive, make_vm_image
from cloudjar.planes.compute.vmqemu import (
    GUEST_SHUTDOWN,
    IMAGE,
    Drive,
    VmFiles,
    command,
    disk_counters,
    has_kvm,
    plug,
    qemu_user,
    tell,
    unplug,
)

OVERHEAD_MIB = 512
"""What QEMU itself may take above the guest's memory, translated code included."""


class VmCompute(ContainerCompute):
    """The ``vm`` driver; implements `ComputePort`."""

    name = "vm"

    def __init__(
        self,
        tag: str,
        state_dir: Path,
        images: ImageStore | None = None,
        *,
        runtime_dir: Path = Path("/run/cloudjar"),
        shutdown_seconds: float = 240,
        authority: Path | None = None,
    ) -> None:
        """As a container's; its own kernel, perhaps an interpreted one, takes its time to go down."""
        super().__init__(
            tag, state_dir, images, runtime_dir=runtime_dir, shutdown_seconds=shutdown_seconds, authority=authority
        )

    def powered_off(self, machine_id: str) -> bool:
        """True when the guest powered itself off, which QEMU notes before it ends."""
        home = self._home(machine_id)
        with contextlib.suppress(FileNotFoundError):
            said = (home.folder / "events").read_text(errors="replace")
            return GUEST_SHUTDOWN in said and home.wanted.exists() and not _pid(home)
        return False

    def _pid(self, home: Home) -> int:
        return _pid(home)

    def runs(self, machine_id: str) -> bool:
        """Whether its processors run: QEMU lives, and nobody has paused it."""
        home = self._home(machine_id)
        with contextlib.suppress(PlaneError):
            return bool(_pid(home) and tell(_monitor(home), "query-status")["running"])
        return False

    def enterable(self, machine_id: str) -> bool:
        """Never: its kernel is its own, and no agent of ours is in it."""
        del machine_id
        return False

    def answers(self, machine_id: str, address: str) -> bool:
        """Its own network cannot be looked at from outside: it answers while its processors run."""
        del address
        return self.runs(machine_id)

    def has_console(self, machine_id: str) -> bool:
        """Its serial port is there while QEMU is; who answers is the guest's own business."""
        return bool(_pid(self._home(machine_id)))

    def open_console(self, machine_id: str, ears: Ears) -> Line:
        """A seat at its serial port: QEMU has one, and lets the next one wait."""
        home = self._home(machine_id)
        if not _pid(home):
            raise PlaneError(f"machine {machine_id} is not running")
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            door.connect(str(_serial(home)))
        except OSError as failed:
            door.close()
            raise PlaneError(f"the console of {machine_id} cannot be reached: {failed}") from failed
        fd = door.detach()
        return FdLine(self._board, {fd: ears.said}, fd, ears, finish=lambda _: None)

    def _entered(self, machine_id: str) -> Home:
        raise PlaneError(f"{machine_id} is a virtual machine, in which nothing can be run from outside. Try: ssh")

    def usage(self, machine_id: str) -> Usage | None:
        """The counters of a running machine: of its processes, its ENIs, and its disks as QEMU counts them."""
        home = self._home(machine_id)
        found = super().usage(machine_id)
        if found is None:
            return None
        _shorten(home.log)
        return msgspec.structs.replace(found, **disk_counters(tell(_monitor(home), "query-blockstats")))

    def look(self, machine_id: str) -> Seen | None:
        """Up while its QEMU runs, down while there is any other trace, else None."""
        if _pid(self._home(machine_id)):
            return "up"
        return "down" if machine_id in self._traces() else None

    def start(self, spec: MachineSpec) -> None:
        """Boot the machine on its disk, making both as needed."""
        home = self._home(spec.id)
        if self._wants_image(spec):
            make_vm_image(self.store.rootfs(spec.image))
        with home.locked():
            if _pid(home):
                if home.wanted.exists():
                    return
                self._power_off(home, force=False)
            try:
                self._boot(home, spec, None)
            except PlaneError:
                self._sweep(home)
                raise
        self._look_after(spec.id)

    def interrupt(self, machine_id: str) -> None:
        """A non-maskable interrupt to its processors, by QEMU."""
        home = self._home(machine_id)
        if _pid(home):
            tell(_monitor(home), "inject-nmi")

    def renew(self, spec: MachineSpec) -> None:
        """Noted for the next time that it is started or rebooted from outside: its disk is its own while it runs."""
        home = self._home(spec.id)
        with home.locked():
            before = home.spec()
            if before is not None and _pid(home):
                home.write("spec.json", msgspec.json.encode(renewed(before, spec)))

    def grow_volume(self, volume_id: str, size_gib: int) -> None:
        """Make a volume larger; a running guest sees a data volume grow at once, its root at the next start."""
        record = self.volumes.record(volume_id)
        if record is None or record.rootfs:
            return
        self.volumes.enlarge(volume_id, size_gib)
        for home, spec in self._running():
            if any(one.volume_id == volume_id for one in spec.disks):
                tell(_monitor(home), "block_resize", {"node-name": volume_id, "size": size_gib << 30})

    def remove_volume(self, volume_id: str) -> None:
        """Remove a volume's data; refuses while a running machine has it."""
        self.refuse_used(volume_id)
        super().remove_volume(volume_id)

    def refuse_used(self, volume_id: str) -> None:
        """Raise `PlaneError` while a running machine has the volume."""
        if self.user_of(volume_id):
            raise PlaneError(f"volume {volume_id} is in use: stop or remove its machine first")

    def attach(self, machine_id: str, disk: Disk) -> None:
        """Plug a disk into the running machine; one that is down has it from its next start."""
        self.volumes.make(disk)
        home = self._home(machine_id)
        with home.locked():
            spec = home.spec()
            if spec is None or not _pid(home):
                return
            plug(_monitor(home), self._drive(disk))
            others = tuple(one for one in spec.disks if one.volume_id != disk.volume_id)
            home.write("spec.json", msgspec.json.encode(msgspec.structs.replace(spec, disks=(*others, disk))))

    def detach(self, machine_id: str, volume_id: str, *, force: bool = False) -> bool:
        """Unplug a disk. False while the guest may have it mounted, unless `force`d, and while it does not let go."""
        home = self._home(machine_id)
        with home.locked():
            spec = home.spec()
            if spec is None or all(one.volume_id != volume_id for one in spec.disks):
                return True
            if _pid(home):
                if not force and may_be_mounted(self.volumes.image_file(volume_id)):
                    return False
                if not unplug(_monitor(home), volume_id):
                    return False
            others = tuple(one for one in spec.disks if one.volume_id != volume_id)
            home.write("spec.json", msgspec.json.encode(msgspec.structs.replace(spec, disks=others)))
            return True

    def take_snapshot(self, snapshot_id: str, volume_id: str) -> None:
        """Copy a volume; its guest stands still meanwhile, so that the copy is of one instant."""
        record, image = self.volumes.record(volume_id), self.volumes.image_file(volume_id)
        if record is None:
            raise PlaneError(f"volume {volume_id} does not exist on this host")
        home = self.user_of(volume_id)
        if home is None:
            self.volumes.snapshots.take(snapshot_id, image, record)
            return
        tell(_monitor(home), "stop")
        try:
            self.volumes.snapshots.take(snapshot_id, image, record)
        finally:
            tell(_monitor(home), "cont")

    def console(self, machine_id: str) -> bytes:
        """The newest 64 KiB of the serial port, boots before this one included."""
        with contextlib.suppress(FileNotFoundError):
            return console.newest(self._home(machine_id).log.read_bytes().replace(b"\r\n", b"\n"))
        return b""

    def prepare_image(self, key: str) -> None:
        """Build the image, and of it what a virtual machine boots."""
        super().prepare_image(key)
        make_vm_image(self.store.rootfs(key))

    def _running(self) -> list[tuple[Home, MachineSpec]]:
        homes = [self._home(machine_id) for machine_id in sorted(self._traces())]
        return [(home, spec) for home in homes if _pid(home) and (spec := home.spec())]

    def user_of(self, volume_id: str) -> Home | None:
        """The running machine that has a volume."""
        for home, spec in self._running():
            if volume_id in {spec.root.volume_id, *(one.volume_id for one in spec.disks)}:
                return home
        return None

    def _look_after(self, machine_id: str) -> None:
        if self._watch is None:
            return
        pid = _pid(self._home(machine_id))
        if not (pid and self._watch.add(machine_id, pid)) and self.look(machine_id) != "up":
            self._ended(machine_id)

    def _power_off(self, home: Home, force: bool) -> None:
        pid = _pid(home)
        if pid and not force:
            with contextlib.suppress(PlaneError):
                tell(_monitor(home), "system_powerdown")
                container._wait_gone(pid, self.shutdown_seconds)
        self._sweep(home)

    def _sweep(self, home: Home) -> None:
        """Leave no process, control group, mount or tap of the machine."""
        super()._sweep(home)
        for door in (_monitor(home), _serial(home)):
            door.unlink(missing_ok=True)
        if spec := home.spec():
            vmnet.untie(spec.network)

    def _boot(self, home: Home, spec: MachineSpec, rootfs: Path | None) -> None:
        del rootfs  # the root is laid by the guest itself
        if not Path("/run/netns", spec.network).exists():
            raise PlaneError(f"the network namespace {spec.network} of machine {spec.id} does not exist")
        self._sweep(home)
        for folder in (home.folder, home.runtime / "attach"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        home.write("spec.json", msgspec.json.encode(spec))
        if home.log.exists():
            home.write("console.log", console.newest(home.log.read_bytes()))
        for extra in spec.disks:
            self.volumes.make(extra)
        image = self._prepare_root(home, spec)
        nics, wiring = vmnet.tie(spec.network)
        # Ours first: the kernel wants an archive that is not compressed at a multiple of four.
        home.write("initrd", archive({"network": wiring.encode()}) + image.initrd.read_bytes())
        qemu = need_tool("qemu-system-x86_64", "qemu-system-x86")
        argv = command(qemu, spec, self._files(home, spec, image), nics, kvm=has_kvm(), user=qemu_user(spec.id))
        (home.folder / "events").unlink(missing_ok=True)
        home.wanted.touch()
        inside = [need_tool("nsenter", "util-linux"), f"--net=/run/netns/{spec.network}", *argv]
        home.write("boot", _script(self._join(home, spec), inside).encode(), 0o700)
        run(["/bin/sh", str(home.folder / "boot")], timeout=60, what=f"booting machine {spec.id}")

    def _join(self, home: Home, spec: MachineSpec) -> list[str]:
        """The limits of the instance type on a group, and the files by which a process goes there."""
        with_qemu = msgspec.structs.replace(spec, memory_mib=spec.memory_mib + OVERHEAD_MIB)
        found = cgroups.hierarchies()
        limits = resources(with_qemu, memory_swap=cgroups.accounts_swap(found))
        limits["devices"].append({"allow": True, "type": "c", "major": 10, "minor": 232, "access": "rwm"})
        groups = self._groups(home)
        groups.prepare(limits)
        for h in found:
            if "cpuacct" in h.controllers:  # limits nothing, so nobody has made it; runc does for its guests
                (h.path / groups.relative / "box").mkdir(parents=True, exist_ok=True)
        boxes = [h.path / groups.relative / "box" / "cgroup.procs" for h in found]
        return [str(file) for file in boxes if file.exists()]

    def _files(self, home: Home, spec: MachineSpec, image: VmImage) -> VmFiles:
        root = Drive(spec.root.volume_id, self.volumes.image_file(spec.root.volume_id), "root")
        more = [self._drive(one) for one in spec.disks]
        return VmFiles(
            kernel=image.kernel,
            initrd=home.folder / "initrd",
            console=home.log,
            serial=_serial(home),
            events=home.folder / "events",
            monitor=_monitor(home),
            empty=home.disk,
            pid=home.folder / "qemu.pid",
            disks=(root, Drive(IMAGE, image.base, IMAGE), *more),
        )

    def _drive(self, one: Disk) -> Drive:
        # By the serial number udev finds the name that the disk was asked for with.
        return Drive(one.volume_id, self.volumes.image_file(one.volume_id), volumes.node_name(one.device))

    def _prepare_root(self, home: Home, spec: MachineSpec) -> VmImage:
        """Make the root volume as needed and plant the machine's identity on it; returns what it boots."""
        rootfs = self.store.rootfs(spec.image) if self._wants_image(spec) else None
        record = self.volumes.ensure(spec.root, spec.image, rootfs)
        file = self.volumes.image_file(spec.root.volume_id)
        self.volumes.settle_owner(spec.root.volume_id, 0)
        disk.mount_volume(file, home.disk)
        try:
            upper = home.disk / "upper"
            born = self.volumes.taken_by(spec.root.volume_id, spec.id)
            identity.plant(upper, identity.seed_files(spec, born_again=born, authority=self.authority))
            if born or not identity.has(upper, "etc/ssh/ssh_host_ed25519_key"):
                identity.plant(upper, identity.host_keys(spec.hostname, born_again=born))
        finally:
            disk.unmount(home.disk)
        if not volumes.wait_free(file):
            raise PlaneError(f"the volume of machine {spec.id} is still mounted on the host")
        return make_vm_image(Path(record.rootfs))


def _script(join: list[str], argv: list[str]) -> str:
    """Join the groups, then become QEMU (pure)."""
    lines = [f"echo $$ > {shlex.quote(file)} 2>/dev/null || :" for file in join]
    return "\n".join(["#!/bin/sh", *lines, f"exec {shlex.join(argv)}"]) + "\n"


def _monitor(home: Home) -> Path:
    return home.runtime / "attach" / home.name


def _serial(home: Home) -> Path:
    return home.runtime / "attach" / f"{home.name}.serial"


def _shorten(log: Path) -> None:
    """Keep a console that is written to without end from filling the disk; QEMU goes on at the file's new end."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > CONSOLE_MAX:
            newest = console.newest(log.read_bytes())
            with log.open("r+b") as file:
                file.truncate()
                file.write(newest)


def _pid(home: Home) -> int:
    """The machine's QEMU, or 0. A reused process number is told apart by its control group."""
    try:
        pid = int((home.folder / "qemu.pid").read_text())
        groups = Path(f"/proc/{pid}/cgroup").read_text()
        status = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, ValueError):
        return 0
    mine = f"/{cgroups.TOP}/{home.tag}/{home.id}/box"  # a container's processes are in groups below
    if not any(line.endswith(mine) for line in groups.splitlines()) or status.rpartition(") ")[2][0] in "ZX":
        return 0
    return pid
