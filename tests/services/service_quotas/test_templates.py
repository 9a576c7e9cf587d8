"""The organization's template: each account that it makes begins with higher limits."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import code
from tests.services.iam.people import root
from tests.services.organizations.estate import Estate

PRINCIPAL = "servicequotas.amazonaws.com"
LINE = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE", "AwsRegion": "eu-west-3"}


def trusted(jar: TestJar) -> tuple[Estate, Any]:
    """An organization that lets Service Quotas in, and a client where templates are."""
    estate = Estate(jar)
    estate.org.enable_aws_service_access(ServicePrincipal=PRINCIPAL)
    return estate, jar.client("service-quotas", "us-east-1")


def test_new_accounts_get_what_the_template_asks_for(jar: TestJar) -> None:
    estate, quotas = trusted(jar)
    before = estate.account("before")
    put = quotas.put_service_quota_increase_request_into_template(**LINE, DesiredValue=12)
    assert put["ServiceQuotaIncreaseRequestInTemplate"]["QuotaName"] == "VPCs per Region"
    unmade = estate.account("unasked")
    assert quotas.get_association_for_service_quota_template() | {"ResponseMetadata": 0} == {
        "ServiceQuotaTemplateAssociationStatus": "DISASSOCIATED", "ResponseMetadata": 0,
    }  # fmt: skip
    quotas.associate_service_quota_template()
    assert quotas.get_association_for_service_quota_template()["ServiceQuotaTemplateAssociationStatus"] == "ASSOCIATED"
    jar.advance(minutes=1)
    made = estate.account("made")
    history = root(jar, "service-quotas", made).list_requested_service_quota_change_history()["RequestedQuotas"]
    assert [(one["QuotaCode"], one["DesiredValue"], one["Status"]) for one in history] == [
        ("L-F678F1CE", 12, "PENDING")
    ]
    jar.advance(minutes=6)
    values = {
        account: root(jar, "service-quotas", account).get_service_quota(
            ServiceCode="vpc", QuotaCode="L-F678F1CE"
        )["Quota"]["Value"]
        for account in (before, unmade, made)
    }  # fmt: skip
    assert values == {before: 5, unmade: 5, made: 12}
    quotas.disassociate_service_quota_template()
    assert code(quotas.disassociate_service_quota_template) == "ServiceQuotaTemplateNotInUseException"
    later = estate.account("later")
    assert root(jar, "service-quotas", later).list_requested_service_quota_change_history()["RequestedQuotas"] == []


def test_lines_are_put_changed_listed_and_removed(jar: TestJar) -> None:
    _, quotas = trusted(jar)
    put = quotas.put_service_quota_increase_request_into_template
    for value in (12, 15):
        put(**LINE, DesiredValue=value)
    put(**{**LINE, "AwsRegion": "us-east-1"}, DesiredValue=9)
    pages = quotas.get_paginator("list_service_quota_increase_requests_in_template").paginate(
        PaginationConfig={"PageSize": 1}
    )
    found = [one for page in pages for one in page["ServiceQuotaIncreaseRequestInTemplateList"]]
    assert [(one["AwsRegion"], one["DesiredValue"]) for one in found] == [("eu-west-3", 15), ("us-east-1", 9)]
    only = quotas.list_service_quota_increase_requests_in_template(AwsRegion="us-east-1")
    assert len(only["ServiceQuotaIncreaseRequestInTemplateList"]) == 1
    got = quotas.get_service_quota_increase_request_from_template(**LINE)["ServiceQuotaIncreaseRequestInTemplate"]
    assert got["DesiredValue"] == 15
    quotas.delete_service_quota_increase_request_from_template(**LINE)
    assert code(quotas.get_service_quota_increase_request_from_template, **LINE) == "NoSuchResourceException"
    assert code(put, **LINE, DesiredValue=5) == "IllegalArgumentException"
    assert code(put, **{**LINE, "QuotaCode": "L-00000000"}, DesiredValue=5) == "NoSuchResourceException"


def test_a_template_holds_ten(steady_jar: TestJar) -> None:
    _, quotas = trusted(steady_jar)
    regions = ["eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "us-east-1", "us-east-2",
               "us-west-1", "us-west-2", "sa-east-1"]  # fmt: skip
    put = quotas.put_service_quota_increase_request_into_template
    for region in regions:
        put(**{**LINE, "AwsRegion": region}, DesiredValue=9)
    assert code(put, **{**LINE, "AwsRegion": "ca-central-1"}, DesiredValue=9) == "QuotaExceededException"
    put(**LINE, DesiredValue=10)


def test_who_has_no_template(jar: TestJar) -> None:
    quotas = jar.client("service-quotas", "us-east-1")
    assert code(quotas.associate_service_quota_template) == "NoAvailableOrganizationException"
    estate = Estate(jar)
    assert code(quotas.associate_service_quota_template) == "AWSServiceAccessNotEnabledException"
    estate.org.enable_aws_service_access(ServicePrincipal=PRINCIPAL)
    elsewhere = jar.client("service-quotas", "eu-west-3")
    assert code(elsewhere.associate_service_quota_template) == "TemplatesNotAvailableInRegionException"
    member = root(jar, "service-quotas", estate.account("dev"))
    assert code(member.associate_service_quota_template) in (
        "AccessDeniedException", "TemplatesNotAvailableInRegionException"
    )  # fmt: skip
