"""Terraform's trail: made, found again as it was said, at work, and taken away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories.served import Served
from tests.stories.terraform import Terraform, why_not

pytestmark = [
    pytest.mark.story,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "it is there"),
]
HCL = Path(__file__).with_name("hcl")


def test_a_trail_of_all_regions(served: Served) -> None:
    terraform = Terraform(served, HCL / "trail")
    terraform.apply()
    assert terraform.changes() == ""
    trail = served.client("cloudtrail")
    assert trail.get_trail_status(Name="main")["IsLogging"] is True
    served.advance(days=1)
    found = served.client("s3").list_objects_v2(Bucket="jam-audited")["Contents"]
    assert any("/CloudTrail/eu-west-3/" in item["Key"] for item in found)
    assert any("/CloudTrail-Digest/eu-west-3/" in item["Key"] for item in found)
    assert "LatestDeliveryError" not in trail.get_trail_status(Name="main")
    terraform.destroy()
    assert trail.describe_trails()["trailList"] == []
    assert served.client("s3").list_buckets()["Buckets"] == []
