"""A container driver with its own state, whose every trace must be gone when the test ends."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudjar.base.clock import monotonic
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.doctor import leaks
from cloudjar.planes.compute.port import Disk, MachineSpec
from tests.host.compute.guestnet import key_pair, root_and_tools

IMAGE = "debian-12"
_TICK = threading.Event()


def until(what: Callable[[], object], seconds: float = 20) -> object:
    """Wait for a condition; fails with its last value."""
    end = monotonic() + seconds
    while not (value := what()):
        assert monotonic() < end, f"did not come true within {seconds} s: {value!r}"
        _TICK.wait(0.03)
    return value


def spec(number: int, machine: str, **more: object) -> MachineSpec:
    """A small machine in the namespace of `guest_network(number)`."""
    values: dict[str, object] = {
        "id": machine,
        "image": IMAGE,
        "network": f"cjt-{number}",
        "vcpus": 2,
        "memory_mib": 1024,
        "hostname": f"ip-10-77-{number}-2",
        "root": Disk(volume_id=f"vol-{machine}"),
        **more,
    }
    return MachineSpec(**values)  # type: ignore[arg-type]  # the values are those of the struct


@pytest.fixture(scope="session")
def key() -> Iterator[tuple[Path, str]]:
    """A key pair: (private key file, public line)."""
    folder = Path(tempfile.mkdtemp(prefix="cjt-key-"))
    yield key_pair(folder)
    shutil.rmtree(folder)


def _driver() -> Iterator[ContainerCompute]:
    if why := root_and_tools():
        pytest.skip(f"machines {why}")
    state = Path(tempfile.mkdtemp(prefix="cjt-", dir="/var/tmp"))
    compute = ContainerCompute(f"t{state.name[4:].lower()}", state, shutdown_seconds=30)
    compute.prepare_image(IMAGE)
    yield compute
    for machine in compute.machines():
        compute.remove(machine)
    left = leaks(compute.tag, state)
    shutil.rmtree(state)
    compute.close()
    assert left == []
    assert not (compute.runtime / compute.tag).exists()


@pytest.fixture
def host() -> Iterator[ContainerCompute]:
    """The driver; the image is built first when it must be (a minute)."""
    yield from _driver()


@pytest.fixture(scope="module")
def walled() -> Iterator[ContainerCompute]:
    """The same for all tests of a module."""
    yield from _driver()
