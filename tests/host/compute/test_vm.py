"""One real virtual machine: born of the image's own tree on its ENI, used, rebooted, stopped, started, gone."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.doctor import leaks
from cloudjar.planes.compute.identity import machine_id
from cloudjar.planes.compute.port import Disk
from cloudjar.planes.compute.process import find_tool
from cloudjar.planes.compute.vm import VmCompute
from cloudjar.planes.network import namespaces
from tests.host.compute.conftest import IMAGE, spec, until
from tests.host.compute.guestnet import _Handler, _Server, listen_inside, root_and_tools, sh

pytestmark = [pytest.mark.host, pytest.mark.slow, pytest.mark.timeout(1800)]

GUEST, ROUTER = "cjt-31", "cjt-31r"
BOOT = 600
"""Seconds; a processor without virtualisation interprets every instruction of the guest."""


@contextmanager
def routed(public_key: str) -> Iterator[None]:
    """A guest's namespace and its router's, which serves the metadata, as the network plane lays them."""
    for name in (GUEST, ROUTER):
        sh("ip", "netns", "del", name, check=False)
        namespaces.create(name, guest=name == GUEST)
    try:
        sh("ip", "-n", ROUTER, "link", "add", "r0", "type", "veth", "peer", "name", "eth0", "netns", GUEST)
        for line in ("link set lo up", "addr add 169.254.169.254/32 dev lo", "addr add 10.78.31.1/24 dev r0"):
            sh("ip", "-n", ROUTER, *line.split())
        sh("ip", "-n", ROUTER, "link", "set", "r0", "up")
        words = ["link set eth0 address 06:00:00:00:00:31", "addr add 10.78.31.2/24 dev eth0", "link set eth0 up"]
        for one in (*words, "route add default via 10.78.31.1 dev eth0 onlink"):
            sh("ip", "-n", GUEST, *one.split())
        tree = {
            "meta-data/instance-id": "i-vm",
            "meta-data/local-hostname": "ip-10-78-31-2.ec2.internal",
            "meta-data/local-ipv4": "10.78.31.2",
            "meta-data/placement/availability-zone": "us-east-1a",
            "meta-data/public-keys/": "0=devops-key",
            "meta-data/public-keys/0/openssh-key": public_key,
            "dynamic/instance-identity/document": '{"instanceId": "i-vm", "region": "us-east-1"}',
            "user-data": "#!/bin/sh\necho user data speaks as $(id -un)\n",
        }
        handler = type("Handler", (_Handler,), {"tree": tree})
        server = _Server(listen_inside(ROUTER, "169.254.169.254", 80), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
    finally:
        for name in (GUEST, ROUTER):
            sh("ip", "netns", "del", name, check=False)


@pytest.fixture
def vm() -> Iterator[VmCompute]:
    """The driver; the image and its bootable variant are built first when they must be."""
    if why := root_and_tools():
        pytest.skip(f"machines {why}")
    if not find_tool("qemu-system-x86_64"):
        pytest.skip("needs qemu-system-x86")
    state = Path(tempfile.mkdtemp(prefix="cjt-", dir="/var/tmp"))
    compute = VmCompute(f"t{state.name[4:].lower()}", state, shutdown_seconds=240)
    compute.prepare_image(IMAGE)
    yield compute
    for machine in compute.machines():
        compute.remove(machine)
    left = leaks(compute.tag, state)
    shutil.rmtree(state)
    compute.close()
    assert left == []


def said(key: Path, command: str) -> str:
    """What a command in the guest says, from its router."""
    options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"]
    argv = ["ssh", "-i", str(key), *options, "-o", "LogLevel=ERROR", "admin@10.78.31.2", command]
    done = sh("ip", "netns", "exec", ROUTER, *argv, check=False, timeout=BOOT)
    assert done.returncode == 0, done
    return done.stdout.strip()


ASKED = (
    "hostname; uname -r; cat /etc/machine-id; sudo -n id -u; ip -4 -o addr show eth0 | tr -s ' ' | cut -d' ' -f4; "
    "cat /sys/class/net/eth0/address; lsblk -dnb -o SIZE /dev/xvdf"
)
LOGIN = "OpenBSD Secure Shell server"


def says(vm: VmCompute, what: str, times: int) -> None:
    """The console has said something so often; asking the guest itself would only slow it down."""
    log = vm.state / "machines/i-vm/console.log"
    until(lambda: log.read_text(errors="replace").count(what) == times, BOOT)


def plugged(vm: VmCompute, key: Path) -> None:
    """A disk comes while the guest runs, grows, is not taken while it is mounted, and goes."""
    late = Disk(volume_id="vol-late", device="/dev/sdg", size_gib=1)
    vm.attach("i-vm", late)
    vm.attach("i-vm", late)
    use = "until [ -e /dev/xvdg ]; do sleep 1; done; sudo mkfs.ext4 -q /dev/xvdg && sudo mount /dev/xvdg /mnt && sync"
    assert said(key, f"{use} && findmnt -no FSTYPE /mnt") == "ext4"
    assert not vm.detach("i-vm", "vol-late")
    vm.grow_volume("vol-late", 2)
    assert said(key, "sudo umount /mnt; lsblk -dnb -o SIZE /dev/xvdg") == str(2 << 30)
    until(lambda: vm.detach("i-vm", "vol-late"), BOOT)
    vm.remove_volume("vol-late")


def test_a_virtual_machine_lives(vm: VmCompute, key: tuple[Path, str]) -> None:
    ended: list[str] = []
    vm.watch(ended.append)
    data = Disk(volume_id="vol-data", device="/dev/sdf", size_gib=1)
    root = Disk(volume_id="v31", size_gib=3)
    me = spec(31, "i-vm", vcpus=1, memory_mib=512, hostname="ip-10-78-31-2", root=root, disks=(data,))
    with routed(key[1]):
        vm.start(me)
        vm.start(me)
        assert vm.machines() == {"i-vm": "up"}
        assert vm.answers("i-vm", "10.78.31.2")
        says(vm, " finished at ", 1)
        assert b"user data speaks as root" in vm.console("i-vm")
        name, kernel, identity, user, address, mac, size = said(key[0], ASKED).split()
        assert (name, identity, user) == ("ip-10-78-31-2", machine_id("i-vm"), "0")
        assert kernel.endswith("-cloud-amd64")
        assert kernel != os.uname().release
        assert (address, mac, size) == ("10.78.31.2/24", "06:00:00:00:00:31", str(1 << 30))
        used = vm.usage("i-vm")
        assert used is not None
        assert min(used.cpu_seconds, used.received_bytes, used.sent_bytes, used.written_bytes) > 0
        with pytest.raises(PlaneError, match="in use"):
            vm.remove_volume("v31")
        plugged(vm, key[0])
        with pytest.raises(PlaneError, match="is a virtual machine"):
            vm.run("i-vm", ["true"])
        gone = "until [ ! -e /dev/xvdg ]; do sleep 1; done; ls /dev/xvd?; echo data | sudo tee /root/mine >/dev/null"
        disk, keys = said(key[0], f"{gone}; cat /etc/ssh/ssh_host_*_key.pub").split("\n", 1)
        assert disk == "/dev/xvdf"
        assert "ssh-ed25519" in keys

        vm.take_snapshot("snap-vm", "v31")
        assert vm.changed_blocks("snap-vm") > 0
        assert vm.answers("i-vm", "10.78.31.2")  # it stood still for a moment, and goes on
        vm.remove_snapshot("snap-vm")

        vm.stop("i-vm")
        until(lambda: ended == ["i-vm"])
        assert vm.look("i-vm") == "down"
        assert not vm.powered_off("i-vm")
        assert b"reboot: Power down" in vm.console("i-vm")
        assert "cjtap" not in sh("ip", "-n", GUEST, "link").stdout
        assert leaks(vm.tag, vm.state) == []

        vm.start(me)
        says(vm, f"Started ssh.service - {LOGIN}", 2)
        assert said(key[0], "sudo cat /root/mine; cat /etc/ssh/ssh_host_*_key.pub") == f"data\n{keys}"
        vm.reboot("i-vm")
        says(vm, "Run /init as init process", 3)
        assert vm.look("i-vm") == "up"
        vm.remove("i-vm")
        assert vm.look("i-vm") is None
        vm.remove_volume("v31")
        vm.remove_volume("vol-data")
