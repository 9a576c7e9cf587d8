"""`cloudjar quota`: whoever runs the jar reads the requests."""

from __future__ import annotations

from tests.cli.terminal import Terminal

VPCS = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}


def test_requests_are_granted_and_refused(up: Terminal) -> None:
    quotas = up.client("service-quotas")
    assert "no request waits" in up.good("quota", "list")
    first = quotas.request_service_quota_increase(**VPCS, DesiredValue=9)["RequestedQuota"]["Id"]
    (waiting,) = up.json("quota", "list")
    assert (waiting["Id"], waiting["QuotaName"], waiting["Region"]) == (first, "VPCs per Region", "eu-west-3")
    assert first in up.good("quota", "list")
    assert "VPCs per Region in eu-west-3: 9 is approved" in up.good("quota", "approve", first)
    assert quotas.get_service_quota(**VPCS)["Quota"]["Value"] == 9
    second = quotas.request_service_quota_increase(**VPCS, DesiredValue=90)["RequestedQuota"]["Id"]
    assert up.json("quota", "deny", second)["Status"] == "DENIED"
    assert quotas.get_requested_service_quota_change(RequestId=second)["RequestedQuota"]["Status"] == "DENIED"
    assert quotas.get_service_quota(**VPCS)["Quota"]["Value"] == 9
    said = up.run("quota", "approve", second)
    assert (said.code, f"there is no open request {second}" in said.err) == (1, True)
