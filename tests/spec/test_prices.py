"""Prices: known ones, tiers, and clear refusals."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cloudjar.spec import instance_types, prices, regions


@pytest.mark.parametrize(
    ("service", "usage_type", "region", "unit", "per_unit"),
    [
        ("AmazonEC2", "BoxUsage:t3.micro", "us-east-1", "Hrs", "0.0104"),
        ("AmazonEC2", "BoxUsage:t3.micro", "eu-west-3", "Hrs", "0.0118"),
        ("AmazonEC2", "EBS:VolumeUsage.gp3", "us-east-1", "GB-Mo", "0.08"),
        ("AmazonEC2", "EBS:VolumeUsage.gp3", "eu-west-3", "GB-Mo", "0.0928"),
        ("AmazonVPC", "PublicIPv4:InUseAddress", "eu-west-3", "Hrs", "0.005"),
        ("AmazonVPC", "PublicIPv4:IdleAddress", "us-east-1", "Hrs", "0.005"),
        ("AmazonEC2", "NatGateway-Hours", "eu-west-3", "Hrs", "0.05"),
        ("AmazonEC2", "Requests", "ap-south-1", "Requests", "0"),
        ("AWSSecurityTokenService", "Requests", "eu-west-3", "Requests", "0"),
    ],
)
def test_known_prices(service: str, usage_type: str, region: str, unit: str, per_unit: str) -> None:
    price = prices.price(service, usage_type, region)
    assert (price.unit, price.per_unit) == (unit, Decimal(per_unit))
    assert price.confidence in prices.CONFIDENCE.values()
    assert prices.source(price.source)


def test_tiers() -> None:
    price = prices.price("AmazonS3", "TimedStorage-ByteHrs", "us-east-1")
    assert price.tiers == (
        (Decimal(0), Decimal("0.023")),
        (Decimal(51200), Decimal("0.022")),
        (Decimal(512000), Decimal("0.021")),
    )


def test_one_usage_type_with_several_products_needs_the_operation() -> None:
    ask = ("AWSELB", "LoadBalancerUsage", "us-east-1")
    assert prices.price(*ask, "LoadBalancing:Application").per_unit == Decimal("0.0225")
    with pytest.raises(prices.NoPrice, match="LoadBalancing:Network"):
        prices.price(*ask)


@pytest.mark.parametrize(
    ("service", "usage_type", "region", "words"),
    [
        ("AmazonEC2", "BoxUsage:t3.micro", "ap-south-1", "in ap-south-1; it is in eu-west-3, us-east-1"),
        ("AmazonEC2", "BoxUsage:t9.mega", "us-east-1", "no price is known of 'BoxUsage:t9.mega'"),
        ("Nothing", "Anything", "us-east-1", "'Nothing'"),
        ("../quotas", "Anything", "us-east-1", "no prices"),
        ("sources", "Anything", "us-east-1", "no prices"),
    ],
)
def test_what_is_not_known_is_refused(service: str, usage_type: str, region: str, words: str) -> None:
    with pytest.raises(prices.NoPrice, match=words.replace(".", r"\.")):
        prices.price(service, usage_type, region)
    assert not prices.is_priced(service, usage_type, region)


def test_every_price_reads_and_its_tiers_rise() -> None:
    count = 0
    for service in prices.services():
        assert prices.service_name(service)
        for usage_type in prices.usage_types(service):
            for product in prices._service(service).products[usage_type]:
                for region in product.prices:
                    price = prices.price(service, usage_type, region, product.operation)
                    assert price.tiers[0].begin == 0
                    assert [t.begin for t in price.tiers] == sorted({t.begin for t in price.tiers})
                    assert all(t.price >= 0 for t in price.tiers)
                    assert region in regions.NAMES
                    count += 1
    assert count > 3000


def test_nearly_every_instance_type_has_a_price_in_virginia() -> None:
    names = [n for n in instance_types.names() if instance_types.offered_in("us-east-1", n)]
    known = [n for n in names if prices.is_priced("AmazonEC2", f"BoxUsage:{n}", "us-east-1", "RunInstances")]
    assert len(known) / len(names) > 0.9


def test_usage_types_on_the_bill_have_the_region_in_front() -> None:
    assert prices.bill_usage_type("BoxUsage:t3.micro", "eu-west-3") == "EUW3-BoxUsage:t3.micro"
    assert prices.bill_usage_type("BoxUsage:t3.micro", "us-east-1") == "BoxUsage:t3.micro"
