"""What an instance runs on: the jar's own choice, or what its tag says at the launch."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import launch, refused


def tagged(value: str) -> dict[str, Any]:
    return {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "cloudjar:driver", "Value": value}]}]}


@pytest.mark.parametrize("driver", ["vm", "container"])
def test_a_tag_chooses_the_driver_for_good(jar: TestJar, ec2: Any, driver: str) -> None:
    chosen, other = launch(ec2, **tagged(driver)), launch(ec2)
    jar.settle()
    assert jar.host.host.machines[chosen].spec.driver == driver
    assert jar.host.host.machines[other].spec.driver == ""
    # Its volume was written under one driver: another tag later does not change what it is.
    ec2.stop_instances(InstanceIds=[chosen])
    jar.settle()
    ec2.create_tags(Resources=[chosen], Tags=[{"Key": "cloudjar:driver", "Value": "other"}])
    ec2.start_instances(InstanceIds=[chosen])
    jar.settle()
    assert jar.host.host.machines[chosen].spec.driver == driver


def test_a_driver_that_is_none_is_refused(ec2: Any) -> None:
    code, message = refused(launch, ec2=ec2, **tagged("cloud"))
    assert (code, "cloudjar:driver is invalid" in message) == ("InvalidParameterValue", True)
    assert ec2.describe_instances()["Reservations"] == []
