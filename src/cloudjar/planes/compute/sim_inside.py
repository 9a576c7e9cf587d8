"""The inside of simulated machines: there is none, and they say so. A test may play the guest.

`let_in` says that guests can be entered; whatever then "runs" there is what the test says, never made up here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.inside import Command, Ears, JobEnded, JobSeen, Line, Size


class SimJob(msgspec.Struct, kw_only=True):
    """A job, and what the test said of it."""

    command: Command
    code: int | None = None
    out: bytes = b""
    err: bytes = b""


class SimLine:
    """A line to nobody: a test reads what was `written` and speaks by `ears`."""

    def __init__(self, command: Command | tuple[str, int], ears: Ears) -> None:
        self.command, self.ears = command, ears
        self.written = b""
        self.size = Size()
        self.waiting = self.finished = self.cut = False

    def write(self, data: bytes) -> None:
        """Remember it."""
        self.written += data

    def finish(self) -> None:
        """Remember that no more comes."""
        self.finished = True

    def resize(self, size: Size) -> None:
        """Remember it."""
        self.size = size

    def pause(self, *, waiting: bool) -> None:
        """Remember it."""
        self.waiting = waiting

    def hang_up(self) -> None:
        """The end."""
        if not self.cut:
            self.cut = True
            self.ears.ended(0)


class SimInside(ABC):
    """The part of the ``sim`` driver that implements `Inside`; `_up` and `jobs` are the driver's."""

    def __init__(self) -> None:
        self.let_in = False
        self.deaf: set[str] = set()
        """Machines that a test has cut off."""
        self.lines: list[SimLine] = []
        self._job_ended: JobEnded = lambda machine_id, job_id: None

    @property
    @abstractmethod
    def jobs(self) -> dict[str, SimJob]:
        """By machine and job."""

    @abstractmethod
    def _up(self, machine_id: str) -> bool:
        """Whether a machine runs."""

    def finish_job(self, machine_id: str, job_id: str, code: int, out: bytes = b"", err: bytes = b"") -> None:
        """As if the job had said this and ended so."""
        job = self.jobs[f"{machine_id}/{job_id}"]
        job.code, job.out, job.err = code, out, err
        self._job_ended(machine_id, job_id)

    def enterable(self, machine_id: str) -> bool:
        """Only when a test plays the guest."""
        return self.let_in and self._up(machine_id)

    def answers(self, machine_id: str, address: str) -> bool:  # noqa: ARG002 - of the port
        """Unless a test has cut it off."""
        return self._up(machine_id) and machine_id not in self.deaf

    def open_terminal(self, machine_id: str, command: Command, size: Size, ears: Ears) -> Line:
        """A line that the test speaks on."""
        line = self._line(machine_id, command, ears)
        line.size = size
        return line

    def open_pipes(self, machine_id: str, command: Command, ears: Ears) -> Line:
        """Likewise."""
        return self._line(machine_id, command, ears)

    def dial(self, machine_id: str, host: str, port: int, ears: Ears) -> Line:
        """Likewise."""
        return self._line(machine_id, (host, port), ears)

    def has_console(self, machine_id: str) -> bool:
        """Where a test plays the guest."""
        return self.enterable(machine_id)

    def open_console(self, machine_id: str, ears: Ears) -> Line:
        """Likewise."""
        return self._line(machine_id, ("console", 0), ears)

    def _line(self, machine_id: str, command: Command | tuple[str, int], ears: Ears) -> SimLine:
        self._enter(machine_id)
        line = SimLine(command, ears)
        self.lines.append(line)
        return line

    def begin_job(self, machine_id: str, job_id: str, command: Command) -> None:
        """A job that waits for the test's word."""
        self._enter(machine_id)
        self.jobs.setdefault(f"{machine_id}/{job_id}", SimJob(command=command))

    def job(self, machine_id: str, job_id: str) -> JobSeen | None:
        """What the test has said of it."""
        job = self.jobs.get(f"{machine_id}/{job_id}")
        if job is None:
            return None
        return JobSeen(job.code is None and self._up(machine_id), job.code, job.out, job.err)

    def end_job(self, machine_id: str, job_id: str) -> None:
        """Killed."""
        job = self.jobs.get(f"{machine_id}/{job_id}")
        if job is not None and job.code is None:
            job.code = 137
            self._job_ended(machine_id, job_id)

    def forget_job(self, machine_id: str, job_id: str) -> None:
        """Forget it."""
        self.jobs.pop(f"{machine_id}/{job_id}", None)

    def watch_jobs(self, ended: JobEnded) -> None:
        """Tell of jobs that end, and of those that did."""
        self._job_ended = ended
        for name, job in list(self.jobs.items()):
            if job.code is not None:
                machine_id, _, job_id = name.partition("/")
                ended(machine_id, job_id)

    def _enter(self, machine_id: str) -> None:
        if not self.enterable(machine_id):
            raise PlaneError(f"machine {machine_id} is simulated: no program runs in it")
