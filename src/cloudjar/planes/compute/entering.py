"""Reaching inside a system container: programs by ``runc exec``, connections from its network namespace.

Whatever runs inside is in the guest's own control group and goes down with it.
"""

from __future__ import annotations

import array
import contextlib
import io
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute import cgroups, job_keeper
from cloudjar.planes.compute.home import Home
from cloudjar.planes.compute.inside import OUTPUT_MAX, Command, Ears, JobEnded, JobSeen, Line, Size
from cloudjar.planes.compute.lines import FdLine, Switchboard, kill_session, waited
from cloudjar.planes.compute.process import need_tool, run
from cloudjar.planes.compute.watch import Watch
from cloudjar.planes.network import namespaces

_DIAL_SECONDS = 10
_START_SECONDS = 30
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class Entering(ABC):
    """The part of the ``container`` driver that implements `Inside`."""

    tag: str

    def __init__(self) -> None:
        self._board = Switchboard()
        self._jobs_watch: Watch | None = None

    @abstractmethod
    def _home(self, machine_id: str) -> Home:
        """Where everything of a machine is."""

    @abstractmethod
    def _pid(self, home: Home) -> int:
        """The guest's booted init, or 0."""

    def enterable(self, machine_id: str) -> bool:
        """Whether its init lives, and is not held."""
        pid = self._pid(self._home(machine_id))
        return bool(pid) and not is_held(pid)

    def answers(self, machine_id: str, address: str) -> bool:
        """The kernel answers ARP for what the guest's namespace holds as its own on an interface that is up."""
        pid = self._pid(self._home(machine_id))
        if not pid or is_held(pid):
            return False
        try:
            held, routes = (Path(f"/proc/{pid}/net/{name}").read_text() for name in ("fib_trie", "route"))
        except OSError:
            return False
        return is_local(held, address) and is_connected(routes, address)

    # -- lines
    def open_terminal(self, machine_id: str, command: Command, size: Size, ears: Ears) -> Line:
        """A pseudo-terminal of the guest's own, whose other end runc hands us."""
        home = self._entered(machine_id)
        with tempfile.TemporaryDirectory(prefix="line-", dir=home.runtime) as place:
            words = Path(place, "process.json")
            words.write_bytes(_process(command, size, terminal=True))
            with _receiver(f"{place}/s") as door:
                argv = [*self._exec(home), "--process", str(words), "--detach", "--console-socket", f"{place}/s"]
                run([*argv, "--pid-file", f"{place}/pid", home.name], timeout=_START_SECONDS, what="opening a terminal")
                master = _received(door)
            pid = int(Path(place, "pid").read_text())
        handle = _handle(pid)
        line = FdLine(
            self._board, {master: ears.said}, master, ears,
            hang_up=lambda: kill_session(pid), end=lambda: _gone(handle, pid), finish=lambda _: None,
        )  # fmt: skip
        line.resize(size)
        return line

    def open_pipes(self, machine_id: str, command: Command, ears: Ears) -> Line:
        """Pipes to a program, with its exit code."""
        home = self._entered(machine_id)
        place = tempfile.mkdtemp(prefix="line-", dir=home.runtime)
        words = Path(place, "process.json")
        words.write_bytes(_process(command, Size(), terminal=False))
        argv = [*self._exec(home), "--process", str(words), "--pid-file", f"{place}/pid", home.name]
        child = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None

        def hang_up() -> None:
            with contextlib.suppress(OSError, ValueError):
                kill_session(int(Path(place, "pid").read_text()))

        def end() -> int:
            code = waited(child)
            shutil.rmtree(place, ignore_errors=True)
            return code

        heard = {_own(child.stdout): ears.said, _own(child.stderr): ears.complained}
        return FdLine(self._board, heard, _own(child.stdin), ears, hang_up=hang_up, end=end)

    def dial(self, machine_id: str, host: str, port: int, ears: Ears) -> Line:
        """Connect from inside the guest's network: its routes and its security groups say where to."""
        fd = self.connect(machine_id, host, port).detach()
        return FdLine(self._board, {fd: ears.said}, fd, ears, hang_up=lambda: _shut(fd), finish=_no_more)

    def connect(self, machine_id: str, host: str, port: int) -> socket.socket:
        """Likewise, as a socket that blocks. Raises `PlaneError`."""
        home = self._entered(machine_id)
        spec = home.spec()
        if spec is None:
            raise PlaneError(f"machine {machine_id} does not exist on this host")
        address = self._address(machine_id, host)

        def made() -> socket.socket:
            return socket.create_connection((address, port), timeout=_DIAL_SECONDS)

        try:
            return namespaces.inside(spec.network, made)
        except OSError as failed:
            raise PlaneError(f"{host}:{port} cannot be reached from {machine_id}: {failed}") from failed

    def _address(self, machine_id: str, host: str) -> str:
        if host in ("", "localhost"):
            return "127.0.0.1"
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            pass
        code, said = self.run(machine_id, ["getent", "ahosts", host], _DIAL_SECONDS)
        if code or not said.strip():
            raise PlaneError(f"{host} is not known in {machine_id}")
        return said.decode("utf-8", "replace").split()[0]

    def run(
        self, machine_id: str, argv: Sequence[str], timeout: float = 30, given: bytes = b""
    ) -> tuple[int, bytes]:
        """Run a command inside the machine as root, `given` at its standard input: (exit code, output and errors
        together)."""
        home = self._entered(machine_id)
        try:
            done = subprocess.run(
                [*self._exec(home), home.name, *argv],
                input=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise PlaneError(f"{argv[0]} in {machine_id} did not end within {timeout:g} s") from late
        return done.returncode, done.stdout

    @contextlib.contextmanager
    def reading(
        self, machine_id: str, argv: Sequence[str], given: bytes = b"", timeout: float = 30
    ) -> Iterator[io.BufferedReader]:
        """The output of a command inside the machine, run as root with `given` at its standard input, for as long as
        the block reads; it must then end well within `timeout`. Raises `PlaneError`."""
        home = self._entered(machine_id)
        with tempfile.TemporaryFile() as complaints, tempfile.TemporaryFile() as told:
            told.write(given)
            told.seek(0)
            child = subprocess.Popen(
                [*self._exec(home), home.name, *argv], stdin=told, stdout=subprocess.PIPE, stderr=complaints
            )
            assert isinstance(child.stdout, io.BufferedReader)
            try:
                yield child.stdout
                child.stdout.close()
                code = child.wait(timeout)
            except subprocess.TimeoutExpired as late:
                raise PlaneError(f"{argv[0]} in {machine_id} did not end within {timeout:g} s") from late
            finally:
                child.stdout.close()
                if child.poll() is None:
                    child.kill()
                    child.wait()
            if code:
                complaints.seek(0)
                words = complaints.read()[-600:].decode("utf-8", "replace").strip()
                raise PlaneError(f"{argv[0]} in {machine_id} ended with {code}: {words}")

    def pipe(
        self, giver: tuple[str, Sequence[str]], taker: tuple[str, Sequence[str]], timeout: float
    ) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
        """Run a command in one machine with its output going to a command in another, each (machine, command):
        (exit code, complaints) of either."""
        (from_home, said), (to_home, heard) = ((self._entered(m), [*argv]) for m, argv in (giver, taker))
        with tempfile.TemporaryFile() as complaints, tempfile.TemporaryFile() as answers:
            giving = subprocess.Popen(
                [*self._exec(from_home), from_home.name, *said],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints,
            )  # fmt: skip
            with giving:
                assert giving.stdout is not None
                taking = subprocess.Popen(
                    [*self._exec(to_home), to_home.name, *heard],
                    stdin=giving.stdout, stdout=answers, stderr=answers,
                )  # fmt: skip
                giving.stdout.close()  # who gives hears of it when nobody takes any more
                try:
                    codes = (taking.wait(timeout), giving.wait(timeout))
                except subprocess.TimeoutExpired as late:
                    taking.kill()
                    giving.kill()
                    raise PlaneError(f"{giver[0]} is not read by {taker[0]} within {timeout:g} s") from late
                finally:
                    taking.wait()
            ends = []
            for code, file in zip(reversed(codes), (complaints, answers), strict=True):
                file.seek(0)
                ends.append((code, file.read()))
        return ends[0], ends[1]

    def has_console(self, machine_id: str) -> bool:
        """Whoever can be entered has one."""
        return self.enterable(machine_id)

    def open_console(self, machine_id: str, ears: Ears) -> Line:
        """conmon's own socket: packets of what the console says, each after a byte that names the stream."""
        home = self._entered(machine_id)
        where = home.runtime / "attach" / home.name / "attach"
        # A system has nobody at its console until somebody sits there; one without systemd must see to that itself.
        self.run(machine_id, ["systemctl", "--no-block", "start", "console-getty.service"])
        door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        try:
            door.connect(str(where))
        except OSError as failed:
            door.close()
            raise PlaneError(f"the console of {machine_id} cannot be reached: {failed}") from failed
        fd = door.detach()
        return FdLine(self._board, {fd: lambda data: ears.said(data[1:])}, fd, ears, finish=lambda _: None)

    # -- jobs
    def begin_job(self, machine_id: str, job_id: str, command: Command) -> None:
        """A keeper of its own runs it; whoever is cut off here may ask again."""
        home = self._entered(machine_id)
        folder = _job_folder(home, job_id)
        if (folder / "begun").exists():
            return
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "input").write_bytes(command.input)
        (folder / "process.json").write_bytes(_process(command, Size(), terminal=False))
        argv = [*self._exec(home), "--process", str(folder / "process.json")]
        argv += ["--pid-file", str(folder / "pid"), home.name]
        groups = cgroups.Groups(self.tag, home.id).keeper_files()
        (folder / "job.json").write_bytes(msgspec.json.encode({"argv": argv, "groups": groups, "most": OUTPUT_MAX}))
        keeper = [sys.executable, "-I", "-S", "-B", str(job_keeper.__file__), str(folder)]
        run(keeper, timeout=_START_SECONDS, what=f"beginning {job_id}")
        self._look_after_job(home, job_id)

    def job(self, machine_id: str, job_id: str) -> JobSeen | None:
        """What the keeper has written down."""
        home = self._home(machine_id)
        folder = _job_folder(home, job_id)
        if not (folder / "begun").exists():
            return None
        # In this order: the code comes before the keeper goes.
        running = self._keeper(home, job_id) > 0
        code = _number(folder / "code")
        return JobSeen(running and code is None, code, _read(folder / "out"), _read(folder / "err"))

    def end_job(self, machine_id: str, job_id: str) -> None:
        """Kill the job's session; its keeper then writes the end down."""
        home = self._home(machine_id)
        pid = _number(_job_folder(home, job_id) / "pid")
        if pid and self._keeper(home, job_id) and self._is_guest(home, pid):
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)

    def forget_job(self, machine_id: str, job_id: str) -> None:
        """Remove an ended job's folder."""
        home = self._home(machine_id)
        if not self._keeper(home, job_id):
            shutil.rmtree(_job_folder(home, job_id), ignore_errors=True)

    def watch_jobs(self, ended: JobEnded) -> None:
        """Tell of jobs that end, those that run already included."""

        def over(name: str) -> None:
            machine_id, _, job_id = name.partition("/")
            ended(machine_id, job_id)

        self._jobs_watch = Watch(over)
        for folder in self._home("x").folder.parent.glob("[!.]*/jobs/*"):
            home = self._home(folder.parent.parent.name)
            if self._keeper(home, folder.name):
                self._look_after_job(home, folder.name)
            else:
                ended(home.id, folder.name)

    def _look_after_job(self, home: Home, job_id: str) -> None:
        keeper = self._keeper(home, job_id)
        if self._jobs_watch is not None and not (keeper and self._jobs_watch.add(f"{home.id}/{job_id}", keeper)):
            self._jobs_watch.tell(f"{home.id}/{job_id}")

    def _keeper(self, home: Home, job_id: str) -> int:
        """The keeper's process, told apart from a later one with its number by what it runs; 0 when it is gone."""
        folder = _job_folder(home, job_id)
        pid = _number(folder / "keeper") or 0
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if pid and str(folder).encode() in words:
                return pid
        return 0

    def _is_guest(self, home: Home, pid: int) -> bool:
        with contextlib.suppress(OSError):
            return f"/{cgroups.TOP}/{home.tag}/{home.id}/box/" in Path(f"/proc/{pid}/cgroup").read_text()
        return False

    def _entered(self, machine_id: str) -> Home:
        home = self._home(machine_id)
        if not self._pid(home):
            raise PlaneError(f"machine {machine_id} is not running")
        return home

    def _exec(self, home: Home) -> list[str]:
        return [need_tool("runc", "runc"), "--root", str(home.runc_root), "exec"]


def is_local(trie: str, address: str) -> bool:
    """Whether an address is the namespace's own, by the text of ``/proc/PID/net/fib_trie`` (pure)."""
    leaf = trie.partition(f"|-- {address}\n")[2].partition("|--")[0]
    return "/32 host LOCAL" in leaf


def is_connected(routes: str, address: str) -> bool:
    """Whether an interface that is up leads straight to the address's network, by ``/proc/PID/net/route`` (pure).

    The kernel takes that route away with the interface; the address it keeps.
    """
    number = int.from_bytes(ipaddress.IPv4Address(address).packed, "little")
    for line in routes.splitlines()[1:]:
        name, network, gateway, _, _, _, _, mask, *_ = line.split()
        if name != "lo" and int(gateway, 16) == 0 and int(mask, 16) and number & int(mask, 16) == int(network, 16):
            return True
    return False


def is_held(pid: int) -> bool:
    """Whether a process is stopped, or frozen by its control group: it lives, and does nothing."""
    try:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "Tt":
            return True
        return "frozen 1" in _frozen(pid)
    except OSError:
        return True


def _frozen(pid: int) -> str:
    """The events of its unified control group; on a host of version 1 the freezer's state, in the same words."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, names, group = line.split(":", 2)
        if names == "" and (events := Path(f"/sys/fs/cgroup{group}/cgroup.events")).exists():
            return events.read_text()
        if names == "freezer" and (state := Path(f"/sys/fs/cgroup/freezer{group}/freezer.state")).exists():
            return "frozen 1" if state.read_text().strip() != "THAWED" else ""
    return ""


def _process(command: Command, size: Size, *, terminal: bool) -> bytes:
    """What runc is told of a program (the ``process`` of an OCI configuration). Capabilities are the machine's own."""
    words = {
        "terminal": terminal,
        "consoleSize": {"height": size.rows, "width": size.cols},
        "user": {"uid": 0, "gid": 0},
        "args": list(command.argv),
        "env": [f"{name}={value}" for name, value in {**_ENVIRONMENT, **command.env}.items()],
        "cwd": command.cwd,
    }
    return msgspec.json.encode(words)


@contextlib.contextmanager
def _receiver(path: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(path)
        door.listen(1)
        door.settimeout(_START_SECONDS)
        yield door


def _received(door: socket.socket) -> int:
    """The one descriptor that runc sends."""
    with door.accept()[0] as peer:
        fds = array.array("i")
        _, extra, _, _ = peer.recvmsg(4096, socket.CMSG_LEN(fds.itemsize))
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: fds.itemsize])
            os.set_inheritable(fds[0], False)
            return fds[0]
    raise PlaneError("runc sent no terminal")


def _handle(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1


def _gone(handle: int, pid: int) -> int:
    """The terminal is closed: whoever still sits there is hung up on."""
    if handle >= 0:
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(handle, signal.SIGHUP)
            kill_session(pid)
        os.close(handle)
    return 0


def _own(pipe: object) -> int:
    """A pipe's descriptor, no longer the file object's."""
    fd = os.dup(pipe.fileno())  # type: ignore[attr-defined]  # a pipe of subprocess
    os.set_inheritable(fd, False)
    pipe.close()  # type: ignore[attr-defined]  # likewise
    return fd


def _shut(fd: int) -> None:
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(fd)) as connection:
        connection.shutdown(socket.SHUT_RDWR)


def _no_more(fd: int) -> None:
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(fd)) as connection:
        connection.shutdown(socket.SHUT_WR)


def _job_folder(home: Home, job_id: str) -> Path:
    if not job_id or "/" in job_id or job_id.startswith("."):
        raise PlaneError(f"not a job id: {job_id!r}")
    return home.folder / "jobs" / job_id


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""
