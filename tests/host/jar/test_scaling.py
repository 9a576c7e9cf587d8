"""A web server of a group dies: the others go on serving, and another one takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudjar.base.clock import monotonic
from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.scaled import Scaled, Visitor
from tests.host.jar.served import real_jar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def scaled() -> Iterator[Scaled]:
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar(home=Path("/var/tmp/cloudjar-asg"), tag="asg", port=4583) as jar:
        yield Scaled(jar)
        jar.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
        until(lambda: not jar.compute.machines(), "the machines to go", 120, 0.1)


def test_a_dead_member_is_replaced_and_nobody_notices_for_long(scaled: Scaled) -> None:
    first, second = sorted(scaled.members())
    visitor = Visitor(scaled.address)
    visitor.start()
    both = {scaled.name(first), scaled.name(second)}
    until(lambda: both <= {a.body for a in visitor.asked}, "both to serve")
    scaled.replaced(first)
    well = monotonic()
    (successor,) = set(scaled.members()) - {first, second}
    now = {scaled.name(second), scaled.name(successor)}
    until(lambda: now <= {a.body for a in visitor.asked if a.sent > well}, "the one that was left and the new one")
    asked = visitor.close()
    assert {a.status for a in asked if a.sent > well} == {200}
    assert {a.status for a in asked} <= {200, 502, 504}
    until(lambda: first not in scaled.members(), "the dead one to be forgotten")
    assert scaled.account.state(first) == "terminated"
