"""Cost Explorer and the price list for the laws: what each operation is asked about, and several of what is paged."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from tests.jar import TestJar

Scene = Callable[[Any], dict[str, Any]]
RULES = [{"Value": "all", "Rule": {"Dimensions": {"Key": "REGION", "Values": ["eu-west-3"]}}}]
VERSION = "CostCategoryExpression.v1"
_NUMBERS = itertools.count()


def _made(jar: TestJar) -> str:
    ce = jar.client("ce")
    made = ce.create_cost_category_definition(Name=f"law-{next(_NUMBERS)}", RuleVersion=VERSION, Rules=RULES)
    return str(made["CostCategoryArn"])


def _category(things: Any) -> dict[str, Any]:
    return {"CostCategoryArn": _made(things.jar)}


def _tagged(things: Any) -> dict[str, Any]:
    return {"ResourceArn": _made(things.jar)}


def _updated(things: Any) -> dict[str, Any]:
    return {"CostCategoryArn": _made(things.jar), "RuleVersion": VERSION, "Rules": RULES}


SCENES: dict[str, Scene] = {
    "ce:DescribeCostCategoryDefinition": _category,
    "ce:DeleteCostCategoryDefinition": _category,
    "ce:UpdateCostCategoryDefinition": _updated,
    **{f"ce:{name}": _tagged for name in ("ListTagsForResource", "TagResource", "UntagResource")},
}


def many(jar: TestJar) -> dict[str, Any]:
    """Several categories and tag keys; and which prices to ask for."""
    for _ in range(7):
        _made(jar)
    return {
        "GetReservationPurchaseRecommendation": {"Service": "Amazon Elastic Compute Cloud - Compute"},
        "GetProducts": {"ServiceCode": "AmazonVPC"},
        "GetAttributeValues": {"ServiceCode": "AmazonVPC", "AttributeName": "usagetype"},
    }
