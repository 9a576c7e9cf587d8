"""Programs, terminals, connections and jobs inside a real machine."""

from __future__ import annotations

import threading

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.inside import Command, Size, entrance
from tests.host.compute.conftest import spec, until
from tests.host.compute.guestnet import guest_network

pytestmark = pytest.mark.host


class Heard:
    """Ears that remember."""

    def __init__(self) -> None:
        self.out, self.err = b"", b""
        self.code: int | None = None
        self.over = threading.Event()

    def said(self, data: bytes) -> None:
        self.out += data

    def complained(self, data: bytes) -> None:
        self.err += data

    def ended(self, code: int) -> None:
        self.code = code
        self.over.set()


def shell(script: str, given: bytes = b"") -> Command:
    return Command(argv=("/bin/sh", "-c", script), input=given)


def test_lines_and_jobs(host: ContainerCompute) -> None:
    assert entrance(host) is host
    with guest_network(31, instance="i-in", public_key="", user_data=""):
        host.start(spec(31, "i-in"))
        assert host.enterable("i-in")
        _a_terminal_is_one(host)
        _pipes_have_two_outputs_and_a_code(host)
        _connections_are_made_from_the_guest(host)
        _jobs_outlive_whoever_began_them(host)
        _a_running_job_goes_down_with_its_machine(host)


def _a_terminal_is_one(host: ContainerCompute) -> None:
    heard = Heard()
    line = host.open_terminal("i-in", Command(argv=("/bin/sh",), env={"TERM": "xterm"}), Size(31, 97), heard)
    line.write(b"tty; stty size; hostname; echo $((6*7))\n")
    until(lambda: b"42" in heard.out)
    assert b"/dev/pts/" in heard.out
    assert b"31 97" in heard.out
    assert b"ip-10-77-31-2" in heard.out
    line.resize(Size(50, 132))
    line.write(b"stty size\n")
    until(lambda: b"50 132" in heard.out)
    line.write(b"exit\n")
    assert heard.over.wait(60)
    other = Heard()
    line = host.open_terminal("i-in", shell("echo pid $$; exec sleep 7654"), Size(), other)
    until(lambda: b"pid" in other.out)
    line.hang_up()
    assert other.over.wait(60)
    until(lambda: host.run("i-in", ["pgrep", "-f", "sleep 7654"])[0] == 1)


def _pipes_have_two_outputs_and_a_code(host: ContainerCompute) -> None:
    heard = Heard()
    line = host.open_pipes("i-in", shell("cat; echo wrong >&2; exit 7"), heard)
    big = b"0123456789abcdef" * 40_000
    line.write(big)
    line.finish()
    assert heard.over.wait(60)
    assert (heard.out == big, heard.err, heard.code) == (True, b"wrong\n", 7)


def _connections_are_made_from_the_guest(host: ContainerCompute) -> None:
    host.run("i-in", ["sh", "-c", "systemctl start ssh; :"])
    heard = Heard()

    def greeted() -> bool:
        try:
            line = host.dial("i-in", "localhost", 22, heard)
        except PlaneError:
            return False
        until(lambda: heard.out.startswith(b"SSH-2.0-"))
        line.hang_up()
        return True

    until(greeted, 60)
    assert heard.over.wait(60)
    with pytest.raises(PlaneError, match=r"nowhere\.invalid is not known"):
        host.dial("i-in", "nowhere.invalid", 80, heard)
    with pytest.raises(PlaneError, match="refused"):
        host.dial("i-in", "127.0.0.1", 1, heard)


def _jobs_outlive_whoever_began_them(host: ContainerCompute) -> None:
    ended: list[tuple[str, str]] = []
    host.watch_jobs(lambda machine, job: ended.append((machine, job)))
    assert host.job("i-in", "j1") is None
    command = shell("read word; echo $word; echo no >&2; mkfifo /tmp/gate; read x < /tmp/gate; exit 3", b"given\n")
    host.begin_job("i-in", "j1", command)
    host.begin_job("i-in", "j1", command)  # once
    reborn = ContainerCompute(host.tag, host.state, shutdown_seconds=30)
    heard: list[tuple[str, str]] = []
    until(lambda: (seen := host.job("i-in", "j1")) and seen.err == b"no\n")
    reborn.watch_jobs(lambda machine, job: heard.append((machine, job)))
    seen = reborn.job("i-in", "j1")
    assert seen is not None
    assert (seen.running, seen.code, seen.out) == (True, None, b"given\n")
    until(lambda: host.run("i-in", ["sh", "-c", "test -p /tmp/gate && echo > /tmp/gate"])[0] == 0)
    until(lambda: heard == [("i-in", "j1")] and ended == [("i-in", "j1")])
    assert host.job("i-in", "j1") == (False, 3, b"given\n", b"no\n")
    host.begin_job("i-in", "j1", command)  # still once
    host.forget_job("i-in", "j1")
    assert host.job("i-in", "j1") is None
    host.begin_job("i-in", "j2", shell("sleep 7655 & wait"))
    until(lambda: host.run("i-in", ["pgrep", "-f", "sleep 7655"])[0] == 0)
    host.end_job("i-in", "j2")
    until(lambda: (found := host.job("i-in", "j2")) and found.code == 137)
    assert host.run("i-in", ["pgrep", "-f", "sleep 7655"])[0] == 1


def _a_running_job_goes_down_with_its_machine(host: ContainerCompute) -> None:
    host.begin_job("i-in", "j3", shell("sleep 7656"))
    until(lambda: host.run("i-in", ["pgrep", "-f", "sleep 7656"])[0] == 0)
    host.stop("i-in", force=True)
    seen = host.job("i-in", "j3")
    assert seen is not None
    assert seen.lost or seen.code
    assert not host.enterable("i-in")
