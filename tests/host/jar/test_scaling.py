"""A web server of a group dies: the others go on serving, and another one takes its place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cloudjar.base.clock import monotonic
from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.scaled import Scaled, Visitor, scaled
from tests.host.jar.served import until

pytestmark = [pytest.mark.host, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def group() -> Iterator[Scaled]:
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with scaled() as made:
        yield made


def test_a_dead_member_is_replaced_and_nobody_notices_for_long(group: Scaled) -> None:
    first, second = sorted(group.members())
    visitor = Visitor(group.address)
    visitor.start()
    both = {group.name(first), group.name(second)}
    until(lambda: both <= {a.body for a in visitor.asked}, "both to serve")
    group.replaced(first)
    well = monotonic()
    (successor,) = set(group.members()) - {first, second}
    now = {group.name(second), group.name(successor)}
    until(lambda: now <= {a.body for a in visitor.asked if a.sent > well}, "the one that was left and the new one")
    asked = visitor.close()
    assert {a.status for a in asked if a.sent > well} == {200}
    assert {a.status for a in asked} <= {200, 502, 504}
    until(lambda: first not in group.members(), "the dead one to be forgotten")
    assert group.account.state(first) == "terminated"
