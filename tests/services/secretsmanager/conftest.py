"""Fixtures of Secrets Manager's tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar


@pytest.fixture
def secrets(jar: TestJar) -> Any:
    """Secrets Manager in Paris as root."""
    return jar.client("secretsmanager")
