"""What runc is told about a machine: its OCI runtime configuration, as data (pure).

https://github.com/opencontainers/runtime-spec/blob/main/config.md

A machine is a whole operating system, so it keeps more than a service container does, and less than
"privileged" gives: no host device but the harmless ones, no kernel modules, no clock, no raw I/O, kernel
settings read-only except the network's. Why just these is recorded in docs/decisions/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from cloudjar.planes.compute.guards import seccomp
from cloudjar.planes.compute.port import MachineSpec

NODES = "nodes"
"""The folder of a machine's disk that has its device nodes, where a guest has users of its own."""

DISK_GROUP = 6
"""``disk`` on Debian, Ubuntu and Amazon Linux."""


class Loop(NamedTuple):
    """A loop device that holds a volume's file."""

    path: str
    major: int
    minor: int

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class Users(NamedTuple):
    """The user namespace of a guest: its root is the host's `first` user, who may nothing there."""

    path: str
    first: int
    size: int
    listener: str
    """The mount keeper's socket."""


class Plugged(NamedTuple):
    """A disk as a guest has it: the name of its node in ``/dev``, and the device behind it."""

    node: str
    loop: Loop
    open: bool = True
    """Whether the guest may open it; its root disk it only sees."""


CPU_PERIOD = 100_000
"""Microseconds; the kernel's own default."""

PIDS = 16_384
"""Enough for any course work, few enough that a fork bomb stays in its jar."""

# In the kernel's order: the position is the bit.
_BITS = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT "
    "SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP "
    "MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)

_WITHHELD = (
    "SYS_MODULE SYS_RAWIO SYS_PACCT SYS_TIME AUDIT_CONTROL MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND "
    "AUDIT_READ CHECKPOINT_RESTORE"
)


def capabilities(permitted: int) -> list[str]:
    """What a guest may have out of what this process itself has (the mask ``CapPrm`` of its status)."""
    withheld = set(_WITHHELD.split())
    held = [name for bit, name in enumerate(_BITS.split()) if permitted >> bit & 1]
    return [f"CAP_{name}" for name in held if name not in withheld]


# (type, major, minor): what may be opened. Any node may be *made*, as dpkg and docker do, but not opened.
DEVICES: tuple[tuple[str, int, int], ...] = (
    ("c", 1, 3),  # null
    ("c", 1, 5),  # zero
    ("c", 1, 7),  # full
    ("c", 1, 8),  # random
    ("c", 1, 9),  # urandom
    ("c", 5, 0),  # tty
    ("c", 5, 1),  # console
    ("c", 5, 2),  # ptmx
    ("c", 10, 200),  # net/tun
    ("c", 10, 229),  # fuse
)
PTS_MAJOR = 136

# Kept on the machine's own disk instead of the overlay, which cannot carry another overlay's upper layer.
DISK_BINDS = {
    "docker": "/var/lib/docker",
    "containerd": "/var/lib/containerd",
    "containers": "/var/lib/containers",
}

# Kernel settings belong to the host; /proc/sys/net is left out because it belongs to the guest's own network.
_READ_ONLY = [f"/proc/sys/{name}" for name in ("abi", "debug", "dev", "fs", "kernel", "sunrpc", "user", "vm")]
_READ_ONLY += ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sysrq-trigger"]
_MASKED = ["/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/scsi"]


def oci_config(
    spec: MachineSpec,
    *,
    rootfs: str,
    disk: str,
    cgroup: str,
    limits: dict[str, int],
    permitted: int,
    memory_swap: bool,
    disks: Sequence[Plugged] = (),
    block: str = "",
    users: Users | None = None,
    machine: str = "x86_64",
) -> dict[str, Any]:
    """The configuration of one boot.

    `rootfs` is the mounted root, `disk` the mounted volume (absolute paths), `cgroup` the absolute cgroup path,
    `limits` the rlimits by name without ``RLIMIT_`` (soft = hard),
    `permitted` the capability mask that this process has to give, `memory_swap` whether the host accounts swap,
    `disks` the block devices, `block` the folder that lists them to the guest (`volumes.show`; empty: all are seen),
    `users` the guest's own users (None: it has the host's), `machine` the host's architecture.
    """
    config: dict[str, Any] = {
        "ociVersion": "1.0.2",
        "hostname": spec.hostname,
        "root": {"path": rootfs, "readonly": False},
        "process": _process(limits, capabilities(permitted)),
        "mounts": [*_mounts(disk, spec.memory_mib, block), *(_bound_node(disk, one) for one in disks if users)],
        "linux": {
            "namespaces": [
                {"type": "pid"},
                {"type": "ipc"},
                {"type": "uts"},
                {"type": "mount"},
                {"type": "cgroup"},
                {"type": "network", "path": f"/run/netns/{spec.network}"},
            ],
            "cgroupsPath": cgroup,
            "resources": resources(spec, memory_swap=memory_swap, disks=disks),
            "devices": [
                *(_block_node(plugged) for plugged in disks if not users),
                {"path": "/dev/net/tun", "type": "c", "major": 10, "minor": 200, "fileMode": 0o666},
                {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o666},
            ],
            "maskedPaths": _MASKED,
            "readonlyPaths": _READ_ONLY,
            "seccomp": seccomp(machine, users.listener if users else ""),
        },
    }
    if users:
        mapping = [{"containerID": 0, "hostID": users.first, "size": users.size}]
        config["linux"]["namespaces"].append({"type": "user", "path": users.path})
        config["linux"] |= {"uidMappings": mapping, "gidMappings": mapping}
    return config


def resources(spec: MachineSpec, *, memory_swap: bool, disks: Sequence[Plugged] = ()) -> dict[str, Any]:
    """The instance type as limits: CPU quota, memory without swap, processes, devices."""
    memory = spec.memory_mib << 20
    return {
        "cpu": {"quota": cpu_quota(spec), "period": CPU_PERIOD},
        "memory": {"limit": memory, "swap": memory} if memory_swap else {"limit": memory},
        "pids": {"limit": PIDS},
        "devices": device_rules(disks),
    }


def cpu_quota(spec: MachineSpec) -> int:
    """Microseconds of CPU per period; the kernel refuses less than 1,000."""
    return max(1000, round(spec.vcpus * spec.cpu_share * CPU_PERIOD))


def _block_node(disk: Plugged) -> dict[str, Any]:
    return {
        "path": f"/dev/{disk.node}",
        "type": "b",
        "major": disk.loop.major,
        "minor": disk.loop.minor,
        "fileMode": 0o660,
        "uid": 0,
        "gid": DISK_GROUP,
    }


def _bound_node(disk: str, plugged: Plugged) -> dict[str, Any]:
    """A node that the host made: the guest's root may make none."""
    source = f"{disk}/{NODES}/{plugged.node}"
    return {"destination": f"/dev/{plugged.node}", "type": "bind", "source": source, "options": ["bind"]}


def device_rules(disks: Sequence[Plugged]) -> list[dict[str, Any]]:
    """What a guest may do with device nodes: make any, open the harmless ones and its own disks."""
    rules: list[dict[str, Any]] = [
        {"allow": False, "access": "rwm"},
        {"allow": True, "type": "c", "access": "m"},
        {"allow": True, "type": "b", "access": "m"},
    ]
    rules += [
        {"allow": True, "type": kind, "major": major, "minor": minor, "access": "rwm"} for kind, major, minor in DEVICES
    ]
    rules += [
        {"allow": True, "type": "b", "major": disk.loop.major, "minor": disk.loop.minor, "access": "rwm"}
        for disk in disks
        if disk.open
    ]
    return [*rules, {"allow": True, "type": "c", "major": PTS_MAJOR, "access": "rwm"}]


def _process(limits: dict[str, int], granted: list[str]) -> dict[str, Any]:
    sets = ("bounding", "effective", "permitted")
    return {
        "terminal": True,
        "user": {"uid": 0, "gid": 0},
        "args": ["/sbin/init"],
        "cwd": "/",
        "env": [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            # No colours and no animation: the console is read as a text.
            "TERM=dumb",
            "container=oci",
            # systemd 256 and later boot on a version 1 cgroup host only when asked to.
            "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1",
        ],
        "capabilities": dict.fromkeys(sets, granted),
        "rlimits": [{"type": f"RLIMIT_{name}", "soft": value, "hard": value} for name, value in sorted(limits.items())],
        "noNewPrivileges": False,
    }


def _mounts(disk: str, memory_mib: int, block: str) -> list[dict[str, Any]]:
    def mount(to: str, kind: str, source: str, *options: str) -> dict[str, Any]:
        return {"destination": to, "type": kind, "source": source, "options": list(options)}

    safe = ("nosuid", "noexec", "nodev")
    mounts = [
        mount("/proc", "proc", "proc", *safe),
        mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
        mount("/dev/shm", "tmpfs", "shm", "nosuid", "nodev", "mode=1777", f"size={memory_mib // 2}m"),
        mount("/dev/mqueue", "mqueue", "mqueue", *safe),
        mount("/sys", "sysfs", "sysfs", *safe, "ro"),
        mount("/sys/fs/cgroup", "cgroup", "cgroup", *safe, "relatime", "rw"),
        mount("/run", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=755", f"size={max(64, memory_mib // 5)}m"),
        mount("/run/lock", "tmpfs", "tmpfs", *safe, "mode=1777", "size=5120k"),
    ]
    if block:
        mounts.append(mount("/sys/block", "bind", f"{block}/block", "bind", *safe, "ro"))
        mounts.append(mount("/sys/dev/block", "bind", f"{block}/numbers", "bind", *safe, "ro"))
    mounts += [mount(to, "bind", f"{disk}/data/{name}", "bind", "rw") for name, to in sorted(DISK_BINDS.items())]
    return mounts
