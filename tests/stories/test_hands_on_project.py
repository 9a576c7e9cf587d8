"""The main job: the Hands-on Project from `cloudjar up` to a clean host, with the stock tools.

The story checks every outcome itself and raises at the first that is not as it must be; here is what it adds up to.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from cloudjar.planes.host import can_drive, missing
from examples.hands_on.stage import Stage
from examples.hands_on.story import Story
from tests.ports import free_port

pytestmark = pytest.mark.story


@contextmanager
def story_on(planes: str, home: Path) -> Iterator[Story]:
    for tool in ("aws", "ssh-keygen"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    stage = Stage(home, port=free_port(), tag=f"s{os.getpid() % 46656:x}", pool="198.19.96.0/20", planes=planes)
    story = Story(stage)
    try:
        yield story
    finally:
        story.end()


LASTING = {"BoxUsage:t3.micro", "EBS:VolumeUsage.gp3", "PublicIPv4:InUseAddress"}
MEASURED = {"CPUCredits:t3", "DataTransfer-Out-Bytes", "DataTransfer-Regional-Bytes"}
"""What only real machines use: what they compute beyond their credits, and what goes to and from them."""


def check(story: Story, *, measured: bool = False) -> None:
    used = {item["usage_type"]: item for item in story.facts["bill"]["items"] if item["usage_type"] != "Requests"}
    assert set(used) - (MEASURED if measured else set()) == LASTING
    assert all(Decimal(used[name]["cost"]) > 0 for name in LASTING)
    assert all(item["region"] == "eu-west-3" for item in used.values())
    assert story.facts["bill"]["unpriced"] == []
    assert not story.stage.home.joinpath("running.json").exists()


def test_on_simulated_planes(tmp_path: Path) -> None:
    with story_on("sim", tmp_path / "home") as story:
        story.play()
        check(story)
    assert not story.stage.home.exists()


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_on_real_planes(tmp_path: Path) -> None:
    if not can_drive():
        pytest.skip(f"real planes need root on Linux and {' '.join(missing()) or 'nothing more'}")
    with story_on("linux", tmp_path / "home") as story:
        story.play()
        check(story, measured=True)
        tasks = [{"id": 1, "title": "Learn Docker", "done": False}]
        assert story.facts["robot tasks"] == tasks
        assert story.facts["server tasks"] == [*tasks, {"id": 2, "title": "Stop and start", "done": False}]
        assert story.remains(everything=True) == []
    assert story.remains(everything=True) == []
