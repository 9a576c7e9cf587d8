"""Volumes in real machines: attached while they run, formatted, mounted, moved, grown, copied."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import _SYS_RESOURCE, ContainerCompute, _permitted
from cloudjar.planes.compute.doctor import leaks
from cloudjar.planes.compute.identity import machine_id
from cloudjar.planes.compute.port import Disk
from tests.host.compute.conftest import spec, until
from tests.host.compute.guestnet import guest_network
from tests.host.compute.test_machine import _elsewhere, inside

pytestmark = pytest.mark.host

_CHECK = "until e2fsck -fp /dev/xvdf; do sleep 0.1; done"  # a service that starts may hold the mount a moment longer
_OFFLINE = f"umount /mnt && {_CHECK} && resize2fs /dev/xvdf && mount /dev/xvdf /mnt"
DATA = Disk(volume_id="vol-data", device="/dev/sdf", size_gib=2)


def booted(host: ContainerCompute, machine: str) -> None:
    until(lambda: host.run(machine, ["systemctl", "is-active", "multi-user.target"])[0] == 0)


def test_a_volume_comes_to_a_running_machine_and_goes(host: ContainerCompute, key: tuple[Path, str]) -> None:
    with guest_network(31, instance="i-vol", public_key=key[1]):
        host.start(spec(31, "i-vol"))
        booted(host, "i-vol")
        assert host.run("i-vol", ["test", "-e", "/dev/xvdf"])[0] == 1
        host.attach("i-vol", DATA)
        node = inside(host, "i-vol", "stat -c '%i %Z' /dev/xvdf")
        host.attach("i-vol", DATA)
        assert inside(host, "i-vol", "stat -c '%i %Z' /dev/xvdf") == node  # as a server does that starts anew
        listed = inside(host, "i-vol", "lsblk --bytes --noheadings --output NAME,SIZE,TYPE").splitlines()
        assert [line.split() for line in listed] == [
            ["xvda", str(8 << 30), "disk"],
            ["xvdf", str(2 << 30), "disk"],
        ]
        inside(host, "i-vol", "mkfs.ext4 -q /dev/xvdf && mkdir /data && mount /dev/xvdf /data && echo kept > /data/it")
        assert 1.8 < int(inside(host, "i-vol", "df -BM --output=size /data | tail -n1").rstrip("M")) / 1024 <= 2
        assert inside(host, "i-vol", "lsblk --noheadings --output MOUNTPOINTS /dev/xvdf") == "/data"
        assert not host.detach("i-vol", "vol-data")
        assert inside(host, "i-vol", "cat /data/it") == "kept"
        inside(host, "i-vol", "umount /data")
        assert host.detach("i-vol", "vol-data")
        assert host.detach("i-vol", "vol-data")
        assert host.run("i-vol", ["test", "-e", "/dev/xvdf"])[0] == 1
        assert "xvdf" not in inside(host, "i-vol", "lsblk")
        host.attach("i-vol", DATA)
        assert inside(host, "i-vol", "mount /dev/xvdf /data && cat /data/it") == "kept"


def test_a_volume_survives_stop_start_reboot_and_the_server(host: ContainerCompute, key: tuple[Path, str]) -> None:
    with guest_network(32, instance="i-keep", public_key=key[1]):
        body = """
        from tests.host.compute.test_volumes import DATA
        host.start(spec(32, 'i-keep')); host.attach('i-keep', DATA); print('up', flush=True); input()
        """
        child = _elsewhere(host, body)
        with child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"up\n"
            os.killpg(child.pid, signal.SIGKILL)
        booted(host, "i-keep")
        inside(host, "i-keep", "mkfs.ext4 -q /dev/xvdf && mount /dev/xvdf /mnt && echo kept > /mnt/it")
        pid_file = host.state / "machines/i-keep/init.pid"
        before = pid_file.read_text()
        host.run("i-keep", ["systemctl", "reboot"])
        until(lambda: pid_file.exists() and pid_file.read_text() not in ("", before))
        until(lambda: host.look("i-keep") == "up")
        assert inside(host, "i-keep", "mount /dev/xvdf /mnt && cat /mnt/it") == "kept"
        host.stop("i-keep")
        assert leaks(host.tag, host.state) == []
        host.start(spec(32, "i-keep", disks=(DATA,)))
        assert inside(host, "i-keep", "mount /dev/xvdf /mnt && cat /mnt/it") == "kept"
        with pytest.raises(PlaneError, match="in use"):
            host.remove_volume("vol-data")
        host.remove("i-keep")
        assert leaks(host.tag, host.state) == []
        host.remove_volume("vol-data")


def test_a_volume_moves_and_nobody_else_may_open_it(host: ContainerCompute, key: tuple[Path, str]) -> None:
    with guest_network(33, instance="i-one", public_key=key[1]), guest_network(34, instance="i-two", public_key=key[1]):
        host.start(spec(33, "i-one", memory_mib=512))
        host.start(spec(34, "i-two", memory_mib=512))
        host.attach("i-one", DATA)
        inside(host, "i-one", "echo mine > /dev/xvdf")
        number = inside(host, "i-one", "lsblk --noheadings --output MAJ:MIN /dev/xvdf").strip().replace(":", " ")
        peek = ["sh", "-c", f"mknod /root/disk b {number} && head -c 4 /root/disk"]
        assert host.run("i-two", peek)[0] != 0
        assert host.run("i-two", ["head", "-c", "1", "/dev/xvda"])[0] != 0
        assert host.detach("i-one", "vol-data")
        assert host.run("i-one", peek)[0] != 0
        host.attach("i-two", Disk(volume_id="vol-data", device="/dev/sdg", size_gib=2))
        assert inside(host, "i-two", "head -c 4 /dev/xvdg") == "mine"
        assert host.run("i-one", ["sh", "-c", "rm -f /root/disk; " + peek[2]])[0] != 0


def test_a_volume_grows_under_its_guest(host: ContainerCompute, key: tuple[Path, str]) -> None:
    with guest_network(35, instance="i-grow", public_key=key[1]):
        host.start(spec(35, "i-grow", disks=(DATA,)))
        booted(host, "i-grow")
        inside(host, "i-grow", "mkfs.ext4 -q /dev/xvdf && mount /dev/xvdf /mnt")
        host.grow_volume("vol-data", 3)
        host.grow_volume("vol-data", 3)
        assert inside(host, "i-grow", "lsblk --bytes --noheadings --output SIZE /dev/xvdf").strip() == str(3 << 30)
        live = _permitted() >> _SYS_RESOURCE & 1  # without it ext4 is grown only while it is not mounted
        inside(host, "i-grow", "resize2fs /dev/xvdf" if live else _OFFLINE)
        assert int(inside(host, "i-grow", "df -BM --output=size /mnt | tail -n1").rstrip("M")) > 2800
        host.grow_volume("vol-i-grow", 10)
        if not live:
            host.stop("i-grow")
            host.start(spec(35, "i-grow", root=Disk(volume_id="vol-i-grow", size_gib=10)))
        assert int(inside(host, "i-grow", "df -BM --output=size / | tail -n1").rstrip("M")) > 9300


def test_a_snapshot_is_of_one_instant_and_makes_volumes(host: ContainerCompute, key: tuple[Path, str]) -> None:
    with guest_network(36, instance="i-snap", public_key=key[1]):
        host.start(spec(36, "i-snap", disks=(DATA,)))
        inside(host, "i-snap", "mkfs.ext4 -q /dev/xvdf && mount /dev/xvdf /mnt && echo first > /mnt/it")
        inside(host, "i-snap", "(i=0; while :; do i=$((i+1)); echo $i > /mnt/count; done) >/dev/null 2>&1 &")
        host.take_snapshot("snap-1", "vol-data")
        inside(host, "i-snap", "dd if=/dev/urandom of=/mnt/more bs=1M count=4 conv=fsync status=none")
        host.take_snapshot("snap-2", "vol-data")
        host.copy_snapshot("snap-3", "snap-2")
        assert host.changed_blocks("snap-3", "snap-2") == 0
        assert 8 <= host.changed_blocks("snap-2", "snap-1") <= 400  # of 4,096: the loop writes as fast as it can
        assert host.changed_blocks("snap-1") > 4
        host.attach("i-snap", Disk(volume_id="vol-old", device="/dev/sdg", size_gib=3, snapshot="snap-1"))
        assert inside(host, "i-snap", "fsck.ext4 -fn /dev/xvdg >/dev/null 2>&1; echo $?") == "0"
        assert inside(host, "i-snap", "mount --mkdir /dev/xvdg /old && cat /old/it; ls /old/more 2>&-; :") == "first"
        host.remove_snapshot("snap-1")
        with pytest.raises(PlaneError, match="snap-1 is not on this host"):
            host.make_volume(Disk(volume_id="vol-none", size_gib=2, snapshot="snap-1"))


def test_a_machine_is_born_of_a_snapshot_of_another(host: ContainerCompute, key: tuple[Path, str]) -> None:
    with (
        guest_network(37, instance="i-old", public_key=key[1]) as ip,
        guest_network(38, instance="i-new", public_key=key[1]),
    ):
        host.start(spec(37, "i-old"))
        booted(host, "i-old")
        keys = inside(host, "i-old", "echo golden > /etc/image && cat /etc/ssh/ssh_host_ed25519_key.pub")
        host.take_snapshot("snap-root", "vol-i-old")
        host.remove("i-old")
        host.remove_volume("vol-i-old")
        root = Disk(volume_id="vol-new", size_gib=9, snapshot="snap-root")
        host.start(spec(38, "i-new", root=root))
        assert inside(host, "i-new", "cat /etc/image; hostname") == "golden\nip-10-77-38-2"
        assert inside(host, "i-new", "cat /etc/machine-id") == machine_id("i-new")
        assert inside(host, "i-new", "cat /etc/ssh/ssh_host_ed25519_key.pub") not in ("", keys)
        assert int(inside(host, "i-new", "df -BM --output=size / | tail -n1").rstrip("M")) > 8300
        assert ip
