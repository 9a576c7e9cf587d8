"""The price list: what bills are made by, in AWS's form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.spec import prices
from tests.jar import TestJar


def search(jar: TestJar, service: str, **fields: str) -> list[dict[str, Any]]:
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in fields.items()]
    pages = jar.client("pricing", "us-east-1").get_paginator("get_products")
    found = pages.paginate(ServiceCode=service, Filters=filters)
    return [json.loads(text) for page in found for text in page["PriceList"]]


def test_the_price_of_a_machine(jar: TestJar) -> None:
    (found,) = search(jar, "AmazonEC2", instanceType="t3.micro", regionCode="eu-west-3", operatingSystem="linux")
    about, sku = found["product"]["attributes"], found["product"]["sku"]
    assert (about["location"], about["vcpu"], about["memory"]) == ("EU (Paris)", "2", "1 GiB")
    assert about["usagetype"] == "EUW3-BoxUsage:t3.micro"
    (term,) = found["terms"]["OnDemand"].values()
    (rate,) = term["priceDimensions"].values()
    assert (rate["unit"], rate["pricePerUnit"]) == ("Hrs", {"USD": "0.0118000000"})
    assert rate["rateCode"] == f"{sku}.JRTCKXETXF.6YS6EN2CT7"
    assert found["cloudjar"]["confidence"] in ("high", "medium", "low")


def test_tiers_follow_each_other(jar: TestJar) -> None:
    (found,) = search(jar, "AWSDataTransfer", usagetype="EUW3-DataTransfer-Out-Bytes")
    (term,) = found["terms"]["OnDemand"].values()
    rates = sorted(term["priceDimensions"].values(), key=lambda one: float(one["beginRange"]))
    assert [one["beginRange"] for one in rates] == ["0", "10240", "51200", "153600"]
    assert [one["endRange"] for one in rates] == ["10240", "51200", "153600", "Inf"]
    assert len({one["rateCode"] for one in rates}) == 4


def test_other_filters_and_pages(jar: TestJar) -> None:
    pricing = jar.client("pricing", "us-east-1")

    def types(kind: str, value: str) -> set[str]:
        filters = [{"Type": kind, "Field": "usagetype", "Value": value}]
        found = pricing.get_products(ServiceCode="AmazonSNS", Filters=filters)["PriceList"]
        return {json.loads(text)["product"]["attributes"]["usagetype"] for text in found}

    assert types("CONTAINS", "DA-SQS") == {"F-DA-SQS", "EUW3-F-DA-SQS"}
    assert types("ANY_OF", "F-DA-SQS, Requests-Tier1") == {"F-DA-SQS", "Requests-Tier1"}
    assert "F-DA-SQS" not in types("NONE_OF", "F-DA-SQS")
    assert types("EQUALS", "nothing") == set()
    assert len(pricing.get_products(ServiceCode="AmazonEC2")["PriceList"]) == 100
    first = pricing.describe_services(MaxResults=1)
    assert first["NextToken"]
    every = [one["ServiceCode"] for page in pricing.get_paginator("describe_services").paginate(MaxResults=7)
             for one in page["Services"]]  # fmt: skip
    assert tuple(every) == prices.services()
    values = pricing.get_attribute_values(ServiceCode="AmazonVPC", AttributeName="regionCode")["AttributeValues"]
    assert [one["Value"] for one in values] == ["eu-west-3", "us-east-1"]


@pytest.mark.parametrize(
    "ask",
    [
        {"ServiceCode": "AmazonNothing"},
        {"ServiceCode": "AmazonVPC", "AttributeName": "colour"},
        {"ServiceCode": "AmazonVPC", "FormatVersion": "aws_v2"},
    ],
)
def test_what_is_not_known_is_refused(steady_jar: TestJar, ask: dict[str, str]) -> None:
    pricing = steady_jar.client("pricing", "us-east-1")
    call = pricing.get_attribute_values if "AttributeName" in ask else pricing.get_products
    with pytest.raises(ClientError) as caught:
        call(**ask)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
