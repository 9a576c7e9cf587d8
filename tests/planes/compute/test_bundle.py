"""What runc is told: the instance type as limits, and what a guest does not get."""

from __future__ import annotations

import pytest

from cloudjar.planes.compute import bundle
from cloudjar.planes.compute.port import Disk, MachineSpec

ALL = (1 << 41) - 1


def spec(**more: object) -> MachineSpec:
    values: dict[str, object] = {
        "id": "i-1",
        "image": "debian-12",
        "network": "cj-eni-1",
        "vcpus": 2,
        "memory_mib": 1024,
        "hostname": "ip-10-0-0-5",
        "root": Disk(volume_id="vol-1"),
        **more,
    }
    return MachineSpec(**values)  # type: ignore[arg-type]  # the values are those of the struct


def config(**more: object) -> dict[str, object]:
    return bundle.oci_config(
        spec(**more),
        rootfs="/state/root",
        disk="/state/disk",
        cgroup="/cloudjar/t/i-1/box/guest",
        limits={"NOFILE": 1024},
        permitted=ALL,
        memory_swap=True,
    )


def test_the_whole_configuration_of_a_small_machine() -> None:
    made = config()
    assert made["hostname"] == "ip-10-0-0-5"
    assert made["root"] == {"path": "/state/root", "readonly": False}
    linux = made["linux"]
    assert isinstance(linux, dict)
    assert {n["type"] for n in linux["namespaces"]} == {"pid", "ipc", "uts", "mount", "cgroup", "network"}
    assert linux["namespaces"][-1]["path"] == "/run/netns/cj-eni-1"
    assert linux["cgroupsPath"] == "/cloudjar/t/i-1/box/guest"
    assert linux["resources"]["memory"] == {"limit": 1 << 30, "swap": 1 << 30}
    assert linux["resources"]["cpu"] == {"quota": 200_000, "period": 100_000}
    assert linux["resources"]["devices"][0] == {"allow": False, "access": "rwm"}
    assert "/proc/sys/kernel" in linux["readonlyPaths"]
    assert not [path for path in linux["readonlyPaths"] if path.startswith("/proc/sys/net")]


def test_docker_inside_writes_to_the_machines_own_disk() -> None:
    mounts = config()["mounts"]
    assert isinstance(mounts, list)
    binds = {m["destination"]: m["source"] for m in mounts if m["type"] == "bind"}
    assert binds == {
        "/var/lib/containerd": "/state/disk/data/containerd",
        "/var/lib/containers": "/state/disk/data/containers",
        "/var/lib/docker": "/state/disk/data/docker",
    }


@pytest.mark.parametrize(
    ("vcpus", "share", "quota"), [(2, 1.0, 200_000), (2, 0.1, 20_000), (0.5, 1.0, 50_000), (0.001, 0.1, 1000)]
)
def test_processors_become_a_quota(vcpus: float, share: float, quota: int) -> None:
    assert bundle.cpu_quota(spec(vcpus=vcpus, cpu_share=share)) == quota


def test_swap_is_not_named_where_the_kernel_does_not_account_it() -> None:
    assert "swap" not in bundle.resources(spec(), memory_swap=False)["memory"]


def test_a_guest_gets_no_more_than_the_server_has_and_never_the_hosts_own_powers() -> None:
    everything = bundle.capabilities(ALL)
    assert {"CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SYS_BOOT", "CAP_MKNOD"} <= set(everything)
    assert not {"CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_TIME", "CAP_SYSLOG", "CAP_MAC_ADMIN"} & set(everything)
    assert bundle.capabilities(1 << 12 | 1 << 16) == ["CAP_NET_ADMIN"]
    assert "CAP_SYS_RESOURCE" not in bundle.capabilities(ALL & ~(1 << 24))
