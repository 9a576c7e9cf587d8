"""Reading the host's control groups, whatever their version."""

from __future__ import annotations

from pathlib import Path

from cloudjar.planes.compute.cgroups import is_unified, parse_mountinfo

HYBRID = """\
30 20 0:27 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
31 30 0:28 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
32 30 0:29 / /sys/fs/cgroup/systemd rw,nosuid - cgroup cgroup rw,xattr,name=systemd
33 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
34 30 0:31 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory
"""
UNIFIED = "31 24 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"


def test_a_hybrid_host_has_its_controllers_on_version_1() -> None:
    found = parse_mountinfo(HYBRID)
    assert not is_unified(found)
    assert {h.path.name: set(h.controllers) for h in found} == {
        "unified": set(),
        "systemd": {"name=systemd"},
        "cpu,cpuacct": {"cpu", "cpuacct"},
        "memory": {"memory"},
    }


def test_a_version_2_host_has_one_hierarchy() -> None:
    found = parse_mountinfo(UNIFIED)
    assert is_unified(found)
    assert [(h.path, h.version) for h in found] == [(Path("/sys/fs/cgroup"), 2)]
