"""Terraform's S3 resources: every sub-resource is made, found again as it was said, changed, and taken away."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.stories.served import Served
from tests.stories.terraform import Terraform, why_not

pytestmark = [
    pytest.mark.story,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "it is there"),
]
HCL = Path(__file__).with_name("hcl")


def test_buckets_with_everything(served: Served) -> None:
    named = served.endpoint.replace("127.0.0.1", "localhost")
    terraform = Terraform(served, HCL / "buckets", control=named)
    terraform.apply()
    assert terraform.changes() == ""
    s3 = served.client("s3")
    assert s3.get_object(Bucket="jam-site", Key="index.html")["Body"].read() == b"<h1>test</h1>"
    assert terraform.output("website").startswith("jam-site.s3-website")
    assert terraform.output("alias").endswith("-s3alias")

    changed = terraform.apply(stage="prod")
    assert "0 added, 2 changed, 0 destroyed" in changed
    assert terraform.changes(stage="prod") == ""
    assert s3.get_object(Bucket="jam-site", Key="index.html")["Body"].read() == b"<h1>prod</h1>"

    terraform.destroy()
    assert s3.list_buckets()["Buckets"] == []
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.get_bucket_location(Bucket="jam-data")
