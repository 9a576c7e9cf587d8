"""What simulated machines use: exactly what a test, or nobody, drives them with, over AWS time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from cloudjar.planes.compute.usage import DiskUse, Usage

if TYPE_CHECKING:
    from cloudjar.planes.compute.sim import SimHost


class Drive(msgspec.Struct, frozen=True, kw_only=True):
    """What a guest wants, per second: CPUs, and counts of everything else as in `Usage`."""

    cpus: float = 0.0
    received_bytes: float = 0.0
    sent_bytes: float = 0.0
    received_packets: float = 0.0
    sent_packets: float = 0.0
    read_ops: float = 0.0
    write_ops: float = 0.0
    read_bytes: float = 0.0
    written_bytes: float = 0.0


class _Run(msgspec.Struct, kw_only=True):
    """One boot of a machine: its counters when they were last added up, and what it wants since."""

    boots: int
    usage: Usage
    drive: Drive


class SimMetering:
    """The part of the ``sim`` driver that measures machines and limits their CPUs."""

    host: SimHost

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}
        self._disks: dict[str, DiskUse] = {}
        self._tell: Callable[[], None] = lambda: None
        self._clock: Callable[[], float] = lambda: 0.0

    def meter(self, tell: Callable[[], None], clock: Callable[[], float]) -> None:
        """Call `tell` whenever a machine's load changes; `clock` is the time in which machines run."""
        self._tell, self._clock = tell, clock

    def drive(self, machine_id: str, **wanted: float) -> None:
        """As if the guest did this from now on (see `Drive`); what is not named is nothing."""
        run = self._run(machine_id)
        if run is not None:
            run.drive = Drive(**wanted)
            self._tell()

    def usage(self, machine_id: str) -> Usage | None:
        """The counters of a machine that is up."""
        run = self._run(machine_id)
        if run is None:
            return None
        return replace(run.usage, cpus_now=self._cpus(machine_id, run))

    def worked(self, volume_id: str, *, born: str = "one", **counters: float) -> None:
        """As if a volume's device had counted so much in all (see `DiskUse`), and it were worth looking."""
        self._disks[volume_id] = DiskUse(born=born, at=self._clock(), **counters)
        self._tell()

    def disk_use(self, machine_id: str) -> dict[str, DiskUse]:
        """What `worked` made it, of the volumes that a machine which is up runs with; else nothing was done."""
        machine = self.host.machines.get(machine_id)
        if machine is None or not machine.up:
            return {}
        now = self._clock()
        return {
            one.volume_id: replace(self._disks.get(one.volume_id, DiskUse(born="one", at=now)), at=now)
            for one in (machine.spec.root, *machine.spec.disks)
        }

    def limit_cpu(self, machine_id: str, share: float) -> None:
        """Let a machine use this share of its CPUs."""
        self._run(machine_id)
        machine = self.host.machines.get(machine_id)
        if machine is not None:
            machine.spec = replace(machine.spec, cpu_share=share)

    def _cpus(self, machine_id: str, run: _Run) -> float:
        spec = self.host.machines[machine_id].spec
        return min(run.drive.cpus, spec.vcpus * spec.cpu_share)

    def _run(self, machine_id: str) -> _Run | None:
        """The present boot, added up to now."""
        machine = self.host.machines.get(machine_id)
        if machine is None or not machine.up:
            return None
        now = self._clock()
        run = self._runs.get(machine_id)
        if run is None or run.boots != machine.boots:
            run = self._runs[machine_id] = _Run(boots=machine.boots, usage=Usage(at=now), drive=Drive())
        passed = max(0.0, now - run.usage.at)
        held, wanted = run.usage, run.drive
        run.usage = Usage(
            at=now,
            cpu_seconds=held.cpu_seconds + self._cpus(machine_id, run) * passed,
            received_bytes=held.received_bytes + wanted.received_bytes * passed,
            sent_bytes=held.sent_bytes + wanted.sent_bytes * passed,
            received_packets=held.received_packets + wanted.received_packets * passed,
            sent_packets=held.sent_packets + wanted.sent_packets * passed,
            read_ops=held.read_ops + wanted.read_ops * passed,
            write_ops=held.write_ops + wanted.write_ops * passed,
            read_bytes=held.read_bytes + wanted.read_bytes * passed,
            written_bytes=held.written_bytes + wanted.written_bytes * passed,
        )
        return run
