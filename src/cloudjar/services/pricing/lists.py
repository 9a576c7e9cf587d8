"""Price lists as files in AWS's offer format, JSON and CSV: of one service in one Region, from the product's own table.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

from cloudjar.services.pricing.products import ON_DEMAND, products
from cloudjar.spec import prices

FORMATS = ("json", "csv")
_VERSION = "v1.0"
_SAID = "Facts about prices as this product knows them, each with its source: not an offer of anybody's."
_HEAD = (
    "SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange",
    "EndingRange", "Unit", "PricePerUnit", "Currency", "RelatedTo", "LeaseContractLength", "PurchaseOption",
    "OfferingClass", "Product Family",
)  # fmt: skip


class PriceList(NamedTuple):
    """What a service costs in a Region. `date` is that of the newest fact, "" when none has one."""

    service: str
    region: str
    date: str

    @property
    def version(self) -> str:
        """As AWS writes versions: ``20240201000000``."""
        return f"{(self.date or '2000-01-01').replace('-', '')}000000"

    @property
    def name(self) -> str:
        """What follows ``price-list/`` in its ARN."""
        return f"aws/{self.service}/{prices.CURRENCY}/{self.version}/{self.region}"

    @property
    def path(self) -> str:
        """Where the file is, without its suffix."""
        return f"v1.0/aws/{self.service}/{self.version}/{self.region}/index"


@cache
def lists(service: str) -> tuple[PriceList, ...]:
    """Those of a service, by Region; nothing of a service without prices."""
    newest: dict[str, str] = {}
    for item in _items(service):
        region, date = item["product"]["attributes"]["regionCode"], item["publicationDate"][:10]
        newest[region] = max(newest.get(region, ""), date)
    return tuple(PriceList(service, region, date) for region, date in sorted(newest.items()) if region)


def _items(service: str) -> Iterator[dict[str, Any]]:
    for product in products(service):
        found: dict[str, Any] = json.loads(product.text)
        yield found


def _of(one: PriceList) -> Iterator[dict[str, Any]]:
    return (item for item in _items(one.service) if item["product"]["attributes"]["regionCode"] == one.region)


@lru_cache(maxsize=4)
def as_json(one: PriceList) -> bytes:
    """The whole list as an offer file."""
    items = list(_of(one))
    file = {
        "formatVersion": _VERSION,
        "disclaimer": _SAID,
        "offerCode": one.service,
        "version": one.version,
        "publicationDate": f"{one.date}T00:00:00Z" if one.date else "",
        "products": {item["product"]["sku"]: item["product"] for item in items},
        "terms": {"OnDemand": {item["product"]["sku"]: item["terms"]["OnDemand"] for item in items}},
        "attributesList": {},
    }
    return json.dumps(file, indent=2).encode()


@lru_cache(maxsize=4)
def as_csv(one: PriceList) -> bytes:
    """The same by rows, one for each rate."""
    items = list(_of(one))
    names = sorted({name for item in items for name in item["product"]["attributes"]})
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows((
        ("FormatVersion", _VERSION), ("Disclaimer", _SAID),
        ("Publication Date", f"{one.date}T00:00:00Z" if one.date else ""), ("Version", one.version),
        ("OfferCode", one.service), (*_HEAD, *(_title(name) for name in names)),
    ))  # fmt: skip
    for item in items:
        about = item["product"]["attributes"]
        for term in item["terms"]["OnDemand"].values():
            for rate in term["priceDimensions"].values():
                writer.writerow((
                    term["sku"], ON_DEMAND, rate["rateCode"], "OnDemand", rate["description"], term["effectiveDate"],
                    rate["beginRange"], rate["endRange"], rate["unit"], rate["pricePerUnit"][prices.CURRENCY],
                    prices.CURRENCY, "", "", "", "", item["product"]["productFamily"],
                    *(about.get(name, "") for name in names),
                ))  # fmt: skip
    return out.getvalue().encode()


def _title(name: str) -> str:
    """``Instance Type`` for ``instanceType``."""
    if name in ("servicecode", "usagetype", "operation"):
        return {"servicecode": "serviceCode", "usagetype": "usageType", "operation": "operation"}[name]
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return spaced[:1].upper() + spaced[1:]
