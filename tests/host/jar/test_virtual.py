"""An instance that its tag makes a virtual machine, beside a container: for packets and the API both are EC2's."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cloudjar.planes.compute.process import find_tool
from tests.host.compute.guestnet import key_pair, ssh
from tests.host.jar.account import Account
from tests.host.jar.packets import Wire
from tests.host.jar.served import RealJar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(3000)]

BOOT = 1200
"""Seconds. A processor without virtualisation interprets every instruction of the guest: a boot is forty seconds of
one of the host's processors, which others may have."""
AS_VM = [{"ResourceType": "instance", "Tags": [{"Key": "cloudjar:driver", "Value": "vm"}]}]
METADATA = (
    "T=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token); "
    'curl -s -H "X-aws-ec2-metadata-token: $T" http://169.254.169.254/latest/meta-data/instance-id'
)


@contextmanager
def heard(console: Callable[[], str]) -> Iterator[None]:
    """Whatever fails in here says what the guest said last."""
    try:
        yield
    except Exception as failed:
        failed.add_note(f"the guest's console ends so:\n{console()[-8000:]}")
        raise


def serial_console(jar: RealJar, account: Account, machine: str, key: Path, public: str) -> str:
    """What the console says to somebody who sits down at it by SSH and presses Enter."""
    account.ec2.enable_serial_console_access()
    push = jar.client("ec2-instance-connect")
    push.send_serial_console_ssh_public_key(InstanceId=machine, SSHPublicKey=public)
    options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"]
    seat = ["ssh", "-tt", "-F", "none", "-p", str(jar.port), "-i", str(key), *options, f"{machine}.port0@127.0.0.1"]
    heard = b""
    with subprocess.Popen(seat, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"\r")
        while b"login: " not in heard and select.select([child.stdout], [], [], 120)[0]:
            heard += (piece := child.stdout.read(4096))
            if not piece:
                break
        child.kill()
    return heard.decode(errors="replace")


@pytest.mark.skipif(not find_tool("qemu-system-x86_64"), reason="no qemu-system-x86_64 here. Try: make setup")
def test_a_virtual_machine_is_an_instance_like_any_other(real: RealJar, wire: Wire, tmp_path: Path) -> None:
    account = Account(real)
    key, public = key_pair(tmp_path)
    account.ec2.import_key_pair(KeyName="mine", PublicKeyMaterial=public.encode())
    vpc = account.vpc()
    subnet = account.subnet(vpc, public=True)
    account.gateway(vpc)
    group = account.group(vpc, "ssh", 22)
    script = "#!/bin/sh\necho user data speaks as $(id -un)\n"
    vm = account.run(subnet, group, KeyName="mine", UserData=script, TagSpecifications=AS_VM)
    box = account.run(subnet, group)

    def console() -> str:
        return str(account.ec2.get_console_output(InstanceId=vm.id, Latest=True).get("Output", ""))

    with heard(console):
        until(lambda: " finished at " in console(), "cloud-init to be done", BOOT, 1)
        assert "user data speaks as root" in console()
        assert "Linux version" in console()

        told = ssh(key, "admin", vm.public, f"uname -r; hostname; nproc; {METADATA}", 120).stdout.split()
        assert told == [told[0], f"ip-{vm.private.replace('.', '-')}", "2", vm.id]
        assert told[0] != os.uname().release
        assert "login: " in serial_console(real, account, vm.id, key, public)
        assert wire.knock(vm.private, 22, box.id, wait=10) == "open"
        assert wire.knock(vm.public, 9000) == "dropped"
        account.authorize(group, 9000)
        until(lambda: wire.knock(vm.public, 9000, wait=10) == "refused", "port 9000 to be let through")
        account.revoke(group, 22)
        until(lambda: wire.knock(vm.public, 22) == "dropped", "port 22 to be closed")
        status = account.ec2.describe_instance_status(InstanceIds=[vm.id])["InstanceStatuses"][0]
        assert status["InstanceStatus"]["Status"] in ("ok", "initializing")

        account.ec2.stop_instances(InstanceIds=[vm.id])
        account.reach(vm.id, "stopped", BOOT)
        assert "reboot: Power down" in console()
    account.ec2.terminate_instances(InstanceIds=[vm.id, box.id])
    for machine in (vm.id, box.id):
        account.reach(machine, "terminated", BOOT)
    until(lambda: not real.machine_traces(), "every trace of the machines to go", 60)
