"""What goes on in an engine's machine, as its kernel counts it: read from the host, without entering the machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from cloudjar.base.clock import monotonic
from cloudjar.planes.compute import cgroups
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process of the machine, by its own number. Bytes; `cpu` in seconds; `begun` in seconds of the host's uptime."""

    id: int
    parent: int
    name: str
    state: str
    cpu: float
    virtual: int
    resident: int
    begun: float


class Filling(msgspec.Struct, frozen=True, kw_only=True):
    """The file system with the data: bytes and files."""

    total: int
    used: int
    files: int
    used_files: int


class System(msgspec.Struct, frozen=True, kw_only=True):
    """A machine at one moment. `at` is the host's monotonic time; `user` and `kernel` are seconds of CPUs that it took
    since it was booted; `memory` are bytes by the names of version 2's ``memory.stat``, with ``limit`` and ``used``."""

    at: float
    up: float
    """Seconds since it was booted."""
    user: float
    kernel: float
    memory: dict[str, int]
    processes: tuple[Process, ...]
    disk: Filling | None = None


class SystemPort(Protocol):
    """Machines' systems."""

    def read(self, machine: str, /) -> System | None:
        """As it is now; None when there is nothing to be read."""
        ...


def systems(compute: ComputePort) -> SystemPort:
    """Who reads them here."""
    return GuestSystems(compute) if isinstance(compute, ContainerCompute) else NoSystems()


class NoSystems:
    """Machines that are not there. `says` is what somebody has them say, by machine."""

    def __init__(self) -> None:
        self.says: dict[str, System] = {}

    def read(self, machine: str) -> System | None:
        return self.says.get(machine)


class GuestSystems:
    """System containers."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def read(self, machine: str) -> System | None:
        boxes = _boxes(self._compute.tag, machine)
        processes, pids = _processes(boxes)
        if not processes:
            return None
        user, kernel = _cpu(boxes)
        first = min(one.begun for one in processes)
        since_boot = float(Path("/proc/uptime").read_text().split()[0])
        return System(
            at=monotonic(), up=max(since_boot - first, 0.0), user=user, kernel=kernel, memory=_memory(boxes),
            processes=processes, disk=_filling(pids),
        )  # fmt: skip


def _boxes(tag: str, machine: str) -> list[Path]:
    found = [h.path / cgroups.TOP / tag / machine / "box" for h in cgroups.hierarchies()]
    return [box for box in found if box.is_dir()]


def _cpu(boxes: list[Path]) -> tuple[float, float]:
    for box in boxes:
        with contextlib.suppress(OSError, KeyError, ValueError):
            said = _pairs((box / "cpuacct.stat").read_text())
            return said["user"] / _TICKS, said["system"] / _TICKS
        with contextlib.suppress(OSError, KeyError, ValueError):
            said = _pairs((box / "cpu.stat").read_text())
            return said["user_usec"] / 1e6, said["system_usec"] / 1e6
    return 0.0, 0.0


_OLD = {
    "cache": "file", "total_cache": "file", "total_rss": "anon", "total_mapped_file": "file_mapped",
    "total_dirty": "file_dirty", "total_writeback": "file_writeback", "total_active_anon": "active_anon",
    "total_inactive_anon": "inactive_anon", "total_active_file": "active_file",
    "total_inactive_file": "inactive_file",
}  # fmt: skip
"""What version 1 calls what version 2 calls otherwise; the totals are of the groups below too."""


def _memory(boxes: list[Path]) -> dict[str, int]:
    for box in boxes:
        with contextlib.suppress(OSError, ValueError):
            said = _pairs((box / "memory.stat").read_text())
            found = {_OLD.get(name, name): value for name, value in said.items()}
            for limit, used in (("memory.limit_in_bytes", "memory.usage_in_bytes"), ("memory.max", "memory.current")):
                if (box / used).exists():
                    return found | {"limit": int((box / limit).read_text()), "used": int((box / used).read_text())}
    return {}


def _pairs(text: str) -> dict[str, int]:
    lines = (line.split() for line in text.splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit()}


def _processes(boxes: list[Path]) -> tuple[tuple[Process, ...], list[int]]:
    """The machine's processes, and their numbers on the host."""
    pids = sorted({pid for box in boxes for pid in _pids(box)})
    found = {pid: one for pid in pids if (one := _process(pid)) is not None}
    return tuple(found.values()), list(found)


def _pids(box: Path) -> Iterator[int]:
    for folder, _, _ in os.walk(box):
        with contextlib.suppress(OSError):
            yield from (int(pid) for pid in Path(folder, "cgroup.procs").read_text().split())


def _process(pid: int) -> Process | None:
    """A process; None when it is gone by now."""
    try:
        stat = Path("/proc", str(pid), "stat").read_text()
        status = Path("/proc", str(pid), "status").read_text()
    except OSError:
        return None
    name = stat[stat.index("(") + 1 : stat.rindex(")")]
    rest = stat[stat.rindex(")") + 2 :].split()
    inside = next((line.split()[-1] for line in status.splitlines() if line.startswith("NSpid:")), str(pid))
    return Process(
        id=int(inside), parent=0 if inside == "1" else 1, name=name, state=rest[0],
        cpu=(int(rest[11]) + int(rest[12])) / _TICKS, virtual=int(rest[20]), resident=int(rest[21]) * _PAGE,
        begun=int(rest[19]) / _TICKS,
    )  # fmt: skip


def _filling(pids: list[int]) -> Filling | None:
    """Of the volume, on which all lies that the machine writes: its root layers above the image."""
    for pid in pids:
        with contextlib.suppress(OSError):
            seen = os.statvfs(f"/proc/{pid}/root")
            return Filling(
                total=seen.f_blocks * seen.f_frsize, used=(seen.f_blocks - seen.f_bfree) * seen.f_frsize,
                files=seen.f_files, used_files=seen.f_files - seen.f_ffree,
            )  # fmt: skip
    return None
