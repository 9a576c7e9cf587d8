"""Trusted Advisor by the Support API: the list, results, summaries, refreshes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import code
from tests.services.iam.people import ADMIN

IAM_USE = "zXCkfM1nI3"


@pytest.fixture
def support(jar: TestJar) -> Any:
    return jar.client("support", "us-east-1")


def test_the_checks_have_aws_ids_and_columns(support: Any) -> None:
    checks = {c["id"]: c for c in support.describe_trusted_advisor_checks(language="en")["checks"]}
    groups = checks["HCP4007jGY"]
    assert groups["name"] == "Security Groups - Specific Ports Unrestricted"
    assert groups["category"] == "security"
    assert groups["metadata"] == ["Region", "Security Group Name", "Security Group ID", "Protocol", "Status", "Ports"]
    assert checks["Qch7DwouX1"]["metadata"][-3:] == [
        "14-Day Average CPU Utilization", "14-Day Average Network I/O", "Number of Days Low Utilization",
    ]  # fmt: skip
    assert code(support.describe_trusted_advisor_checks, language="tlh") == "InvalidParameterValueException"


def test_every_row_has_as_many_columns_as_its_check_says(jar: TestJar, support: Any, iam: Any, ec2: Any) -> None:
    iam.create_user(UserName="dev")
    iam.create_access_key(UserName="dev")
    iam.attach_user_policy(UserName="dev", PolicyArn=ADMIN)
    jar.client("s3").create_bucket(
        Bucket="columns", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
    )
    ec2.allocate_address()
    ec2.create_volume(AvailabilityZone="eu-west-3a", Size=1)
    jar.settle()
    for check in support.describe_trusted_advisor_checks(language="en")["checks"]:
        result = support.describe_trusted_advisor_check_result(checkId=check["id"])["result"]
        for one in result["flaggedResources"]:
            assert len(one["metadata"]) in (0, len(check["metadata"])), check["name"]
            assert len(one["resourceId"]) == 43


def test_a_result_is_kept_until_it_is_refreshed_or_a_day_old(jar: TestJar, support: Any, iam: Any) -> None:
    def status() -> str:
        return str(support.describe_trusted_advisor_check_result(checkId=IAM_USE)["result"]["status"])

    assert status() == "warning"
    iam.create_user(UserName="dev")
    assert status() == "warning"
    jar.advance(days=1)
    assert status() == "ok"
    iam.delete_user(UserName="dev")
    assert status() == "ok"
    jar.advance(minutes=6)
    assert support.refresh_trusted_advisor_check(checkId=IAM_USE)["status"]["status"] == "enqueued"
    jar.settle()
    assert status() == "warning"


def test_refreshes_are_minutes_apart(jar: TestJar, support: Any) -> None:
    def shown() -> dict[str, Any]:
        (one,) = support.describe_trusted_advisor_check_refresh_statuses(checkIds=[IAM_USE])["statuses"]
        return dict(one)

    assert shown() == {"checkId": IAM_USE, "status": "none", "millisUntilNextRefreshable": 0}
    asked = support.refresh_trusted_advisor_check(checkId=IAM_USE)["status"]
    assert asked["millisUntilNextRefreshable"] == 300_000
    jar.settle()
    assert shown()["status"] == "success"
    jar.advance(minutes=2)
    assert shown()["millisUntilNextRefreshable"] == 180_000
    support.refresh_trusted_advisor_check(checkId=IAM_USE)
    assert shown()["status"] == "success"
    jar.advance(minutes=4)
    assert shown()["millisUntilNextRefreshable"] == 0


def test_summaries_count(support: Any, ec2: Any) -> None:
    ec2.allocate_address()
    asked = ["Z4AUBRNSmz", IAM_USE]
    addresses, users = support.describe_trusted_advisor_check_summaries(checkIds=asked)["summaries"]
    assert (addresses["checkId"], addresses["status"], addresses["hasFlaggedResources"]) == (asked[0], "warning", True)
    assert addresses["resourcesSummary"] == {
        "resourcesProcessed": 1, "resourcesFlagged": 1, "resourcesIgnored": 0, "resourcesSuppressed": 0,
    }  # fmt: skip
    assert addresses["categorySpecificSummary"]["costOptimizing"]["estimatedMonthlySavings"] == 3.72
    assert users["categorySpecificSummary"] == {}


def test_what_there_is_not(jar: TestJar, support: Any) -> None:
    for call in (support.describe_trusted_advisor_check_result, support.refresh_trusted_advisor_check):
        assert code(call, checkId="nothing") == "InvalidParameterValueException"
    with pytest.raises(support.exceptions.ClientError) as absent:
        support.create_case(subject="help", communicationBody="please")
    assert absent.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_check_of_a_service_that_is_not_there_is_not_green(jar: TestJar, support: Any) -> None:
    from cloudjar.app import SERVICES

    said = support.describe_trusted_advisor_check_result(checkId="cloudjar-public-database")["result"]["status"]
    assert said == ("ok" if "rds" in SERVICES else "not_available")


def test_a_change_is_an_event(jar: TestJar, support: Any) -> None:
    events = jar.client("events", "us-east-1")
    sqs = jar.client("sqs", "us-east-1")
    url = sqs.create_queue(QueueName="advice")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = events.put_rule(Name="advice", EventPattern=json.dumps({"source": ["aws.trustedadvisor"]}))["RuleArn"]
    allowed = {
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule="advice", Targets=[{"Id": "q", "Arn": arn}])
    support.describe_trusted_advisor_check_result(checkId=IAM_USE)
    jar.settle()
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    event = json.loads(message["Body"])
    assert event["detail-type"] == "Trusted Advisor Check Item Refresh Notification"
    assert (event["detail"]["check-name"], event["detail"]["status"]) == ("IAM Use", "WARNING")
