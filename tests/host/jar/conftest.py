"""Whole jars on the real host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.packets import Wire
from tests.host.jar.served import RealJar, real_jar


@pytest.fixture(scope="module")
def real() -> Iterator[RealJar]:
    """One jar for the tests of a file; nothing of it is on the host afterwards."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as jar:
        yield jar


@pytest.fixture(scope="module")
def wire(real: RealJar) -> Iterator[Wire]:
    """Packets of that jar's machines."""
    made = Wire(real)
    yield made
    made.close()
