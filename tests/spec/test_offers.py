"""Offer files of the price list as tables of prices: what is taken, what is left out, what counts more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cloudjar.spec import offers, prices
from cloudjar.spec.prices import Tier


def product(sku: str, usage_type: str, operation: str, rates: list[tuple[str, str, str]]) -> dict[str, Any]:
    """A product and its on-demand term: rates are (begin, dollars, unit)."""
    attributes = {"usagetype": usage_type, "operation": operation, "regionCode": "eu-west-3"}
    dimensions = {
        f"{sku}.T.{n}": {"unit": unit, "beginRange": begin, "endRange": "Inf", "pricePerUnit": {"USD": amount}}
        for n, (begin, amount, unit) in enumerate(rates)
    }
    return {
        "product": {"sku": sku, "productFamily": "F", "attributes": attributes},
        "term": {f"{sku}.T": {"sku": sku, "priceDimensions": dimensions}},
    }


def offer(*made: dict[str, Any], code: str = "AmazonEC2") -> dict[str, Any]:
    """An offer file."""
    return {
        "formatVersion": "v1.0", "offerCode": code, "publicationDate": "2026-10-01T00:00:00Z",
        "products": {one["product"]["sku"]: one["product"] for one in made},
        "terms": {"OnDemand": {one["product"]["sku"]: one["term"] for one in made}},
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where is imported to; the process forgets it afterwards."""
    yield tmp_path / "prices"
    prices.use_imported(tmp_path / "nothing")


def test_imported_prices_count_more_than_those_of_the_product(folder: Path) -> None:
    own = prices.price("AmazonEC2", "BoxUsage:t3.micro", "us-east-1", "RunInstances")
    found = offers.keep(offer(
        product("A", "EUW3-BoxUsage:t3.micro", "RunInstances", [("0", "0.0120000000", "Hrs")]),
        product("B", "EUW3-BoxUsage:t3.micro", "RunInstances:0002", [("0", "0.0212", "Hrs")]),
        product("C", "EUW3-EBS:VolumeUsage.gp3", "CreateVolume-Gp3", [("0", "0.095", "GB-Mo")]),
        product("D", "EUW3-BoxUsage:x99.large", "RunInstances", [("0", "1.5", "Hrs")]),
    ), folder)  # fmt: skip
    assert found == offers.Imported("AmazonEC2", 4, 0, ("eu-west-3",), "2026-10-01")
    prices.use_imported(folder)
    micro = prices.price("AmazonEC2", "BoxUsage:t3.micro", "eu-west-3", "RunInstances")
    assert (micro.per_unit, micro.date, micro.confidence) == (Decimal("0.012"), "2026-10-01", "high")
    assert "imported" in prices.source(micro.source)
    windows = prices.price("AmazonEC2", "BoxUsage:t3.micro", "eu-west-3", "RunInstances:0002")
    assert windows.per_unit == Decimal("0.0212")
    assert prices.price("AmazonEC2", "BoxUsage:x99.large", "eu-west-3", "RunInstances").per_unit == Decimal("1.5")
    assert prices.price("AmazonEC2", "BoxUsage:t3.micro", "us-east-1", "RunInstances") == own
    # It is metered without an operation, and the file has one price of it.
    assert prices.price("AmazonEC2", "EBS:VolumeUsage.gp3", "eu-west-3").per_unit == Decimal("0.095")


def test_tiers_and_further_files(folder: Path) -> None:
    tiers = [("0", "0.025", "GB-Mo"), ("51200", "0.024", "GB-Mo")]
    offers.keep(offer(product("A", "EUW3-TimedStorage-ByteHrs", "StandardStorage", tiers), code="AmazonS3"), folder)
    more = product("B", "EUW3-Requests-Tier2", "", [("0", "0.0000005", "Requests")])
    offers.keep(offer(more, code="AmazonS3"), folder)
    prices.use_imported(folder)
    found = prices.price("AmazonS3", "TimedStorage-ByteHrs", "eu-west-3", "StandardStorage")
    assert found.tiers == (Tier(Decimal(0), Decimal("0.025")), Tier(Decimal(51200), Decimal("0.024")))
    assert prices.price("AmazonS3", "Requests-Tier2", "eu-west-3").per_unit == Decimal("0.0000005")
    assert prices.fingerprint() != _without(folder)


def _without(folder: Path) -> bytes:
    prices.use_imported(folder / "nothing")
    return prices.fingerprint()


def test_other_units_and_currencies_are_left_out(folder: Path) -> None:
    yuan = product("B", "EUW3-BoxUsage:t3.nano", "RunInstances", [("0", "1", "Hrs")])
    for rate in yuan["term"]["B.T"]["priceDimensions"].values():
        rate["pricePerUnit"] = {"CNY": "1"}
    kept = product("C", "EUW3-BoxUsage:t3.small", "RunInstances", [("0", "0.02", "Hrs")])
    days = product("A", "EUW3-BoxUsage:t3.micro", "RunInstances", [("0", "1", "Days")])
    found = offers.keep(offer(days, yuan, kept), folder)
    assert (found.prices, found.left_out) == (1, 1)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"offerCode": "../x", "products": {}}', '{"products": {}}'])
def test_what_is_no_offer_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "index.json"
    file.write_text(text)
    with pytest.raises(offers.OfferError):
        offers.read(file)


def test_a_file_without_prices_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "index.json"
    file.write_text(json.dumps(offer()))
    with pytest.raises(offers.OfferError, match="no on-demand price"):
        offers.keep(offers.read(file), tmp_path / "prices")
    assert not (tmp_path / "prices").exists()
