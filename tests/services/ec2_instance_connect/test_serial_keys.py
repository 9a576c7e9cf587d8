"""Serial consoles by SSH, with OpenSSH's own client: who may push a key, who is let in with it, and what he hears."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cloudjar.base.clock import monotonic
from cloudjar.planes.compute.sim_inside import SimLine
from tests.jar import TestJar
from tests.services.answers import document, refused, statement
from tests.services.ec2.asking import launch

STEADY = pytest.mark.parametrize("jar", ["steady"], indirect=True)
SSH = pytest.mark.skipif(not shutil.which("ssh"), reason="needs an SSH client. Try: apt-get install openssh-client")
_PAUSE = threading.Event()


def until(what: Callable[[], Any]) -> Any:
    end = monotonic() + 60
    while not (value := what()):
        assert monotonic() < end, "waited in vain"
        _PAUSE.wait(0.02)
    return value


class Key:
    """A key pair in a folder."""

    def __init__(self, folder: Path, kind: str = "ed25519") -> None:
        self.file = folder / kind
        words = ["-q", "-t", kind, "-N", "", "-f", str(self.file), *(["-b", "2048"] if kind == "rsa" else [])]
        subprocess.run(["ssh-keygen", *words], check=True)
        self.public = Path(f"{self.file}.pub").read_text()


class Seat:
    """An ssh client at a console."""

    def __init__(self, jar: TestJar, user: str, key: Key, *options: str) -> None:
        port = str(urlsplit(jar.endpoint).port)
        known = key.file.with_name("known")
        argv = ["ssh", "-tt", "-F", "none", "-p", port, "-i", str(key.file), "-o", "IdentitiesOnly=yes"]
        argv += ["-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=accept-new", "-o", "BatchMode=yes"]
        argv += [*options, f"{user}@127.0.0.1"]
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)
        self.heard = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.child.stdout is not None
        while piece := self.child.stdout.read(65536):
            self.heard += piece

    def type(self, data: bytes) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(data)

    def ended(self) -> tuple[int, str]:
        """The client's exit code and complaints, once it has gone."""
        code = self.child.wait(60)
        self._reader.join(60)
        assert self.child.stderr is not None
        return code, self.child.stderr.read().decode()

    def close(self) -> None:
        self.child.kill()
        self.child.wait()
        self._reader.join(60)
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def sit(jar: TestJar) -> Iterator[Callable[..., Seat]]:
    seats: list[Seat] = []

    def made(user: str, key: Key, *options: str) -> Seat:
        seats.append(Seat(jar, user, key, *options))
        return seats[-1]

    yield made
    for seat in seats:
        seat.close()


@pytest.fixture
def push(jar: TestJar) -> Any:
    return jar.client("ec2-instance-connect")


def ready(jar: TestJar, ec2: Any) -> str:
    """A running instance whose account allows serial consoles."""
    jar.host.let_in = True
    ec2.enable_serial_console_access()
    machine: str = launch(ec2)
    jar.settle()
    return machine


@STEADY
@SSH
def test_a_seat_by_ssh(
    jar: TestJar, ec2: Any, push: Any, sit: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    machine, key = ready(jar, ec2), Key(tmp_path)
    answer = push.send_serial_console_ssh_public_key(InstanceId=machine, SerialPort=0, SSHPublicKey=key.public)
    assert answer["Success"] is True
    seat = sit(f"{machine}.port0", key)
    line: SimLine = until(lambda: jar.host.lines[0] if jar.host.lines else None)
    line.ears.said(b"ip-10-0-0-1 login: ")
    until(lambda: seat.heard == b"ip-10-0-0-1 login: ")
    seat.type(b"root\r")
    until(lambda: line.written == b"root\r")
    with refused("SerialConsoleSessionLimitExceededException"):
        push.send_serial_console_ssh_public_key(InstanceId=machine, SSHPublicKey=key.public)
    code, said = sit(f"{machine}.port0", key).ended()
    assert "has a serial console session" not in said  # it is told on the terminal
    assert code == 0
    line.ears.said(b"goodbye")
    line.hang_up()
    assert seat.ended()[0] == 0
    assert seat.heard.endswith(b"goodbye")
    again = sit(f"{machine}.port0", key)
    until(lambda: len(jar.host.lines) == 2)
    again.child.kill()
    until(lambda: jar.host.lines[1].cut)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@STEADY
@SSH
def test_much_is_said_and_keys_are_changed_meanwhile(
    jar: TestJar, ec2: Any, push: Any, sit: Any, tmp_path: Path
) -> None:
    machine, key = ready(jar, ec2), Key(tmp_path, "rsa")
    push.send_serial_console_ssh_public_key(InstanceId=machine, SSHPublicKey=key.public)
    seat = sit(f"{machine}.port0", key, "-o", "RekeyLimit=64K", "-c", "aes256-gcm@openssh.com")
    line: SimLine = until(lambda: jar.host.lines[0] if jar.host.lines else None)
    wanted = b"".join(b"%015d\n" % n for n in range(1 << 16))
    for at in range(0, len(wanted), 4096):
        line.ears.said(wanted[at : at + 4096])
    until(lambda: len(seat.heard) >= len(wanted))
    assert seat.heard == wanted
    seat.type(b"x" * 200_000)
    until(lambda: len(line.written) == 200_000)


@STEADY
@SSH
def test_who_is_not_let_in(jar: TestJar, ec2: Any, push: Any, sit: Any, tmp_path: Path) -> None:
    machine, key = ready(jar, ec2), Key(tmp_path)
    for user in (f"{machine}.port0", "root", "i-0123456789abcdef0.port0"):
        code, said = sit(user, key).ended()
        assert (code, "Permission denied (publickey)" in said) == (255, True), said
    push.send_serial_console_ssh_public_key(InstanceId=machine, SSHPublicKey=key.public)
    code, said = sit(f"{machine}.port1", key).ended()
    assert (code, "Permission denied (publickey)" in said) == (255, True), said
    jar.advance(seconds=61)
    code, said = sit(f"{machine}.port0", key).ended()
    assert (code, "Permission denied (publickey)" in said) == (255, True), said
    assert jar.host.lines == []
    push.send_serial_console_ssh_public_key(InstanceId=machine, SSHPublicKey=key.public)
    ec2.disable_serial_console_access()
    seat = sit(f"{machine}.port0", key)
    seat.ended()
    assert b"not authorized to use the EC2 serial console" in seat.heard
    assert jar.host.lines == []


def test_what_is_refused(jar: TestJar, ec2: Any, push: Any, tmp_path: Path) -> None:
    key = Key(tmp_path).public
    machine = launch(ec2)
    with refused("SerialConsoleAccessDisabledException"):
        push.send_serial_console_ssh_public_key(InstanceId=machine, SSHPublicKey=key)
    ec2.enable_serial_console_access()
    with refused("EC2InstanceStateInvalidException"):
        push.send_serial_console_ssh_public_key(InstanceId=machine, SSHPublicKey=key)
    with refused("EC2InstanceNotFoundException", status=404):
        push.send_serial_console_ssh_public_key(InstanceId="i-0123456789abcdef0", SSHPublicKey=key)
    old = launch(ec2, InstanceType="t2.micro")
    jar.settle()
    with refused("EC2InstanceTypeInvalidException"):
        push.send_serial_console_ssh_public_key(InstanceId=old, SSHPublicKey=key)
    with refused("InvalidArgsException"):
        push.send_serial_console_ssh_public_key(InstanceId=machine, SSHPublicKey="ssh-ed25519 " + "A" * 80)


def test_permission_is_for_an_instance(jar: TestJar, ec2: Any, push: Any, tmp_path: Path) -> None:
    machine, other, key = ready(jar, ec2), launch(ec2), Key(tmp_path).public
    jar.settle()
    iam = jar.client("iam")
    iam.create_user(UserName="ops")
    arn = f"arn:aws:ec2:eu-west-3:000000000000:instance/{machine}"
    allowed = statement("ec2-instance-connect:SendSerialConsoleSSHPublicKey", arn)
    iam.put_user_policy(UserName="ops", PolicyName="p", PolicyDocument=document(allowed))
    made = iam.create_access_key(UserName="ops")["AccessKey"]
    ops = jar.client("ec2-instance-connect", key=made["AccessKeyId"], secret=made["SecretAccessKey"])
    ops.send_serial_console_ssh_public_key(InstanceId=machine, SSHPublicKey=key)
    with refused("AccessDeniedException"):
        ops.send_serial_console_ssh_public_key(InstanceId=other, SSHPublicKey=key)
