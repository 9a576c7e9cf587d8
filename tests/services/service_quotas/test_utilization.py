"""How much of quotas is used, as a report; and their tags."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import launch


def test_a_report_of_what_is_used(jar: TestJar, ec2: Any) -> None:
    quotas = jar.client("service-quotas")
    launch(ec2, InstanceType="t3.micro")
    jar.settle()
    jar.advance(minutes=3)
    key = quotas.start_quota_utilization_report()["ReportId"]
    assert quotas.get_quota_utilization_report(ReportId=key)["Status"] == "IN_PROGRESS"
    jar.advance(minutes=2)
    told = quotas.get_quota_utilization_report(ReportId=key)
    assert (told["Status"], told["TotalCount"]) == ("COMPLETED", 1)
    (one,) = told["Quotas"]
    assert (one["QuotaCode"], one["Utilization"], one["AppliedValue"]) == ("L-1216C47A", 40.0, 5.0)
    assert (one["ServiceCode"], one["Namespace"], one["Adjustable"]) == ("ec2", "AWS/Usage", True)
    with pytest.raises(quotas.exceptions.NoSuchResourceException):
        quotas.get_quota_utilization_report(ReportId="nothing")


def test_quotas_have_tags(jar: TestJar) -> None:
    quotas = jar.client("service-quotas")
    arn = quotas.get_service_quota(ServiceCode="vpc", QuotaCode="L-F678F1CE")["Quota"]["QuotaArn"]
    assert quotas.list_tags_for_resource(ResourceARN=arn)["Tags"] == []
    quotas.tag_resource(ResourceARN=arn, Tags=[{"Key": "Team", "Value": "net"}, {"Key": "Old", "Value": "x"}])
    quotas.untag_resource(ResourceARN=arn, TagKeys=["Old", "never"])
    assert quotas.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "Team", "Value": "net"}]
    with pytest.raises(quotas.exceptions.TooManyTagsException):
        quotas.tag_resource(ResourceARN=arn, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)])
    for wrong in (f"arn:aws:servicequotas:eu-west-3:{ACCOUNT}:vpc/L-00000000",
                  f"arn:aws:servicequotas:us-east-1:{ACCOUNT}:vpc/L-F678F1CE"):  # fmt: skip
        with pytest.raises(quotas.exceptions.NoSuchResourceException):
            quotas.list_tags_for_resource(ResourceARN=wrong)
