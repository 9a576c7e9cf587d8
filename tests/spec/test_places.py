"""Regions, zones and instance types."""

from __future__ import annotations

import pytest

from cloudjar.spec import instance_types, regions

ME, YOU = "123456789012", "210987654321"


def test_the_names_are_the_regions() -> None:
    assert {r.name for r in regions.regions()} == regions.NAMES
    assert set(regions.USAGE_PREFIX) <= regions.NAMES


def test_paris() -> None:
    paris = regions.region("eu-west-3")
    assert (paris.long_name, paris.location, paris.country) == ("Europe (Paris)", "EU (Paris)", "FR")
    assert paris.opt_in_status == "opt-in-not-required"
    assert regions.region("eu-south-2").opt_in_status == "not-opted-in"
    assert [z.name for z in regions.zones("eu-west-3", ME)] == ["eu-west-3a", "eu-west-3b", "eu-west-3c"]
    assert [z.id for z in regions.zones("eu-west-3", ME)] == ["euw3-az1", "euw3-az2", "euw3-az3"]
    assert regions.usage_prefix("eu-west-3") == "EUW3-"
    assert regions.usage_prefix("us-east-1") == ""
    assert regions.usage_prefix("ap-southeast-7") is None


def test_no_such_region() -> None:
    with pytest.raises(regions.UnknownRegion):
        regions.region("eu-west-9")


def test_old_regions_deal_out_zones_per_account_and_new_ones_do_not() -> None:
    mine, yours = (regions.zones("us-east-1", a) for a in (ME, YOU))
    assert {z.id for z in mine} == {z.id for z in yours} == {f"use1-az{i}" for i in range(1, 7)}
    assert mine != yours
    assert regions.zones("us-east-2", ME) == regions.zones("us-east-2", YOU)


def test_zones_that_new_accounts_do_not_see() -> None:
    assert {z.id for z in regions.zones("ap-northeast-1", ME)} == {"apne1-az1", "apne1-az2", "apne1-az4"}
    assert [z.name for z in regions.zones("us-west-1", ME)] == ["us-west-1a", "us-west-1b"]
    assert [z.id for z in regions.zones("eu-west-2", ME)] == ["euw2-az2", "euw2-az3", "euw2-az1"]


def test_the_type_of_the_course_runs_in_the_first_zones_of_the_common_regions() -> None:
    for account in ("000000000000", ME, YOU):
        for name in ("us-east-1", "us-west-2", "eu-west-1", "eu-west-3", "eu-central-1"):
            first = regions.zones(name, account)[0].id
            assert "t3.micro" in instance_types.offered(name)[first]
        assert regions.zones("us-east-1", account)[4].id == "use1-az3"


def test_every_zone_is_found_by_name_and_by_id() -> None:
    for name in regions.NAMES:
        found = regions.zones(name, ME)
        assert len(found) >= 2
        for zone in found:
            assert regions.zone(zone.name, ME) == regions.zone(zone.id, ME) == zone
    assert regions.zone("eu-west-3z", ME) is None


def test_the_type_of_the_course() -> None:
    micro = instance_types.facts("t3.micro")
    assert micro["InstanceType"] == "t3.micro"
    assert micro["VCpuInfo"]["DefaultVCpus"] == 2
    assert micro["NetworkInfo"]["MaximumNetworkInterfaces"] == 2
    assert micro["ProcessorInfo"]["SupportedArchitectures"] == ["x86_64"]
    assert instance_types.size("t3.micro") == (2, 1024)
    assert instance_types.burst("t3.micro") == (12, 288, 0.1, 0, True)
    assert instance_types.burst("t2.micro") == (6, 144, 0.1, 30, False)
    assert instance_types.burst("m7i.large") is None


def test_every_type_has_its_facts() -> None:
    seen = []
    for facts in instance_types.all_facts():
        name = facts["InstanceType"]
        seen.append(name)
        assert instance_types.size(name) == (facts["VCpuInfo"]["DefaultVCpus"], facts["MemoryInfo"]["SizeInMiB"])
        assert (instance_types.burst(name) is not None) == facts["BurstablePerformanceSupported"], name
    assert tuple(seen) == instance_types.names()
    assert len(seen) > 1300


def test_offerings_are_of_zones_that_exist() -> None:
    for name in regions.NAMES:
        zones = instance_types.offered(name)
        assert set(zones) <= set(regions.region(name).zone_ids)
    assert instance_types.offered_in("eu-west-3", "t3.micro")
    assert not instance_types.offered_in("eu-west-3", "nothing.large")
    assert instance_types.offered_in("ap-southeast-7", "t3.micro")


@pytest.mark.parametrize(
    ("name", "code"),
    [("t3.micro", "L-1216C47A"), ("m7i.large", "L-1216C47A"), ("g5.xlarge", "L-DB2E81BA"),
     ("p5.48xlarge", "L-417A185B"),
     ("inf2.xlarge", "L-1945791B"), ("x2idn.16xlarge", "L-7295265B"), ("i4i.large", "L-1216C47A"),
     ("hpc7g.4xlarge", "L-F7808C92"), ("mac2.metal", None)],
)  # fmt: skip
def test_the_quota_that_counts_a_type(name: str, code: str | None) -> None:
    assert instance_types.exists(name)
    assert instance_types.vcpu_quota(name) == code


def test_no_such_type() -> None:
    with pytest.raises(instance_types.UnknownInstanceType):
        instance_types.facts("t9.mega")
