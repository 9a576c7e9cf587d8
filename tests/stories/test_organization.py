"""A landing zone by Terraform: made, seen as it is, changed in place, enforced, and taken away."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.stories.served import Served
from tests.stories.terraform import Terraform, why_not
from tests.stories.test_terraform import HCL

pytestmark = [
    pytest.mark.story,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "it is there"),
]


def test_a_landing_zone(served: Served) -> None:
    terraform = Terraform(served, HCL / "organization", *served.user("admin"))
    terraform.apply()
    assert terraform.changes() == ""
    org = served.client("organizations")
    assert org.describe_organization()["Organization"]["Id"] == terraform.output("organization")

    shop = terraform.output("shop")
    inside = served.client("ec2", key=shop)
    assert len(inside.describe_vpcs()["Vpcs"]) == 1
    abroad = served.client("ec2", key=shop, region="us-east-1")
    with pytest.raises(ClientError, match="with an explicit deny in a service control policy"):
        abroad.describe_vpcs()

    assert "0 added, 1 changed, 0 destroyed" in terraform.apply(stage="live")
    assert terraform.changes(stage="live") == ""

    # As on AWS: closed accounts keep their units, and the organization, for ninety days.
    status, text = terraform.run("destroy", "-auto-approve", "-input=false")
    assert (status, "OrganizationalUnitNotEmptyException" in text) == (1, True), text[-3000:]
    with pytest.raises(ClientError, match="AuthFailure"):
        inside.describe_vpcs()
    served.advance(days=91)
    terraform.destroy()
    with pytest.raises(ClientError, match="AWSOrganizationsNotInUseException"):
        org.describe_organization()
