"""The simulated host keeps the port's promise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.choose import compute
from cloudjar.planes.compute.port import ComputePort, Disk
from cloudjar.planes.compute.sim import SimCompute
from tests.planes.compute.test_bundle import spec


def test_a_machine_lives_and_its_volume_outlives_it() -> None:
    sim = SimCompute()
    port: ComputePort = sim
    assert port.look("i-1") is None
    port.start(spec())
    port.start(spec())
    assert port.machines() == {"i-1": "up"}
    with pytest.raises(PlaneError, match="in use"):
        port.remove_volume("vol-1")
    port.stop("i-1")
    port.stop("i-1")
    assert port.look("i-1") == "down"
    port.start(spec(root=Disk(volume_id="vol-1", size_gib=20)))
    port.reboot("i-1")
    assert (sim.host.volumes["vol-1"].boots, sim.host.volumes["vol-1"].size_gib) == (3, 20)
    port.remove("i-1")
    port.remove("i-1")
    assert port.look("i-1") is None
    assert "vol-1" in sim.host.volumes
    port.remove_volume("vol-1")
    assert sim.host.volumes == {}


def test_the_console_says_that_it_is_simulated() -> None:
    sim = SimCompute()
    sim.start(spec())
    sim.power_off("i-1")
    lines = sim.console("i-1").decode().splitlines()
    assert len(lines) == 2
    assert all(line.startswith("[simulated machine i-1] ") for line in lines)
    assert sim.look("i-1") == "down"
    assert sim.console("i-2") == b""


def test_it_fails_when_told_to_and_changes_nothing() -> None:
    sim = SimCompute()
    sim.fail("start", "the host is on fire")
    with pytest.raises(PlaneError, match="on fire"):
        sim.start(spec())
    assert sim.machines() == {}
    sim.start(spec())
    assert sim.machines() == {"i-1": "up"}
    with pytest.raises(PlaneError, match="does not exist"):
        sim.reboot("i-2")


def test_it_survives_as_plain_data() -> None:
    sim = SimCompute()
    sim.start(spec())
    again = SimCompute.from_dict(json.loads(json.dumps(sim.to_dict())))
    assert again.machines() == {"i-1": "up"}
    assert again.console("i-1") == sim.console("i-1")


def test_images_must_be_built_before_a_launch() -> None:
    sim = SimCompute()
    with pytest.raises(PlaneError, match=r"ubuntu-24\.04 is not built"):
        sim.start(spec(image="ubuntu-24.04"))
    sim.prepare_image("ubuntu-24.04")
    assert sim.images()["ubuntu-24.04"].ready
    sim.start(spec(image="ubuntu-24.04"))
    with pytest.raises(PlaneError, match="no image"):
        sim.prepare_image("windows")


def test_drivers_are_chosen_by_name(tmp_path: Path) -> None:
    assert compute("sim", "t", tmp_path).name == "sim"
    assert compute("container", "t", tmp_path).name == "container"
    assert compute("vm", "t", tmp_path).name == "vm"
    with pytest.raises(PlaneError, match="no compute driver 'cloud'"):
        compute("cloud", "t", tmp_path)
