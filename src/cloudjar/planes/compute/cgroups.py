"""The control groups of machines, on version 1, hybrid and version 2 hosts alike.

Under every hierarchy that matters: ``cloudjar/<tag>/<machine id>/keeper`` holds what watches the machine
(conmon), ``.../box`` carries the limits and ``.../box/guest`` is what the guest sees as its root. The limits
sit one level above the guest because a guest's root may write the files of its own root group.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cloudjar.planes.compute import device_filter

TOP = "cloudjar"
_LIMITED = {"cpu", "memory", "pids", "devices"}


class Hierarchy(msgspec.Struct, frozen=True, kw_only=True):
    """One mounted hierarchy; `controllers` is empty for version 2, and holds ``name=systemd`` for systemd's own."""

    path: Path
    version: int
    controllers: frozenset[str] = frozenset()


def parse_mountinfo(text: str) -> list[Hierarchy]:
    """The hierarchies in the text of ``/proc/self/mountinfo`` (pure)."""
    found: dict[Path, Hierarchy] = {}
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        fields, kind = left.split(" "), right.split(" ")
        path = Path(fields[4])
        if kind[0] == "cgroup2":
            found[path] = Hierarchy(path=path, version=2)
        elif kind[0] == "cgroup":
            names = frozenset(kind[2].split(",")) - {"rw", "ro", "xattr"}
            found[path] = Hierarchy(path=path, version=1, controllers=names)
    return list(found.values())


def hierarchies() -> list[Hierarchy]:
    """What this host has mounted."""
    return parse_mountinfo(Path("/proc/self/mountinfo").read_text())


def is_unified(found: list[Hierarchy]) -> bool:
    """True when the controllers are on version 2 (runc's own test: what is mounted on /sys/fs/cgroup)."""
    return any(h.version == 2 and h.path == Path("/sys/fs/cgroup") for h in found)


def accounts_swap(found: list[Hierarchy]) -> bool:
    """True when the kernel can limit memory and swap together; asking for it elsewhere is an error."""
    if is_unified(found):
        return any(Path("/sys/fs/cgroup").glob("*/memory.swap.max"))
    memory = [h.path for h in found if "memory" in h.controllers]
    return any((path / "memory.memsw.limit_in_bytes").exists() for path in memory)


class Groups:
    """The groups of one machine."""

    def __init__(self, tag: str, machine_id: str) -> None:
        self.relative = f"{TOP}/{tag}/{machine_id}"
        self.guest = f"/{self.relative}/box/guest"
        self._found = hierarchies()

    def prepare(self, resources: dict[str, Any]) -> None:
        """Make the groups and put the limits (OCI `resources`) on the box, before anything runs inside."""
        if is_unified(self._found):
            self._prepare_unified(resources)
            return
        for h in self._found:
            if h.version == 1 and h.controllers & _LIMITED:
                box = h.path / self.relative / "box"
                box.mkdir(parents=True, exist_ok=True)
                for name, value in _version_1(resources, h.controllers):
                    _write(box / name, value)

    def _prepare_unified(self, resources: dict[str, Any]) -> None:
        top = Path("/sys/fs/cgroup")
        box = top / self.relative / "box"
        box.mkdir(parents=True, exist_ok=True)
        inner = [p for p in box.parents if p.is_relative_to(top)]
        for group in reversed(inner):
            for controller in ("cpu", "memory", "pids"):
                _write(group / "cgroup.subtree_control", f"+{controller}")
        for name, value in _version_2(resources):
            _write(box / name, value)
        device_filter.put(box, resources["devices"])

    def allow_device(self, major: int, minor: int, rules: list[dict[str, Any]]) -> None:
        """Let the running guest open a block device; `rules` are all that hold then (OCI ``devices``)."""
        if is_unified(self._found):
            self._filter(rules)
            return
        # From the top: no group may do more than the one above it. Groups of the guest's have rules of their own.
        for group in self._device_groups():
            _write_device(group / "devices.allow", f"b {major}:{minor} rwm")

    def deny_device(self, major: int, minor: int, rules: list[dict[str, Any]]) -> None:
        """Take that right; the kernel takes it from the groups below too."""
        if is_unified(self._found):
            self._filter(rules)
            return
        for group in self._device_groups()[:1]:
            _write_device(group / "devices.deny", f"b {major}:{minor} rw")

    def _filter(self, rules: list[dict[str, Any]]) -> None:
        """Both groups: the guest's own, which runc has given a filter, and the box, out of the guest's reach."""
        top = Path("/sys/fs/cgroup") / self.relative / "box"
        for group in (top, top / "guest"):
            if group.is_dir():
                device_filter.put(group, rules)

    def _device_groups(self) -> list[Path]:
        """The box and every group below it, from the top."""
        found = [h.path for h in self._found if h.version == 1 and "devices" in h.controllers]
        return [Path(folder) for path in found for folder, _, _ in os.walk(path / self.relative / "box")]

    def keeper_files(self) -> list[str]:
        """The ``cgroup.procs`` files that a watcher writes its pid to, so that stopping our server spares it."""
        files = []
        for h in self._found:
            if "cpuset" in h.controllers:  # a fresh cpuset has no processors until somebody configures it
                continue
            with contextlib.suppress(OSError):
                (h.path / self.relative / "keeper").mkdir(parents=True, exist_ok=True)
                files.append(str(h.path / self.relative / "keeper" / "cgroup.procs"))
        return files

    def giving(self, owner: int) -> list[str]:
        """The command that gives the guest its own group, though none of its limits: to be run before it boots."""
        names = ("", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "tasks")
        own = [h.path / self.guest[1:] / name for h in self._found for name in names]
        script = 'for f; do [ ! -e "$f" ] || chown $0:$0 "$f" || exit 1; done'
        return ["/bin/sh", "-c", script, str(owner), *map(str, own)]

    def pids(self) -> set[int]:
        """Every process of the machine, watcher included."""
        return {pid for h in self._found for pid in _pids(h.path / self.relative)}

    def kill(self) -> set[int]:
        """Kill whatever is left; returns who was there."""
        pids = self.pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return pids

    def remove(self) -> None:
        """Remove the emptied groups; the parents go with the last machine."""
        for h in self._found:
            _remove_tree(h.path / self.relative)
            for parent in (h.path / self.relative).parents[:2]:
                with contextlib.suppress(OSError):
                    parent.rmdir()

    def memory_bytes(self) -> int:
        """Memory charged to the guest now, page cache included; 0 when it is not running."""
        for h in self._found:
            for name in ("memory.usage_in_bytes", "memory.current"):
                file = h.path / self.relative / "box" / name
                if file.exists():
                    return int(file.read_text())
        return 0


def machine_ids(tag: str) -> set[str]:
    """Every machine of `tag` that has a group."""
    found: set[str] = set()
    for h in hierarchies():
        with contextlib.suppress(OSError):
            found |= {entry.name for entry in (h.path / TOP / tag).iterdir() if entry.is_dir()}
    return found


def _pids(group: Path) -> Iterator[int]:
    for folder, _, _ in os.walk(group):
        with contextlib.suppress(OSError):
            yield from (int(pid) for pid in Path(folder, "cgroup.procs").read_text().split())


def _remove_tree(group: Path) -> None:
    for folder, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def _write(file: Path, value: str) -> None:
    # A controller that the host lacks limits nothing; doctor says so. What matters is checked there.
    with contextlib.suppress(OSError):
        file.write_text(value)


def _write_device(file: Path, line: str) -> None:
    # A group of the guest's may go while we look.
    with contextlib.suppress(FileNotFoundError):
        file.write_text(line)


def _version_1(resources: dict[str, Any], controllers: frozenset[str]) -> Iterator[tuple[str, str]]:
    if "cpu" in controllers:
        yield "cpu.cfs_period_us", str(resources["cpu"]["period"])
        yield "cpu.cfs_quota_us", str(resources["cpu"]["quota"])
    if "memory" in controllers:
        # Twice: the smaller of the two limits must never pass the larger, whichever way they move.
        for _ in range(2):
            yield "memory.limit_in_bytes", str(resources["memory"]["limit"])
            if "swap" in resources["memory"]:
                yield "memory.memsw.limit_in_bytes", str(resources["memory"]["swap"])
    if "pids" in controllers:
        yield "pids.max", str(resources["pids"]["limit"])
    if "devices" in controllers:
        yield from _device_lines(resources["devices"])


def _device_lines(rules: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for rule in rules:
        name = "devices.allow" if rule["allow"] else "devices.deny"
        if "type" not in rule:
            yield name, "a"
            continue
        major, minor = rule.get("major", "*"), rule.get("minor", "*")
        yield name, f"{rule['type']} {major}:{minor} {rule['access']}"


def _version_2(resources: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "cpu.max", f"{resources['cpu']['quota']} {resources['cpu']['period']}"
    yield "memory.max", str(resources["memory"]["limit"])
    if "swap" in resources["memory"]:
        yield "memory.swap.max", str(resources["memory"]["swap"] - resources["memory"]["limit"])
    yield "pids.max", str(resources["pids"]["limit"])
