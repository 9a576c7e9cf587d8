"""A scaling service, and a launch configuration."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.autoscaling.groups import Scaling


@pytest.fixture
def scaling(jar: TestJar, ec2: Any) -> Scaling:
    """Auto Scaling as root, with a launch configuration ``web`` and vCPUs for more than two machines."""
    jar.client("service-quotas").request_service_quota_increase(
        ServiceCode="ec2", QuotaCode="L-1216C47A", DesiredValue=64
    )
    jar.advance(minutes=10)
    found = Scaling(jar, jar.client("autoscaling"), ec2)
    found.configure("web")
    return found
