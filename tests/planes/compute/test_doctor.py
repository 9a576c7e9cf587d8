"""What the doctor says of hosts that this one is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudjar.planes.compute import doctor

_MACHINE = "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n22 21 0:5 / /proc rw - proc proc rw\n"
_CHROOT = "22 21 0:5 / /proc rw - proc proc rw\n23 21 0:6 / /sys rw - sysfs sysfs rw\n"


@pytest.mark.parametrize(("mounts", "ok"), [(_MACHINE, True), (_CHROOT, False)])
def test_a_mere_chroot_is_no_place_for_containers(mounts: str, ok: bool, tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text(mounts)
    finding = doctor._mount_point(tmp_path / "mountinfo")
    assert finding.ok is ok
    assert ("chroot" in finding.why) is not ok
