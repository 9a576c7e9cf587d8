"""AWS's public offer files as tables of prices: on-demand prices in US dollars, by usage type, operation and region.

A file is what the bulk API publishes (``/offers/v1.0/aws/SERVICE/current/REGION/index.json``); of it are taken products
with a usage type, a region and an on-demand term.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

from cloudjar.spec import prices, regions

_SOURCE = "AWS"


class OfferError(ValueError):
    """A file is not an offer file, or has no price that could be taken; the message is for people."""


class Imported(NamedTuple):
    """What was taken: a service's code, how many prices, how many were left out since they are per another unit than
    what is metered, the regions, and when AWS published the file."""

    service: str
    prices: int
    left_out: int
    regions: tuple[str, ...]
    published: str


class _Price(NamedTuple):
    usage_type: str
    operation: str
    region: str
    unit: str
    family: str
    tiers: list[tuple[int, str]]


def read(path: Path) -> dict[str, Any]:
    """An offer file; raises `OfferError`."""
    try:
        offer = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise OfferError(f"{path} cannot be read: {error}") from None
    if not isinstance(offer, dict) or not isinstance(offer.get("products"), dict) or "offerCode" not in offer:
        raise OfferError(f"{path} is no offer file of the AWS price list (with offerCode, products and terms)")
    code = str(offer["offerCode"])
    if not code.isalnum():
        raise OfferError(f"{path} has no offer code")
    return offer


def keep(offer: Mapping[str, Any], folder: Path) -> Imported:
    """Put the prices of an offer file (`read`) into a folder of tables, beside what was imported before."""
    code, published = str(offer["offerCode"]), str(offer.get("publicationDate") or "")[:10]
    found = list(_found(offer))
    taken, left_out = _fitting(code, found)
    if not taken:
        raise OfferError(f"the file has no on-demand price of {code} in US dollars that could be taken")
    file = folder / f"{code}.json"
    table: dict[str, Any] = {"name": prices.service_name(code), "products": {}}
    if file.is_file():
        table = json.loads(file.read_bytes())
    for one in taken:
        rows = table["products"].setdefault(one.usage_type, [])
        row = next((row for row in rows if row[0] == one.operation), None)
        if row is None:
            row = [one.operation, one.unit, one.family, "", {}]
            rows.append(row)
        row[4][one.region] = [one.tiers[0][1] if len(one.tiers) == 1 else one.tiers, _SOURCE, "h"]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(folder / "sources.json", {_SOURCE: ["AWS price list, imported from offer files", published]})
    _write(file, table)
    places = tuple(sorted({one.region for one in taken}))
    return Imported(code, len(taken), left_out, places, published)


def _write(file: Path, value: Any) -> None:
    draft = file.with_suffix(".new")
    with draft.open("w") as out:
        json.dump(value, out, separators=(",", ":"))
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)


def _found(offer: Mapping[str, Any]) -> Iterator[_Price]:
    terms = (offer.get("terms") or {}).get("OnDemand") or {}
    for sku, product in offer["products"].items():
        about = product.get("attributes") or {}
        usage_type, region = about.get("usagetype"), about.get("regionCode")
        if not usage_type or region not in {one.name for one in regions.regions()}:
            continue
        for term in (terms.get(sku) or {}).values():
            tiers, units = _tiers(term.get("priceDimensions") or {})
            if tiers:
                plain = usage_type.removeprefix(regions.usage_prefix(region) or "")
                family = product.get("productFamily") or ""
                yield _Price(plain, about.get("operation") or "", region, units, family, tiers)


def _tiers(rates: Mapping[str, Any]) -> tuple[list[tuple[int, str]], str]:
    """Tiers from the first unit on, and their unit; nothing when they are in no dollars or not to be understood."""
    found: list[tuple[int, str]] = []
    unit = ""
    for rate in rates.values():
        amount = str((rate.get("pricePerUnit") or {}).get(prices.CURRENCY))
        try:
            found.append((int(Decimal(rate.get("beginRange") or 0)), f"{Decimal(amount).normalize():f}"))
        except (InvalidOperation, TypeError, ValueError):
            return [], ""
        unit = rate.get("unit") or ""
    found.sort()
    return (found, unit) if found and found[0][0] == 0 else ([], "")


def _fitting(code: str, found: list[_Price]) -> tuple[list[_Price], int]:
    """Prices per the units that are metered. What is metered without an operation takes the one price that there is."""
    several: dict[tuple[str, str], int] = {}
    for one in found:
        several[one.usage_type, one.region] = several.get((one.usage_type, one.region), 0) + 1
    taken, left_out = [], 0
    for one in found:
        known = prices.known_units(code, one.usage_type)
        alone = several[one.usage_type, one.region] == 1
        operation = "" if alone and set(known) == {""} else one.operation
        wanted = known.get(operation)
        if wanted is not None and wanted != one.unit:
            left_out += 1
            continue
        taken.append(one._replace(operation=operation))
    return taken, left_out
