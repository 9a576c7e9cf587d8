"""Trusted Advisor's own API: checks, recommendations, exclusions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code

CHECK = "arn:aws:trustedadvisor:::check/Z4AUBRNSmz"


@pytest.fixture
def advisor(jar: TestJar) -> Any:
    return jar.client("trustedadvisor", "us-east-1")


def about(advisor: Any, check: str = CHECK) -> dict[str, Any]:
    (found,) = advisor.list_recommendations(checkIdentifier=check)["recommendationSummaries"]
    return dict(found)


def test_checks_by_pillar_and_service(advisor: Any) -> None:
    every = advisor.get_paginator("list_checks").paginate(PaginationConfig={"PageSize": 7})
    found = [check for page in every for check in page["checkSummaries"]]
    assert CHECK in {check["arn"] for check in found}
    limits = advisor.list_checks(pillar="service_limits")["checkSummaries"]
    assert {check["pillars"][0] for check in limits} == {"service_limits"}
    iam = advisor.list_checks(pillar="security", awsService="iam")["checkSummaries"]
    assert {check["id"] for check in iam} >= {"7DAFEmoDos", "zXCkfM1nI3"}
    assert all("iam" in check["awsServices"] and check["pillars"] == ["security"] for check in iam)
    assert advisor.list_checks(source="security_hub")["checkSummaries"] == []


def test_a_recommendation_and_its_resources(advisor: Any, ec2: Any) -> None:
    address = ec2.allocate_address()["PublicIp"]
    one = about(advisor)
    assert (one["status"], one["type"], one["source"]) == ("warning", "standard", "ta_check")
    assert one["resourcesAggregates"] == {"okCount": 0, "warningCount": 1, "errorCount": 0, "excludedCount": 0}
    assert one["pillarSpecificAggregates"]["costOptimizing"]["estimatedMonthlySavings"] == 3.72
    assert one["arn"] == f"arn:aws:trustedadvisor::{ACCOUNT}:recommendation/{one['id']}"
    got = advisor.get_recommendation(recommendationIdentifier=one["arn"])["recommendation"]
    assert got["description"].startswith("Tells Elastic IP addresses")
    (resource,) = advisor.list_recommendation_resources(recommendationIdentifier=one["arn"])[
        "recommendationResourceSummaries"
    ]
    assert (resource["awsResourceId"], resource["regionCode"], resource["status"]) == (address, "eu-west-3", "warning")
    assert resource["recommendationArn"] == one["arn"]


def test_recommendations_are_narrowed(advisor: Any) -> None:
    errors = advisor.list_recommendations(status="error", pillar="security")["recommendationSummaries"]
    assert "MFA on Root Account" in {one["name"] for one in errors}
    assert {(one["status"], one["pillars"][0]) for one in errors} == {("error", "security")}
    assert advisor.list_recommendations(type="priority")["recommendationSummaries"] == []
    unknown = f"arn:aws:trustedadvisor::{ACCOUNT}:recommendation/00000000-0000-4000-8000-000000000000"
    assert code(advisor.get_recommendation, recommendationIdentifier=unknown) == "ResourceNotFoundException"


def test_what_is_excluded_counts_no_more(jar: TestJar, advisor: Any, ec2: Any) -> None:
    ec2.allocate_address()
    one = about(advisor)
    (resource,) = advisor.list_recommendation_resources(recommendationIdentifier=one["arn"])[
        "recommendationResourceSummaries"
    ]
    update = advisor.batch_update_recommendation_resource_exclusion
    unknown = resource["arn"][:-43] + "A" * 43
    said = update(
        recommendationResourceExclusions=[
            {"arn": resource["arn"], "isExcluded": True}, {"arn": unknown, "isExcluded": True}
        ]
    )  # fmt: skip
    assert [error["arn"] for error in said["batchUpdateRecommendationResourceExclusionErrors"]] == [unknown]
    after = about(advisor)
    assert (after["status"], after["resourcesAggregates"]["excludedCount"]) == ("ok", 1)
    support = jar.client("support", "us-east-1")
    result = support.describe_trusted_advisor_check_result(checkId="Z4AUBRNSmz")["result"]
    assert result["resourcesSummary"]["resourcesSuppressed"] == 1
    assert result["flaggedResources"][0]["isSuppressed"] is True
    excluded = advisor.list_recommendation_resources(recommendationIdentifier=one["arn"], exclusionStatus="excluded")
    assert len(excluded["recommendationResourceSummaries"]) == 1
    update(recommendationResourceExclusions=[{"arn": resource["arn"], "isExcluded": False}])
    assert about(advisor)["status"] == "warning"


def test_only_prioritized_recommendations_have_a_life(advisor: Any) -> None:
    arn = about(advisor)["arn"]
    update = advisor.update_recommendation_lifecycle
    assert code(update, recommendationIdentifier=arn, lifecycleStage="dismissed") == "ValidationException"
