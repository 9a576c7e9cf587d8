"""Limits are read where they are enforced, and raised where they are asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, make_group, make_vpc, refused
from tests.services.iam.people import allow, user

VPCS = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
GATEWAYS = {"ServiceCode": "vpc", "QuotaCode": "L-A4707A72"}
RULES = {"ServiceCode": "vpc", "QuotaCode": "L-0EA8095F"}
BLOCKS = {"ServiceCode": "vpc", "QuotaCode": "L-83CA0A9D"}
USERS = {"ServiceCode": "iam", "QuotaCode": "L-F55AF5E4"}
FIXED = {"ServiceCode": "vpc", "QuotaCode": "L-8312C5BB"}


@pytest.fixture
def quotas(jar: TestJar) -> Any:
    """Service Quotas in Paris as root."""
    return jar.client("service-quotas")


def value(quotas: Any, which: dict[str, str]) -> float:
    """The limit in force."""
    return float(quotas.get_service_quota(**which)["Quota"]["Value"])


def ask(quotas: Any, which: dict[str, str], desired: float) -> str:
    """Request an increase; its id."""
    return str(quotas.request_service_quota_increase(**which, DesiredValue=desired)["RequestedQuota"]["Id"])


def status(quotas: Any, request: str) -> str:
    """What became of a request."""
    return str(quotas.get_requested_service_quota_change(RequestId=request)["RequestedQuota"]["Status"])


def test_a_quota_as_it_is_in_force(quotas: Any) -> None:
    quota = quotas.get_service_quota(**VPCS)["Quota"]
    assert quota["QuotaName"] == "VPCs per Region"
    assert quota["Value"] == 5
    assert quota["QuotaArn"] == f"arn:aws:servicequotas:eu-west-3:{ACCOUNT}:vpc/L-F678F1CE"
    assert (quota["Adjustable"], quota["GlobalQuota"], quota["Unit"]) == (True, False, "None")
    default = quotas.get_aws_default_service_quota(**VPCS)["Quota"]
    assert default == {**quota, "QuotaArn": "arn:aws:servicequotas:eu-west-3::vpc/L-F678F1CE"}


def test_quotas_are_listed_by_service(quotas: Any) -> None:
    services = quotas.get_paginator("list_services").paginate(PaginationConfig={"PageSize": 7})
    names = {s["ServiceCode"]: s["ServiceName"] for page in services for s in page["Services"]}
    assert names["vpc"] == "Amazon Virtual Private Cloud (Amazon VPC)"
    assert "iam" not in names
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        pages = quotas.get_paginator(operation).paginate(ServiceCode="vpc", PaginationConfig={"PageSize": 7})
        found = {q["QuotaCode"]: q for page in pages for q in page["Quotas"]}
        assert len(found) == 30
        assert found["L-F678F1CE"]["Value"] == 5
        assert "Value" not in found["L-A272D574"]
    only = quotas.list_service_quotas(ServiceCode="vpc", QuotaCode="L-F678F1CE")["Quotas"]
    assert [quota["QuotaCode"] for quota in only] == ["L-F678F1CE"]
    assert quotas.list_service_quotas(ServiceCode="vpc", QuotaAppliedAtLevel="RESOURCE")["Quotas"] == []


def test_global_services_have_their_quotas_in_virginia(jar: TestJar, quotas: Any) -> None:
    there = jar.client("service-quotas", "us-east-1")
    quota = there.get_service_quota(**USERS)["Quota"]
    assert quota["GlobalQuota"] is True
    assert quota["QuotaArn"] == f"arn:aws:servicequotas::{ACCOUNT}:iam/L-F55AF5E4"
    assert refused(quotas.get_service_quota, **USERS) == (
        "NoSuchResourceException",
        "The request failed because the specified service does not exist.",
    )


def test_what_there_is_not(quotas: Any) -> None:
    nowhere = {"ServiceCode": "vpc", "QuotaCode": "L-00000000"}
    missing = "The request failed because the specified service quota does not exist."
    assert refused(quotas.get_service_quota, **nowhere) == ("NoSuchResourceException", missing)
    assert code(quotas.get_aws_default_service_quota, **nowhere) == "NoSuchResourceException"
    assert code(quotas.list_service_quotas, ServiceCode="nothing") == "NoSuchResourceException"
    assert code(quotas.request_service_quota_increase, **nowhere, DesiredValue=1) == "NoSuchResourceException"
    assert code(quotas.get_requested_service_quota_change, RequestId="none1") == "NoSuchResourceException"


def test_a_limit_is_raised_after_a_while_and_then_holds(jar: TestJar, quotas: Any, ec2: Any) -> None:
    for block in range(4):  # the default VPC counts
        make_vpc(ec2, f"10.{block}.0.0/16")
    assert code(ec2.create_vpc, CidrBlock="10.9.0.0/16") == "VpcLimitExceeded"
    request = ask(quotas, VPCS, 6)
    jar.settle()
    assert status(quotas, request) == "PENDING"
    assert code(ec2.create_vpc, CidrBlock="10.9.0.0/16") == "VpcLimitExceeded"
    jar.advance(minutes=4)
    assert status(quotas, request) == "PENDING"
    jar.advance(minutes=2)
    assert status(quotas, request) == "APPROVED"
    make_vpc(ec2, "10.9.0.0/16")
    assert code(ec2.create_vpc, CidrBlock="10.10.0.0/16") == "VpcLimitExceeded"
    assert (value(quotas, VPCS), value(quotas, GATEWAYS)) == (6, 6)
    assert quotas.get_aws_default_service_quota(**VPCS)["Quota"]["Value"] == 5
    assert value(jar.client("service-quotas", "us-east-1"), VPCS) == 5
    jar.advance(days=1)
    again = ask(quotas, VPCS, 7)
    jar.advance(hours=1)
    assert (status(quotas, again), value(quotas, VPCS)) == ("APPROVED", 7)


def test_a_limit_of_each_group_is_raised_too(jar: TestJar, quotas: Any, ec2: Any) -> None:
    group = make_group(ec2, make_vpc(ec2))
    ranges = [{"CidrIp": f"10.0.{n}.0/24"} for n in range(61)]
    rules = {
        "GroupId": group,
        "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": ranges}],
    }
    assert code(ec2.authorize_security_group_ingress, **rules) == "RulesPerSecurityGroupLimitExceeded"
    ask(quotas, RULES, 61)
    jar.advance(minutes=5)
    assert len(ec2.authorize_security_group_ingress(**rules)["SecurityGroupRules"]) == 61


def test_a_global_limit_is_raised_in_virginia(jar: TestJar, iam: Any) -> None:
    groups = {"ServiceCode": "iam", "QuotaCode": "L-F4A5425F"}
    quotas = jar.client("service-quotas", "us-east-1")
    before = value(quotas, groups)
    ask(quotas, groups, before + 1)
    jar.advance(minutes=5)
    assert value(quotas, groups) == before + 1


def test_what_cannot_be_had_is_denied(jar: TestJar, quotas: Any) -> None:
    requests = [ask(quotas, RULES, 201), ask(quotas, BLOCKS, 51)]
    jar.advance(minutes=5)
    assert [status(quotas, request) for request in requests] == ["DENIED", "DENIED"]
    assert (value(quotas, RULES), value(quotas, BLOCKS)) == (60, 5)
    fitting = ask(quotas, RULES, 200)
    jar.advance(minutes=5)
    assert status(quotas, fitting) == "APPROVED"


def test_what_is_no_request(quotas: Any) -> None:
    ask(quotas, VPCS, 6)
    increase = quotas.request_service_quota_increase
    assert refused(increase, **VPCS, DesiredValue=10) == (
        "ResourceAlreadyExistsException",
        "Only one open service quota increase request is allowed per quota.",
    )
    assert refused(increase, **GATEWAYS, DesiredValue=5) == (
        "IllegalArgumentException",
        "You must provide a quota value greater than the current quota value",
    )
    assert code(increase, **FIXED, DesiredValue=200) == "IllegalArgumentException"
    assert code(increase, **GATEWAYS, DesiredValue=9, ContextId="arn:x") == "IllegalArgumentException"


def test_the_history_is_newest_first(jar: TestJar, quotas: Any) -> None:
    first = ask(quotas, VPCS, 6)
    jar.advance(minutes=10)
    second, third = ask(quotas, GATEWAYS, 9), ask(quotas, VPCS, 8)
    history = quotas.list_requested_service_quota_change_history(ServiceCode="vpc")["RequestedQuotas"]
    assert {history[0]["Id"], history[1]["Id"]} == {second, third}
    assert history[2]["Id"] == first
    assert history[2]["LastUpdated"] > history[2]["Created"]
    assert history[2]["Requester"] == f'{{"accountId":"{ACCOUNT}","callerArn":"arn:aws:iam::{ACCOUNT}:root"}}'
    by_quota = quotas.list_requested_service_quota_change_history_by_quota(**VPCS)["RequestedQuotas"]
    assert [one["Id"] for one in by_quota] == [third, first]
    approved = quotas.list_requested_service_quota_change_history(Status="APPROVED")["RequestedQuotas"]
    assert [one["Id"] for one in approved] == [first]
    pages = quotas.get_paginator("list_requested_service_quota_change_history").paginate(
        PaginationConfig={"PageSize": 1}
    )
    assert len([one for page in pages for one in page["RequestedQuotas"]]) == 3


def test_policies_name_quotas(jar: TestJar) -> None:
    arn = f"arn:aws:servicequotas:eu-west-3:{ACCOUNT}:vpc/L-F678F1CE"
    ann = user(jar, "ann", allow("servicequotas:*", on=arn)).client("service-quotas")
    assert value(ann, VPCS) == 5
    assert code(ann.get_service_quota, **GATEWAYS) == "AccessDeniedException"
    assert code(ann.list_services) == "AccessDeniedException"
    assert code(ann.request_service_quota_increase, **GATEWAYS, DesiredValue=9) == "AccessDeniedException"
    ask(ann, VPCS, 6)
