"""One furnished jar for a module of garbage; nothing that a test sends may be logged as our failure."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.calls import Line
from tests.fuzz.world import World, furnish
from tests.jar import running


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A steady jar with something in it."""
    with running(tmp_path_factory.mktemp("fuzzed")) as jar:
        yield furnish(jar)


@pytest.fixture
def line(fuzzed: World) -> Iterator[Line]:
    """A connection to it."""
    line = Line(fuzzed.jar.port)
    yield line
    line.close()


@pytest.fixture(autouse=True)
def no_failure_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """An unhandled exception anywhere in the server is logged at ERROR, and is a failure here."""
    with caplog.at_level(logging.ERROR):
        yield
    for when in ("setup", "call"):
        assert [record.getMessage() for record in caplog.get_records(when)] == []
