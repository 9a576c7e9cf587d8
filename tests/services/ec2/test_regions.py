"""Regions and zones."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import code, only


def test_regions_of_every_account(ec2: Any) -> None:
    found = ec2.describe_regions()["Regions"]
    assert len(found) == 17
    assert all(r["OptInStatus"] == "opt-in-not-required" for r in found)
    assert len(ec2.describe_regions(AllRegions=True)["Regions"]) > 30
    [paris] = ec2.describe_regions(RegionNames=["eu-west-3"])["Regions"]
    assert paris["Endpoint"] == "ec2.eu-west-3.amazonaws.com"
    assert code(ec2.describe_regions, RegionNames=["eu-west-9"]) == "InvalidParameterValue"


def test_zones_of_a_region(ec2: Any) -> None:
    found = ec2.describe_availability_zones()["AvailabilityZones"]
    assert [(z["ZoneName"], z["ZoneId"]) for z in found] == [
        ("eu-west-3a", "euw3-az1"), ("eu-west-3b", "euw3-az2"), ("eu-west-3c", "euw3-az3"),
    ]  # fmt: skip
    assert {z["State"] for z in found} == {"available"}
    [one] = ec2.describe_availability_zones(Filters=only(zone_id="euw3-az2"))["AvailabilityZones"]
    assert one["ZoneName"] == "eu-west-3b"
    assert code(ec2.describe_availability_zones, ZoneNames=["eu-west-3z"]) == "InvalidParameterValue"


def test_the_oldest_regions_deal_zones_out_anew_to_every_account(jar: TestJar) -> None:
    def ids(account: str) -> list[str]:
        ec2 = jar.client("ec2", "us-east-1", key=account, secret="test")
        return [z["ZoneId"] for z in ec2.describe_availability_zones()["AvailabilityZones"]]

    dealt = [ids(account) for account in ("111111111111", "222222222222", "333333333333")]
    assert dealt[0] == ids("111111111111")
    assert len({tuple(one) for one in dealt}) > 1
    assert {tuple(sorted(one)) for one in dealt} == {tuple(f"use1-az{i}" for i in range(1, 7))}


def test_what_an_account_may_have(ec2: Any) -> None:
    found = {
        a["AttributeName"]: a["AttributeValues"][0]["AttributeValue"]
        for a in ec2.describe_account_attributes()["AccountAttributes"]
    }
    assert found["supported-platforms"] == "VPC"
    assert found["max-elastic-ips"] == "5"
    assert found["vpc-max-security-groups-per-interface"] == "5"
