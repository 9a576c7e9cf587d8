"""Kinesis in both lives of a jar."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar


@pytest.fixture
def kinesis(jar: TestJar) -> Any:
    """Kinesis in Paris as root."""
    return jar.client("kinesis")
