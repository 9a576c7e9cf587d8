"""What QEMU is told: a machine as its command line (pure), and a word to a running one through its monitor."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes import guest_users
from cloudjar.planes.compute.port import MachineSpec
from cloudjar.planes.compute.vmnet import Nic

COUNT = 65536
USERS = guest_users.FIRST - COUNT
"""The first of the host's user ids that QEMU runs as: below those of guests, nobody's either."""

IMAGE = "image"
"""QEMU's name of the disk with the image, which all machines share."""

GUEST_SHUTDOWN = "qemu_system_shutdown_request reason=6"
"""QEMU's trace of a guest that powered itself off (its ``SHUTDOWN_CAUSE_GUEST_SHUTDOWN``)."""

SECONDS = 30
"""How long a machine may take to answer."""
_DISK = "virtio-blk-pci"
_WORDS = (
    "console=ttyS0 net.ifnames=0 random.trust_cpu=on mitigations=off systemd.log_color=0 "
    "systemd.log_level=notice audit=0 modprobe.blacklist=kvm_amd,kvm_intel,powernow_k8,acpi_cpufreq,ata_piix,psmouse"
)
_EMULATED = "tcg,thread=single,tb-size=256"
"""All processors of a guest in one thread of the host. With a thread each, one of them sometimes goes on with an
instruction that another has just replaced (a kernel patches itself all the time), traps there for ever and the boot
hangs: in one of a few tens of boots on a busy host."""
_EMULATED_WORDS = (
    "no_timer_check tsc=reliable cryptomgr.notests systemd.default_timeout_start_sec=900 systemd.service_watchdogs=no "
    "udev.event_timeout=900"
)
"""On a busy host ticks come late: neither the timer's check nor the clocks' comparison with each other says anything,
and a clock that is read without leaving the emulated code is the cheaper one. Nor is a service broken that takes
minutes to start."""


class Drive(NamedTuple):
    """A disk of a machine: QEMU's name for it (its volume, or `IMAGE`), and the serial number that the guest reads."""

    name: str
    file: Path
    serial: str


class VmFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one machine, and its disks in the guest's order."""

    kernel: Path
    initrd: Path
    console: Path
    """Where all that the serial port says is kept."""
    serial: Path
    """The socket of the one who sits at it."""
    events: Path
    monitor: Path
    pid: Path
    empty: Path
    """A folder with nothing in it, the only one that QEMU sees while the guest runs."""
    disks: tuple[Drive, ...]


def qemu_user(machine_id: str) -> int:
    """The host's user id of a machine's QEMU: the same at each boot, another machine's hardly ever (pure)."""
    return USERS + zlib.crc32(machine_id.encode()) % COUNT


def has_kvm() -> bool:
    """Whether the processor itself can run guests here: a KVM without its extensions runs no ordinary kernel."""
    try:
        flags = {word for line in Path("/proc/cpuinfo").read_text().splitlines() for word in line.split()}
    except OSError:
        return False
    return bool(flags & {"vmx", "svm"}) and os.access("/dev/kvm", os.R_OK | os.W_OK)


def command(qemu: str, spec: MachineSpec, files: VmFiles, nics: list[Nic], *, kvm: bool, user: int) -> list[str]:
    """QEMU's command line for one run of a machine (pure).

    It opens what it was told as root, then becomes `user`, nobody on this host, in an empty folder.
    """
    argv = [qemu, "-machine", "pc,usb=off,vmport=off", "-nodefaults", "-no-user-config", "-display", "none"]
    argv += ["-accel", "kvm", "-cpu", "host"] if kvm else ["-accel", _EMULATED, "-cpu", "max"]
    argv += ["-smp", str(max(1, round(spec.vcpus))), "-m", str(spec.memory_mib), "-name", spec.id]
    words = _WORDS if kvm else f"{_WORDS} {_EMULATED_WORDS}"
    argv += ["-kernel", str(files.kernel), "-initrd", str(files.initrd), "-append", words]
    for one in files.disks:
        argv += ["-blockdev", json.dumps(_node(one.name, str(one.file), fixed=one.name == IMAGE))]
        argv += ["-device", f"{_DISK},drive={one.name},id={one.name},serial={one.serial}"]
    for nic in nics:
        argv += ["-netdev", f"tap,id={nic.tap},ifname={nic.tap},script=no,downscript=no"]
        argv += ["-device", f"virtio-net-pci,netdev={nic.tap},mac={nic.mac}"]
    serial = f"path={files.serial},server=on,wait=off,logfile={files.console},logappend=on"
    argv += ["-chardev", f"socket,id=console,{serial}", "-serial", "chardev:console"]
    argv += ["-chardev", f"socket,id=monitor,path={files.monitor},server=on,wait=off"]
    argv += ["-mon", "chardev=monitor,mode=control"]
    argv += ["-D", str(files.events), "-trace", "qemu_system_shutdown_request"]
    argv += ["-sandbox", "on,obsolete=deny,resourcecontrol=deny"]
    return [*argv, "-pidfile", str(files.pid), "-runas", f"{user}:{user}", "-chroot", str(files.empty), "-daemonize"]


class Talk:
    """One conversation with a running machine's monitor; refusals and silence raise `PlaneError`."""

    def __init__(self, peer: socket.socket) -> None:
        self._peer = peer
        self._lines = peer.makefile("rb")

    def greet(self) -> None:
        """Hear the greeting and open the conversation, as QEMU wants it."""
        self._lines.readline()
        self.order("qmp_capabilities")

    def order(self, name: str, arguments: dict[str, Any] | None = None, *, file: int | None = None) -> Any:
        """Give an order, with an open file if it wants one, and hear the answer."""
        words = json.dumps({"execute": name, "arguments": arguments or {}}).encode() + b"\n"
        socket.send_fds(self._peer, [words], [] if file is None else [file])
        for said in self._said():
            if "error" in said:
                raise PlaneError(f"the machine refuses {name}: {said['error'].get('desc', '')}")
            if "return" in said:
                return said["return"]
        raise PlaneError(f"the machine went away before it answered {name}")

    def hear(self, event: str, **data: object) -> bool:
        """Wait for an event with these data; False when the machine goes away first, or says nothing for long."""
        with contextlib.suppress(TimeoutError):
            return any(
                said.get("event") == event and data.items() <= said.get("data", {}).items() for said in self._said()
            )
        return False

    def _said(self) -> Iterator[dict[str, Any]]:
        while line := self._lines.readline():
            yield json.loads(line)


@contextlib.contextmanager
def talking(monitor: Path) -> Iterator[Talk]:
    """A conversation with a running machine; raises `PlaneError` when it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.settimeout(SECONDS)
            peer.connect(str(monitor))
            talk = Talk(peer)
            talk.greet()
            yield talk
    except (OSError, ValueError) as failed:
        raise PlaneError(f"the machine's monitor does not answer: {failed}") from failed


def tell(monitor: Path, name: str, arguments: dict[str, Any] | None = None) -> Any:
    """Give a running machine one order."""
    with talking(monitor) as talk:
        return talk.order(name, arguments)


def plug(monitor: Path, drive: Drive) -> None:
    """Give a running machine a disk. QEMU sees no files any more and is nobody: it is handed the open file."""
    with talking(monitor) as talk:
        if any(one["node-name"] == drive.name for one in talk.order("query-named-block-nodes")):
            return
        file = os.open(drive.file, os.O_RDWR | os.O_CLOEXEC)
        try:
            number = talk.order("add-fd", file=file)["fdset-id"]
        finally:
            os.close(file)
        talk.order("blockdev-add", _node(drive.name, f"/dev/fdset/{number}"))
        try:
            told = {"driver": _DISK, "drive": drive.name, "id": drive.name, "serial": drive.serial}
            talk.order("device_add", told)
        except PlaneError:
            talk.order("blockdev-del", {"node-name": drive.name})
            raise


def unplug(monitor: Path, name: str) -> bool:
    """Take a disk from a running machine; False when its guest does not let it go."""
    with talking(monitor) as talk:
        if all(one["node-name"] != name for one in talk.order("query-named-block-nodes")):
            return True
        with contextlib.suppress(PlaneError):  # asked before, and gone or going
            talk.order("device_del", {"id": name})
            if not talk.hear("DEVICE_DELETED", device=name):
                return False
        talk.order("blockdev-del", {"node-name": name})
        return True


def _node(name: str, file: str, *, fixed: bool = False) -> dict[str, Any]:
    below = {"driver": "file", "filename": file, "discard": "unmap"}
    return {"driver": "raw", "node-name": name, "read-only": fixed, "discard": "unmap", "file": below}


def disk_counters(told: list[dict[str, Any]]) -> dict[str, float]:
    """What a machine read and wrote, from ``query-blockstats``: all of its disks but the image (pure)."""
    found = dict.fromkeys(("read_ops", "read_bytes", "write_ops", "written_bytes"), 0.0)
    for one in told:
        stats = one["stats"]
        if one.get("node-name") != IMAGE:
            for name, theirs in zip(found, ("rd_operations", "rd_bytes", "wr_operations", "wr_bytes"), strict=True):
                found[name] += stats[theirs]
    return found
