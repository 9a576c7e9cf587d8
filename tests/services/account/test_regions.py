"""Regions are opted into, and what was not opted into is shut."""

from __future__ import annotations

from tests.jar import TestJar
from tests.services.iam.people import OTHER, allow, refused, user
from tests.services.organizations.estate import Estate, root

MILAN = "eu-south-1"


def status(jar: TestJar, account: str = "test") -> str:
    """Milan's, for an account."""
    return str(root(jar, "account", account).get_region_opt_status(RegionName=MILAN)["RegionOptStatus"])


def test_a_region_is_shut_until_it_is_opted_into(jar: TestJar) -> None:
    account, milan = jar.client("account"), jar.client("ec2", MILAN)
    assert status(jar) == "DISABLED"
    with refused("AuthFailure", "AWS was not able to validate the provided access credentials"):
        milan.describe_vpcs()
    with refused("InvalidClientTokenId"):
        jar.client("sts", MILAN).get_caller_identity()
    assert MILAN not in [r["RegionName"] for r in jar.client("ec2").describe_regions()["Regions"]]
    account.enable_region(RegionName=MILAN)
    assert status(jar) == "ENABLING"
    with refused("ConflictException", status=409):
        account.enable_region(RegionName=MILAN)
    jar.settle()
    assert status(jar) == "ENABLED"
    [vpc] = milan.describe_vpcs()["Vpcs"]
    listed = {r["RegionName"]: r["OptInStatus"] for r in jar.client("ec2").describe_regions()["Regions"]}
    assert (listed[MILAN], len(listed)) == ("opted-in", 18)
    account.disable_region(RegionName=MILAN)
    with refused("AuthFailure"):
        milan.describe_vpcs()
    jar.settle()
    assert status(jar) == "DISABLED"
    account.enable_region(RegionName=MILAN)
    jar.settle()
    assert milan.describe_vpcs()["Vpcs"] == [vpc]


def test_every_account_decides_for_itself(jar: TestJar) -> None:
    jar.client("account").enable_region(RegionName=MILAN)
    jar.settle()
    assert status(jar, OTHER) == "DISABLED"
    with refused("AuthFailure"):
        jar.client("ec2", MILAN, key=OTHER).describe_vpcs()
    jar.client("ec2", MILAN).describe_vpcs()


def test_lists_and_what_cannot_be_changed(jar: TestJar) -> None:
    account = jar.client("account")
    found = account.list_regions(RegionOptStatusContains=["ENABLED_BY_DEFAULT"])["Regions"]
    assert len(found) == 17
    every = [r for page in account.get_paginator("list_regions").paginate(MaxResults=10) for r in page["Regions"]]
    assert len(every) == 34
    for change in (account.enable_region, account.disable_region):
        with refused("ValidationException"):
            change(RegionName="eu-west-3")
        with refused("ValidationException"):
            change(RegionName="eu-west-9")
    account.disable_region(RegionName=MILAN)  # it is


def test_the_management_account_may_and_others_may_not(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    estate.org.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
    jar.client("account").enable_region(AccountId=number, RegionName=MILAN)
    jar.settle()
    assert status(jar, number) == "ENABLED"
    statement = allow("account:EnableRegion", Condition={"StringEquals": {"account:TargetRegion": MILAN}})
    ann = user(jar, "ann", statement).client("account")
    ann.enable_region(RegionName=MILAN)
    with refused("AccessDeniedException", "account:EnableRegion"):
        ann.enable_region(RegionName="eu-south-2")
