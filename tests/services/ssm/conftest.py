"""Fixtures of Systems Manager's tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar


@pytest.fixture
def store(jar: TestJar) -> Any:
    """Systems Manager in Paris as root, in both lives."""
    return jar.client("ssm")
