"""The access advisor of an organization."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER, allow, deny, refused, root, user
from tests.services.organizations.estate import SCP, Estate

MANY = 400


def report(iam: Any, path: str, **more: Any) -> dict[str, Any]:
    """A finished report."""
    job = iam.generate_organizations_access_report(EntityPath=path, **more)["JobId"]
    found: dict[str, Any] = iam.get_organizations_access_report(JobId=job, MaxItems=1000)
    return found


def by_service(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    assert found["JobStatus"] == "COMPLETED", found.get("ErrorDetails")
    return {detail["ServiceNamespace"]: detail for detail in found["AccessDetails"]}


def estate_with_scps(jar: TestJar) -> Estate:
    """An organization in which SCPs hold."""
    estate = Estate(jar)
    with suppress(estate.org.exceptions.PolicyTypeAlreadyEnabledException):
        estate.org.enable_policy_type(RootId=estate.root, PolicyType=SCP)
    return estate


def test_units_and_accounts_see_what_their_scps_open(jar: TestJar, iam: Any) -> None:
    estate = estate_with_scps(jar)
    dev = estate.unit("dev")
    first, second = estate.account("first", dev), estate.account("second")
    narrow = estate.policy("narrow", allow("ec2:*", "iam:*", "sts:*"), deny("iam:*"))
    estate.org.attach_policy(PolicyId=narrow, TargetId=dev)
    estate.org.detach_policy(PolicyId="p-FullAWSAccess", TargetId=dev)
    jar.advance(minutes=1)
    estate.admin_of(first).client("ec2").describe_vpcs()
    top = f"{estate.id}/{estate.root}"

    found = report(iam, f"{top}/{dev}/")
    details = by_service(found)
    assert list(details) == ["ec2", "sts"]
    assert (found["NumberOfServicesAccessible"], found["NumberOfServicesNotAccessed"]) == (2, 1)
    assert details["ec2"] == {
        "ServiceName": "Amazon Elastic Compute Cloud",
        "ServiceNamespace": "ec2",
        "Region": "eu-west-3",
        "EntityPath": f"{top}/{dev}/{first}",
        "LastAuthenticatedTime": jar.clock.now(),
        "TotalAuthenticatedEntities": 1,
    }
    assert details["sts"]["TotalAuthenticatedEntities"] == 0
    assert by_service(report(iam, f"{top}/{dev}/{first}"))["ec2"]["TotalAuthenticatedEntities"] == 1
    assert len(by_service(report(iam, f"{top}/{second}"))) > MANY
    everywhere = by_service(report(iam, top))
    assert (len(everywhere) > MANY, everywhere["ec2"]["TotalAuthenticatedEntities"]) == (True, 1)
    assert everywhere["organizations"]["TotalAuthenticatedEntities"] == 0  # the management account is not in it
    own = by_service(report(iam, f"{top}/{ACCOUNT}"))
    assert own["organizations"]["EntityPath"] == f"{top}/{ACCOUNT}"


def test_a_policy_is_about_the_accounts_that_it_bounds(jar: TestJar, iam: Any) -> None:
    estate = estate_with_scps(jar)
    dev = estate.unit("dev")
    first, second = estate.account("first", dev), estate.account("second")
    for number in (first, second):
        estate.admin_of(number).client("ec2").describe_vpcs()
    narrow = estate.policy("narrow", allow("ec2:*"), on=dev)
    top = f"{estate.id}/{estate.root}"
    details = by_service(report(iam, top, OrganizationsPolicyId=narrow))
    assert list(details) == ["ec2"]
    assert details["ec2"]["EntityPath"] == f"{top}/{dev}/{first}"
    assert details["ec2"]["TotalAuthenticatedEntities"] == 1
    unused = by_service(report(iam, f"{top}/{second}", OrganizationsPolicyId=narrow))
    assert unused["ec2"]["TotalAuthenticatedEntities"] == 0


def test_reports_are_sorted_and_paged_as_asked(steady_jar: TestJar) -> None:
    iam, estate = root(steady_jar, "iam"), Estate(steady_jar)
    steady_jar.advance(minutes=1)
    root(steady_jar, "ec2").describe_vpcs()
    path = f"{estate.id}/{estate.root}/{ACCOUNT}"
    job = iam.generate_organizations_access_report(EntityPath=path)["JobId"]

    def names(**ask: Any) -> list[str]:
        answer = iam.get_organizations_access_report(JobId=job, **ask)
        return [detail["ServiceNamespace"] for detail in answer["AccessDetails"]]

    whole = names(MaxItems=1000)
    assert whole == sorted(whole)
    assert names(MaxItems=1000, SortKey="SERVICE_NAMESPACE_DESCENDING") == whole[::-1]
    assert names(MaxItems=1, SortKey="LAST_AUTHENTICATED_TIME_DESCENDING") == ["ec2"]
    first = iam.get_organizations_access_report(JobId=job, MaxItems=300)
    rest = iam.get_organizations_access_report(JobId=job, MaxItems=300, Marker=first["Marker"])
    assert [d["ServiceNamespace"] for page in (first, rest) for d in page["AccessDetails"]] == whole


def test_a_report_that_failed_says_why(jar: TestJar, iam: Any) -> None:
    path = "o-abcdefghij/r-abcd"
    assert report(iam, path)["ErrorDetails"]["Code"] == "InvalidInput"
    estate = estate_with_scps(jar)
    top = f"{estate.id}/{estate.root}"
    estate.org.disable_policy_type(RootId=estate.root, PolicyType=SCP)
    failed = report(iam, top)
    assert (failed["JobStatus"], "not enabled" in failed["ErrorDetails"]["Message"]) == ("FAILED", True)
    estate.org.enable_policy_type(RootId=estate.root, PolicyType=SCP)
    ann = user(jar, "ann", allow("iam:*"))
    assert report(ann.client("iam"), top)["ErrorDetails"]["Code"] == "AccessDeniedException"
    member = estate.invited(OTHER)
    theirs = report(root(jar, "iam", member), top)
    assert theirs["ErrorDetails"]["Code"] == "AccessDenied"
    with refused("NoSuchEntity", status=404):
        iam.get_organizations_access_report(JobId="0" * 36)
