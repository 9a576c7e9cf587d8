"""Price lists as files: fetched without a signature, and read back as AWS's are."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from cloudjar.spec import offers, prices
from tests.jar import TestJar


def fetched(url: str) -> bytes:
    """What anybody gets there."""
    with urlopen(url, timeout=60) as answer:
        body: bytes = answer.read()
    return body


def listed(pricing: Any, jar: TestJar, service: str, **more: Any) -> list[dict[str, Any]]:
    """Every price list of a service."""
    pages = pricing.get_paginator("list_price_lists").paginate(
        ServiceCode=service, EffectiveDate=jar.clock.now() - timedelta(days=1), CurrencyCode="USD", **more)  # fmt: skip
    return [one for page in pages for one in page["PriceLists"]]


def test_a_price_list_is_a_file_that_can_be_imported(jar: TestJar, tmp_path: Path) -> None:
    pricing = jar.client("pricing", "us-east-1")
    regions = {one["RegionCode"] for one in listed(pricing, jar, "AmazonRDS")}
    assert {"eu-west-3", "us-east-1"} <= regions
    (one,) = listed(pricing, jar, "AmazonRDS", RegionCode="eu-west-3")
    assert one["PriceListArn"].startswith("arn:aws:pricing:::price-list/aws/AmazonRDS/USD/")
    assert one["FileFormats"] == ["json", "csv"]
    url = pricing.get_price_list_file_url(PriceListArn=one["PriceListArn"], FileFormat="json")["Url"]
    body = fetched(url)
    offer = json.loads(body)
    assert (offer["formatVersion"], offer["offerCode"]) == ("v1.0", "AmazonRDS")
    assert set(offer["terms"]["OnDemand"]) == set(offer["products"])
    file = tmp_path / "index.json"
    file.write_bytes(body)
    taken = offers.keep(offers.read(file), tmp_path / "prices")
    assert (taken.service, taken.regions, taken.left_out) == ("AmazonRDS", ("eu-west-3",), 0)
    known = [price for region, price in prices.regional("AmazonRDS") if region == "eu-west-3"]
    assert taken.prices == len(known)
    kept = json.loads((tmp_path / "prices" / "AmazonRDS.json").read_bytes())["products"]
    for price in known:
        (row,) = [row for row in kept[price.usage_type] if row[0] == price.operation]
        tiers = row[4]["eu-west-3"][0]
        first = tiers if isinstance(tiers, str) else tiers[0][1]
        assert Decimal(first) == price.per_unit


def test_the_same_as_rows(jar: TestJar) -> None:
    pricing = jar.client("pricing", "us-east-1")
    (one,) = listed(pricing, jar, "AmazonEC2", RegionCode="eu-west-3")
    url = pricing.get_price_list_file_url(PriceListArn=one["PriceListArn"], FileFormat="csv")["Url"]
    rows = list(csv.reader(io.StringIO(fetched(url).decode())))
    assert rows[0] == ["FormatVersion", "v1.0"]
    head, *body = rows[5:]
    found = [dict(zip(head, row, strict=True)) for row in body]
    (micro,) = [row for row in found if row["Instance Type"] == "t3.micro" and row["Operating System"] == "Linux"]
    assert (micro["PricePerUnit"], micro["Currency"], micro["Unit"]) == ("0.0118000000", "USD", "Hrs")
    assert (micro["usageType"], micro["TermType"]) == ("EUW3-BoxUsage:t3.micro", "OnDemand")


def test_what_there_is_not(jar: TestJar) -> None:
    pricing = jar.client("pricing", "us-east-1")
    now = jar.clock.now()
    assert pricing.list_price_lists(ServiceCode="AmazonEC2", EffectiveDate=now, CurrencyCode="CNY")["PriceLists"] == []
    with pytest.raises(pricing.exceptions.InvalidParameterException):
        pricing.list_price_lists(ServiceCode="Nothing", EffectiveDate=now, CurrencyCode="USD")
    arn = "arn:aws:pricing:::price-list/aws/AmazonEC2/USD/19990101000000/eu-west-3"
    with pytest.raises(pricing.exceptions.ResourceNotFoundException):
        pricing.get_price_list_file_url(PriceListArn=arn, FileFormat="json")
    (one,) = listed(pricing, jar, "AmazonEC2", RegionCode="eu-west-3")
    with pytest.raises(pricing.exceptions.InvalidParameterException):
        pricing.get_price_list_file_url(PriceListArn=one["PriceListArn"], FileFormat="xml")
    url = pricing.get_price_list_file_url(PriceListArn=one["PriceListArn"], FileFormat="json")["Url"]
    for wrong in (url.replace("eu-west-3", "mars-1"), url.replace(".json", ".xml")):
        with pytest.raises(HTTPError) as refused:
            fetched(wrong)
        assert refused.value.code == 404
        refused.value.close()
