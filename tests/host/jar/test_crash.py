"""kill -9 of the server while real machines run: they do not notice, and nothing that was acknowledged is lost."""

from __future__ import annotations

import random

import pytest

from tests.crash.client import Client, Crashed, Reaper
from tests.crash.test_kill import assert_audited_once, assert_nothing_leaks, recover, rows, untouched
from tests.host.jar.packets import Wire
from tests.host.jar.served import RealJar
from tests.host.jar.story import RealStory

pytestmark = [pytest.mark.host, pytest.mark.timeout(600)]

CALLS_OF_A_STORY = 100
"""How many calls one telling makes at least; crashes are drawn among them."""
ROOT = ("test", "test")


def tell(jar: RealJar, wire: Wire, client: Client, name: str) -> None:
    """One story, from wherever a crash left it, to its end."""
    story = RealStory(jar, wire, client, ROOT, name)
    for step, ends in story.STEPS:
        story.again = False
        while True:
            try:
                getattr(story, step)()
                break
            except Crashed:
                recover(jar, story, ends)
                story.again = True


def moments(seed: int, kills: int) -> dict[int, float]:
    """Which calls are followed by a kill, and after how many seconds: reconcilers work for up to some."""
    draw = random.Random(seed)
    return {
        call: draw.choice((0.0, draw.uniform(0, 0.03), draw.uniform(0, 0.6)))
        for call in sorted(draw.sample(range(3, CALLS_OF_A_STORY), kills))
    }


def under_fire(jar: RealJar, wire: Wire, seed: int, kills: int) -> None:
    """A whole story with kills in it, and what must be so afterwards."""
    before = untouched(jar)
    client = Client(jar)
    reaper = Reaper(jar, moments(seed, kills))
    client.before_call = reaper.count
    tell(jar, wire, client, f"dev-{seed}")
    reaper.finish()
    if jar.dead:
        jar.start()
    assert reaper.kills >= 5
    assert_nothing_leaks(jar, before)
    assert jar.machine_traces() == []
    assert jar.stop() == 0
    assert_audited_once(jar, client)
    assert rows(jar, "PRAGMA integrity_check") == [("ok",)]
    jar.start()


def test_the_main_job_under_kill_9(real: RealJar, wire: Wire) -> None:
    under_fire(real, wire, seed=11, kills=7)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(12, 20))
def test_the_main_job_under_kill_9_again_and_again(real: RealJar, wire: Wire, seed: int) -> None:
    under_fire(real, wire, seed=seed, kills=9)
