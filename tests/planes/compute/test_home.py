"""The scripts that boot a machine, and what a home refuses to be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.home import again_script, boot_script, home_of
from tests.planes.compute.test_bundle import spec


def test_the_scripts_are_shell_even_in_a_folder_with_a_space(tmp_path: Path) -> None:
    home = home_of("t", tmp_path / "a folder's", Path("/run/cloudjar"), "i-1")
    boot = boot_script(home, keeper_files=["/sys/fs/cgroup/a b/cgroup.procs"], conmon="/usr/bin/conmon", runc="runc")
    for script in (boot, again_script(home, "/usr/bin/flock")):
        assert subprocess.run(["/bin/sh", "-n"], input=script.encode(), check=False).returncode == 0
    lines = boot.splitlines()
    joined = lines.index("echo $$ > '/sys/fs/cgroup/a b/cgroup.procs' 2>/dev/null || :")
    # Out of the service's control group and off the caller's lock before anything that stays is started.
    assert lines[joined + 1] == "exec </dev/null"
    assert joined < next(n for n, line in enumerate(lines) if "conmon --api-version" in line)
    assert "cj-t-i-1" in boot


def test_only_plain_ids_have_homes(tmp_path: Path) -> None:
    for bad in ("", ".", "..", "../x", "a/b", ".hidden"):
        with pytest.raises(PlaneError, match="not a machine id"):
            home_of("t", tmp_path, tmp_path, bad)


def test_what_is_written_is_read_again_and_half_of_it_is_not(tmp_path: Path) -> None:
    import msgspec

    home = home_of("t", tmp_path, tmp_path, "i-1")
    home.folder.mkdir(parents=True)
    assert home.spec() is None
    home.write("spec.json", msgspec.json.encode(spec()))
    assert home.spec() == spec()
    (home.folder / "spec.json").write_bytes(b'{"id":')
    assert home.spec() is None


def test_the_lock_is_for_one_at_a_time_and_can_be_forgotten(tmp_path: Path) -> None:
    home = home_of("t", tmp_path, tmp_path, "i-1")
    lock = tmp_path / "machines" / ".i-1.lock"
    probe = ["flock", "--nonblock", str(lock), "true"]
    with home.locked():
        assert subprocess.run(probe, check=False).returncode == 1
        home.unlock_for_good()
        assert not lock.exists()
    with home.locked():
        assert lock.exists()
    assert subprocess.run(probe, check=False).returncode == 0
