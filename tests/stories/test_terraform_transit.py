"""Terraform's resources for transit gateways, flow logs and CloudWatch Logs: made, found as they are, taken away."""

from __future__ import annotations

import pytest

from tests.stories.served import Served
from tests.stories.terraform import Terraform, why_not
from tests.stories.test_terraform import HCL

pytestmark = [
    pytest.mark.story,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "it is there"),
]


def test_networks_that_meet_live_and_die(served: Served) -> None:
    terraform = Terraform(served, HCL / "transit", *served.user("admin-dev"))
    terraform.apply()
    assert terraform.changes() == ""
    ec2, logs = served.client("ec2"), served.client("logs")
    assert terraform.output("asn") == "64512"
    routes = ec2.search_transit_gateway_routes(
        TransitGatewayRouteTableId=terraform.output("table"), Filters=[{"Name": "type", "Values": ["static"]}]
    )["Routes"]
    assert {(route["DestinationCidrBlock"], route["State"]) for route in routes} == {
        ("10.0.0.0/8", "blackhole"), ("10.2.0.0/16", "active"),
    }  # fmt: skip
    assert "0 added, 1 changed, 0 destroyed" in terraform.apply(days="30")
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 30
    assert terraform.changes(days="30") == ""
    terraform.destroy()
    assert {one["State"] for one in ec2.describe_transit_gateways()["TransitGateways"]} <= {"deleted"}
    assert ec2.describe_flow_logs()["FlowLogs"] == logs.describe_log_groups()["logGroups"] == []
    assert logs.describe_resource_policies()["resourcePolicies"] == []
    assert [vpc["IsDefault"] for vpc in ec2.describe_vpcs()["Vpcs"]] == [True]
