"""Measuring and slowing down system containers: counters of control groups, network namespaces and loop devices."""

from __future__ import annotations

import contextlib
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute import cgroups, volumes
from cloudjar.planes.compute.bundle import CPU_PERIOD, cpu_quota
from cloudjar.planes.compute.disk import Volumes
from cloudjar.planes.compute.home import Home
from cloudjar.planes.compute.usage import DiskUse, Usage

EVERY = 60.0
"""Seconds between the moments at which it is worth measuring."""
_SECTOR = 512
_TRIES = 5
"""A guest may be changing its own groups at the same time."""


class Metering(ABC):
    """The part of the ``container`` driver that measures machines and limits their CPUs."""

    tag: str
    volumes: Volumes
    _meter: threading.Thread | None = None

    @abstractmethod
    def _home(self, machine_id: str) -> Home: ...

    @abstractmethod
    def _pid(self, home: Home) -> int: ...

    @abstractmethod
    def _traces(self) -> set[str]: ...

    def usage(self, machine_id: str) -> Usage | None:
        """The counters of a running machine, None when it does not run."""
        home = self._home(machine_id)
        pid = self._pid(home)
        if not pid:
            return None
        network = _network(pid)
        return Usage(
            at=monotonic(),
            cpu_seconds=cpu_seconds(self.tag, machine_id),
            **network,
            **_disks(self._images(home)),
        )

    def disk_use(self, machine_id: str) -> dict[str, DiskUse]:
        """The counters of the block devices behind a running machine's disks."""
        home = self._home(machine_id)
        spec = home.spec()
        if spec is None or not self._pid(home):
            return {}
        found = {one.volume_id: _disk(self.volumes.image_file(one.volume_id)) for one in (spec.root, *spec.disks)}
        return {volume: use for volume, use in found.items() if use is not None}

    def limit_cpu(self, machine_id: str, share: float) -> None:
        """Let a machine use this share of its CPUs, from now on and after its next boot."""
        home = self._home(machine_id)
        with home.locked():
            spec = home.spec()
            if spec is None or spec.cpu_share == share:
                return
            changed = replace(spec, cpu_share=share)
            limit(self.tag, machine_id, cpu_quota(changed))
            home.write("spec.json", msgspec.json.encode(changed))  # at last: what failed is tried again

    def meter(self, tell: Callable[[], None], clock: Callable[[], float]) -> None:  # noqa: ARG002 - the host has its own
        """Call `tell` each minute while any machine runs."""

        def run() -> None:
            pause = threading.Event()
            while not pause.wait(EVERY):
                if any(self._pid(self._home(machine)) for machine in self._traces()):
                    tell()

        if self._meter is None:
            self._meter = threading.Thread(target=run, name="cloudjar-meter", daemon=True)
            self._meter.start()

    def _images(self, home: Home) -> list[Path]:
        spec = home.spec()
        if spec is None:
            return []
        return [self.volumes.image_file(one.volume_id) for one in (spec.root, *spec.disks)]


def _boxes(tag: str, machine_id: str) -> list[Path]:
    """The group with a machine's limits, under every hierarchy."""
    relative = f"{cgroups.TOP}/{tag}/{machine_id}/box"
    return [h.path / relative for h in cgroups.hierarchies()]


def cpu_seconds(tag: str, machine_id: str) -> float:
    """CPU time of a machine since its boot; 0 when it has no group."""
    for box in _boxes(tag, machine_id):
        with contextlib.suppress(OSError, ValueError):
            return int((box / "cpuacct.usage").read_text()) / 1e9
        with contextlib.suppress(OSError, ValueError, KeyError):
            lines = (box / "cpu.stat").read_text().splitlines()
            return int(dict(line.split(" ", 1) for line in lines)["usage_usec"]) / 1e6
    return 0.0


def limit(tag: str, machine_id: str, quota: int) -> None:
    """Write a CPU quota (microseconds per `CPU_PERIOD`) to a running machine's group; raises `PlaneError`."""
    for box in _boxes(tag, machine_id):
        if (box / "cpu.max").exists():
            (box / "cpu.max").write_text(f"{quota} {CPU_PERIOD}")
        elif (box / "cpu.cfs_quota_us").exists():
            _limit_version_1(box, quota)


def _limit_version_1(box: Path, quota: int) -> None:
    """No group below may be allowed more than its parent is about to be: what is, has no limit of its own then."""
    for _ in range(_TRIES):
        for folder, _, _ in os.walk(box, topdown=False):
            group = Path(folder)
            with contextlib.suppress(OSError, ValueError):
                own, period = (int((group / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
                if group != box and own > 0 and own * CPU_PERIOD > quota * period:
                    (group / "cpu.cfs_quota_us").write_text("-1")
        try:
            (box / "cpu.cfs_quota_us").write_text(str(quota))
        except OSError as error:
            why = error
        else:
            return
    raise PlaneError(f"the CPU quota of {box} cannot be set to {quota}: {why}")


def quota_of(tag: str, machine_id: str) -> int:
    """The CPU quota in force, in microseconds per `CPU_PERIOD`; 0 when there is none."""
    for box in _boxes(tag, machine_id):
        for name in ("cpu.cfs_quota_us", "cpu.max"):
            with contextlib.suppress(OSError, ValueError):
                return int((box / name).read_text().split()[0])
    return 0


def throttled(tag: str, machine_id: str) -> int:
    """How often the kernel has held a running machine back."""
    for box in _boxes(tag, machine_id):
        with contextlib.suppress(OSError, ValueError, KeyError):
            lines = (box / "cpu.stat").read_text().splitlines()
            return int(dict(line.split(" ", 1) for line in lines)["nr_throttled"])
    return 0


def _network(pid: int) -> dict[str, float]:
    """Counters of a guest's network interfaces; what it makes itself (bridges, tunnels) is counted where it leaves."""
    found = dict.fromkeys(("received_bytes", "received_packets", "sent_bytes", "sent_packets"), 0.0)
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]:
            name, _, rest = line.partition(":")
            if not name.strip().startswith(("eth", "ens")):
                continue
            numbers = rest.split()
            found["received_bytes"] += int(numbers[0])
            found["received_packets"] += int(numbers[1])
            found["sent_bytes"] += int(numbers[8])
            found["sent_packets"] += int(numbers[9])
    return found


def _disks(images: list[Path]) -> dict[str, float]:
    found = dict.fromkeys(("read_ops", "read_bytes", "write_ops", "written_bytes"), 0.0)
    for image in images:
        use = _disk(image)
        if use is not None:
            for name in found:
                found[name] += getattr(use, name)
    return found


def _disk(image: Path) -> DiskUse | None:
    """The counters of the device that holds an image. They go on when it holds another one: its sequence tells."""
    loop = volumes.held(image)
    if loop is None:
        return None
    folder = Path("/sys/block", loop.name)
    try:
        numbers = [int(word) for word in (folder / "stat").read_text().split()]
        sequence = folder / "diskseq"
        born = sequence.read_text().strip() if sequence.exists() else str(image)
        return DiskUse(
            born=f"{loop.name}-{born}", at=monotonic(),
            read_ops=numbers[0], read_bytes=numbers[2] * _SECTOR, read_ms=numbers[3],
            write_ops=numbers[4], written_bytes=numbers[6] * _SECTOR, write_ms=numbers[7],
            busy_ms=numbers[9], queued_ms=numbers[10],
        )  # fmt: skip
    except (OSError, IndexError, ValueError):
        return None
