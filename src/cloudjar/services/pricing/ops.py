"""Search the product's own table of prices.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.pricing.products import attribute_names, products
from cloudjar.spec import prices

_FORMAT = "aws_v1"


def invalid(name: str, value: str) -> AwsError:
    """400."""
    return AwsError("InvalidParameterException", f"Input Parameters are invalid. Please verify {name}: {value}", 400)


def known(code: str) -> str:
    """A service that has prices; raises InvalidParameterException."""
    if code not in prices.services():
        raise invalid("ServiceCode", code)
    return code


def _format(req: Mapping[str, Any]) -> str:
    given = str(req.get("FormatVersion") or _FORMAT)
    if given != _FORMAT:
        raise invalid("FormatVersion", given)
    return given


@op("DescribeServices")
def describe_services(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The services that have prices, and the attributes of their products."""
    codes = [known(req["ServiceCode"])] if req.get("ServiceCode") else list(prices.services())
    shown = [{"ServiceCode": code, "AttributeNames": list(attribute_names(code))} for code in codes]
    return {"Services": shown, "FormatVersion": _format(req)}


@op("GetAttributeValues")
def get_attribute_values(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The values that an attribute has among a service's products."""
    code, name = known(req["ServiceCode"]), req["AttributeName"]
    if name not in attribute_names(code):
        raise invalid("AttributeName", name)
    values = {product.attributes[name] for product in products(code) if product.attributes.get(name)}
    return {"AttributeValues": [{"Value": value} for value in sorted(values)]}


@op("GetProducts")
def get_products(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Products with their on-demand prices, each as a JSON text."""
    code, filters = known(req["ServiceCode"]), req.get("Filters") or ()
    found = [one.text for one in products(code) if all(_admits(one.attributes, entry) for entry in filters)]
    return {"PriceList": found, "FormatVersion": _format(req)}


def _admits(attributes: Mapping[str, str], entry: Mapping[str, str]) -> bool:
    """Names and values are compared without regard to case, as AWS does."""
    folded = {name.lower(): value.lower() for name, value in attributes.items()}
    held = folded.get(entry["Field"].lower())
    wanted, kind = entry["Value"].lower(), entry["Type"]
    if kind == "NONE_OF":
        return held not in _several(wanted)
    if held is None:
        return False
    if kind == "ANY_OF":
        return held in _several(wanted)
    return wanted in held if kind == "CONTAINS" else held == wanted


def _several(text: str) -> list[str]:
    return [one.strip() for one in text.split(",")]
