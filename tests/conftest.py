"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import (  # noqa: F401 pytest finds its hooks here
    pytest_collection_modifyitems,
    pytest_terminal_summary,
    pytest_xdist_make_scheduler,
)
from tests.jar import TestJar, running


@pytest.fixture(params=["steady", "reborn"])
def jar(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TestJar]:
    """A whole jar, in both of its lives (see `tests.jar`)."""
    with running(tmp_path, reborn=request.param == "reborn") as started:
        yield started


@pytest.fixture
def steady_jar(tmp_path: Path) -> Iterator[TestJar]:
    """A whole jar in its steady life, for tests of what does not touch the store."""
    with running(tmp_path) as started:
        yield started


@pytest.fixture
def ec2(jar: TestJar) -> Any:
    """EC2 in Paris as root."""
    return jar.client("ec2")


@pytest.fixture
def iam(jar: TestJar) -> Any:
    """IAM as root."""
    return jar.client("iam")


@pytest.fixture
def sts(jar: TestJar) -> Any:
    """STS as root."""
    return jar.client("sts")
