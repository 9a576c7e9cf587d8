"""Ways into real machines: sessions, commands, pushed keys, consoles."""

from __future__ import annotations

import base64
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from cloudjar.auth.smtp_passwords import password
from cloudjar.cli.home import Home
from cloudjar.gateway.admin import TOKEN_HEADER
from cloudjar.gateway.tls import Authority
from cloudjar.services.ssm.sessions import smux
from tests.host.compute.guestnet import key_pair
from tests.host.jar.account import Account
from tests.host.jar.served import REGION, RealJar, until
from tests.services.ssm.agent_client import CONNECTED, opened
from tests.services.ssm.nodes import profile

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]


class Place:
    """One machine in a private subnet, with the role of a node."""

    def __init__(self, jar: RealJar) -> None:
        self.jar, self.account = jar, Account(jar)
        self.ec2, self.ssm = self.account.ec2, jar.client("ssm")
        profile(jar.client("iam"))
        vpc = self.account.vpc()
        subnet = self.account.subnet(vpc, public=True)
        self.account.gateway(vpc)
        group = self.account.group(vpc, "ssh", 22)
        role: dict[str, Any] = {"IamInstanceProfile": {"Name": "node"}}
        self.machine = self.account.launch(subnet, group, **role)[0]
        self.vm = self.account.reach(self.machine, "running")
        until(lambda: jar.compute.run(self.machine, ["systemctl", "is-active", "ssh"])[0] == 0, "sshd")
        until(lambda: self.ssm.get_connection_status(Target=self.machine)["Status"] == "connected", "the agent")


@pytest.fixture(scope="module")
def place(real: RealJar) -> Iterator[Place]:
    yield Place(real)
    while CONNECTED:
        CONNECTED.pop().close()


def test_a_shell_in_a_machine(place: Place) -> None:
    answer = place.ssm.start_session(Target=place.machine)
    client = opened(answer).shaken()
    client.resize(33, 111)
    client.send(b"id -un; pwd; sudo id -u; stty size; tty; echo $((6*7))-done\r")
    client.said(b"42-done\r\n")
    for word in (b"ssm-user\r\n", b"/usr/bin\r\n", b"\r\n0\r\n", b"33 111\r\n", b"/dev/pts/"):
        assert word in client.out, client.out
    client.send(b"sleep 1000\r")
    until(lambda: place.jar.compute.run(place.machine, ["pgrep", "-fx", "sleep 1000"])[0] == 0, "sleep")
    client.send(b"\x03")
    client.send(b"echo interr''upted\r")
    client.said(b"interrupted\r\n")
    client.send(b"exit\r")
    client.ended()
    ended = place.ssm.describe_sessions(State="History")["Sessions"][0]
    assert (ended["SessionId"], ended["Status"]) == (answer["SessionId"], "Terminated")


def test_much_output_arrives_whole_and_is_resumed(place: Place) -> None:
    given = {"command": ["seq 1 60000"]}
    answer = place.ssm.start_session(
        Target=place.machine, DocumentName="AWS-StartNonInteractiveCommand", Parameters=given
    )
    client = opened(answer).shaken()
    client.until(lambda c: len(c.out) > 50_000)
    client.close()
    again = place.ssm.resume_session(SessionId=answer["SessionId"])
    back = opened(again, sent=client.sent, expected=client.expected)
    back.out = client.out
    back.ended()
    assert back.out.split() == [b"%d" % number for number in range(1, 60_001)]


def test_ports_of_a_machine(place: Place) -> None:
    answer = place.ssm.start_session(Target=place.machine, DocumentName="AWS-StartSSHSession")
    client = opened(answer).shaken()
    client.said(b"SSH-2.0-OpenSSH")
    place.ssm.terminate_session(SessionId=answer["SessionId"])
    client.ended()
    parameters = {"portNumber": ["22"]}
    forward = place.ssm.start_session(
        Target=place.machine, DocumentName="AWS-StartPortForwardingSession", Parameters=parameters
    )
    client = opened(forward).shaken()
    for stream in (3, 5):
        client.send(smux.encode(smux.Frame(smux.SYN, stream)))
    client.until(lambda c: c.out.count(b"SSH-2.0-OpenSSH") == 2)
    client.close()


def test_commands_in_a_machine(place: Place) -> None:
    lines = ["echo to $AWS_SSM_INSTANCE_ID as $(id -un) in $(pwd)", "echo bad >&2", "seq 1 20000", "exit 9"]
    sent = place.ssm.send_command(
        Targets=[{"Key": "InstanceIds", "Values": [place.machine]}],
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": lines},
    )["Command"]["CommandId"]
    one = {"CommandId": sent, "InstanceId": place.machine}

    def over() -> dict[str, Any] | None:
        found = place.ssm.list_command_invocations(CommandId=sent)["CommandInvocations"]
        return found[0] if found and found[0]["Status"] not in ("Pending", "InProgress") else None

    assert until(over, "the command to end")["Status"] == "Failed"
    shown = place.ssm.get_command_invocation(**one)
    assert shown["ResponseCode"] == 9
    assert shown["StandardOutputContent"].startswith(f"to {place.machine} as root in /usr/bin\n1\n2\n")
    assert len(shown["StandardOutputContent"]) == 24_000
    assert shown["StandardErrorContent"] == "bad\nfailed to run commands: exit status 9"


def test_a_command_goes_on_while_the_server_does_not(place: Place) -> None:
    line = "mkfifo /tmp/goes-on; read word < /tmp/goes-on; echo $word"
    sent = place.ssm.send_command(
        InstanceIds=[place.machine], DocumentName="AWS-RunShellScript", Parameters={"commands": [line]}
    )["Command"]["CommandId"]
    there = ["test", "-p", "/tmp/goes-on"]
    until(lambda: place.jar.compute.run(place.machine, there)[0] == 0, "the command to begin")
    place.jar.kill()
    place.jar.inside(place.machine, "echo heard > /tmp/goes-on")
    place.jar.start()
    place.ssm.get_waiter("command_executed").wait(
        CommandId=sent, InstanceId=place.machine, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    shown = place.ssm.get_command_invocation(CommandId=sent, InstanceId=place.machine)
    assert shown["StandardOutputContent"] == "heard\n"


def test_a_pushed_key_opens_the_machine_for_a_minute(place: Place, tmp_path: Path) -> None:
    def signs_in(user: str) -> subprocess.CompletedProcess[str]:
        argv = ["ssh", "-i", str(tmp_path / "key"), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-F", "none"]
        argv += ["-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={tmp_path}/hosts", "-o", "LogLevel=ERROR"]
        argv += ["-o", "ConnectTimeout=30", f"{user}@{place.vm.public}", "id -un"]
        return subprocess.run(argv, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False)

    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True, timeout=60)
    until(lambda: place.jar.compute.run(place.machine, ["id", "admin"])[0] == 0, "cloud-init to make the user")
    assert signs_in("admin").returncode == 255
    push = place.jar.client("ec2-instance-connect")
    push.send_ssh_public_key(
        InstanceId=place.machine, InstanceOSUser="admin", SSHPublicKey=(tmp_path / "key.pub").read_text()
    )
    done = signs_in("admin")
    assert (done.returncode, done.stdout.strip()) == (0, "admin"), done.stderr
    assert signs_in("root").returncode == 255
    asked = f"{place.jar.endpoint}/_cloudjar/clock?seconds=61"
    token = (place.jar.home / "admin-token").read_text()
    with urlopen(Request(asked, method="POST", headers={"x-cloudjar-token": token}), timeout=60) as answer:
        assert answer.status == 200
    assert signs_in("admin").returncode == 255


_SEND = """
import smtplib, ssl, sys, time
host, user, password = sys.argv[1:]
trust = ssl.create_default_context(cafile="/root/ca.pem")
letter = "From: me@example.com\\nTo: success@simulator.amazonses.com\\nSubject: Hi\\n\\n{}"
def send(client, port):
    client.login(user, password)
    while True:
        try:
            return client.sendmail("me@example.com", "success@simulator.amazonses.com", letter.format(port))
        except smtplib.SMTPDataError as error:
            if error.smtp_code != 454:
                raise
            time.sleep(0.2)  # one letter a second
for port in (25, 587, 2587):
    with smtplib.SMTP(host, port, timeout=60) as client:
        client.starttls(context=trust)
        send(client, port)
for port in (465, 2465):
    with smtplib.SMTP_SSL(host, port, timeout=60, context=trust) as client:
        send(client, port)
print("sent")
"""


def test_a_machine_sends_mail_by_smtp(place: Place) -> None:
    ses, iam = place.jar.client("ses"), place.jar.client("iam")
    ses.verify_email_identity(EmailAddress="me@example.com")
    token = {TOKEN_HEADER: (place.jar.home / "admin-token").read_text()}
    with urlopen(Request(f"http://127.0.0.1:{place.jar.port}/_cloudjar/mail", headers=token), timeout=60) as answer:
        link = next(one["link"] for one in json.load(answer)["letters"] if one["recipient"] == "me@example.com")
    with urlopen(link, timeout=60) as answer:
        answer.read()
    iam.create_user(UserName="mailer")
    may = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"}]}
    iam.put_user_policy(UserName="mailer", PolicyName="send", PolicyDocument=json.dumps(may))
    key = iam.create_access_key(UserName="mailer")["AccessKey"]
    authority = Authority(place.jar.home / "tls").bundle.read_text()
    place.jar.inside(place.machine, f"printf %s '{authority}' > /root/ca.pem")
    place.jar.inside(place.machine, f"cat > /root/send.py <<'END'\n{_SEND}END\n")
    secret = password(key["SecretAccessKey"], REGION)
    host = f"email-smtp.{REGION}.amazonaws.com"
    command = f"python3 /root/send.py {host} {key['AccessKeyId']} '{secret}' 2>&1 || true"
    assert place.jar.inside(place.machine, command, 200).strip() == "sent"
    assert ses.get_send_quota()["SentLast24Hours"] == 5.0
    refused = f"python3 /root/send.py {host} test '{password('test', REGION)}' 2>&1 || true"
    assert "535" in place.jar.inside(place.machine, refused, 100)  # default credentials are not for guests


def test_the_console_and_the_checks_of_a_machine(place: Place) -> None:
    said = place.ec2.get_console_output(InstanceId=place.machine, Latest=True)["Output"]
    assert "Debian GNU/Linux" in said
    shot = base64.b64decode(place.ec2.get_console_screenshot(InstanceId=place.machine)["ImageData"])
    assert shot.startswith(b"\xff\xd8")

    def status() -> str:
        found = place.ec2.describe_instance_status(InstanceIds=[place.machine])["InstanceStatuses"][0]
        return str(found["InstanceStatus"]["Status"])

    assert status() == "ok"
    place.jar.inside(place.machine, "ip link set eth0 down")
    until(lambda: status() == "impaired", "the network to be missed", every=0.3)
    place.jar.inside(place.machine, "ip link set eth0 up")
    until(lambda: status() == "ok", "the network to be back", every=0.3)
    life = place.jar.life(place.machine)
    assert life is not None
    os.kill(life[0], signal.SIGSTOP)
    until(lambda: status() == "impaired", "the frozen guest to be noticed", every=0.3)
    assert place.ssm.get_connection_status(Target=place.machine)["Status"] == "notconnected"
    os.kill(life[0], signal.SIGCONT)
    until(lambda: status() == "ok", "the guest to be back", every=0.3)


def test_somebody_sits_at_the_serial_console(place: Place, tmp_path: Path) -> None:
    place.jar.inside(place.machine, "echo root:sesame | chpasswd")
    here = [sys.executable, "-m", "cloudjar.cli", "console", place.machine, "--home", str(place.jar.home)]
    # As `cloudjar up` would leave its home, so that the command finds the server.
    home = Home(place.jar.settings)
    home.remember(place.jar.settings, place.jar.settings)
    lock = home.hold()

    def sit(*argv: str) -> tuple[subprocess.Popen[bytes], int]:
        ours, theirs = pty.openpty()
        child = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        return child, ours

    refused, screen = sit(*here)
    assert refused.wait(60) == 1
    os.close(screen)
    place.ec2.enable_serial_console_access()
    child, screen = sit(*here)
    seen = b""

    def wait_for(word: bytes) -> None:
        nonlocal seen
        while word not in seen:
            assert select.select([screen], [], [], 60)[0], seen
            seen += os.read(screen, 4096)
        seen = seen.partition(word)[2]

    wait_for(b"login: ")
    os.write(screen, b"root\r")
    wait_for(b"Password: ")
    os.write(screen, b"sesame\r")
    wait_for(b"# ")
    os.write(screen, b"tty; echo $((6*7))-done\r")
    wait_for(b"/dev/console")
    wait_for(b"42-done")
    os.write(screen, b"\x1d")
    assert child.wait(60) == 0
    os.close(screen)

    key, public = key_pair(tmp_path)
    options = ["-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={tmp_path}/known", "-o", "BatchMode=yes"]
    push = place.jar.client("ec2-instance-connect")
    push.send_serial_console_ssh_public_key(InstanceId=place.machine, SSHPublicKey=public)
    ours = ["ssh", "-F", "none", "-p", str(place.jar.port), "-i", str(key), *options]
    child, screen = sit(*ours, f"{place.machine}.port0@127.0.0.1")
    seen = b""
    until(lambda: not termios.tcgetattr(screen)[3] & termios.ICANON, "ssh to be let in")
    os.write(screen, b"\r")
    wait_for(b"# ")  # nobody has signed out
    os.write(screen, b"echo $((6*8))-again; exit\r")
    wait_for(b"48-again")
    wait_for(b"login: ")
    os.write(screen, b"\r~.")
    child.wait(60)
    os.close(screen)
    assert "42-done" in place.ec2.get_console_output(InstanceId=place.machine)["Output"]
    os.close(lock)
