"""Fixtures of Systems Manager's tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ssm.agent_client import CONNECTED


@pytest.fixture
def store(jar: TestJar) -> Any:
    """Systems Manager in Paris as root, in both lives."""
    return jar.client("ssm")


@pytest.fixture(autouse=True)
def goodbye() -> Iterator[None]:
    """Close the clients of a test."""
    yield
    while CONNECTED:
        CONNECTED.pop().close()
