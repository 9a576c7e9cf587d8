"""Fixtures of the command line's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A home of its own; whatever a test started is stopped."""
    started = Terminal(tmp_path / "home")
    yield started
    started.run("down")


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A running jar that the tests of a module share."""
    started = Terminal(tmp_path_factory.mktemp("shared") / "home")
    started.good("up")
    yield started
    started.good("down")
