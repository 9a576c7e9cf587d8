"""What a virtual machine is told, as data: QEMU's command line, the guest's wiring, its first files."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from cloudjar.base.errors import PlaneError
from cloudjar.base.settings import from_environment
from cloudjar.planes import guest_users
from cloudjar.planes.compute import process, vmdisks, vmimage, vmnet, vmqemu
from cloudjar.planes.compute.mixed import MixedCompute
from cloudjar.planes.compute.port import Disk, MachineSpec

SPEC = MachineSpec(
    id="i-1", image="debian-12", network="n", vcpus=2, memory_mib=768, hostname="h", root=Disk(volume_id="vol-1")
)
ADDR: list[dict[str, Any]] = [
    {"ifname": "lo", "address": "00:00:00:00:00:00", "mtu": 65536, "addr_info": []},
    {
        "ifname": "eth0",
        "address": "06:00:00:00:00:01",
        "mtu": 9001,
        "addr_info": [
            {"local": "10.0.1.5", "prefixlen": 24, "scope": "global"},
            {"local": "fd00::5", "prefixlen": 128, "scope": "global"},
            {"local": "fe80::1", "prefixlen": 64, "scope": "link"},
        ],
    },
]
ROUTES: list[dict[str, Any]] = [
    {"dst": "default", "gateway": "10.0.1.1", "dev": "eth0", "protocol": "static", "flags": ["onlink"]},
    {"dst": "10.0.1.0/24", "dev": "eth0", "protocol": "kernel", "flags": []},
    {"dst": "default", "gateway": "fe80::1", "dev": "eth0", "protocol": "static", "metric": 1, "flags": []},
]


def test_the_guest_is_wired_as_its_namespace() -> None:
    assert vmnet.wiring(ADDR, ROUTES).splitlines() == [
        "link set lo up",
        "link set eth0 mtu 9001 up",
        "addr add 10.0.1.5/24 dev eth0",
        "addr add fd00::5/128 dev eth0",
        "route add default via 10.0.1.1 dev eth0 onlink",
        "-6 route add default via fe80::1 dev eth0 metric 1",
    ]
    assert vmnet.nics(ADDR) == [vmnet.Nic(name="eth0", mac="06:00:00:00:00:01", tap="cjtap0")]


def test_the_command_line_has_disks_in_order_and_the_eni() -> None:
    place = Path("/x")
    files = vmqemu.VmFiles(
        kernel=place / "k",
        initrd=place / "i",
        console=place / "c",
        serial=place / "s",
        events=place / "e",
        monitor=place / "m",
        pid=place / "p",
        empty=place / "nothing",
        disks=(
            vmqemu.Drive("vol-1", Path("/x/a,b"), "root"),
            vmqemu.Drive(vmqemu.IMAGE, Path("/x/base"), "image"),
        ),
    )
    argv = vmqemu.command("qemu", SPEC, files, vmnet.nics(ADDR), kvm=False, user=70)
    drives = [json.loads(argv[n + 1]) for n, word in enumerate(argv) if word == "-blockdev"]
    assert [(one["node-name"], one["file"]["filename"], one["read-only"]) for one in drives] == [
        ("vol-1", "/x/a,b", False),
        ("image", "/x/base", True),
    ]
    assert "virtio-net-pci,netdev=cjtap0,mac=06:00:00:00:00:01" in argv
    assert argv[argv.index("-accel") + 1].startswith("tcg,thread=single")
    assert "no_timer_check" in argv[argv.index("-append") + 1]
    assert argv[argv.index("-m") + 1] == "768"
    assert argv[argv.index("-runas") + 1] == "70:70"
    assert argv[argv.index("-chroot") + 1] == "/x/nothing"
    with_help = vmqemu.command("qemu", SPEC, files, [], kvm=True, user=70)
    assert with_help[with_help.index("-accel") + 1] == "kvm"
    assert "tsc=reliable" not in with_help[with_help.index("-append") + 1]


def test_modules_come_after_what_they_need() -> None:
    needs = vmimage.parse_needs("a.ko: b.ko c.ko\nb.ko: c.ko\nc.ko:\n")
    assert vmimage.in_order(needs, ["a.ko", "b.ko"]) == ["c.ko", "b.ko", "a.ko"]


def test_an_archive_is_aligned_and_whole() -> None:
    made = vmimage.archive({"bin/sh": b"hello", "init": b"x"})
    assert len(made) % 4 == 0
    entries = {}
    at = 0
    while at < len(made):
        assert made[at : at + 6] == b"070701"
        fields = [int(made[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        size, length = fields[6], fields[11]
        name = made[at + 110 : at + 110 + length - 1].decode()
        body = -(-(at + 110 + length) // 4) * 4
        entries[name] = (oct(fields[1]), made[body : body + size])
        at = -(-(body + size) // 4) * 4
    assert entries == {
        "bin": ("0o40755", b""),
        "bin/sh": ("0o100755", b"hello"),
        "init": ("0o100755", b"x"),
        "TRAILER!!!": ("0o0", b""),
    }


def test_a_refusal_of_the_monitor_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(str(tmp_path / "m"))
        door.listen()

        def answer() -> None:
            peer, _ = door.accept()
            with peer, peer.makefile("rwb") as talk:
                replies: list[dict[str, Any]] = [{"QMP": {}}, {"return": {}}, {"error": {"desc": "no such order"}}]
                for reply in replies:
                    if "QMP" not in reply:
                        talk.readline()
                    talk.write(json.dumps(reply).encode() + b"\n")
                    talk.flush()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(PlaneError, match="refuses fly: no such order"):
            vmqemu.tell(tmp_path / "m", "fly")
        thread.join()
    with pytest.raises(PlaneError, match="monitor does not answer"):
        vmqemu.tell(tmp_path / "nobody", "fly")


def test_what_the_image_is_read_for_is_not_the_guests_reading() -> None:
    def stats(number: int) -> dict[str, int]:
        return {"rd_operations": number, "rd_bytes": 512, "wr_operations": 2, "wr_bytes": 1024, "flush_operations": 9}

    told = [{"device": "", "node-name": name, "stats": stats(7)} for name in ("vol-1", vmqemu.IMAGE, "vol-2")]
    assert vmqemu.disk_counters(told) == {"read_ops": 14, "read_bytes": 1024, "write_ops": 4, "written_bytes": 2048}


def _ext4(path: Path, *features: str) -> bytes:
    with path.open("wb") as file:
        file.truncate(8 << 20)
    mkfs = process.need_tool("mkfs.ext4", "e2fsprogs")
    process.run([mkfs, "-q", "-F", *features, str(path)], what="making a file system")
    return path.read_bytes()[: 1 << 20]


def test_what_is_on_a_disk_tells_whether_it_may_be_mounted(tmp_path: Path) -> None:
    assert not vmdisks.head_may_be_mounted(bytes(1 << 20))
    assert vmdisks.head_may_be_mounted(b"LABELONE" + bytes(1 << 20))
    assert vmdisks.head_may_be_mounted(_ext4(tmp_path / "plain", "-O", "^has_journal"))
    clean = _ext4(tmp_path / "journal")
    assert not vmdisks.head_may_be_mounted(clean)
    assert not vmdisks.may_be_mounted(tmp_path / "journal")
    mounted = bytearray(clean)
    mounted[1024 + 0x60] |= 4  # as the kernel leaves it until the disk is unmounted
    assert vmdisks.head_may_be_mounted(bytes(mounted))


def test_qemu_is_nobody_on_this_host_and_the_same_at_each_boot() -> None:
    mine = vmqemu.qemu_user("i-1")
    assert mine == vmqemu.qemu_user("i-1") != vmqemu.qemu_user("i-2")
    assert guest_users.FIRST - vmqemu.COUNT <= mine < guest_users.FIRST


@pytest.mark.parametrize("default", ["container", "vm"])
def test_a_machine_has_the_driver_it_asks_for(default: str, tmp_path: Path) -> None:
    both = MixedCompute("t", tmp_path, default=default)
    assert both.name == default
    for machine, driver in (("i-box", "container"), ("i-vm", "vm")):
        folder = tmp_path / "machines" / machine
        folder.mkdir(parents=True)
        (folder / "spec.json").write_bytes(msgspec.json.encode(replace(SPEC, id=machine, driver=driver)))
        (folder / "console.log").write_text("2026-11-22T08:00:00.0+00:00 stdout F Welcome\r\n")
    assert both.machines() == {"i-box": "down", "i-vm": "down"}
    assert both.console("i-vm") == b"2026-11-22T08:00:00.0+00:00 stdout F Welcome\n"  # QEMU's log is the text itself
    assert both.console("i-box").strip() == b"Welcome"
    assert not both.answers("i-vm", "10.0.1.5")
    with pytest.raises(PlaneError, match="is a virtual machine"):
        both.run("i-vm", ["true"])
    with pytest.raises(PlaneError, match="i-box is not running"):
        both.run("i-box", ["true"])
    with pytest.raises(PlaneError, match="no compute driver 'cloud'"):
        both.start(replace(SPEC, driver="cloud"))


def test_the_environment_chooses_the_default() -> None:
    assert from_environment({"CLOUDJAR_COMPUTE": "vm"}, is_root=True).compute == "vm"
    assert from_environment({}, is_root=True).compute == "container"
    with pytest.raises(msgspec.ValidationError):
        from_environment({"CLOUDJAR_COMPUTE": "cloud"}, is_root=True)
