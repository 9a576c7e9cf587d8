"""CloudWatch as root."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar


@pytest.fixture
def cloudwatch(jar: TestJar) -> Any:
    """CloudWatch in Paris."""
    return jar.client("cloudwatch")
