"""The device filter in the kernel: a process in a group may open what the last filter says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudjar.planes.compute import cgroups, device_filter
from cloudjar.planes.compute.bundle import device_rules
from tests.host.compute.guestnet import root_and_tools

pytestmark = pytest.mark.host

ZERO = {"allow": True, "type": "c", "major": 1, "minor": 5, "access": "r"}
_SCRIPT = 'echo $$ > "$0/cgroup.procs" && exec head -c 1 /dev/zero'


@pytest.fixture
def group() -> Iterator[Path]:
    """A group of version 2, for itself."""
    if why := root_and_tools():
        pytest.skip(f"device filters {why}")
    tops = [h.path for h in cgroups.hierarchies() if h.version == 2]
    if not tops:
        pytest.skip("this host has no control groups of version 2")
    path = tops[0] / f"cjt-filter-{os.getpid()}"
    path.mkdir()
    yield path
    path.rmdir()


def may_read_zero(group: Path) -> bool:
    return subprocess.run(["/bin/sh", "-c", _SCRIPT, str(group)], capture_output=True, check=False).returncode == 0


def test_the_last_filter_decides(group: Path) -> None:
    assert may_read_zero(group)
    device_filter.put(group, [{"allow": False, "access": "rwm"}])
    assert not may_read_zero(group)
    device_filter.put(group, [{"allow": False, "access": "rwm"}, ZERO])
    assert may_read_zero(group)
    device_filter.put(group, device_rules([]))
    assert may_read_zero(group)
    device_filter.put(group, [{"allow": False, "access": "rwm"}, {**ZERO, "minor": 3}])
    assert not may_read_zero(group)
