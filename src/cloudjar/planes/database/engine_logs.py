"""The files that an engine writes of what it does, read out of its machine."""

from __future__ import annotations

import re
from typing import NamedTuple, Protocol

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort

FOLDERS = {"postgres": "/database/data/log", "mariadb": "/database/log"}
"""Where they are, by kind of engine; others write none that can be had."""
NAME = re.compile(r"(?:[a-z]+/)?[A-Za-z0-9][A-Za-z0-9._-]*")
"""MariaDB's are in a folder for each kind of log."""
_SECONDS = 30


class LogFile(NamedTuple):
    """A file: its size in bytes, and when it was written last, in Unix seconds of the machine's clock."""

    name: str
    size: int
    written: float
    number: int = 0
    """The file's own, whatever it is called later."""


class EngineLogs(Protocol):
    """Log files by machine. Raises `PlaneError` while the machine cannot be asked."""

    def files(self, machine: str, kind: str, /) -> list[LogFile]:
        """What there is, by name."""
        ...

    def read(self, machine: str, kind: str, name: str, start: int, size: int, /) -> bytes:
        """So many bytes of a file from an offset; fewer at its end."""
        ...


def engine_logs(compute: ComputePort) -> EngineLogs:
    """Who reads them here."""
    return GuestLogs(compute) if isinstance(compute, ContainerCompute) else NoLogs()


class NoLogs:
    """Engines that are not there write nothing."""

    def files(self, _: str, __: str) -> list[LogFile]:
        return []

    def read(self, machine: str, _: str, name: str, __: int, ___: int) -> bytes:
        raise PlaneError(f"{machine} has no file {name}")


class GuestLogs:
    """Of engines in system containers."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def files(self, machine: str, kind: str) -> list[LogFile]:
        if kind not in FOLDERS:
            return []
        look = 'cd "$0" 2>/dev/null || exit 0; find . -maxdepth 2 -type f -printf "%P %s %T@ %i\\n"'
        return parsed(self._said(machine, ["/bin/sh", "-c", look, FOLDERS[kind]]).decode("utf-8", "replace"))

    def read(self, machine: str, kind: str, name: str, start: int, size: int) -> bytes:
        if kind not in FOLDERS or not NAME.fullmatch(name):
            raise PlaneError(f"{machine} has no file {name!r}")
        cut = 'tail -c "+$1" -- "$0" | head -c "$2"'
        return self._said(machine, ["/bin/sh", "-c", cut, f"{FOLDERS[kind]}/{name}", str(start + 1), str(size)])

    def _said(self, machine: str, argv: list[str]) -> bytes:
        code, said = self._compute.run(machine, argv, _SECONDS)
        if code:
            raise PlaneError(f"the logs of {machine} cannot be read: {said[-300:].decode('utf-8', 'replace').strip()}")
        return said


def parsed(said: str) -> list[LogFile]:
    """Lines ``name size seconds number`` as files, by name (pure)."""
    lines = (line.split() for line in said.splitlines())
    found = [LogFile(n, int(size), float(at), int(own)) for n, size, at, own in lines if NAME.fullmatch(n)]
    return sorted(found)
