"""Machines as system containers: systemd under runc, watched by conmon, on a disk of their own.

Nothing is remembered between calls: what exists is read from the machine's folder and from the kernel each
time, so a call may be repeated or cut off anywhere. A boot always starts from a swept floor.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import PlaneError
from cloudjar.planes import guest_users
from cloudjar.planes.compute import cgroups, console, disk, identity, mount_keeper, volumes
from cloudjar.planes.compute.bundle import NODES, Plugged, Users, device_rules, oci_config, resources
from cloudjar.planes.compute.entering import Entering
from cloudjar.planes.compute.home import POWERED_OFF, Home, again_script, boot_script, home_of
from cloudjar.planes.compute.images import ImageStore
from cloudjar.planes.compute.leasing import Leasing
from cloudjar.planes.compute.limits import give_back, make_room
from cloudjar.planes.compute.metering import Metering
from cloudjar.planes.compute.port import Disk, ImageInfo, MachineSpec, Seen
from cloudjar.planes.compute.process import need_tool, run
from cloudjar.planes.compute.watch import Watch

_SHUTDOWN = signal.SIGRTMIN + 3
"""systemd's "halt now, in order" for containers."""

_LIMITS, _CLAIMS = ".limits", "jars"
"""Beside the folders of installations: what the host's limits were, and which jar has what (`cli.claims`)."""

_SYS_RESOURCE = 24
"""The capability that ext4 wants of who grows it while it is mounted."""


class ContainerCompute(Entering, Metering, Leasing):
    """The ``container`` driver; implements `ComputePort` (measuring by `Metering`) and, by `Entering`, `Inside`.

    `tag` names the installation (unique on the host), `state_dir` holds machines and volumes, `images` the shared
    image cache. `shutdown_seconds` is how long a guest may take to shut down before its power is cut.
    """

    name = "container"

    def __init__(
        self,
        tag: str,
        state_dir: Path,
        images: ImageStore | None = None,
        *,
        runtime_dir: Path = Path("/run/cloudjar"),
        shutdown_seconds: float = 60,
        authority: Path | None = None,
    ) -> None:
        super().__init__()
        self.tag, self.authority = tag, authority
        self.state = state_dir.absolute()
        self.runtime = runtime_dir
        self.shutdown_seconds = shutdown_seconds
        self.store = images or ImageStore()
        self.volumes = disk.Volumes(self.state / "volumes")
        self._watch: Watch | None = None
        self._ended: Callable[[str], None] = lambda _: None

    def look(self, machine_id: str) -> Seen | None:
        """Up while the guest's init lives, down while there is any other trace, else None."""
        home = self._home(machine_id)
        if _init_pid(home):
            return "up"
        return "down" if machine_id in self._traces() else None

    def powered_off(self, machine_id: str) -> bool:
        """True when the guest's last words were its own power-off: a host that goes down takes its guests otherwise."""
        home = self._home(machine_id)
        try:
            ended = (home.folder / "exit" / home.name).read_text().strip()
        except FileNotFoundError:
            return False
        return home.wanted.exists() and ended == POWERED_OFF and not _init_pid(home)

    def start(self, spec: MachineSpec) -> None:
        """Boot the machine on its disk, making both as needed; limits and names are those of this `spec`."""
        make_room(self.runtime / _LIMITS)
        home = self._home(spec.id)
        rootfs = None
        if self._wants_image(spec) or spec.follows_image:
            rootfs = self.store.rootfs(spec.image)
        with home.locked():
            # Alive but no longer wanted: somebody was cut off while stopping it, and it may go at any moment.
            if _init_pid(home):
                if home.wanted.exists():
                    return
                self._power_off(home, force=False)
            try:
                self._boot(home, spec, rootfs)
            except PlaneError:
                self._sweep(home)
                raise
        self._look_after(spec.id)

    def stop(self, machine_id: str, *, force: bool = False) -> None:
        """Shut down in order, or cut the power after `shutdown_seconds` (at once with `force`); the disk is kept."""
        home = self._home(machine_id)
        if machine_id not in self._traces():
            return
        with home.locked():
            home.wanted.unlink(missing_ok=True)
            self._power_off(home, force)

    def reboot(self, machine_id: str) -> None:
        """Shut down and boot again as the machine was last started."""
        home = self._home(machine_id)
        with home.locked():
            spec = home.spec()
            if spec is None:
                raise PlaneError(f"machine {machine_id} does not exist on this host")
            home.wanted.unlink(missing_ok=True)
            self._power_off(home, force=False)
            self._boot(home, spec, None)
        self._look_after(machine_id)

    def watch(self, ended: Callable[[str], None]) -> None:
        """Tell of machines that go down, those that run already included."""
        self._ended = ended
        self._watch = Watch(self._look_after)
        for machine_id, seen in self.machines().items():
            if seen == "up":
                self._look_after(machine_id)

    def _look_after(self, machine_id: str) -> None:
        """Watch the machine's keeper (a guest's own reboot puts a new one in its place), or tell that it is down. A
        keeper may end before its guest, when somebody cuts the power of both: then it is the guest that is watched."""
        if self._watch is None:
            return
        home, keeper = self._home(machine_id), 0
        with contextlib.suppress(OSError, ValueError):
            keeper = int((home.folder / "conmon.pid").read_text())
        if not any(pid and self._watch.add(machine_id, pid) for pid in (keeper, _init_pid(home))):
            self._ended(machine_id)

    def remove(self, machine_id: str) -> None:
        """Cut the power and remove every trace but volumes."""
        home = self._home(machine_id)
        if machine_id not in self._traces():
            return
        with home.locked():
            home.wanted.unlink(missing_ok=True)
            self._sweep(home)
            shutil.rmtree(home.folder, ignore_errors=True)
            (home.runtime / "attach" / home.name).unlink(missing_ok=True)
            home.unlock_for_good()

    def make_volume(self, disk: Disk) -> None:
        """Make a volume's data, of its snapshot or of zeroes, unless it exists."""
        self.volumes.make(disk)

    def grow_volume(self, volume_id: str, size_gib: int) -> None:
        """Make a volume larger; a running guest sees it at once, and grows its file system itself."""
        record, image = self.volumes.record(volume_id), self.volumes.image_file(volume_id)
        system = record is not None and bool(record.rootfs)
        # The system's own file system is out of the guest's reach: the host does what cloud-init would, at once when
        # the kernel lets it, else at the next start.
        if system and not (_permitted() >> _SYS_RESOURCE & 1 and disk.mounted_from(image)):
            return
        self.volumes.enlarge(volume_id, size_gib)
        volumes.grown(image)
        for device in disk.mounted_from(image) if system else ():
            run([need_tool("resize2fs", "e2fsprogs"), device], timeout=300, what="growing a root disk")

    def remove_volume(self, volume_id: str) -> None:
        """Remove a volume's data; refuses while a machine has it mounted."""
        self.volumes.remove(volume_id)

    def attach(self, machine_id: str, disk: Disk) -> None:
        """A loop device, the right to open it, and its node in the running guest."""
        self.volumes.make(disk)
        home = self._home(machine_id)
        with home.locked():
            spec, pid = home.spec(), _init_pid(home)
            # One that reboots by itself at this moment has no init, and will boot from what is written down.
            if spec is None or not (pid or home.wanted.exists()):
                return
            others = tuple(one for one in spec.disks if one.volume_id != disk.volume_id)
            plugged = self._describe(home, msgspec.structs.replace(spec, disks=(*others, disk)))
            if not pid:
                return
            mine = next(one for one in plugged if one.node == volumes.node_name(disk.device))
            self._groups(home).allow_device(mine.loop.major, mine.loop.minor, device_rules(plugged))
            if nodes := self._nodes(home, plugged):
                volumes.plug_node(pid, nodes / mine.node)
            else:
                volumes.plug(pid, mine)

    def detach(self, machine_id: str, volume_id: str, *, force: bool = False) -> bool:
        """Take node, right and loop device away; False while a file system on it is mounted."""
        home = self._home(machine_id)
        image = self.volumes.image_file(volume_id)
        with home.locked():
            spec, pid, loop = home.spec(), _init_pid(home), volumes.held(image)
            mine = [one for one in spec.disks if one.volume_id == volume_id] if spec else []
            if spec is None or not mine:
                return True
            if pid and loop and not force and volumes.is_busy(loop):
                return False
            after = msgspec.structs.replace(spec, disks=tuple(o for o in spec.disks if o.volume_id != volume_id))
            if not (pid or home.wanted.exists()):
                home.write("spec.json", msgspec.json.encode(after))
            else:
                left = self._describe(home, after)
                if pid:
                    take_out = volumes.unplug_node if self._nodes(home, left) else volumes.unplug
                    take_out(pid, volumes.node_name(mine[0].device))
                if loop:
                    self._groups(home).deny_device(loop.major, loop.minor, device_rules(left))
            volumes.let_go(image)
            return True

    def take_snapshot(self, snapshot_id: str, volume_id: str) -> None:
        """Copy a volume; a guest's writes wait meanwhile, so that the copy is of one instant."""
        record = self.volumes.record(volume_id)
        if record is None:
            raise PlaneError(f"volume {volume_id} does not exist on this host")
        image = self.volumes.image_file(volume_id)
        with volumes.still(image, self._guests()):
            self.volumes.snapshots.take(snapshot_id, image, record)

    def copy_snapshot(self, snapshot_id: str, source_id: str) -> None:
        """Another snapshot of the same data."""
        self.volumes.snapshots.copy(snapshot_id, source_id)

    def remove_snapshot(self, snapshot_id: str) -> None:
        """Remove a snapshot's data."""
        self.volumes.snapshots.remove(snapshot_id)

    def changed_blocks(self, snapshot_id: str, since: str = "") -> int:
        """Blocks of 512 KiB that hold data, or that differ from another snapshot."""
        return self.volumes.snapshots.changed(snapshot_id, since)

    def _guests(self) -> list[int]:
        """The init of every running guest."""
        return [pid for machine_id in self._traces() if (pid := _init_pid(self._home(machine_id)))]

    def _groups(self, home: Home) -> cgroups.Groups:
        return cgroups.Groups(self.tag, home.id)

    def console(self, machine_id: str) -> bytes:
        """The newest 64 KiB of what the guest wrote to its console, boots before this one included."""
        home = self._home(machine_id)
        text = b""
        with contextlib.suppress(FileNotFoundError):
            text += home.past.read_bytes()
        with contextlib.suppress(FileNotFoundError):
            text += console.from_log(home.log.read_bytes())
        return console.newest(text)

    def machines(self) -> dict[str, Seen]:
        """Every machine with a folder, a control group or a container."""
        return {machine: seen for machine in sorted(self._traces()) if (seen := self.look(machine))}

    def images(self) -> dict[str, ImageInfo]:
        """The catalogue; availability is tried, with short timeouts, and remembered for a while."""
        return self.store.images()

    def prepare_image(self, key: str) -> None:
        """Build and cache an image now."""
        self.store.prepare(key)

    def close(self) -> None:
        """Remove what the driver itself put on the host; a no-op while any machine runs."""
        runtime = self.runtime / self.tag
        if not self._traces():
            shutil.rmtree(runtime / "attach", ignore_errors=True)  # sockets of those who were killed
        parts = [runtime / name for name in ("runc", "roots", "keepers")]
        for folder in (*parts, runtime):
            with contextlib.suppress(OSError):
                folder.rmdir()
        with contextlib.suppress(OSError):
            if not {entry.name for entry in self.runtime.iterdir()} - {_LIMITS, _CLAIMS}:
                give_back(self.runtime / _LIMITS)
            self.runtime.rmdir()

    def _home(self, machine_id: str) -> Home:
        return home_of(self.tag, self.state, self.runtime, machine_id)

    def _pid(self, home: Home) -> int:
        return _init_pid(home)

    def _traces(self) -> set[str]:
        """Ids of machines with any trace, whoever left it."""
        found = cgroups.machine_ids(self.tag)
        with contextlib.suppress(FileNotFoundError):
            found |= {p.name for p in (self.state / "machines").iterdir() if not p.name.startswith(".")}
        prefix = f"cj-{self.tag}-"
        with contextlib.suppress(FileNotFoundError):
            names = [p.name for p in (self.runtime / self.tag / "runc").iterdir()]
            found |= {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
        return found

    def _boot(self, home: Home, spec: MachineSpec, rootfs: Path | None) -> None:
        if not Path("/run/netns", spec.network).exists():
            raise PlaneError(f"the network namespace {spec.network} of machine {spec.id} does not exist")
        self._sweep(home)
        sockets = (home.runtime / "attach", home.listener.parent)
        for folder in (home.folder, home.folder / "exit", home.runc_root, *sockets):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        home.root.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
        home.write("spec.json", msgspec.json.encode(spec))
        _turn_page(home)
        for extra in spec.disks:
            self.volumes.make(extra)
        self._lay_out(home, spec, rootfs)
        plugged = self._describe(home, spec)
        groups = self._groups(home)
        swap = cgroups.accounts_swap(cgroups.hierarchies())
        groups.prepare(resources(spec, memory_swap=swap, disks=plugged))
        script = boot_script(
            home,
            keeper_files=groups.keeper_files(),
            conmon=need_tool("conmon", "conmon"),
            runc=need_tool("runc", "runc"),
            **self._with_users(home, spec, groups),
        )
        home.write("boot", script.encode(), 0o700)
        home.write("again", again_script(home, need_tool("flock", "util-linux")).encode(), 0o700)
        home.wanted.touch()
        run(["/bin/sh", str(home.folder / "boot")], timeout=60, what=f"booting machine {spec.id}")

    def _describe(self, home: Home, spec: MachineSpec) -> list[Plugged]:
        """Put the machine's disks behind loop devices and write down what it is, for this boot and for its own next."""
        root = volumes.held(self.volumes.image_file(spec.root.volume_id))
        plugged = [Plugged(volumes.node_name(spec.root.device), root, open=False)] if root else []
        for one in spec.disks:
            loop = volumes.hold(self.volumes.image_file(one.volume_id))
            plugged.append(Plugged(volumes.node_name(one.device), loop))
        volumes.show(home.folder / "sys", plugged)
        owner = self._owner(spec)
        config = oci_config(
            spec,
            rootfs=str(home.root),
            disk=str(home.disk),
            cgroup=self._groups(home).guest,
            limits=_rlimits(),
            permitted=_permitted(),
            memory_swap=cgroups.accounts_swap(cgroups.hierarchies()),
            disks=plugged,
            block=str(home.folder / "sys"),
            users=Users(f"{home.folder}/users", owner, guest_users.COUNT, str(home.listener)) if owner else None,
            machine=os.uname().machine,
        )
        self._nodes(home, plugged)
        home.write("spec.json", msgspec.json.encode(spec))
        home.write("config.json", msgspec.json.encode(config))
        return plugged

    def _lay_out(self, home: Home, spec: MachineSpec, rootfs: Path | None) -> None:
        """Mount the volume, plant the machine's identity on it, mount the root over it."""
        if rootfs is None and (self._wants_image(spec) or spec.follows_image):
            rootfs = self.store.rootfs(spec.image)
        record = self.volumes.ensure(spec.root, spec.image, rootfs, follows=spec.follows_image)
        with guest_users.owner_of(f"/run/netns/{spec.network}") as users:
            if users is not None and not guest_users.can_show_as(Path(record.rootfs), users):
                users = None
            owner = 0 if users is None else guest_users.FIRST
            self.volumes.settle_owner(spec.root.volume_id, owner)
            disk.mount_volume(self.volumes.image_file(spec.root.volume_id), home.disk, owner)
            upper = home.disk / "upper"
            born = self.volumes.taken_by(spec.root.volume_id, spec.id)
            identity.plant(upper, identity.seed_files(spec, born_again=born, authority=self.authority), owner)
            if born or not identity.has(upper, "etc/ssh/ssh_host_ed25519_key"):
                identity.plant(upper, identity.host_keys(spec.hostname, born_again=born), owner)
            disk.mount_root(Path(record.rootfs), home.disk, home.root, users)

    def _owner(self, spec: MachineSpec) -> int:
        """The host's id of the guest's root: 0 for a guest that has the host's own users."""
        record = self.volumes.record(spec.root.volume_id)
        return (record.owner or 0) if record else 0

    def _nodes(self, home: Home, plugged: list[Plugged]) -> Path | None:
        """The folder with the device nodes of a guest that can make none; None for one that can."""
        spec = home.spec()
        owner = self._owner(spec) if spec else 0
        if not owner or not disk.is_mounted(home.disk):
            return None
        folder = home.disk / NODES
        volumes.lay_nodes(folder, plugged, owner)
        return folder

    def _with_users(self, home: Home, spec: MachineSpec, groups: cgroups.Groups) -> dict[str, list[str]]:
        """What else a guest with users of its own needs at its boot."""
        owner = self._owner(spec)
        if not owner:
            return {}
        keeper = [sys.executable, "-I", "-S", mount_keeper.__file__, str(home.listener)]
        return {"mounts": [*keeper, str(home.folder), f"/run/netns/{spec.network}"], "own": groups.giving(owner)}

    def _wants_image(self, spec: MachineSpec) -> bool:
        """Whether the root volume is still to be made, and of the image itself."""
        return not spec.root.snapshot and self.volumes.record(spec.root.volume_id) is None

    def _power_off(self, home: Home, force: bool) -> None:
        pid = _init_pid(home)
        if pid and not force:
            _signal_and_wait(pid, _SHUTDOWN, self.shutdown_seconds)
        self._sweep(home)

    def _sweep(self, home: Home) -> None:
        """Leave no process, container, control group or mount of the machine."""
        groups = cgroups.Groups(self.tag, home.id)
        end = monotonic() + 30
        while pids := groups.kill():
            for pid in pids:
                _wait_gone(pid, 5)
            if monotonic() > end:
                raise PlaneError(f"processes of machine {home.id} do not die: {sorted(pids)}")
        if (home.runc_root / home.name).exists():
            runc = need_tool("runc", "runc")
            # It unmounts and forgets; half a container, left by a cut, it does not know, and only the folder remains.
            run([runc, "--root", str(home.runc_root), "delete", "--force", home.name], ok=tuple(range(256)))
            shutil.rmtree(home.runc_root / home.name, ignore_errors=True)
        groups.remove()
        disk.unmount(home.root)
        with contextlib.suppress(OSError):
            home.root.rmdir()
        home.listener.unlink(missing_ok=True)
        disk.unmount(home.disk)
        spec = home.spec()
        for one in spec.disks if spec else ():
            image = self.volumes.image_file(one.volume_id)
            volumes.let_go(image)
            volumes.wait_free(image)


def _init_pid(home: Home) -> int:
    """The guest's booted init, or 0. A reused process number is told apart by its control group."""
    try:
        pid = int((home.folder / "init.pid").read_text())
        groups = Path(f"/proc/{pid}/cgroup").read_text()
        status = Path(f"/proc/{pid}/status").read_text()
    except (OSError, ValueError):
        return 0
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    if f"/{cgroups.TOP}/{home.tag}/{home.id}/box/" not in groups or fields["State"].startswith(("Z", "X")):
        return 0
    # runc's pipe for the word to go: while it is there, the machine is created and not booted.
    return 0 if (home.runc_root / home.name / "exec.fifo").exists() else pid


def _signal_and_wait(pid: int, number: int, seconds: float) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
    return _wait_gone(pid, seconds)


def _wait_gone(pid: int, seconds: float) -> bool:
    """Wait for the end of a process that need not be our child; False when it outlives `seconds`."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    finally:
        os.close(handle)


def _permitted() -> int:
    """The capability mask that this process has to give; a server in a container may lack some."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:")), 0)


def _rlimits() -> dict[str, int]:
    """What guests get; never above this process's own hard limits, which only the host's owner can raise."""
    wanted = {"NOFILE": (resource.RLIMIT_NOFILE, 1 << 20), "NPROC": (resource.RLIMIT_NPROC, 1 << 20)}
    limits = {}
    for name, (number, most) in wanted.items():
        hard = resource.getrlimit(number)[1]
        limits[name] = most if hard == resource.RLIM_INFINITY else min(hard, most)
    return limits


def _turn_page(home: Home) -> None:
    """Keep the newest part of earlier boots' console output, and let conmon begin a new log."""
    with contextlib.suppress(FileNotFoundError):
        text = console.from_log(home.log.read_bytes())
        before = home.past.read_bytes() if home.past.exists() else b""
        home.write("console.past", console.newest(before + text))
        home.log.unlink()
