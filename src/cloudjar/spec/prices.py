"""Prices by service code, usage type and region, each with its source, date and confidence.

Usage types are without the region's prefix (``BoxUsage:t3.micro``, not ``EUW3-BoxUsage:t3.micro``). There are
prices for the regions whose facts were found; for any other a price is refused, never made up.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from cloudjar.spec import regions, shares

CURRENCY = "USD"
RECURRING, ONCE = "USD", "USD once"
MONEY = (RECURRING, ONCE)
"""Units of meters that count dollars: by the hour, and at one instant."""
CONFIDENCE = {"h": "high", "m": "medium", "l": "low"}

# Services whose API calls cost nothing: usage type "Requests" is known, and zero everywhere.
FREE_REQUESTS = {
    "AmazonEC2": "Amazon Elastic Compute Cloud",
    "AmazonVPC": "Amazon Virtual Private Cloud",
    "AWSIdentityAndAccessManagement": "AWS Identity and Access Management",
    "AWSSecurityTokenService": "AWS Security Token Service",
    "AWSServiceQuotas": "Service Quotas",
    "AWSCloudTrail": "AWS CloudTrail",
    "AWSSystemsManager": "AWS Systems Manager",
    "AWSEvents": "Amazon EventBridge",
    "AmazonCloudWatchLogs": "Amazon CloudWatch Logs",
    "AmazonKinesis": "Amazon Kinesis Data Streams",
    "AmazonKinesisFirehose": "Amazon Data Firehose",
    "AWSOrganizations": "AWS Organizations",
    "AWSAccountManagement": "AWS Account Management",
    "AWSBudgets": "AWS Budgets",
    "AWSComputeOptimizer": "AWS Compute Optimizer",
    "AWSBillingAndCostManagement": "AWS Billing and Cost Management",
    "ComputeSavingsPlans": "Savings Plans for AWS Compute usage",
    "AmazonRDS": "Amazon Relational Database Service",
    "AWSPriceListService": "AWS Price List Service",
}


class NoPrice(LookupError):
    """Nothing is known of the price of this usage here; the message says of what and where."""


class Tier(NamedTuple):
    """The price of a unit from `begin` units in a month on."""

    begin: Decimal
    price: Decimal


class Price(NamedTuple):
    """What a unit costs, in US dollars without tax.

    `tiers` are by the month's quantity, the first begins at 0. `free_per_month` are units that every account has
    free, over all regions. `confidence` is high (official extract, or two sources that agree), medium (one older
    or third-party source) or low (recollection or derived); `date` is the source's, "" when it has none.
    """

    service: str
    usage_type: str
    operation: str
    family: str
    unit: str
    tiers: tuple[Tier, ...]
    free_per_month: Decimal
    source: str
    date: str
    confidence: str

    @property
    def per_unit(self) -> Decimal:
        """The price of the month's first unit."""
        return self.tiers[0].price


class _Product(msgspec.Struct, array_like=True):
    operation: str
    unit: str
    family: str
    free: str
    prices: dict[str, tuple[str | list[tuple[int, str]], str, str]]
    note: str = ""


class _Service(msgspec.Struct):
    name: str
    products: dict[str, list[_Product]]


_OWN = Path(__file__).with_name("data") / "prices"
_FOLDERS = [_OWN]
"""Where tables are: the product's own, then what was imported, which counts more."""


def use_imported(folder: Path) -> None:
    """Price by the tables of a folder (`spec.offers`) too: before anything is priced, once in a process's life."""
    _FOLDERS[1:] = [folder]
    for known in (_service, _sources, price):
        known.cache_clear()


@cache
def _service(code: str) -> _Service:
    files = [folder / f"{code}.json" for folder in _FOLDERS]
    found = [] if "/" in code or code == "sources" else [file for file in files if file.is_file()]
    if not found:
        raise NoPrice(f"no prices are known of the service {code!r}")
    first, *more = (msgspec.json.decode(file.read_bytes(), type=_Service) for file in found)
    for other in more:
        _merge(first, other)
    return first


def _merge(base: _Service, other: _Service) -> None:
    for usage_type, products in other.products.items():
        known = base.products.setdefault(usage_type, [])
        for product in products:
            same = next((one for one in known if one.operation == product.operation), None)
            if same is None:
                known.append(product)
            else:
                same.prices.update(product.prices)


@cache
def _sources() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for file in (folder / "sources.json" for folder in _FOLDERS):
        if file.is_file():
            found |= msgspec.json.decode(file.read_bytes(), type=dict[str, tuple[str, str]])
    return found


@cache
def price(service: str, usage_type: str, region: str, operation: str = "") -> Price:
    """The price of a usage type (without region prefix) in a region; `NoPrice` where it is not known.

    `operation` decides where one usage type has several products (``LoadBalancerUsage``); it may be left out
    where there is one, and a product without operation serves every operation.
    """
    if usage_type == "Requests" and service in FREE_REQUESTS:
        return _free(service)
    share = shares.derived(usage_type, region, operation) if service == "AmazonEC2" else None
    if share is not None:
        return _share(service, usage_type, region, operation, share)
    products = _service(service).products.get(usage_type)
    if not products:
        raise NoPrice(f"no price is known of {usage_type!r} of {service}")
    product = _choose(products, service, usage_type, operation)
    if region not in product.prices:
        known = ", ".join(sorted(product.prices))
        raise NoPrice(f"no price is known of {usage_type!r} of {service} in {region}; it is in {known}")
    tiers, source, confidence = product.prices[region]
    rows = [(0, tiers)] if isinstance(tiers, str) else tiers
    return Price(
        service,
        usage_type,
        product.operation,
        product.family,
        product.unit,
        tuple(Tier(Decimal(begin), Decimal(amount)) for begin, amount in rows),
        Decimal(product.free or 0),
        source,
        _sources()[source][1],
        CONFIDENCE[confidence],
    )


def _share(service: str, usage_type: str, region: str, operation: str, share: shares.Share) -> Price:
    """A price that is known as a share of another one: as sure as the less sure of the two."""
    base = price(service, share.base, region)
    tiers = tuple(Tier(tier.begin, shares.applied(tier.price, share.factor)) for tier in base.tiers)
    sure = min(base.confidence, share.confidence, key=("low", "medium", "high").index)
    return base._replace(usage_type=usage_type, operation=operation, tiers=tiers, confidence=sure)


def money(service: str, usage_type: str, operation: str, unit: str) -> Price:
    """What is metered in dollars (`MONEY`): a fee that was agreed when something was bought costs what it says."""
    one = (Tier(Decimal(0), Decimal(1)),)
    return Price(service, usage_type, operation, "Fee", unit, one, Decimal(0), "RK", "", "high")


def _choose(products: list[_Product], service: str, usage_type: str, operation: str) -> _Product:
    for product in products:
        if product.operation == operation:
            return product
    if len(products) == 1 and (not operation or not products[0].operation):
        return products[0]
    known = ", ".join(p.operation or "any" for p in products)
    raise NoPrice(f"{usage_type!r} of {service} has prices by operation ({known}), not for {operation!r}")


def _free(service: str) -> Price:
    nothing = (Tier(Decimal(0), Decimal(0)),)
    return Price(service, "Requests", "", "API Request", "Requests", nothing, Decimal(0), "RK", "", "high")


def is_priced(service: str, usage_type: str, region: str, operation: str = "") -> bool:
    """Whether `price` answers."""
    try:
        price(service, usage_type, region, operation)
    except NoPrice:
        return False
    return True


def fingerprint() -> bytes:
    """Says whether two tables of prices are the same."""
    files = [file for folder in _FOLDERS for file in sorted(folder.glob("*.json"))]
    return sha256(b"".join(file.read_bytes() for file in files)).digest()


def service_name(service: str) -> str:
    """The name on the bill; the code itself where no prices are known."""
    if service in FREE_REQUESTS:
        return FREE_REQUESTS[service]
    try:
        return _service(service).name or service
    except NoPrice:
        return service


def services() -> tuple[str, ...]:
    """The codes of all services that have prices."""
    return tuple(sorted({file.stem for folder in _FOLDERS for file in folder.glob("*.json")} - {"sources"}))


def usage_types(service: str) -> tuple[str, ...]:
    """A service's priced usage types, without region prefix."""
    return tuple(_service(service).products)


def known_units(service: str, usage_type: str) -> dict[str, str]:
    """The units of a usage type's prices, by operation; nothing of what has none."""
    try:
        products = _service(service).products.get(usage_type) or ()
    except NoPrice:
        return {}
    return {product.operation: product.unit for product in products}


def regional(service: str) -> Iterator[tuple[str, Price]]:
    """Every price of a service's own table, with its region; `NoPrice` for a service that has none."""
    for usage_type, products in _service(service).products.items():
        for product in products:
            for region in product.prices:
                yield region, price(service, usage_type, region, product.operation)


def source(code: str) -> str:
    """What a source code stands for."""
    return _sources()[code][0]


def bill_usage_type(usage_type: str, region: str) -> str:
    """The usage type as it stands on a bill: with the region's prefix, where that is known."""
    return (regions.usage_prefix(region) or "") + usage_type
