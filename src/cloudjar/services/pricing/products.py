"""Prices as products of the price list: attributes, on-demand terms, tiers as price dimensions.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api-working-with.html
"""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

from cloudjar.spec import instance_types, prices, regions

ON_DEMAND = "JRTCKXETXF"
_FIRST_RATE = "6YS6EN2CT7"
_TEN = Decimal("0.0000000001")
_STORAGE = {"gp2": "General Purpose", "gp3": "General Purpose", "io1": "Provisioned IOPS", "io2": "Provisioned IOPS",
            "st1": "Throughput Optimized HDD", "sc1": "Cold HDD"}  # fmt: skip


class Product(NamedTuple):
    """One item of a price list: its attributes as filters see them, and its JSON."""

    attributes: dict[str, str]
    text: str


@cache
def products(service: str) -> tuple[Product, ...]:
    """Everything that a service has a known price for, by region; empty for a service without prices."""
    return tuple(_product(region, price) for region, price in prices.regional(service))


@cache
def attribute_names(service: str) -> tuple[str, ...]:
    """The attributes that products of a service have."""
    return tuple(sorted({name for product in products(service) for name in product.attributes}))


def _code(length: int, *about: str) -> str:
    """A code of AWS's form that stays the same for the same thing."""
    return base64.b32encode(sha256(" ".join(about).encode()).digest()).decode()[:length]


def location(region: str) -> str:
    """The region's name in price lists: ``EU (Paris)``, where consoles say ``Europe (Paris)``."""
    return regions.region(region).long_name.replace("Europe (", "EU (")


def _product(region: str, price: prices.Price) -> Product:
    sku = _code(16, price.service, price.usage_type, price.operation, region)
    about = {
        "servicecode": price.service,
        "servicename": prices.service_name(price.service),
        "location": location(region),
        "locationType": "AWS Region",
        "regionCode": region,
        "usagetype": prices.bill_usage_type(price.usage_type, region),
        "operation": price.operation,
        **_special(price),
    }
    date = f"{price.date}-01"[:10] if price.date else ""
    item = {
        "product": {"productFamily": price.family, "attributes": about, "sku": sku},
        "serviceCode": price.service,
        "terms": {"OnDemand": {f"{sku}.{ON_DEMAND}": _term(sku, region, price, date)}},
        "version": price.date or "undated",
        "publicationDate": f"{date}T00:00:00Z" if date else "",
        "cloudjar": {"source": prices.source(price.source), "date": price.date, "confidence": price.confidence},
    }
    filters = {**about, "productFamily": price.family, "sku": sku, "serviceCode": price.service}
    return Product(filters, json.dumps(item, separators=(",", ":")))


def _term(sku: str, region: str, price: prices.Price, date: str) -> dict[str, Any]:
    rates = {}
    for index, tier in enumerate(price.tiers):
        last = index + 1 == len(price.tiers)
        code = _FIRST_RATE if len(price.tiers) == 1 else _code(10, sku, str(tier.begin))
        rate = f"{sku}.{ON_DEMAND}.{code}"
        rates[rate] = {
            "unit": price.unit,
            "beginRange": f"{tier.begin:f}",
            "endRange": "Inf" if last else f"{price.tiers[index + 1].begin:f}",
            "description": f"${tier.price:f} per {price.unit} of {price.usage_type} in {location(region)}",
            "appliesTo": [],
            "rateCode": rate,
            "pricePerUnit": {prices.CURRENCY: f"{tier.price.quantize(_TEN):f}"},
        }
    return {
        "priceDimensions": rates,
        "sku": sku,
        "effectiveDate": f"{date}T00:00:00Z" if date else "",
        "offerTermCode": ON_DEMAND,
        "termAttributes": {},
    }


def _special(price: prices.Price) -> dict[str, str]:
    """What products of a kind have beside what all have."""
    head, _, kind = price.usage_type.partition(":")
    if price.service == "AmazonEC2" and head == "BoxUsage":
        return _instance(kind)
    if head == "EBS" and kind.startswith("VolumeUsage."):
        name = kind.removeprefix("VolumeUsage.")
        return {"volumeApiName": name, "volumeType": _STORAGE[name]} if name in _STORAGE else {}
    if price.service == "AmazonRDS" and kind.startswith("db."):
        return {"instanceType": kind, "deploymentOption": "Multi-AZ" if head.startswith("Multi") else "Single-AZ"}
    return {}


def _instance(kind: str) -> dict[str, str]:
    about = {
        "instanceType": kind, "operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA",
        "capacitystatus": "Used", "licenseModel": "No License required", "marketoption": "OnDemand",
    }  # fmt: skip
    if not instance_types.exists(kind):
        return about
    facts = instance_types.facts(kind)
    gib = Decimal(facts["MemoryInfo"]["SizeInMiB"]) / 1024
    return {
        **about,
        "vcpu": str(facts["VCpuInfo"]["DefaultVCpus"]),
        "memory": f"{gib.normalize():f} GiB",
        "currentGeneration": "Yes" if facts["CurrentGeneration"] else "No",
        "networkPerformance": facts["NetworkInfo"]["NetworkPerformance"],
    }
