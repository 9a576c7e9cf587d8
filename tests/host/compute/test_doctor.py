"""The doctor tells the truth about this host, and finds what was left behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cloudjar.planes.compute import doctor
from cloudjar.planes.compute.container import ContainerCompute
from tests.host.compute.conftest import spec
from tests.host.compute.guestnet import guest_network

pytestmark = pytest.mark.host


def test_a_host_that_runs_machines_is_healthy(host: ContainerCompute) -> None:
    found = doctor.doctor(host.state)
    assert [f for f in found if not f.ok] == []
    assert {"root", "runc", "conmon", "control groups", "overlay file system", "loop devices"} <= {
        f.what for f in found
    }


def test_a_missing_tool_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "TOOLS", {"no-such-tool": "no-such-package"})
    ill = [f for f in doctor.doctor(Path("/var/tmp")) if not f.ok]
    assert [(f.what, f.hint) for f in ill] == [("no-such-tool", "apt-get install no-such-package")]


def test_whatever_is_left_is_found(host: ContainerCompute, key: tuple[Path, str]) -> None:
    with guest_network(18, instance="i-left", public_key=key[1]):
        host.start(spec(18, "i-left"))
        left = doctor.leaks(host.tag, host.state)
        kinds = {sentence.split(" /")[0].split(" cj-")[0].split(":")[0] for sentence in left}
        assert {"control group", "container", "mount", "loop device"} <= kinds
        assert [s for s in left if s.startswith("process ") and f"conmon of cj-{host.tag}-i-left" in s]
        assert doctor.leaks("another-tag") == []
        # Even a machine whose folder was lost is seen, and can be removed.
        subprocess.run(["umount", "--lazy", str(host.runtime / host.tag / "roots/i-left")], check=True)
        subprocess.run(["umount", "--lazy", str(host.state / "machines/i-left/disk")], check=True)
        subprocess.run(["rm", "-rf", str(host.state / "machines/i-left")], check=True)
        assert host.machines() == {"i-left": "down"}
        host.remove("i-left")
        assert doctor.leaks(host.tag, host.state) == []
        host.remove_volume("vol-i-left")
