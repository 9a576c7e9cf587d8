"""What the product asks of a driver that can reach inside a guest: programs, terminals, connections, jobs.

A promise beside `ComputePort`, because not every driver can: `entrance` says who does. Lines (terminals, pipes,
connections) live as long as the server; jobs are the guest's own, and go on while there is no server at all.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from cloudjar.planes.compute.port import ComputePort

OUTPUT_MAX = 1 << 20
"""Bytes kept of each of a job's two outputs."""


class Size(NamedTuple):
    """A terminal's size in characters."""

    rows: int = 24
    cols: int = 80


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A program to run as the guest's root: `argv[0]` is looked up in the guest's own path."""

    argv: tuple[str, ...]
    env: dict[str, str] = {}
    cwd: str = "/"
    input: bytes = b""
    """What a job reads from its standard input; lines are written to instead."""


class JobSeen(NamedTuple):
    """What is known of a job. `code` is its exit code (128 + signal when one ended it), None while it runs, and also
    when it is `lost`: it went down with its machine, or was never begun."""

    running: bool
    code: int | None
    out: bytes
    err: bytes

    @property
    def lost(self) -> bool:
        """Ended, and nobody saw how."""
        return not self.running and self.code is None


class Ears(Protocol):
    """Told what happens on a line, from the plane's own thread: must be quick and must not raise."""

    def said(self, data: bytes) -> None:
        """Output (never empty)."""
        ...

    def complained(self, data: bytes) -> None:
        """Output to standard error, where that is a pipe of its own."""
        ...

    def ended(self, code: int) -> None:
        """The last word: the other side is gone, with an exit code where it has one (else 0)."""
        ...


class Line(Protocol):
    """A live line to something inside a guest. Every call is quick, from any thread, and harmless after the end."""

    def write(self, data: bytes) -> None:
        """Send input; kept until the other side takes it."""
        ...

    def finish(self) -> None:
        """No more input: what was written is sent, then the other side reads its end."""
        ...

    def resize(self, size: Size) -> None:
        """Tell a terminal its size; nothing for other lines."""
        ...

    def pause(self, *, waiting: bool) -> None:
        """Read no more of it for now (True), or again."""
        ...

    def hang_up(self) -> None:
        """End it; `ended` is still told."""
        ...


@runtime_checkable
class Inside(Protocol):
    """A driver that reaches inside its guests. Failures raise `PlaneError`; calls may block, but for `enterable`
    and `has_console`."""

    def enterable(self, machine_id: str) -> bool:
        """Whether programs can be run there now: its guest has booted and is not frozen."""
        ...

    def answers(self, machine_id: str, address: str) -> bool:
        """Whether the guest would answer at its address: it is not frozen, and its network holds the address."""
        ...

    def open_terminal(self, machine_id: str, command: Command, size: Size, ears: Ears) -> Line:
        """Run a program on a terminal of its own."""
        ...

    def open_pipes(self, machine_id: str, command: Command, ears: Ears) -> Line:
        """Run a program on pipes; its end has its exit code."""
        ...

    def dial(self, machine_id: str, host: str, port: int, ears: Ears) -> Line:
        """A TCP connection as a program in the guest makes it; `host` is a name or address as the guest knows it."""
        ...

    def has_console(self, machine_id: str) -> bool:
        """Whether somebody can sit at the guest's console now; quick, as `enterable` is."""
        ...

    def open_console(self, machine_id: str, ears: Ears) -> Line:
        """The guest's console, from now on: what it says there, and what is typed there."""
        ...

    def begin_job(self, machine_id: str, job_id: str, command: Command) -> None:
        """Run a program on its own, once: nothing when the job was begun before."""
        ...

    def job(self, machine_id: str, job_id: str) -> JobSeen | None:
        """A job as it is now; None when it was never begun."""
        ...

    def end_job(self, machine_id: str, job_id: str) -> None:
        """Kill a job's processes, if it runs."""
        ...

    def forget_job(self, machine_id: str, job_id: str) -> None:
        """Remove what was kept of an ended job."""
        ...

    def watch_jobs(self, ended: JobEnded) -> None:
        """From now on tell of jobs that end, those that run already included; from any thread."""
        ...


class JobEnded(Protocol):
    """Told that a job has ended."""

    def __call__(self, machine_id: str, job_id: str, /) -> None: ...


def entrance(port: ComputePort) -> Inside | None:
    """The driver as one that reaches inside its guests, or None."""
    return port if isinstance(port, Inside) else None
