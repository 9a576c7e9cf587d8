"""One real machine: born, used, stopped, started, rebooted, gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.doctor import leaks
from cloudjar.planes.compute.identity import machine_id
from cloudjar.planes.compute.port import Disk
from tests.host.compute.conftest import spec, until
from tests.host.compute.guestnet import banner, guest_network, ssh

pytestmark = pytest.mark.host

USER_DATA = """Content-Type: multipart/mixed; boundary="XX"
MIME-Version: 1.0

--XX
Content-Type: text/cloud-config

#cloud-config
write_files:
  - path: /etc/from-cloud-config
    content: yes it did
runcmd:
  - [sh, -c, "echo ran >> /root/runcmd"]
--XX
Content-Type: text/x-shellscript

#!/bin/sh
echo "user data speaks as $(id -un)"
echo once >> /root/user-data-ran
--XX--
"""


def inside(host: ContainerCompute, machine: str, command: str, timeout: float = 60) -> str:
    code, out = host.run(machine, ["sh", "-c", command], timeout=timeout)
    assert code == 0, (command, out)
    return out.decode().strip()


def settled(host: ContainerCompute, machine: str) -> None:
    """cloud-init is done, and content with it."""
    code, out = host.run(machine, ["cloud-init", "status", "--wait"], timeout=60)
    assert (code, out.split()[-1]) == (0, b"done"), (code, out)


def test_a_machine_boots_into_what_was_asked(host: ContainerCompute, key: tuple[Path, str]) -> None:
    with guest_network(11, instance="i-boot", public_key=key[1], user_data=USER_DATA) as ip:
        host.start(
            spec(11, "i-boot", resolver="10.77.11.1", domain="ec2.internal", root=Disk(volume_id="v", size_gib=3))
        )
        host.start(spec(11, "i-boot"))
        until(lambda: banner(ip).startswith(b"SSH-2.0"))
        until(lambda: ssh(key[0], "admin", ip, "true").returncode == 0)
        settled(host, "i-boot")
        told = ssh(
            key[0], "admin", ip, "hostname; cat /etc/machine-id; sudo -n id -u; systemctl is-system-running --wait"
        )
        assert told.stdout.split() == ["ip-10-77-11-2", machine_id("i-boot"), "0", "running"]
        assert ssh(key[0], "root", ip, "id -u").stdout != "0\n"
        assert inside(host, "i-boot", "cat /etc/from-cloud-config /root/runcmd") == "yes it didran"
        assert inside(host, "i-boot", "cat /etc/resolv.conf").splitlines()[:2] == [
            "search ec2.internal",
            "nameserver 10.77.11.1",
        ]
        assert 2.5 < int(inside(host, "i-boot", "df -BM --output=size / | tail -n1").rstrip("M")) / 1024 <= 3
        assert "IMDSv2" in inside(host, "i-boot", "grep -o 'Fetching Ec2 IMDSv2 API Token' /var/log/cloud-init.log")
        console = host.console("i-boot").decode()
        assert "user data speaks as root" in console
        assert "BEGIN SSH HOST KEY FINGERPRINTS" in console
        assert "\x1b" not in console
        assert host.machines() == {"i-boot": "up"}
        host.remove("i-boot")
        host.remove("i-boot")
        assert host.look("i-boot") is None
        assert banner(ip) == b""
        assert leaks(host.tag, host.state) == []
        assert host.volumes.record("v") is not None
        host.remove_volume("v")
        assert host.volumes.record("v") is None


def test_stop_keeps_the_disk_and_start_applies_what_changed(host: ContainerCompute, key: tuple[Path, str]) -> None:
    with guest_network(
        12, instance="i-stop", public_key=key[1], user_data="#!/bin/sh\necho once >> /root/user-data-ran\n"
    ) as ip:
        host.start(spec(12, "i-stop", memory_mib=512, vcpus=1))
        settled(host, "i-stop")
        keys = inside(
            host, "i-stop", "cat /etc/ssh/ssh_host_*_key.pub; echo data > /root/mine; echo dock > /var/lib/docker/mine"
        )
        with pytest.raises(PlaneError, match="in use"):
            host.remove_volume("vol-i-stop")
        host.stop("i-stop")
        host.stop("i-stop")
        assert host.look("i-stop") == "down"
        assert leaks(host.tag, host.state) == []
        first = host.console("i-stop")
        assert b"Reached target" in first
        host.start(
            spec(12, "i-stop", memory_mib=768, vcpus=2, cpu_share=0.25, root=Disk(volume_id="vol-i-stop", size_gib=9))
        )
        until(lambda: banner(ip))
        settled(host, "i-stop")
        again = inside(host, "i-stop", "cat /etc/ssh/ssh_host_*_key.pub")
        assert again == keys
        assert inside(host, "i-stop", "cat /root/mine /var/lib/docker/mine /root/user-data-ran").split() == [
            "data",
            "dock",
            "once",
        ]
        limit = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null | head -n1"
        assert int(inside(host, "i-stop", limit)) == 768 << 20
        quota = "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d' ' -f1 /sys/fs/cgroup/cpu.max"
        assert int(inside(host, "i-stop", quota)) == 50_000
        assert int(inside(host, "i-stop", "df -BM --output=size / | tail -n1").rstrip("M")) > 8300
        assert len(host.console("i-stop")) > len(first) or len(first) == 64 * 1024


def test_limits_are_out_of_the_guests_reach(host: ContainerCompute, key: tuple[Path, str]) -> None:
    with guest_network(13, instance="i-limit", public_key=key[1]):
        host.start(spec(13, "i-limit", memory_mib=256, root=Disk(volume_id="v13", size_gib=1)))
        settled(host, "i-limit")
        limits = "memory/memory.memsw.limit_in_bytes memory/memory.limit_in_bytes memory.max"
        host.run("i-limit", ["sh", "-c", f"for f in {limits}; do echo 8G > /sys/fs/cgroup/$f; done"])
        code, _ = host.run("i-limit", ["python3", "-c", "x = b'x' * (600 << 20)"])
        assert code == 137 or code == 255
        code, out = host.run("i-limit", ["dd", "if=/dev/zero", "of=/root/big", "bs=1M", "count=2000"], timeout=60)
        assert code == 1
        assert b"No space left" in out
        for forbidden in (
            "mknod /root/disk b 254 0 && head -c 1 /root/disk",
            "mkdir -p /mnt/d && mount -t devtmpfs d /mnt/d && cat /mnt/d/vda | head -c 1 | grep -q .",
            "echo core > /proc/sys/kernel/core_pattern",
            "date -s 2020-01-01",
            "echo 1 > /sys/class/net/eth0/mtu",
            "modprobe dummy",
        ):
            assert host.run("i-limit", ["sh", "-c", forbidden])[0] != 0, forbidden
        assert inside(host, "i-limit", "sysctl -n -w net.ipv4.ip_forward=1") == "1"


def test_the_guest_may_reboot_and_power_off_by_itself(host: ContainerCompute, key: tuple[Path, str]) -> None:
    with guest_network(14, instance="i-self", public_key=key[1]) as ip:
        host.start(spec(14, "i-self"))
        settled(host, "i-self")
        before = (host.state / "machines/i-self/init.pid").read_text()
        pid_file = host.state / "machines/i-self/init.pid"
        host.run("i-self", ["systemctl", "reboot"])
        until(lambda: pid_file.exists() and pid_file.read_text() not in ("", before))
        until(lambda: ssh(key[0], "admin", ip, "true").returncode == 0)
        settled(host, "i-self")
        before = pid_file.read_text()
        host.reboot("i-self")
        assert host.look("i-self") == "up"
        assert pid_file.read_text() != before
        settled(host, "i-self")
        host.run("i-self", ["systemctl", "poweroff"])
        until(lambda: host.look("i-self") == "down")
        assert host.machines() == {"i-self": "down"}
        with pytest.raises(PlaneError, match="not running"):
            host.run("i-self", ["true"])
        host.start(spec(14, "i-self"))
        until(lambda: banner(ip))
        host.stop("i-self", force=True)
        assert host.look("i-self") == "down"


def _elsewhere(host: ContainerCompute, body: str) -> subprocess.Popen[bytes]:
    """Run `body` in another process that knows the same host, as a server would."""
    program = f"""
        from pathlib import Path
        from cloudjar.planes.compute.container import ContainerCompute
        from tests.host.compute.conftest import spec
        host = ContainerCompute({host.tag!r}, Path({str(host.state)!r}))
        print("ready", flush=True)
    """
    code = textwrap.dedent(program) + textwrap.dedent(body)
    pipe = subprocess.PIPE
    child = subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, start_new_session=True)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    return child


def test_machines_outlive_their_server(host: ContainerCompute, key: tuple[Path, str]) -> None:
    with guest_network(15, instance="i-live", public_key=key[1]) as ip:
        child = _elsewhere(host, "host.start(spec(15, 'i-live')); print('up', flush=True); input()")
        with child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"up\n"
            os.killpg(child.pid, signal.SIGKILL)
        assert host.look("i-live") == "up"
        until(lambda: banner(ip))
        conmon = int((host.state / "machines/i-live/conmon.pid").read_text())
        assert f"/cloudjar/{host.tag}/i-live/keeper" in Path(f"/proc/{conmon}/cgroup").read_text()
        assert os.getsid(conmon) != os.getsid(0)
        host.start(spec(15, "i-live"))
        assert int((host.state / "machines/i-live/conmon.pid").read_text()) == conmon


@pytest.mark.parametrize("moment", range(12))
def test_cut_off_anywhere_it_can_be_taken_up_again(host: ContainerCompute, key: tuple[Path, str], moment: int) -> None:
    """The caller dies ten milliseconds later in each round, over the whole of a start and a stop."""
    with guest_network(16, instance="i-cut", public_key=key[1]) as ip:
        child = _elsewhere(host, "import time; t = time.time()\nhost.start(spec(16, 'i-cut')); host.stop('i-cut')")
        with child:
            try:
                child.wait(timeout=0.01 + moment * 0.017)
            except subprocess.TimeoutExpired:
                child.kill()
        assert set(host.machines()) <= {"i-cut"}
        if moment % 2:
            host.start(spec(16, "i-cut"))
            until(lambda: banner(ip).startswith(b"SSH-2.0"))
            assert host.machines() == {"i-cut": "up"}
        host.remove("i-cut")
        assert host.look("i-cut") is None
        assert leaks(host.tag, host.state) == []
        host.remove_volume("vol-i-cut")


def test_an_end_is_told_though_the_keeper_ended_first(host: ContainerCompute, key: tuple[Path, str]) -> None:
    ended: list[str] = []
    host.watch(ended.append)
    with guest_network(17, instance="i-kept", public_key=key[1]):
        host.start(spec(17, "i-kept"))
        keeper = int((host.state / "machines" / "i-kept" / "conmon.pid").read_text())
        os.kill(keeper, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{keeper}").exists())
        assert (host.look("i-kept"), ended) == ("up", [])
        host.stop("i-kept", force=True)
        until(lambda: ended == ["i-kept"])
        host.remove("i-kept")


def test_what_cannot_be_says_why(host: ContainerCompute) -> None:
    with pytest.raises(PlaneError, match="network namespace cjt-99 of machine i-none does not exist"):
        host.start(spec(99, "i-none"))
    with pytest.raises(PlaneError, match="no image 'windows'"):
        host.start(spec(99, "i-none", image="windows"))
    with pytest.raises(PlaneError, match="not a machine id"):
        host.look("../../etc")
    with pytest.raises(PlaneError, match="does not exist"):
        host.reboot("i-none")
    host.stop("i-none")
    host.remove("i-none")
    assert host.console("i-none") == b""
    assert host.machines() == {}
