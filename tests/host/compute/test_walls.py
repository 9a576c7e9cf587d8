"""What a guest's root may try to get out with, on a machine that has a disk of its own to try it on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes import guest_users
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import Disk
from tests.host.compute.conftest import spec, until
from tests.host.compute.guestnet import banner, guest_network

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]

MACHINE = "i-wall"
OTHER = "i-next"
ON_A_PROC_OF_ITS_OWN = "mount -t proc proc /mnt && echo '|/bin/true' > /mnt/sys/kernel/core_pattern"

WAYS_OUT = {
    "a panic": "echo c > /proc/sysrq-trigger",
    "a panic by a proc of its own": "mount -t proc proc /mnt && echo c > /mnt/sysrq-trigger",
    "a core pattern": "mount -o remount,rw /proc/sys/kernel; echo '|/bin/true' > /proc/sys/kernel/core_pattern",
    "a core pattern by a proc of its own": ON_A_PROC_OF_ITS_OWN,
    "a helper for modules": "mount -t proc proc /mnt; echo /tmp/x > /mnt/sys/kernel/modprobe",
    "a helper for devices": "mount -t sysfs sysfs /mnt && echo /tmp/x > /mnt/kernel/uevent_helper",
    "a helper for control groups": "for g in $(cut -d: -f2 /proc/self/cgroup); do mkdir -p /tmp/g;"
    " mount -t cgroup -o $g cgroup /tmp/g && echo /tmp/x > /tmp/g/release_agent && exit 0; done; exit 1",
    "limits of the group above": "echo 1 > /sys/fs/cgroup/memory/memory.limit_in_bytes",
    "device rules": "echo a > /sys/fs/cgroup/devices/devices.allow",
    "a node": "mknod /tmp/node b 7 0",
    "debugging": "mount -t debugfs debugfs /mnt && ls /mnt/tracing",
    "tracing": "mount -t tracefs tracefs /mnt && ls /mnt/events",
    "a module": "modprobe dummy || insmod /bin/true",
    "a file by its handle": "python3 -c 'import ctypes; l = ctypes.CDLL(None, use_errno=True);"
    " exit(0 if l.open_by_handle_at(-100, 0, 0) >= 0 or ctypes.get_errno() != 1 else 1)'",
    "a program in the kernel": "python3 -c 'import ctypes; l = ctypes.CDLL(None, use_errno=True);"
    " exit(0 if l.syscall(321, 0, 0, 0) >= 0 or ctypes.get_errno() != 1 else 1)'",
    "another kernel": "python3 -c 'import ctypes; l = ctypes.CDLL(None, use_errno=True);"
    " exit(0 if l.syscall(246, 0, 0, 0, 0) >= 0 or ctypes.get_errno() != 1 else 1)'",
    "the clock": "date -s 2001-01-01",
    "swap": "dd if=/dev/zero of=/swap bs=1M count=8 && mkswap /swap && swapon /swap",
    "the host's processes": "ls /proc/*/comm | wc -l | grep -q '[0-9]\\{4\\}' || grep -l conmon /proc/*/comm",
    "a network of the host": "nsenter --net=/proc/1/ns/net --mount=/proc/2/root/proc/1/ns/mnt true",
}

WITH_A_DISK = {
    "another machine's disk": "mount -t ext4 /dev/theirs /mnt",
    "a file that is no device": "touch /tmp/file && mount -t ext4 /tmp/file /mnt",
    "a way to a device out of here": "ln -sf /proc/1/root/dev/{other} /dev/out && mount -t ext4 /dev/out /mnt",
    "a journal on another device": "mount -t ext4 -o journal_path=/dev/xvda /dev/xvdf /mnt",
    "an option that nobody knows": "mount -t ext4 -o sb=8193 /dev/xvdf /mnt",
    "what is not root": "su nobody -s /bin/sh -c 'mount -t ext4 /dev/xvdf /mnt'",
    "root without rights": "setpriv --bounding-set -sys_admin --inh-caps -sys_admin mount -t ext4 /dev/xvdf /mnt",
    "a root of its own making": "unshare --user --map-root-user --mount mount -t ext4 /dev/xvdf /mnt",
    "a driver that is not trusted with it": "mount -t vfat /dev/xvdf /mnt",
}


@pytest.fixture(scope="module")
def walls(walled: ContainerCompute) -> Iterator[ContainerCompute]:
    """A machine with a disk `xvdf` (ext4), and another machine beside it, with a disk too."""
    with guest_network(41, instance=MACHINE, public_key="") as ip, guest_network(42, instance=OTHER, public_key=""):
        walled.start(spec(41, MACHINE, disks=(Disk(volume_id="vol-f", device="/dev/sdf", size_gib=1),)))
        walled.start(spec(42, OTHER, disks=(Disk(volume_id="vol-o", device="/dev/sdf", size_gib=1),)))
        until(lambda: banner(ip), 60)
        assert sh(walled, "mkfs.ext4 -q /dev/xvdf")[0] == 0
        yield walled


def sh(host: ContainerCompute, words: str) -> tuple[int, str]:
    code, said = host.run(MACHINE, ["/bin/sh", "-c", words], timeout=60)
    return code, said.decode("utf-8", "replace")


def clean(host: ContainerCompute) -> None:
    sh(host, "while umount /mnt; do :; done; umount /tmp/g; swapoff /swap; true")


def test_its_root_is_nobody_here(walls: ContainerCompute) -> None:
    pid = int((walls.state / "machines" / MACHINE / "init.pid").read_text())
    status = Path(f"/proc/{pid}/status").read_text()
    assert re.search(rf"^Uid:\t{guest_users.FIRST}\t", status, re.M)
    assert os.stat(f"/proc/{pid}/ns/user").st_ino != os.stat("/proc/self/ns/user").st_ino
    assert sh(walls, "id -u && stat -c %u /etc/passwd /root /dev/xvdf /var/lib/docker")[1].split() == ["0"] * 5


def test_no_way_out_is_open(walls: ContainerCompute) -> None:
    open_ones = []
    for what, words in WAYS_OUT.items():
        if sh(walls, words)[0] == 0:
            open_ones.append(what)
        clean(walls)
    assert open_ones == []
    assert walls.look(MACHINE) == "up"


def test_a_disk_of_its_own_is_mounted_and_nothing_else(walls: ContainerCompute) -> None:
    config = (walls.state / "machines" / OTHER / "config.json").read_text()
    minors = re.findall(r'"type":"b","major":7,"minor":(\d+),"access"', config)
    assert minors
    other = f"loop{minors[-1]}"
    for what, words in WITH_A_DISK.items():
        code, said = sh(walls, words.replace("{other}", other))
        assert code != 0, (what, said)
    code, said = sh(walls, "mount -o noatime,discard /dev/xvdf /mnt && echo kept > /mnt/file && grep /mnt /proc/mounts")
    assert code == 0, said
    assert "ext4" in said
    assert "nodev" in said
    bound = "mkdir -p /tmp/g; mount --bind /mnt /tmp/g && cat /tmp/g/file && stat -c %u /mnt/file"
    assert sh(walls, bound) == (0, "kept\n0\n")
    clean(walls)
    assert sh(walls, "mount -o ro /dev/xvdf /mnt && cat /mnt/file && ! touch /mnt/other 2>/dev/null") == (0, "kept\n")
    clean(walls)
    assert sh(walls, "mount -t ext4 /dev/xvdf /nowhere")[1].count("mount point does not exist") == 1


def test_where_guests_have_no_users_of_their_own_they_boot_behind_the_guards(walled: ContainerCompute) -> None:
    """As on a host that cannot map users: the host's own root, fewer rights; and its volumes stay there."""
    data = Disk(volume_id="vol-p", device="/dev/sdf", size_gib=1)
    with guest_network(43, instance="i-plain", public_key="", own=False) as ip:
        walled.start(spec(43, "i-plain", disks=(data,)))
        until(lambda: banner(ip), 60)
        pid = int((walled.state / "machines/i-plain/init.pid").read_text())
        assert re.search(r"^Uid:\t0\t", Path(f"/proc/{pid}/status").read_text(), re.M)
        tried = "mkfs.ext4 -q /dev/xvdf && mount /dev/xvdf /mnt && echo kept > /mnt/file && umount /mnt; modprobe dummy"
        assert walled.run("i-plain", ["/bin/sh", "-c", tried], timeout=60)[0] != 0
        assert walled.run("i-plain", ["/bin/sh", "-c", "mount /dev/xvdf /mnt && cat /mnt/file"]) == (0, b"kept\n")
        walled.stop("i-plain", force=True)
    with guest_network(43, instance="i-plain", public_key=""), pytest.raises(PlaneError, match="written by guests"):
        walled.start(spec(43, "i-plain", disks=(data,)))
    walled.remove("i-plain")


def test_a_disk_that_says_panic_does_not_stop_the_host(walls: ContainerCompute) -> None:
    code, said = sh(walls, "tune2fs -e panic /dev/xvdf && mount /dev/xvdf /mnt && grep /mnt /proc/mounts")
    assert code == 0, said
    assert "errors=panic" not in said
    clean(walls)
    code, said = sh(walls, "mount -o errors=panic /dev/xvdf /mnt && grep /mnt /proc/mounts")
    assert code == 0, said
    assert "errors=panic" not in said
    clean(walls)
